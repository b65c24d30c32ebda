"""A year of nights in Prefect's database: its size, and the time that the list of runs takes to open.

python -m tests.benchmarks.nights [--nights 365] [--minutes 120] [--folder /tmp/nights]

One nightly runs for real, on a PostgreSQL, a server and a worker of its own. The rows that it left are copied once for
each night of the year, its middle as often as a night of so many minutes needs; each thirtieth night brings a backfill
of thirty such days. Time is moved, not waited for: each copy is dated to its night, and Prefect's own clean-up runs each
simulated week with the times that `make serve` gives it, as if it were that week.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any, Final

import asyncpg  # type: ignore[import-untyped]
from prefect.server.database import provide_database_interface
from prefect.server.services import db_vacuum
from prefect.settings import (
    PREFECT_SERVER_DATABASE_CONNECTION_URL,
    PREFECT_SERVER_EVENTS_RETENTION_PERIOD,
    PREFECT_SERVER_SERVICES_DB_VACUUM_BATCH_SIZE,
    PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD,
    temporary_settings,
)

from deployments.postgresql import Cluster
from deployments.serve import GROWTH
from tests.builders.small_days import DAY, write_logs
from tests.servers.qianfan import API_KEY, QianfanServer
from tests.servers.served import Served, served

CONVERSATIONS: Final = 400
RPM: Final = 120
BACKFILL_EVERY, BACKFILL_DAYS = 30, 30
_EDGE: Final = timedelta(seconds=20)
_RUNS_KEPT: Final = timedelta(seconds=float(GROWTH["PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD"]))
_EVENTS_KEPT: Final = timedelta(days=7)


@dataclass(frozen=True)
class Table:
    """A table that a night writes to.

    Args:
        name: of the table.
        own: columns whose value is new in each copy.
        of_run: columns whose value is new for each run.
        at: the column of the time, where the middle of a night writes more rows.
    """

    name: str
    own: tuple[str, ...] = ()
    of_run: tuple[str, ...] = ()
    at: str = ""


TABLES: Final = (
    Table("flow_run", of_run=("id", "state_id", "idempotency_key")),
    Table("flow_run_state", of_run=("id", "flow_run_id")),
    Table("task_run", of_run=("id", "flow_run_id", "state_id")),
    Table("task_run_state", of_run=("id", "task_run_id")),
    Table("artifact", of_run=("id", "flow_run_id", "task_run_id")),
    Table("artifact_collection", of_run=("id", "latest_id", "key", "flow_run_id", "task_run_id")),
    Table("log", own=("id",), of_run=("flow_run_id", "task_run_id"), at="timestamp"),
    Table("events", own=("id",), at="occurred"),
    Table("event_resources", own=("id", "event_id"), at="occurred"),
)

# What the page with the runs asks for.
LIST: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("/flow_runs/paginate", {"sort": "START_TIME_DESC", "limit": 10}),
    ("/flow_runs/count", {}),
    ("/ui/flow_runs/history", {"sort": "START_TIME_DESC", "limit": 1000}),
    ("/flows/filter", {"limit": 200}),
    ("/deployments/filter", {"limit": 200}),
)


async def keep_night(database: asyncpg.Connection, run: str, began: datetime, ended: datetime) -> None:
    """Copy the rows that a night left into a schema of their own, to copy them from there."""
    await database.execute("CREATE SCHEMA night")
    of_run = f"'{run}'::uuid"
    states = f"(SELECT id FROM task_run WHERE flow_run_id = {of_run})"
    between = f"BETWEEN '{began}' AND '{ended}'"
    where = {
        "flow_run": f"id = {of_run}",
        "task_run_state": f"task_run_id IN {states}",
        "events": f"occurred {between}",
        "event_resources": f"occurred {between}",
    }
    for table in TABLES:
        condition = where.get(table.name, f"flow_run_id = {of_run}")
        await database.execute(
            f"CREATE TABLE night.{table.name} AS SELECT * FROM public.{table.name} WHERE {condition}"
        )


async def copy_statement(database: asyncpg.Connection, table: Table, middle: tuple[datetime, datetime]) -> str:
    """The statement that copies a table's rows; $1: the copy, $2: days back, $3: how often the middle is there."""
    columns = await database.fetch(
        "SELECT column_name, data_type FROM information_schema.columns "
        "WHERE table_schema = 'public' AND table_name = $1 AND is_generated = 'NEVER'",
        table.name,
    )

    def value(name: str, kind: str) -> str:
        if name in table.own:
            return f"md5({name}::text || '/' || $1::text || '/' || times)::uuid"
        if name in table.of_run:
            return f"md5({name}::text || $1::text)" + ("::uuid" if kind == "uuid" else "")
        return f"{name} - make_interval(days => $2::int)" if kind.startswith("timestamp") else name

    names = [str(name) for name, _ in columns]
    often = f"CASE WHEN {table.at} BETWEEN '{middle[0]}' AND '{middle[1]}' THEN $3::int ELSE 1 END" if table.at else "1"
    values = ", ".join("NULL" if name == "state_id" else value(name, kind) for name, kind in columns)
    unused = "" if table.at else " WHERE $3::int IS NOT NULL"
    return (
        f"INSERT INTO public.{table.name} ({', '.join(map(_quoted, names))}) "
        f"SELECT {values} FROM night.{table.name}, generate_series(1, {often}) AS times{unused}"
    )


def state_statement(of: str) -> str:
    """The statement that gives a copied run, or task run, its last state; it could not name it before that was there."""
    return (
        f"UPDATE public.{of} SET state_id = (SELECT id FROM public.{of}_state WHERE {of}_id = {of}.id "
        f"ORDER BY timestamp DESC LIMIT 1) WHERE id IN (SELECT md5(id::text || $1::text)::uuid FROM night.{of}) "
        "AND $2::int + $3::int IS NOT NULL"
    )


async def clean(database: asyncpg.Connection, behind: timedelta) -> float:
    """Let Prefect clean up as if it were so long ago; return the seconds that it took."""
    began = time.monotonic()
    with temporary_settings(
        {
            PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD: _RUNS_KEPT + behind,
            PREFECT_SERVER_EVENTS_RETENTION_PERIOD: _EVENTS_KEPT + behind,
            PREFECT_SERVER_SERVICES_DB_VACUUM_BATCH_SIZE: 200_000,  # each batch passes over what the ones before it left
        }
    ):
        interface = provide_database_interface()
        await db_vacuum.vacuum_old_flow_runs(db=interface)
        await db_vacuum.vacuum_old_events(db=interface)
        await db_vacuum.vacuum_stale_artifact_collections(db=interface)
    await database.execute("VACUUM ANALYZE")  # PostgreSQL's own, which comes every minute there
    return time.monotonic() - began


async def live_through(cluster: Cluster, run: dict[str, Any], nights: int, minutes: float) -> None:
    """Let the nights pass, and print what is in the database after each quarter of them."""
    began, ended = (datetime.fromisoformat(run[name]) for name in ("start_time", "end_time"))
    dsn = cluster.url.replace("+asyncpg", "")
    with temporary_settings({PREFECT_SERVER_DATABASE_CONNECTION_URL: cluster.url}):
        database = await asyncpg.connect(dsn)
        await keep_night(database, run["id"], began - _EDGE, ended + _EDGE)
        middle = (began + _EDGE, ended - _EDGE)
        often = max(1, round((minutes * 60 - 2 * _EDGE.total_seconds()) / (middle[1] - middle[0]).total_seconds()))
        copying = [await copy_statement(database, table, middle) for table in TABLES]
        copying += [state_statement("flow_run"), state_statement("task_run")]
        print(f"the night: {(ended - began).total_seconds():.0f} s, its middle {often} times", flush=True)
        number, longest = 0, 0.0
        for night in range(1, nights + 1):
            for _ in range(BACKFILL_DAYS + 1 if night % BACKFILL_EVERY == 0 else 1):
                number += 1
                async with database.transaction():
                    for statement in copying:
                        await database.execute(statement, str(number), nights - night, often)
            if night % 7 == 0 or night == nights:
                longest = max(longest, await clean(database, timedelta(days=nights - night)))
            if night % max(1, nights // 4) == 0 or night == nights:
                await show_sizes(database, f"night {night}, {number} runs")
        print(f"the longest clean-up: {longest:.1f} s")
        await database.execute("DROP SCHEMA night CASCADE")
        await database.close()


async def show_sizes(database: asyncpg.Connection, when: str) -> None:
    size = await database.fetchval("SELECT pg_database_size(current_database())")
    tables = await database.fetch(
        "SELECT relname, pg_total_relation_size(relid) AS size, n_live_tup FROM pg_stat_user_tables "
        "WHERE schemaname = 'public' ORDER BY 2 DESC LIMIT 5"
    )
    largest = ", ".join(f"{row['relname']} {row['size'] / 1e6:.1f} ({row['n_live_tup']:,} rows)" for row in tables)
    print(f"{when}: {size / 1e6:.1f} MB; {largest}", flush=True)


def open_list(machine: Served) -> str:
    """The milliseconds that the requests of the list take, one after the other: the median of five."""
    seconds = []
    for _ in range(6):
        began = time.monotonic()
        for path, asked in LIST:
            machine.ask("POST", path, asked)
        seconds.append(time.monotonic() - began)
    return f"{median(seconds[1:]) * 1000:.0f} ms"


def main(arguments: Sequence[str]) -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.nights", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--nights", type=int, default=365)
    parser.add_argument("--minutes", type=float, default=120.0, help="of each night (default: 120)")
    parser.add_argument("--folder", type=Path, help="keeps everything (default: a temporary one, removed)")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="year-") as temporary, QianfanServer() as endpoint:
        folder = given.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        write_logs(folder / "logs", range(CONVERSATIONS))
        (folder / "logs" / "_SUCCESS").touch()
        environment = {
            "OPENAI_BASE_URL": f"{endpoint.url}/v1",
            "OPENAI_API_KEY": API_KEY,
            "KEFU_SUMMARIZER": "openai",
            "KEFU_ENDPOINT": "m",
            "KEFU_RPM": str(RPM),
            "KEFU_SOURCE": str(folder / "logs"),
            "KEFU_DAY_FROM": "source",
        }
        with served(folder, "postgresql", environment) as machine:
            run = machine.wait(machine.start("summarize-day/nightly", day=str(DAY), catch_up_days=0), seconds=900)
            assert run["state_name"] == "Completed", run["state"]
            time.sleep(_EDGE.total_seconds())  # its last events and log lines
            print(f"the list of runs with one run: {open_list(machine)}", flush=True)
            sizes = {path.name: path.stat().st_size for path in sorted((folder / "serve" / "logs").iterdir())}
            print("logs of one short night, bytes:", sizes, flush=True)
            answers = [path.stat().st_size for path in (folder / "warehouse" / "_answers").rglob("*") if path.is_file()]
            print(f"an answer that is kept: {sum(answers) / CONVERSATIONS:.0f} bytes", flush=True)
            asyncio.run(live_through(Cluster(folder / "serve" / "postgresql"), run, given.nights, given.minutes))
            print(f"the list of runs after the year: {open_list(machine)}", flush=True)
    return 0


def _quoted(name: str) -> str:
    return f'"{name}"'


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
