"""The catalog: views for analysts, a data dictionary, and a table's small files made into one a month."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.domain.ports import ObjectStore
from tasks.warehouse.parquet import open_table, published_keys
from tasks.warehouse.rules.dictionary import described, dictionary_markdown
from tasks.warehouse.rules.views import MONTHLY, TABLES, views_sql

_ROWS_AT_A_TIME = 20_000


@dataclass(frozen=True, slots=True)
class Compacted:
    """A month's file of a table: its key, and how many days and rows it holds."""

    key: str
    days: int
    rows: int


def month_key(table: str, month: str) -> str:
    """Return the key of a table's file of a month such as 2026-11: beside the days' folders, never among them."""
    return f"_months/{table}/month={month}/{table}.parquet"


def compact_month(store: ObjectStore, table: str, days: Iterable[date], scratch: Path) -> Compacted | None:
    """Write one file of a month's days, `day` included; None where there are none.

    The days' own files stay what counts. The file is replaced in one step: a reader sees the old one or the new one.
    """
    ordered = sorted(days)
    counted = [day for day in ordered if published_keys(store, table, day)]
    if not counted:
        return None
    schema = described(TABLES[table].append(pa.field("day", pa.date32())), table)
    path = scratch / f"{table}-{ordered[0]:%Y-%m}.parquet"
    rows = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for day in counted:
            for batch in _batches(store, table, day):
                writer.write_batch(_with_day(batch, schema, day))
                rows += batch.num_rows
    key = month_key(table, f"{ordered[0]:%Y-%m}")
    store.write_file(key, path)
    path.unlink()
    return Compacted(key, len(counted), rows)


def write_catalog(store: ObjectStore, endpoint: str = "", macros: str = "") -> list[str]:
    """Write views.sql and the data dictionary into the warehouse; return their addresses.

    Args:
        store: the warehouse.
        endpoint: the bucket's host, where it is not the default one.
        macros: statements that follow the views.
    """
    patterns = {table: [pattern] for table in TABLES if (pattern := _pattern(store, f"{table}/day=*/*.parquet"))}
    months = {
        table: [pattern] for table in MONTHLY if (pattern := _pattern(store, f"_months/{table}/month=*/*.parquet"))
    }
    bucket = store.uri.startswith("bos://")
    views = views_sql(patterns, months, endpoint if bucket else None)
    written = {
        "_catalog/views.sql": "\n".join(part for part in (views, macros) if part),
        "_catalog/dictionary.md": dictionary_markdown(),
    }
    for key, text in written.items():
        store.write_path(key, text.encode())
    return [store.uri_of(key) for key in written]


def _pattern(store: ObjectStore, pattern: str) -> str:
    """Return a pattern as DuckDB opens it, from any folder; empty where nothing is there."""
    prefix = pattern.partition("*")[0].rpartition("/")[0] + "/"
    if next(iter(store.list_objects(prefix)), None) is None:
        return ""
    address = store.uri_of(pattern)
    return address.replace("bos://", "s3://", 1) if "://" in address else str(Path(address).absolute())


def _batches(store: ObjectStore, table: str, day: date) -> Iterator[pa.RecordBatch]:
    for key in published_keys(store, table, day):
        with open_table(store, key) as content:
            yield from content.iter_batches(_ROWS_AT_A_TIME, use_threads=False)


def _with_day(batch: pa.RecordBatch, schema: pa.Schema, day: date) -> pa.RecordBatch:
    columns = []
    for field in schema:
        if field.name == "day":
            columns.append(pa.array([day] * len(batch), pa.date32()))
        elif field.name in batch.schema.names:
            columns.append(batch[field.name].cast(field.type))
        else:
            columns.append(pa.nulls(len(batch), field.type))
    return pa.RecordBatch.from_arrays(columns, schema=schema)
