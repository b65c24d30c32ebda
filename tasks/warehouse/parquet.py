"""Parquet: the warehouse's tables read in any version they were ever written in, and damage kept apart from absence."""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.domain.days import days_before
from tasks.domain.errors import BucketMissing, ObjectMissing, StoreError, TableDamaged
from tasks.domain.layout import partition_key
from tasks.domain.ports import ObjectStore
from tasks.warehouse.rules.tables import METRICS, REJECTS, RUNS, conform

_log = logging.getLogger(__name__)

_ROWS_AT_A_TIME = 2_000
_USUAL_DAYS = 7
_FEWEST_CONVERSATIONS = 200


def read_table(store: ObjectStore, key: str, schema: pa.Schema) -> pa.Table:
    """A small table whole; columns that it does not have yet are null.

    Raises:
        ObjectMissing: there is none.
        TableDamaged: it can't be read.
    """
    data = store.read_path(key)
    with as_damage(store.uri_of(key)):
        with pq.ParquetFile(BytesIO(data)) as file:
            batches = [conform(batch, schema) for batch in file.iter_batches(_ROWS_AT_A_TIME, use_threads=False)]
        return pa.Table.from_batches(batches, schema=schema)


@contextmanager
def open_table(store: ObjectStore, key: str) -> Iterator[pq.ParquetFile]:
    """Open a table of any size, with the columns that it was written with.

    Raises:
        ObjectMissing: there is none.
        TableDamaged: it can't be read, or not as far as the block reads it.
    """
    with store.open_object(key) as file, as_damage(store.uri_of(key)), pq.ParquetFile(file) as table:
        yield table


def read_batches(
    store: ObjectStore, key: str, schema: pa.Schema, columns: Sequence[str] | None = None
) -> Iterator[pa.RecordBatch]:
    """A table of any size in batches; columns that it does not have yet are null.

    Args:
        store: the warehouse.
        key: of the table's file.
        schema: of the table.
        columns: only these; None: all.

    Raises:
        ObjectMissing: there is none.
        TableDamaged: it can't be read, or not to its end.
    """
    wanted = schema if columns is None else pa.schema([schema.field(name) for name in columns])
    with open_table(store, key) as table:
        # With threads, all columns are unpacked at once, each by a thread whose memory is not given back.
        for batch in table.iter_batches(_ROWS_AT_A_TIME, columns=columns, use_threads=False):
            yield conform(batch, wanted)


def read_runs(store: ObjectStore, day: date) -> list[dict[str, Any]]:
    """The runs that published this day so far, oldest first; none where their table is damaged, which is logged."""
    try:
        rows: list[dict[str, Any]] = read_table(store, partition_key("runs", day), RUNS).to_pylist()
    except (ObjectMissing, BucketMissing):  # a warehouse that begins has not even its folder
        return []
    except TableDamaged as error:
        _log.warning("Passed over: %s", error)
        return []
    return rows


def count_rejects(store: ObjectStore, day: date) -> list[tuple[str, int]]:
    """Count a published day's rejects by reason, the commonest first. Damage is logged and passed over."""
    counted: Counter[str] = Counter()
    try:
        for batch in read_batches(store, partition_key("rejects", day), REJECTS, ["reason"]):
            counted.update(batch["reason"].to_pylist())
    except StoreError as error:
        _log.warning("Passed over: %s", error)
    return counted.most_common()


def usual_reject_ratio(store: ObjectStore, day: date) -> float | None:
    """The share of rejects in the week before a day, as its models made them; None where too little is known.

    A day that can't be read is left out.
    """
    conversations = rejected = 0
    for before in days_before(day, _USUAL_DAYS):
        with suppress(StoreError, pa.ArrowException, KeyError, TypeError):
            row = read_runs(store, before)[-1:]
            if row and row[0]["summarizer"] != "offline":
                conversations += row[0]["conversations"]
                rejected += row[0]["rejected"]
    return rejected / conversations if conversations >= _FEWEST_CONVERSATIONS else None


def published_keys(store: ObjectStore, table: str, day: date) -> list[str]:
    """The keys of a day's files of a table: the nightly's one, or whatever Parquet somebody else put there."""
    key = partition_key(table, day)
    if store.stat(key) is not None:
        return [key]
    try:
        found = [there.key for there in store.list_objects(partition_key(table, day, "part").removesuffix("part"))]
    except BucketMissing:
        return []
    return [key for key in found if key.endswith(".parquet")]


def parquet_bytes(table: pa.Table) -> bytes:
    """A small table as a Parquet file."""
    buffer = BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


def read_metrics(store: ObjectStore, day: date) -> pa.Table | None:
    """The day's metrics; None where there are none, or where they are damaged, which is logged."""
    try:
        return read_table(store, partition_key("metrics", day), METRICS)
    except ObjectMissing:
        return None
    except TableDamaged as error:
        _log.warning("Passed over: %s", error)
        return None


def file_batches(path: Path) -> Iterable[pa.RecordBatch]:
    """The batches of a local Parquet file."""
    with pq.ParquetFile(path) as table:
        yield from table.iter_batches(_ROWS_AT_A_TIME, use_threads=False)


@contextmanager
def as_damage(uri: str) -> Iterator[None]:
    """Let whatever the block can't read of a table be that table's damage.

    Raises:
        TableDamaged: the block failed.
    """
    try:
        yield
    except StoreError:
        raise
    except (pa.ArrowException, OSError, ValueError) as error:
        why = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise TableDamaged(
            f"{uri} can't be read: {why}. Put back a copy of it, or remove it and run its day again; answers are kept."
        ) from error
