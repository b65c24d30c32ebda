"""A new Prefect database is the one that Prefect's migrations make, and never takes another's place."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_DATABASE_CONNECTION_URL, PREFECT_HOME, temporary_settings

from flows.wiring.commands import new_database
from flows.wiring.commands.new_database import TABLES, make_new_database
from tests.builders.prefect_tables import migrated


def contents(database: Path) -> tuple[dict[tuple[str, str], list[str]], dict[str, list[tuple]]]:
    """Each table's and index's lines (the migrations write a table's constraints in no order), and each table's rows."""
    with closing(sqlite3.connect(database)) as connection:
        made = connection.execute("select type, name, coalesce(sql, '') from sqlite_master").fetchall()
        tables = [name for kind, name, _ in made if kind == "table"]
        rows = {name: connection.execute(f'select * from "{name}"').fetchall() for name in tables}
    return {(kind, name): sorted(line.strip(" \t,") for line in sql.splitlines()) for kind, name, sql in made}, rows


def test_new_database_is_that_of_the_migrations(tmp_path):
    migrated(tmp_path)
    with temporary_settings({PREFECT_HOME: tmp_path}):
        make_new_database()
    assert contents(tmp_path / "prefect.db") == contents(tmp_path / "migrated.db")
    assert [entry.name for entry in sorted(tmp_path.iterdir())] == ["migrated.db", "prefect.db"]


@pytest.mark.parametrize("name", ["prefect.db", "prefect.db-wal", "prefect.db-journal"])
def test_nothing_is_made_beside_what_lies_there(name, tmp_path):
    (tmp_path / name).write_bytes(b"somebody's")
    with temporary_settings({PREFECT_HOME: tmp_path}):
        make_new_database()
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [(name, b"somebody's")]


def test_a_home_that_is_not_there_is_made(tmp_path):
    with temporary_settings({PREFECT_HOME: tmp_path / "new"}):
        make_new_database()
    assert (tmp_path / "new/prefect.db").exists()


@pytest.mark.parametrize("url", ["postgresql+asyncpg://somewhere/prefect", "sqlite+aiosqlite:////elsewhere/prefect.db"])
def test_another_database_is_left_to_prefect(url, tmp_path):
    with temporary_settings({PREFECT_HOME: tmp_path, PREFECT_API_DATABASE_CONNECTION_URL: url}):
        make_new_database()
    assert not list(tmp_path.iterdir())


def test_another_prefect_migrates_by_itself(tmp_path, monkeypatch):
    older = tmp_path / "older.sql"
    older.write_text(TABLES.read_text(encoding="utf-8").replace("-- Prefect 3", "-- Prefect 2", 1), encoding="utf-8")
    monkeypatch.setattr(new_database, "TABLES", older)
    with temporary_settings({PREFECT_HOME: tmp_path}):
        make_new_database()
    assert not (tmp_path / "prefect.db").exists()
