"""Labeled conversations, from the warehouse's tables or from a file and the logs."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.domain.errors import ObjectMissing, PreconditionFailed, UsageError
from tasks.domain.layout import partition_key
from tasks.domain.ports import ObjectStore, StoredObject
from tasks.reading.conversations import LogReader
from tasks.reading.lookup import conversations_of
from tasks.reviewing.rules.labels import Label, LabeledExample, labeled_rows, merge_labels, read_labels
from tasks.warehouse.parquet import parquet_bytes, read_table
from tasks.warehouse.rules.tables import LABELS


@task(name="load-labels", cache_policy=NO_CACHE)
def load_labels(warehouse: ObjectStore, start: date | None = None, end: date | None = None) -> list[LabeledExample]:
    """The labeled conversations of the warehouse, oldest day first; of a range of days where one is given.

    Raises:
        UsageError: there is none.
    """
    labeled = [
        found
        for day, key in labeled_days(warehouse)
        if (start is None or start <= day) and (end is None or day <= end)
        for found in labeled_rows(day, _table(warehouse, key), warehouse.uri_of(key))
    ]
    if not labeled:
        days = f" from {start or 'the first'} to {end or 'the last'}" if start or end else ""
        raise UsageError(
            f"There are no labels{days} in {warehouse.uri_of('labels')}: have a sample reviewed "
            "(flows.sample_for_review, flows.import_reviews), or name a file with --labels."
        )
    return labeled


def labeled_days(warehouse: ObjectStore) -> Iterator[tuple[date, str]]:
    """The days that have labels, oldest first, and the keys of their tables."""
    for found in warehouse.list_objects("labels/day="):
        _, _, name = found.key.removeprefix("labels/").partition("day=")
        day, _, file = name.partition("/")
        if file == "labels.parquet":
            yield date.fromisoformat(day), found.key


def load_hashes(warehouse: ObjectStore, days: Iterable[date]) -> set[str]:
    """The content hashes of the days' labeled conversations."""
    tables = (_table(warehouse, partition_key("labels", day)) for day in days)
    return {name for table in tables for name in table["content_hash"].to_pylist()}


def store_labels(warehouse: ObjectStore, day: date, imported: Sequence[Mapping[str, Any]]) -> int:
    """Put a day's imported LABELS rows into its table; return how many of them changed it."""
    key = partition_key("labels", day)
    while True:
        stored = warehouse.stat(key)
        known = _rows(warehouse, key) if stored else []
        merged = merge_labels(known, imported)
        changed = sum(row not in known for row in merged)
        if not changed:
            return 0
        condition: dict[str, Any] = {"if_match": stored.etag} if stored else {"if_absent": True}
        try:
            warehouse.write_path(key, parquet_bytes(pa.Table.from_pylist(merged, schema=LABELS)), **condition)
        except PreconditionFailed:
            continue  # somebody imported another sheet in between
        return changed


@task(name="find-labeled", task_run_name="find-labeled-{day}", cache_policy=NO_CACHE)
def find_labeled(
    day: date,
    labels: Mapping[str, Label],
    store: ObjectStore,
    logs: Sequence[StoredObject],
    reader: LogReader,
) -> list[LabeledExample]:
    """The day's conversations that have a label, in the order of the logs; the first of an id counts."""
    conversations = conversations_of(set(labels), store, logs, reader)
    return [LabeledExample(day, reader.prepare(found), labels[name]) for name, found in conversations]


def read_label_file(path: Path) -> dict[str, Label]:
    """The labels of a JSON-lines file, by conversation id.

    Raises:
        UsageError: it can't be read, or a line is no label.
    """
    try:
        with path.open("rb") as file:
            return read_labels(file, str(path))
    except OSError as error:
        raise UsageError(f"--labels {path} can't be read: {error.strerror}.") from None


def load_label_rows(warehouse: ObjectStore, day: date) -> list[dict[str, Any]]:
    """A day's LABELS rows; none where nothing was reviewed."""
    return _rows(warehouse, partition_key("labels", day))


def _rows(warehouse: ObjectStore, key: str) -> list[dict[str, Any]]:
    """The rows of a table with every column of today's LABELS, those that it lacks as null."""
    rows: list[dict[str, Any]] = pa.Table.from_pylist(_table(warehouse, key).to_pylist(), schema=LABELS).to_pylist()
    return rows


def _table(warehouse: ObjectStore, key: str) -> pa.Table:
    try:
        return read_table(warehouse, key, LABELS)
    except ObjectMissing:
        return LABELS.empty_table()
