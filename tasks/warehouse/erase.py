"""Erase one customer or conversation from a warehouse, and prove by a scan that nothing is left."""

import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Final

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from tasks.domain.errors import ObjectMissing, PreconditionFailed, RunError
from tasks.domain.layout import ERASE_REQUESTS_PREFIX, ERASURES_PREFIX, PSEUDONYM_KEY, partition_key
from tasks.domain.ports import ObjectStore, StoredObject
from tasks.warehouse.parquet import as_damage
from tasks.warehouse.rules.erasure import LOOKED_AT, Wanted, as_parquet, rows_of, text_of
from tasks.warehouse.rules.tables import RUNS, republished

_TABLE: Final = ".parquet"

# Pages that show conversations: they go as a whole, and can be built again.
_PAGES: Final = (".html", ".md", ".xlsx", ".csv", ".json", ".txt")

_ATTEMPTS: Final = 5

_TABLES_OF_A_DAY: Final = re.compile(r"(?:summaries|rejects|question_answers)/day=(\d{4}-\d\d-\d\d)/")

_OWN: Final = (ERASE_REQUESTS_PREFIX, ERASURES_PREFIX, PSEUDONYM_KEY)


@dataclass(slots=True)
class Erasure:
    """Result of an erasure: objects erased by place, conversations, and what a scan found or could not read."""

    conversations: int = 0
    rows: int = 0
    touched: Counter[str] = field(default_factory=Counter)
    scanned: int = 0
    left: list[str] = field(default_factory=list)

    def count(self, key: str, rows: int) -> None:
        """Count an object of which so many rows, lines or pages are theirs."""
        if rows:
            self.touched[place_of(key)] += 1
            self.rows += rows


def find(warehouse: ObjectStore, wanted: Wanted) -> tuple[Wanted, Erasure]:
    """Everything that would be erased; nothing is changed. Blocking.

    Returns:
        The request, completed with the ids, fingerprints and texts from the tables; and its places.
    """
    while True:  # a row of a label names the text that a training set holds, an attribute the id that an answer bears
        before, report = wanted, Erasure()
        for stored in _objects(warehouse, is_table=True):
            rows = _find_rows(stored.key, warehouse.read_path(stored.key), wanted)
            wanted = wanted.learned(rows.to_pylist())
            report.count(stored.key, rows.num_rows)
        if wanted == before:
            break
    report.conversations = len(wanted.hashes)
    for stored in _objects(warehouse, is_table=False):
        report.count(stored.key, _without_theirs(stored.key, warehouse.read_path(stored.key), wanted)[0])
    return wanted, report


def erase(warehouse: ObjectStore, wanted: Wanted, now: datetime, actor: str) -> Erasure:
    """Erase it, scan everything again, and record the act without the data. Blocking.

    Args:
        warehouse: the store of the tables.
        wanted: as `find` returned it.
        now: for the record.
        actor: whose run this is.

    Raises:
        RunError: an object is changed all the time by somebody else.
    """
    report = Erasure(conversations=len(wanted.hashes))
    for stored in _objects(warehouse):
        report.count(stored.key, _erase_from(warehouse, stored, wanted))
    for stored in _objects(warehouse):
        report.scanned += 1
        if _may_show(stored.key, warehouse.read_path(stored.key), wanted):
            report.left.append(warehouse.uri_of(stored.key))
    record = {
        "at": now.isoformat(),
        "run_id": actor,
        # A token of the ids, by which a holder of the key can recognize them.
        "subject": wanted.pseudonyms.name("[erased]", "\0".join(sorted(wanted.conversations | wanted.customers))),
        "conversations": report.conversations,
        "touched": dict(report.touched),
        "scanned": report.scanned,
        "left": len(report.left),
    }
    warehouse.write_path(f"{ERASURES_PREFIX}{now:%Y%m%dT%H%M%S}-{actor}.json", orjson.dumps(record))
    return report


def place_of(key: str) -> str:
    """The part of a key that names the kind of object."""
    parts = key.split("/")
    return "/".join(parts[:2]) if parts[0] == "_staging" else parts[0]


def _objects(warehouse: ObjectStore, is_table: bool | None = None) -> Iterator[StoredObject]:
    for stored in list(warehouse.list_objects()):
        if is_table in (None, stored.key.endswith(_TABLE)) and not stored.key.startswith(_OWN):
            yield stored


def _erase_from(warehouse: ObjectStore, stored: StoredObject, wanted: Wanted) -> int:
    for _ in range(_ATTEMPTS):
        before = warehouse.stat(stored.key)
        if before is None:
            return 0
        try:
            rows, content = _without_theirs(stored.key, warehouse.read_path(stored.key), wanted)
            if not rows:
                return 0
            if day := _TABLES_OF_A_DAY.match(stored.key):  # first: after a crash in between, the day is loaded again
                _republish(warehouse, partition_key("runs", date.fromisoformat(day[1])))
            if content is None:
                warehouse.delete(stored.key)
            else:
                warehouse.write_path(stored.key, content, if_match=before.etag)
        except (PreconditionFailed, ObjectMissing):
            continue  # a run has just replaced it: read again
        return rows
    raise RunError(f"{warehouse.uri_of(stored.key)} is being written all the time: erase again when its run is done.")


def _republish(warehouse: ObjectStore, key: str) -> None:
    before = warehouse.stat(key)
    if before is None:
        return
    runs = _rows_of(key, warehouse.read_path(key)).to_pylist()
    if not runs:
        return
    table = pa.Table.from_pylist(republished(runs, datetime.now(UTC)), schema=RUNS)
    warehouse.write_path(key, as_parquet(table), if_match=before.etag)


def _rows_of(key: str, content: bytes) -> pa.Table:
    with as_damage(key):
        return rows_of(content)


def _find_rows(key: str, content: bytes, wanted: Wanted) -> pa.Table:
    """Their rows of a table: ids, fingerprints and texts."""
    with as_damage(key), pq.ParquetFile(io.BytesIO(content)) as file:
        columns = [name for name in (*LOOKED_AT, "text") if name in file.schema_arrow.names]
        pieces = [wanted.rows_in(pa.Table.from_batches([batch])) for batch in file.iter_batches(columns=columns)]
        return pa.concat_tables(pieces) if pieces else file.schema_arrow.empty_table()


def _without_theirs(key: str, content: bytes, wanted: Wanted) -> tuple[int, bytes | None]:
    """Count an object's rows or lines that are theirs, and return the object without them; None: it goes as a whole."""
    if key.endswith(_TABLE):
        if theirs := _find_rows(key, content, wanted).num_rows:
            table = _rows_of(key, content)
            content = as_parquet(table.filter(pa.array(~wanted.mark_rows(table))))
        return theirs, content
    if key.endswith(".jsonl"):
        lines = content.splitlines(keepends=True)
        kept = [line for line in lines if not wanted.has_line(line)]
        return len(lines) - len(kept), b"".join(kept)
    if key.endswith(_PAGES) and (text := text_of(key, content)) and wanted.has_text(text):
        return 1, None
    return 0, content


def _may_show(key: str, content: bytes, wanted: Wanted) -> bool:
    """True for an object that still shows them, and for one that can't be read: a scan of it proves nothing."""
    if not key.endswith(_TABLE):
        text = text_of(key, content)
        return text is None or wanted.has_text(text)
    with as_damage(key), pq.ParquetFile(io.BytesIO(content)) as file:
        return wanted.has_table(pa.Table.from_batches([batch]) for batch in file.iter_batches())
