"""The tables of a new Prefect database, made by Prefect's own migrations.

python -m tests.builders.prefect_tables    # after an update of Prefect
"""

import asyncio
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from prefect.settings import PREFECT_API_DATABASE_CONNECTION_URL, temporary_settings
from prefect.utilities.asyncutils import run_sync_in_worker_thread

from flows.wiring.commands.new_database import HEAD, TABLES


def migrated(folder: Path) -> str:
    """Return what writes the tables, and leave a database that has them in the folder."""
    from prefect.server.database.alembic_commands import alembic_upgrade  # seconds, which no other test needs

    database = folder / "migrated.db"
    with temporary_settings({PREFECT_API_DATABASE_CONNECTION_URL: f"sqlite+aiosqlite:///{database}"}):
        asyncio.run(run_sync_in_worker_thread(alembic_upgrade))
    with closing(sqlite3.connect(database)) as connection:
        return HEAD + "\n".join(connection.iterdump()) + "\n"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        TABLES.write_text(migrated(Path(made)), encoding="utf-8")
