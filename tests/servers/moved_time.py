"""Time that passes for a Prefect server that is away: whatever its database has dated becomes so much older."""

import asyncio
from datetime import timedelta
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]

from deployments.postgresql import Cluster

_DATED = """
    SELECT c.table_name, string_agg(format('%1$I = %1$I - $1::interval', c.column_name), ', ')
    FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
    WHERE table_schema = 'public' AND t.table_type = 'BASE TABLE' AND c.data_type = 'timestamp with time zone'
    GROUP BY c.table_name
"""

# A run that waits keeps the time that it waits for in its state, too.
_WAITING = """
    UPDATE flow_run_state SET state_details = jsonb_set(
        state_details::jsonb, '{scheduled_time}', to_jsonb((state_details->>'scheduled_time')::timestamptz - $1::interval)
    ) WHERE state_details->>'scheduled_time' IS NOT NULL
"""


def let_pass(folder: Path, by: timedelta) -> None:
    """Let time pass in the database of a machine that serves from this folder; its server is down meanwhile."""
    asyncio.run(_let_pass(Cluster(folder / "postgresql").url.replace("+asyncpg", ""), by))


async def _let_pass(url: str, by: timedelta) -> None:
    database = await asyncpg.connect(url)
    try:
        async with database.transaction():
            for table, columns in await database.fetch(_DATED):
                await database.execute(f'UPDATE "{table}" SET {columns}', by)
            await database.execute(_WAITING, by)
    finally:
        await database.close()
