"""The database of a Prefect server that has none yet, as all of Prefect's migrations together leave it.

They cost 5 s of CPU, more than the rest of the server's start. The tables are Prefect's, under the Apache License 2.0.
"""

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from tempfile import mkstemp
from typing import Final

import prefect
from prefect.settings import PREFECT_API_DATABASE_CONNECTION_URL, PREFECT_HOME

# Written by python -m tests.builders.prefect_tables; a test holds it to the migrations.
TABLES: Final = Path(__file__).with_name("new_database.sql")
HEAD: Final = f"-- Prefect {prefect.__version__}\n"


def make_new_database() -> None:
    """Make the database where PREFECT_HOME has none; the migrations do it where Prefect is of another version."""
    database = PREFECT_HOME.value() / "prefect.db"
    other = PREFECT_API_DATABASE_CONNECTION_URL.value() != f"sqlite+aiosqlite:///{database}"
    # A log of changes that somebody left behind would be played into the new database.
    there = (database, database.with_name("prefect.db-wal"), database.with_name("prefect.db-journal"))
    if other or any(path.exists() for path in there):
        return
    tables = TABLES.read_text(encoding="utf-8")
    if not tables.startswith(HEAD):
        return
    database.parent.mkdir(parents=True, exist_ok=True)
    descriptor, made = mkstemp(prefix="new-", suffix=".db", dir=database.parent)
    os.close(descriptor)
    with closing(sqlite3.connect(made)) as connection:
        connection.executescript(tables)
    with suppress(OSError):  # whoever was faster made the same; where nothing can be linked, the migrations do it
        os.link(made, database)
    os.unlink(made)
