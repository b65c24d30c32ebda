"""Parquet."""

from collections.abc import Iterable
from contextlib import suppress
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.domain.days import days_before
from tasks.domain.errors import BucketMissing, ObjectMissing, StoreError
from tasks.domain.layout import partition_key
from tasks.domain.ports import ObjectStore

_ROWS_AT_A_TIME = 2_000
_USUAL_DAYS = 7
_FEWEST_CONVERSATIONS = 200


def read_runs(store: ObjectStore, day: date) -> list[dict[str, Any]]:
    """The runs that published this day so far, oldest first."""
    try:
        rows: list[dict[str, Any]] = pq.read_table(BytesIO(store.read_path(partition_key("runs", day)))).to_pylist()
    except (ObjectMissing, BucketMissing):
        return []
    return rows


def usual_reject_ratio(store: ObjectStore, day: date) -> float | None:
    """The share of rejects in the week before a day, as its models made them; None where too little is known.

    A day that can't be read says nothing, and holds nobody up.
    """
    conversations = rejected = 0
    for before in days_before(day, _USUAL_DAYS):
        with suppress(StoreError, pa.ArrowException, KeyError, TypeError):
            row = read_runs(store, before)[-1:]
            if row and row[0]["summarizer"] != "offline":
                conversations += row[0]["conversations"]
                rejected += row[0]["rejected"]
    return rejected / conversations if conversations >= _FEWEST_CONVERSATIONS else None


def parquet_bytes(table: pa.Table) -> bytes:
    """A small table as a Parquet file."""
    buffer = BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


def _metrics(store: ObjectStore, day: date) -> pa.Table | None:
    try:
        return pq.read_table(BytesIO(store.read_path(partition_key("metrics", day))))
    except (ObjectMissing, BucketMissing):
        return None


def _batches(path: Path) -> Iterable[pa.RecordBatch]:
    with pq.ParquetFile(path) as table:
        yield from _rows_at_a_time(table)


def _published(store: ObjectStore, key: str) -> Iterable[pa.RecordBatch]:
    with store.open_object(key) as file, pq.ParquetFile(file) as table:
        yield from _rows_at_a_time(table)


def _rows_at_a_time(table: pq.ParquetFile) -> Iterable[pa.RecordBatch]:
    # With threads, all columns are unpacked at once, each by a thread whose memory is not given back.
    yield from table.iter_batches(_ROWS_AT_A_TIME, use_threads=False)
