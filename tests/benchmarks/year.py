"""A year of summaries, by default ten million: the questions of analysts, and the report of the whole year.

python -m tests.benchmarks.year --warehouse /tmp/year [--rows 10000000]

The year is written once, an hour's work of a shop's four seasons multiplied; a folder that has it is taken as it is.
Each question and the report run in a process of their own, so that the memory is theirs alone.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from prefect.logging import disable_run_logger

from tasks.clients.folder_store import FolderStore
from tasks.domain.layout import partition_key
from tasks.reporting.queries import open_days
from tasks.reporting.report import aggregate_published, look_around, report_files
from tasks.reporting.rules.dimensions import AttributeDimensions
from tasks.themes.assigner import open_assigner
from tasks.warehouse.rules.tables import RUNS, SUMMARIES
from tests.benchmarks.months import Month, simulate_month, write_month
from tests.builders.questions import QUESTIONS

FIRST, DAYS = date(2026, 1, 1), 365

_DRAWN_A_DAY = 400

_OWN = {  # columns that no two conversations share
    "conversation_id": "conversation_id || '-' || copy",
    "content_hash": "sha256(conversation_id || '-' || copy)",
    "attributes": "map_concat(attributes, MAP {'order_id': md5(conversation_id || '-' || copy)})",
}


def write_year(folder: Path, rows: int) -> None:
    """Write a year of so many summaries, nearly, into a folder; what is planted in its months is multiplied too."""
    assign = open_assigner().assign
    for number in range(0, DAYS, 73):
        drawn = simulate_month(number, start=FIRST + timedelta(days=number), days=73, per_day=_DRAWN_A_DAY)
        for day, conversations in drawn.days.items():
            for text, theme in (("issue", "theme"), ("plan", "plan_theme")):
                texts = pa.array([row[text] for row in conversations], pa.string())
                for row, found in zip(conversations, assign(texts).to_pylist(), strict=True):
                    row[theme] = found
            write_month(Month({day: conversations}, ()), folder)
    everything = [FIRST + timedelta(days=number) for number in range(DAYS)]
    paths = {day: folder / partition_key("summaries", day) for day in everything}
    copies = rows / sum(pq.read_metadata(path).num_rows for path in paths.values())
    for day, path in paths.items():
        _multiply(path, copies)
        runs = folder / partition_key("runs", day)
        count = pq.read_metadata(path).num_rows
        table = [
            {**row, "conversations": count, "summarized": count}
            for row in pq.read_table(runs, partitioning=None).to_pylist()
        ]
        pq.write_table(pa.Table.from_pylist(table, schema=RUNS), runs)


def _multiply(path: Path, copies: float) -> None:
    columns = ", ".join(f"{_OWN.get(name, name)} AS {name}" for name in SUMMARIES.names)
    many = path.with_suffix(".many")
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute(
            f"COPY (SELECT {columns} FROM read_parquet('{path}', hive_partitioning = false), range(ceil({copies})::BIGINT) "
            f"AS copies (copy) WHERE copy + hash(conversation_id) % 1000 / 1000 < {copies}) "
            f"TO '{many}' (FORMAT parquet, COMPRESSION zstd)"
        )
    many.replace(path)


def ask(folder: Path, question: str) -> dict[str, object]:
    """Ask the whole year one question; return its rows and seconds."""
    begun = time.perf_counter()
    days = [FIRST + timedelta(days=number) for number in range(DAYS)]
    with open_days(FolderStore(folder), days, ("summaries", "rejects", "runs")) as warehouse:
        opened = time.perf_counter()
        rows = warehouse.ask(question).num_rows
    return {"rows": rows, "opened": opened - begun, "seconds": time.perf_counter() - opened}


def report(folder: Path) -> dict[str, object]:
    """Make the year's report, as `flows.build_report` does without writing it; return its size and seconds by step."""
    store, zone = FolderStore(folder), ZoneInfo("Asia/Shanghai")
    last = FIRST + timedelta(days=DAYS - 1)
    days = [FIRST + timedelta(days=number) for number in range(DAYS)]
    begun = time.perf_counter()
    with disable_run_logger():
        published = aggregate_published.fn(store, days, zone, AttributeDimensions(("shop", "agent"), 10))
        aggregated = time.perf_counter()
        context = look_around.fn(store, FIRST, last, published.whole)
        looked = time.perf_counter()
        files = dict(report_files(last, published.whole, context))
    return {
        "conversations": published.whole.conversations,
        "stories": len(context.stories.told),
        "figures": aggregated - begun,
        "stories and examples": looked - aggregated,
        "pages": time.perf_counter() - looked,
        "seconds": time.perf_counter() - begun,
        "KiB": sum(map(len, files.values())) // 1024,
    }


def _measured(folder: Path) -> Iterator[dict[str, object]]:
    for what in (*QUESTIONS, "report"):
        command = [sys.executable, "-m", "tests.benchmarks.year", "--warehouse", str(folder), "--only", what]
        yield {"what": what, **json.loads(subprocess.run(command, check=True, capture_output=True).stdout)}


def main() -> None:
    """Write the year if it is not there, and print a line for each question and the report."""
    parser = argparse.ArgumentParser(description="Ask a year of ten million summaries.")
    parser.add_argument("--warehouse", type=Path, required=True, help="a folder; written if it is not there")
    parser.add_argument("--rows", type=int, default=10_000_000, help="conversations of the year (default: 10,000,000)")
    parser.add_argument("--only", choices=(*QUESTIONS, "report"), help="ask only this, in this process, as JSON")
    args = parser.parse_args()
    if args.only:
        found = report(args.warehouse) if args.only == "report" else ask(args.warehouse, args.only)
        usage = resource.getrusage(resource.RUSAGE_SELF)
        found |= {"CPU": usage.ru_utime + usage.ru_stime, "MiB": usage.ru_maxrss // 1024}
        print(
            json.dumps({name: round(value, 2) if isinstance(value, float) else value for name, value in found.items()})
        )
        return
    if not args.warehouse.exists():
        begun = time.perf_counter()
        write_year(args.warehouse, args.rows)
        print(f"written in {time.perf_counter() - begun:.0f} s")
    for row in _measured(args.warehouse):
        print(", ".join(f"{value} {name}" if name != "what" else str(value) for name, value in row.items()), flush=True)


if __name__ == "__main__":
    main()
