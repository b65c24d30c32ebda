"""Time that passes for a Prefect server that is away: whatever its database has dated becomes so much older."""

import asyncio
import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]

from deployments.postgresql import Cluster

_DATED = """
    SELECT c.table_name, string_agg(format('%1$I = %1$I - $1::interval', c.column_name), ', ')
    FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
    WHERE table_schema = 'public' AND t.table_type = 'BASE TABLE' AND c.data_type = 'timestamp with time zone'
    GROUP BY c.table_name
"""
_DATED_IN_SQLITE = """
    SELECT t.name, group_concat(format('"%w" = older("%w")', c.name, c.name), ', ')
    FROM sqlite_schema t JOIN pragma_table_info(t.name) c WHERE t.type = 'table' AND c.type = 'DATETIME' GROUP BY t.name
"""

# A run that waits keeps the time that it waits for in its state, too.
_WAITING = """
    UPDATE flow_run_state SET state_details = jsonb_set(
        state_details::jsonb, '{scheduled_time}', to_jsonb((state_details->>'scheduled_time')::timestamptz - $1::interval)
    ) WHERE state_details->>'scheduled_time' IS NOT NULL
"""
_WAITING_IN_SQLITE = """
    UPDATE flow_run_state SET state_details = json_set(
        state_details, '$.scheduled_time', older(state_details->>'scheduled_time')
    ) WHERE state_details->>'scheduled_time' IS NOT NULL
"""


def let_pass(folder: Path, by: timedelta) -> None:
    """Let time pass in the database of a machine that serves from this folder; its server is down meanwhile."""
    if (folder / "postgresql").exists():
        asyncio.run(_in_postgresql(Cluster(folder / "postgresql").url.replace("+asyncpg", ""), by))
    else:
        _in_sqlite(folder / "prefect" / "prefect.db", by)


async def _in_postgresql(url: str, by: timedelta) -> None:
    database = await asyncpg.connect(url)
    try:
        async with database.transaction():
            for table, columns in await database.fetch(_DATED):
                await database.execute(f'UPDATE "{table}" SET {columns}', by)
            await database.execute(_WAITING, by)
    finally:
        await database.close()


def _in_sqlite(file: Path, by: timedelta) -> None:
    def older(text: str | None) -> str | None:
        return text and (datetime.fromisoformat(text) - by).isoformat(text[10], "microseconds")

    with closing(sqlite3.connect(f"file:{file}?mode=rw", uri=True)) as database, database:
        database.create_function("older", 1, older)
        for table, columns in database.execute(_DATED_IN_SQLITE).fetchall():
            database.execute(f'UPDATE "{table}" SET {columns}')
        database.execute(_WAITING_IN_SQLITE)
