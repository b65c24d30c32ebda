"""A day's figures and report from its tables, at several sizes: wall time, CPU and memory.

python -m tests.benchmarks.figures [--rows 100000 1000000] [--also CHECKOUT] [--times 3]

`--also` names a checkout of another commit to measure beside this one, in turn, each time in a process of its own.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import pyarrow.parquet as pq

from tasks.warehouse.rules.tables import REJECTS, SUMMARIES
from tests.builders.summary_days import run, summaries

DAY = date(2026, 11, 22)

_HERE = Path(__file__).parents[2]

_ROWS_AT_A_TIME = 20_000


def write_day(folder: Path, rows: int) -> None:
    """Write a day's tables: so many summaries, no rejects."""
    with pq.ParquetWriter(folder / "summaries.parquet", SUMMARIES, compression="zstd") as writer:
        for seed, first in enumerate(range(0, rows, _ROWS_AT_A_TIME)):
            writer.write_batch(summaries(min(_ROWS_AT_A_TIME, rows - first), seed))
    pq.write_table(REJECTS.empty_table(), folder / "rejects.parquet")


def make_figures(folder: Path) -> dict[str, float]:
    """Make the day's figures and files once, and measure it; imports that any run needs are not counted."""
    from prefect.logging import disable_run_logger

    from tasks.reporting.report import aggregate_day, report_files
    from tasks.reporting.rules.context import Context

    began, cpu = time.perf_counter(), time.process_time()
    with disable_run_logger():
        day = aggregate_day.fn(
            DAY, ZoneInfo("Asia/Shanghai"), folder / "summaries.parquet", folder / "rejects.parquet", [run()]
        )
        report_files(DAY, day, Context())
    return {
        "wall": time.perf_counter() - began,
        "cpu": time.process_time() - cpu,
        "MiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "check": day.outcomes.total,
    }


def _measured(checkout: Path, folder: Path) -> dict[str, float]:
    """Measure one checkout in a process of its own, by this file."""
    program = f"import runpy; runpy.run_path({str(Path(__file__))!r}, run_name='once')['print_once']({str(folder)!r})"
    environment = os.environ | {"PYTHONPATH": str(checkout)}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=checkout, env=environment, check=True, capture_output=True, text=True
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def print_once(folder: str) -> None:
    """Print one measurement as JSON."""
    sys.stdout.write(json.dumps(make_figures(Path(folder))))


def main() -> None:
    """Print each checkout's best of several times, and the memory it took."""
    parser = argparse.ArgumentParser(description="Measure a day's figures and report.")
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--also", type=Path, nargs="*", default=[], help="checkouts of other commits")
    parser.add_argument("--times", type=int, default=3)
    args = parser.parse_args()
    for rows in args.rows:
        with TemporaryDirectory(prefix="kefu-figures-") as name:
            write_day(Path(name), rows)
            found: dict[Path, list[dict[str, float]]] = {}
            for _ in range(args.times):
                for checkout in (_HERE, *(path.resolve() for path in args.also)):
                    found.setdefault(checkout, []).append(_measured(checkout, Path(name)))
        for checkout, times in found.items():
            best = {what: min(taken[what] for taken in times) for what in ("wall", "cpu", "MiB")}
            print(
                f"{rows:,} rows, {checkout}: {best['wall']:.2f} s wall, {best['cpu']:.2f} s CPU, {best['MiB']:.0f} MiB",
                flush=True,
            )


if __name__ == "__main__":
    main()
