"""Answers of the days around a day: the same conversation under another day is not bought again.

The published tables tell, at a bounded cost, which day holds a conversation. Only that day's answer log is then read.
"""

import logging
import re
import sqlite3
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Final

import numpy as np
import numpy.typing as npt

from tasks.calling.rules.responses import decode_answer
from tasks.domain.errors import BucketMissing, StoreError
from tasks.domain.layout import answers_prefix
from tasks.domain.ports import ObjectStore, StoredObject
from tasks.domain.records import Answer, Request
from tasks.warehouse.parquet import read_batches
from tasks.warehouse.rules.tables import SUMMARIES

_log = logging.getLogger(__name__)

_MOST_DAYS: Final = 62
_MOST_TABLE_BYTES: Final = 64 << 20
_MOST_LOG_BYTES: Final = 128 << 20
_READ_AT_ONCE: Final = 8
_DAY: Final = re.compile(r"summaries/day=(\d{4}-\d\d-\d\d)/[^/]+\.parquet")

Fingerprints = npt.NDArray[np.int64]


class OtherDays:
    """Finds answers to the very same request in the logs of other days, nearest days first.

    Belongs to one run; `get` is called from one thread at a time. An answer of another model or to another prompt is
    none here: a day that is new is not mixed with models that were given up.

    Args:
        store: the warehouse.
        day: whose neighbors.
        scratch: a folder of the run's own.
        most_table_bytes: that are looked through; days further away are not.
        most_log_bytes: of answers that are read.
    """

    def __init__(
        self,
        store: ObjectStore,
        day: date,
        scratch: Path,
        most_table_bytes: int = _MOST_TABLE_BYTES,
        most_log_bytes: int = _MOST_LOG_BYTES,
    ) -> None:
        self._store = store
        self._days, self._fingerprints, self._owners = _index(store, _near(store, day, most_table_bytes))
        self._read: set[int] = set()
        self._reading = Lock()
        self._log_bytes_left = most_log_bytes
        self._answers = sqlite3.connect(scratch / "other_days.sqlite", check_same_thread=False, isolation_level=None)
        self._answers.executescript(
            "PRAGMA journal_mode=MEMORY; PRAGMA synchronous=OFF; PRAGMA cache_size=-2000; BEGIN;"
            "CREATE TABLE answers (request_hash TEXT, answered_at REAL, line BLOB);"
            "CREATE INDEX by_request ON answers (request_hash);"
        )

    def get(self, request: Request) -> Answer | None:
        """The latest answer to this very request on another day that was not withdrawn, if there is one.

        Blocking, unless it `has_read` the logs.
        """
        for owner in self._owners_of(request.content_hash):
            if owner not in self._read:
                self._load(self._days[owner])
                self._read.add(owner)  # only now: `has_read` looks at it without the lock
            line = self._latest(request)
            if line is not None:
                return decode_answer(line)
        return None

    def has_read(self, request: Request) -> bool:
        """Return true if `get` finds the request's answer, or none, without reading, and no other thread reads."""
        if self._reading.locked():
            return False
        for owner in self._owners_of(request.content_hash):
            if owner not in self._read:
                return False
            if self._latest(request) is not None:
                return True
        return True

    def read(self, request: Request) -> None:
        """Read the logs that `get` needs for the request. Blocking; until it returns, `has_read` is false for all."""
        with self._reading:
            self.get(request)

    def close(self) -> None:
        """Give up the scratch index."""
        with self._reading:  # a thread whose run was canceled may read still
            self._answers.close()

    def _owners_of(self, content_hash: str) -> list[int]:
        """The days that hold a conversation, nearest first."""
        fingerprint = hash(content_hash)
        first = last = int(self._fingerprints.searchsorted(fingerprint)) if len(self._fingerprints) else 0
        if first == len(self._fingerprints) or self._fingerprints[first] != fingerprint:
            return []  # as of most conversations
        while last < len(self._fingerprints) and self._fingerprints[last] == fingerprint:
            last += 1
        return sorted(set(self._owners[first:last].tolist()))

    def _latest(self, request: Request) -> bytes | None:
        row = self._answers.execute(
            "SELECT line FROM answers WHERE request_hash = ? ORDER BY answered_at DESC LIMIT 1", (request.request_hash,)
        ).fetchone()
        return row[0] if row else None

    def _load(self, day: date) -> None:
        """Take in a day's log, whole or not at all: a part would show answers that the rest withdraws."""
        withdrawn: list[tuple[str, float]] = []
        self._answers.execute("SAVEPOINT day")
        try:
            log = list(self._store.list_objects(answers_prefix(day)))
            size = sum(stored.size for stored in log)
            if size > self._log_bytes_left:
                return
            self._log_bytes_left -= size
            for answer, line in self._lines(log):
                answered_at = answer.answered_at.timestamp()
                if answer.withdrawn:
                    withdrawn.append((answer.request_hash, answered_at))
                else:
                    row = answer.request_hash, answered_at, line
                    self._answers.execute("INSERT INTO answers VALUES (?, ?, ?)", row)
        except StoreError as error:  # what can't be found is bought
            self._answers.execute("ROLLBACK TO day")
            _log.warning("Answers of %s are not looked through: %s", day, error)
        else:
            self._answers.executemany("DELETE FROM answers WHERE request_hash = ? AND answered_at <= ?", withdrawn)
        finally:
            self._answers.execute("RELEASE day")

    def _lines(self, log: Iterable[StoredObject]) -> Iterator[tuple[Answer, bytes]]:
        for stored in log:
            with self._store.open_object(stored.key) as lines:
                for line in lines:
                    answer = decode_answer(line)
                    if answer is not None:
                        yield answer, line


def _near(store: ObjectStore, day: date, most_bytes: int) -> list[tuple[date, StoredObject]]:
    """The tables of other days, nearest first, as many as may be looked through."""
    try:
        found = [(_DAY.fullmatch(stored.key), stored) for stored in store.list_objects("summaries/")]
    except BucketMissing:
        return []
    dated = [(date.fromisoformat(named[1]), stored) for named, stored in found if named]
    near = sorted(
        ((there, stored) for there, stored in dated if there != day),
        key=lambda found: (abs((found[0] - day).days), found[0]),
    )[:_MOST_DAYS]
    sizes = np.cumsum([stored.size for _, stored in near])
    return near[: int(np.searchsorted(sizes, most_bytes, side="right"))]


def _index(
    store: ObjectStore, tables: list[tuple[date, StoredObject]]
) -> tuple[list[date], Fingerprints, npt.NDArray[np.int64]]:
    """The days, sorted fingerprints of their conversations, and for each the index of its day."""
    with ThreadPoolExecutor(_READ_AT_ONCE) as pool:
        columns = list(pool.map(partial(_fingerprints, store), [stored.key for _, stored in tables]))
    all_of_them = np.concatenate([np.empty(0, np.int64), *columns])
    owners = np.repeat(np.arange(len(columns)), [len(column) for column in columns])
    order = np.argsort(all_of_them, kind="stable")
    return [day for day, _ in tables], all_of_them[order], owners[order]


def _fingerprints(store: ObjectStore, key: str) -> Fingerprints:
    try:
        batches = list(read_batches(store, key, SUMMARIES, ["content_hash"]))
    except StoreError as error:
        _log.warning("Passed over: %s", error)
        return np.empty(0, np.int64)
    return np.array([hash(name) for batch in batches for name in batch["content_hash"].to_pylist()], np.int64)
