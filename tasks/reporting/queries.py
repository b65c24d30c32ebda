"""Questions to the warehouse's tables: one SQL file each, run by DuckDB over Parquet files."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import date
from functools import cache
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from tasks.domain.errors import ObjectMissing
from tasks.domain.layout import partition_key
from tasks.domain.ports import ObjectStore
from tasks.warehouse.parquet import published_keys
from tasks.warehouse.rules.views import TABLES, view_sql

if TYPE_CHECKING:
    import duckdb

_SQL = Path(__file__).parent / "sql"

_MEMORY = "1GB"

_THREADS = 2


class Warehouse:
    """Tables that can be asked questions: files of a day, of a range, or of everything."""

    def __init__(self, connection: "duckdb.DuckDBPyConnection") -> None:
        self._connection = connection

    def ask(self, question: str, **values: Any) -> pa.Table:
        """Run `sql/{question}.sql`.

        Args:
            question: the file's name without its ending.
            values: what stands in the question as `$name`.
        """
        return self._connection.sql(read_question(question), params=values).to_arrow_table()


@cache
def read_question(question: str) -> str:
    """Return a question's SQL."""
    return (_SQL / f"{question}.sql").read_text(encoding="utf-8")


@contextmanager
def open_files(files: Mapping[str, Iterable[str]]) -> Iterator[Warehouse]:
    """Open local Parquet files as tables, by table; a table without files is empty.

    What does not fit into memory goes through a temporary folder.
    """
    import duckdb  # noqa: PLC0415 - where it is used: a third of a second that most commands can do without

    with ExitStack() as stack:
        spill = stack.enter_context(TemporaryDirectory(prefix="kefu-duckdb-"))
        settings: dict[str, Any] = {"memory_limit": _MEMORY, "threads": _THREADS, "temp_directory": spill}
        connection = stack.enter_context(duckdb.connect(config=settings))
        connection.execute("SET TimeZone = 'UTC'")
        for table in TABLES:
            connection.execute(view_sql(table, sorted(files.get(table, ()))))
        yield Warehouse(connection)


@contextmanager
def open_days(
    store: ObjectStore,
    days: Iterable[date],
    tables: Iterable[str] = ("summaries",),
    own: Mapping[tuple[str, date], Path] | None = None,
) -> Iterator[Warehouse]:
    """Open the published tables of some days; days without are left out.

    A folder's files are read where they are; a bucket's are copied to a temporary folder first.

    Args:
        store: the warehouse.
        days: the days.
        tables: the tables, by name.
        own: local files that stand for what is published of a table and a day, or will be.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="kefu-tables-")))
        files: dict[str, list[str]] = {table: [] for table in tables}
        for day in days:
            for table, found in files.items():
                mine = (own or {}).get((table, day))
                if mine is not None:
                    found.append(str(_linked(mine, folder / partition_key(table, day))))
                else:
                    paths = (_local(store, key, folder) for key in published_keys(store, table, day))
                    found += [str(path) for path in paths if path is not None]
        yield stack.enter_context(open_files(files))


def _linked(file: Path, path: Path) -> Path:
    """Let a file be seen under a path that tells its day."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(file.resolve())
    return path


def _local(store: ObjectStore, key: str, folder: Path) -> Path | None:
    address = store.uri_of(key)
    if "://" not in address:
        return Path(address) if Path(address).exists() else None
    path = folder / key
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with store.open_object(key) as source, path.open("wb") as copy:
            copyfileobj(source, copy)
    except ObjectMissing:
        return None
    return path
