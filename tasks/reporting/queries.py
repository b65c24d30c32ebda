"""Questions to the warehouse's tables: one SQL file each, run by DuckDB over Parquet files."""

import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import date
from functools import cache
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from tasks.domain.errors import ObjectMissing, RunError, TableDamaged
from tasks.domain.layout import partition_key
from tasks.domain.ports import ObjectStore
from tasks.warehouse.parquet import as_damage, file_batches, published_keys
from tasks.warehouse.rules.views import TABLES, view_of_rows_sql, view_sql

if TYPE_CHECKING:
    import duckdb

_SQL = Path(__file__).parent / "sql"

MEMORY = "600MB"

_MOST_MEMORY = "1GB"

_THREADS = 2


class Warehouse:
    """Tables that can be asked questions: files of a day, of a range, or of everything."""

    def __init__(self, connection: "duckdb.DuckDBPyConnection") -> None:
        self._connection = connection
        self._files: dict[str, list[str]] = {}

    def ask(self, question: str, **values: Any) -> pa.Table:
        """Run `sql/{question}.sql`.

        Args:
            question: the file's name without its ending.
            values: what stands in the question as `$name`.

        Raises:
            TableDamaged: a file can't be read.
        """
        with self._as_damage():
            return self._run(question, values)

    def _run(self, question: str, values: Mapping[str, Any]) -> pa.Table:
        import duckdb  # noqa: PLC0415 - open_files has loaded it

        try:
            return self._answer(question, values)
        except duckdb.OutOfMemoryException:  # a bound that is too narrow must not cost the night its report
            self._connection.execute(f"SET memory_limit = '{_MOST_MEMORY}'")
            return self._answer(question, values)

    def _answer(self, question: str, values: Mapping[str, Any]) -> pa.Table:
        # DuckDB's advice, a relation, plans each question twice: a fifth of a small day's figures. Answers are small.
        warnings.filterwarnings("ignore", "Arrow output on a DB-API result", UserWarning)
        return self._connection.execute(read_question(question), values).to_arrow_table()

    def point(self, table: str, files: Iterable[str]) -> None:
        """Let a table be these local files; without any it is empty.

        Raises:
            TableDamaged: a file can't be read.
        """
        self._files[table] = sorted(files)
        with self._as_damage():
            self._connection.execute(view_sql(table, self._files[table]))

    def hold(self, name: str, rows: pa.Table) -> None:
        """Let rows in memory be a table of this name; where it is one of the warehouse's, missing columns are null."""
        if name in TABLES:
            self._connection.register(f"held_{name}", rows)
            self._connection.execute(view_of_rows_sql(name, f"held_{name}"))
        else:
            self._connection.register(name, rows)

    @contextmanager
    def _as_damage(self) -> Iterator[None]:
        """Let what DuckDB can't read be a damaged table. It names the file in some errors only: so it is looked for."""
        import duckdb  # noqa: PLC0415 - open_files has loaded it

        try:
            yield
        except duckdb.OutOfMemoryException:
            raise
        except duckdb.Error as error:
            is_about_files = isinstance(error, (duckdb.IOException, duckdb.InvalidInputException))
            if isinstance(error, duckdb.ProgrammingError) and not is_about_files:
                raise  # a mistake in a question
            for file in (file for files in self._files.values() for file in files):
                with as_damage(file):
                    _read_through(file)
            if not is_about_files:
                raise
            why = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise TableDamaged(
                f"A table can't be read: {why}. Put back a copy of it, or remove it and run its day again; answers are "
                "kept."
            ) from error


def _read_through(file: str) -> None:
    for _ in file_batches(Path(file)):
        pass


@cache
def read_question(question: str) -> str:
    """Return a question's SQL."""
    return (_SQL / f"{question}.sql").read_text(encoding="utf-8")


def load_engine() -> None:
    """Load DuckDB; before money is spent on a day that could not get its tables without it.

    Raises:
        RunError: this machine does not let it in.
    """
    try:
        import duckdb  # noqa: F401, PLC0415 - as below
    except ImportError as error:
        raise RunError(
            f"DuckDB, by which tables become a report, can't be loaded here: {error}. Give this process more memory "
            "(`ulimit -v` shows its bound) or install the requirements again, then start it again; answers are kept."
        ) from error


@contextmanager
def open_files(files: Mapping[str, Iterable[str]], memory: str = MEMORY) -> Iterator[Warehouse]:
    """Open local Parquet files as tables, by table; a table without files is empty.

    Args:
        files: local paths by table.
        memory: what DuckDB may take. More goes through a temporary folder; where it can't, the bound is raised to 1 GB.
    """
    load_engine()
    import duckdb  # noqa: PLC0415 - where it is used: a third of a second that most commands can do without

    with ExitStack() as stack:
        spill = stack.enter_context(TemporaryDirectory(prefix="kefu-duckdb-"))
        settings: dict[str, Any] = {
            "memory_limit": memory,
            "threads": _THREADS,
            "temp_directory": spill,
            "preserve_insertion_order": False,  # every question has its own order; theirs costs memory
        }
        connection = stack.enter_context(duckdb.connect(config=settings))
        connection.execute("SET TimeZone = 'UTC'")
        # After two seconds it would be drawn into what a command prints.
        connection.execute("SET enable_progress_bar = false")
        warehouse = Warehouse(connection)
        for table in TABLES:
            warehouse.point(table, files.get(table, ()))
        yield warehouse


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
                    found.append(link_to_day(mine, table, day, folder))
                else:
                    found.extend(published_files(store, table, day, folder))
        yield stack.enter_context(open_files(files))


def published_files(store: ObjectStore, table: str, day: date, folder: Path) -> list[str]:
    """Return a day's published files of a table as local ones: a bucket's are copied into the folder first."""
    paths = (_local(store, key, folder) for key in published_keys(store, table, day))
    return [str(path) for path in paths if path is not None]


def link_to_day(file: Path, table: str, day: date, folder: Path) -> str:
    """Let a local file be seen in a folder as that of a table and a day; return its path there."""
    return str(_linked(file, folder / partition_key(table, day)))


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
