"""Erase one customer or conversation from a warehouse, and prove by a scan that nothing is left."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Final

import orjson
import pyarrow as pa

from tasks.domain.errors import ObjectMissing, PreconditionFailed, RunError
from tasks.domain.layout import ERASE_REQUESTS_PREFIX, ERASURES_PREFIX, PSEUDONYM_KEY, partition_key
from tasks.domain.ports import ObjectStore, StoredObject
from tasks.warehouse.parquet import as_damage
from tasks.warehouse.rules.erasure import Wanted, as_parquet, rows_of, split_rows, text_of
from tasks.warehouse.rules.tables import RUNS, republished

# Pages that show conversations: they go as a whole, and can be built again.
_PAGES: Final = (".html", ".md", ".xlsx", ".csv", ".json", ".txt")

_ATTEMPTS: Final = 5

_TABLES_OF_A_DAY: Final = re.compile(r"(?:summaries|rejects|question_answers)/day=(\d{4}-\d\d-\d\d)/")

_OWN: Final = (ERASE_REQUESTS_PREFIX, ERASURES_PREFIX, PSEUDONYM_KEY)


@dataclass(slots=True)
class Erasure:
    """Result of an erasure: objects found or erased, by place, conversations, and what a later scan still found."""

    conversations: int = 0
    rows: int = 0
    touched: Counter[str] = field(default_factory=Counter)
    scanned: int = 0
    left: list[str] = field(default_factory=list)


def find(warehouse: ObjectStore, wanted: Wanted) -> tuple[Wanted, Erasure]:
    """Everything that would be erased; nothing is changed. Blocking.

    Returns:
        The request, completed with the ids, fingerprints and texts from the tables; and its places.
    """
    known = 0
    while True:  # a row of a label names the text that a training set holds, an attribute the id that an answer bears
        for stored in _objects(warehouse, ".parquet"):
            found, _ = split_rows(_rows_of(stored.key, warehouse.read_path(stored.key)), wanted)
            wanted = wanted.learned(found)
        size = len(wanted.conversations) + len(wanted.hashes) + len(wanted.texts)
        if size == known:
            break
        known = size
    report = Erasure(conversations=len(wanted.hashes))
    for stored in _objects(warehouse):
        if rows := _theirs(stored.key, warehouse.read_path(stored.key), wanted)[0]:
            report.touched[place_of(stored.key)] += 1
            report.rows += rows
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
        if rows := _erase_from(warehouse, stored, wanted):
            report.touched[place_of(stored.key)] += 1
            report.rows += rows
    for stored in _objects(warehouse):
        report.scanned += 1
        if wanted.has_text(text_of(stored.key, warehouse.read_path(stored.key))):
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


def _objects(warehouse: ObjectStore, ending: str = "") -> Iterator[StoredObject]:
    for stored in list(warehouse.list_objects()):
        if stored.key.endswith(ending) and not stored.key.startswith(_OWN):
            yield stored


def _erase_from(warehouse: ObjectStore, stored: StoredObject, wanted: Wanted) -> int:
    for _ in range(_ATTEMPTS):
        before = warehouse.stat(stored.key)
        if before is None:
            return 0
        try:
            rows, content = _theirs(stored.key, warehouse.read_path(stored.key), wanted)
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


def _theirs(key: str, content: bytes, wanted: Wanted) -> tuple[int, bytes | None]:
    """Count an object's rows or lines that are theirs, and return the object without them; None: it goes as a whole."""
    if key.endswith(".parquet"):
        rows, rest = split_rows(_rows_of(key, content), wanted)
        return len(rows), as_parquet(rest)
    if key.endswith(".jsonl"):
        lines = content.splitlines(keepends=True)
        kept = [line for line in lines if not wanted.has_line(line)]
        return len(lines) - len(kept), b"".join(kept)
    if key.endswith(_PAGES) and wanted.has_text(text_of(key, content)):
        return 1, None
    return 0, content
