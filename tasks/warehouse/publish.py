"""From the batches' parts to the day's tables, and their publication."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from uuid import uuid4

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq
from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.domain.errors import AccountingError, LeaseLost, PreconditionFailed
from tasks.domain.layout import unfinished_prefix
from tasks.domain.ports import ObjectStore
from tasks.warehouse.day_lease import DayLease
from tasks.warehouse.parquet import read_runs
from tasks.warehouse.parts import BatchFiles
from tasks.warehouse.rules.day_tally import makes_complete
from tasks.warehouse.rules.tables import REJECTS, SUMMARIES

_ROWS_IN_A_GROUP = 10_000


@dataclass(frozen=True, slots=True)
class DayTables:
    """A day's tables as local Parquet files, not yet published."""

    summaries: Path
    rejects: Path
    summarized: int
    rejected: int
    masked: Mapping[str, int] = field(default_factory=dict)

    @property
    def conversations(self) -> int:
        """Everything that was read."""
        return self.summarized + self.rejected


@task(name="assemble-tables", cache_policy=NO_CACHE)
def assemble_tables(parts: Sequence[BatchFiles], folder: Path) -> DayTables:
    """Join the parts in the order of the logs, and prove that nothing is missing.

    Raises:
        AccountingError: the tables do not hold exactly what was read.
    """
    pa.default_memory_pool().release_unused()  # of the batches, before the tables need theirs: the day's peak is here
    ordered = sorted(parts, key=lambda part: part.number)
    tables = DayTables(
        folder / "summaries.parquet",
        folder / "rejects.parquet",
        _write_table(folder / "summaries.parquet", SUMMARIES, (part.summaries for part in ordered)),
        _write_table(folder / "rejects.parquet", REJECTS, (part.rejects for part in ordered)),
        sum((Counter(part.masked) for part in ordered), Counter()),
    )
    read = sum(part.read for part in ordered)
    if tables.conversations != read or [part.number for part in ordered] != list(range(len(ordered))):
        raise AccountingError(
            f"{read} conversations read in {len(ordered)} batches, but {tables.summarized} summarized and "
            f"{tables.rejected} rejected. Nothing is published; please report this as a bug."
        )
    return tables


def write_parquet(path: Path, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> int:
    """Write one table file and return its rows. The same rows give the same bytes."""
    rows = 0
    with pq.ParquetWriter(path, schema, compression="zstd", compression_level=3) as writer:
        pending: list[pa.RecordBatch] = []
        waiting = 0
        for batch in batches:
            pending.append(batch)
            waiting += batch.num_rows
            while waiting >= _ROWS_IN_A_GROUP:
                table = pa.Table.from_batches(pending, schema)
                writer.write_table(table.slice(0, _ROWS_IN_A_GROUP))
                pending = table.slice(_ROWS_IN_A_GROUP).to_batches()
                waiting -= _ROWS_IN_A_GROUP
                rows += _ROWS_IN_A_GROUP
        if waiting:
            writer.write_table(pa.Table.from_batches(pending, schema))
            rows += waiting
    return rows


def _write_table(path: Path, schema: pa.Schema, parts: Iterable[Path]) -> int:
    return write_parquet(path, schema, _batches(parts))


def _batches(parts: Iterable[Path]) -> Iterator[pa.RecordBatch]:
    for part in parts:
        with pa.memory_map(str(part)) as file, pa.ipc.open_file(file) as reader:
            for index in range(reader.num_record_batches):
                yield reader.get_batch(index)


def is_published(store: ObjectStore, day: date) -> bool:
    """Return true if the day was published, and no run died or failed while it replaced a published one."""
    return bool(read_runs(store, day)) and _is_whole(store, day)  # none, or damaged: then it is done again


def is_complete(store: ObjectStore, day: date) -> bool:
    """Return true if the day was published, and needs no other run.

    A day that `--limit` cut, that has too many rejects or no summary at all was published and is not complete.
    """
    runs = read_runs(store, day)
    return bool(runs) and makes_complete(runs[-1]) and _is_whole(store, day)


def _is_whole(store: ObjectStore, day: date) -> bool:
    return next(store.list_objects(unfinished_prefix(day)), None) is None


@task(name="publish-day", task_run_name="publish-{day}", cache_policy=NO_CACHE)
def publish_day(store: ObjectStore, day: date, lease: DayLease, files: Sequence[tuple[str, Path | bytes]]) -> None:
    """Replace the day's objects, in the order given, one right after the other; the last one marks the day published.

    Raises:
        LeaseLost: another run holds the day; nothing of it is overwritten.
        StoreError: an object could not be written. Each one is old or new, all are readable, and the day is not
            complete until a run has replaced them all.
    """
    with ExitStack() as stack:
        waiting = [(key, stack.enter_context(store.staged(key, content))) for key, content in files]
        # Listed before the proof that the day is ours, these marks are of runs before this one: theirs is done again.
        # Ours is like no other, not even that of this very run in a process before this one, which may still live.
        mark = f"{unfinished_prefix(day)}{lease.run_id}-{uuid4().hex}"
        marks = {mark, *(found.key for found in store.list_objects(unfinished_prefix(day)))}
        lease.check()
        store.write_path(mark, b"")
        written: dict[str, str] = {}
        while True:
            # The order matters: what is there is looked at before the proof that the day is ours, so that a run
            # which was taken for dead in between finds its conditions broken and not another run's work overwritten.
            found = [store.stat(key) for key, _ in waiting]
            try:
                lease.check()
            except LeaseLost:
                _mark_what_is_left(store, mark, written)
                raise
            if not waiting:
                break
            for (key, publish), before in zip(tuple(waiting), found, strict=True):
                try:
                    written[key] = publish(if_match=before.etag if before else None, if_absent=before is None)
                except PreconditionFailed:
                    break  # a dead run's last write, or our own lost reply: look again, while the day is ours
                del waiting[0]
        for key in marks:
            store.delete(key)


def _mark_what_is_left(store: ObjectStore, mark: str, written: Mapping[str, str]) -> None:
    """After another run took the day: a mark stays only if something stays of what this one wrote.

    A bucket's etag is that of the content. Where the other run published just what had been there before, a write of
    ours that was under way fits in again, after our mark was removed with the other one's.
    """
    for key, etag in written.items():
        there = store.stat(key)
        if there is not None and there.etag == etag:
            store.write_path(mark, b"")
            return
    store.delete(mark)
