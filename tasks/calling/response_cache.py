"""A cache of paid answers: each is stored as it arrives, and never bought twice.

The log of a day is `_answers/day=…/<run>….jsonl` in the warehouse, one line an answer. It is read into a scratch index
(SQLite, so that memory stays flat) when a run begins. Where the log has been expired, the published tables stand in.
Answers to the very same requests under other days are found by `other_days.py`.
"""

import logging
import math
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa

from tasks.calling.other_days import OtherDays
from tasks.calling.rules.key_marks import KeyMarks
from tasks.calling.rules.responses import answers_in_rejects, answers_in_summaries, decode_answer, encode_answer
from tasks.calling.rules.usage import UsageTotals
from tasks.domain.errors import ObjectMissing, TableDamaged
from tasks.domain.layout import answers_prefix, partition_key
from tasks.domain.ports import Appender, ObjectStore
from tasks.domain.records import Answer, Request
from tasks.warehouse.parquet import read_batches
from tasks.warehouse.rules.tables import REJECTS, SUMMARIES

_log = logging.getLogger(__name__)


def bought_by(store: ObjectStore, day: date, run_id: str) -> UsageTotals:
    """Return the totals of what a run paid for, by the day's answer log, however the run ended. Blocking."""
    totals = UsageTotals()
    for stored in store.list_objects(answers_prefix(day, "")):
        with store.open_object(stored.key) as lines:
            for line in lines:
                answer = decode_answer(line)
                if answer is not None and answer.run_id == run_id and not answer.withdrawn:
                    totals.add(answer)
    return totals


class ResponseCache:
    """Answers known for one day, or in a namespace of its own.

    Belongs to one run; `put` and `get` are called from one thread at a time.

    Args:
        store: the warehouse.
        day: whose answers; None for a namespace without days.
        run_id: names this run's own lines.
        scratch: a folder of this run's own.
        overwrite: know only answers to the very same request (model, prompt version, text); otherwise
            an older model's answer about the same conversation counts as known too.
        namespace: keeps answers that the nightly must never take for its own (a candidate's, an evaluation's) apart;
            published tables don't stand in for those.
        name: of the lines' object, where several processes buy for one run; the run's own by default.

    Attributes:
        billed_before: totals of the log's answers that this very run paid for, in its shards or before a restart.
    """

    def __init__(
        self,
        store: ObjectStore,
        day: date | None,
        run_id: str,
        scratch: Path,
        *,
        overwrite: bool,
        namespace: str = "",
        name: str = "",
    ) -> None:
        self.billed_before = UsageTotals()
        self._store = store
        self._day = None if namespace else day
        self._prefix = answers_prefix(day, namespace)
        self._run_id = run_id
        self._overwrite = overwrite
        self._index = sqlite3.connect(scratch / "answers.sqlite", check_same_thread=False, isolation_level=None)
        self._index.executescript(
            "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-8000; BEGIN;"
            # By fingerprints of this process: half the time to add an answer, and a third less on the disk.
            "CREATE TABLE answers (request_hash INTEGER, content_hash INTEGER, answered_at REAL, line BLOB);"
        )
        self._known = 0
        self._marks = KeyMarks()
        self._withdrawn: dict[str, float] = {}
        self._load()
        self._scratch = scratch
        self._other_days: OtherDays | None = None
        self._key_prefix = f"{self._prefix}{name or run_id}"
        self._appender: Appender | None = None

    @property
    def known(self) -> int:
        """The number of known answers."""
        return self._known

    def add_other_days(self) -> None:
        """Know answers to the very same requests that lie under other days, too. Blocking."""
        assert self._day is not None, "a namespace has no neighbors"
        self._other_days = OtherDays(self._store, self._day, self._scratch)

    def get(self, request: Request, exact: bool = False) -> Answer | None:
        """The latest known answer to a request that was not withdrawn, if there is one.

        Args:
            request: what would be asked.
            exact: take no answer of another model or to another prompt, whatever this run overwrites.
        """
        found = self._of_this_day(request, exact) if self._known else None
        if found is None and self._other_days is not None:
            found = self._other_days.get(request)
        return found

    def must_read(self, request: Request, exact: bool = False) -> bool:
        """Return true if `get` has to read other days' logs first: call `read_other_days` in a thread before."""
        if self._other_days is None or self._other_days.has_read(request):
            return False
        return not self._known or self._of_this_day(request, exact) is None

    def read_other_days(self, request: Request) -> None:
        """Read the logs of other days that may hold a request. Blocking; until it returns, `must_read` is true."""
        assert self._other_days is not None
        self._other_days.read(request)

    def _of_this_day(self, request: Request, exact: bool) -> Answer | None:
        found = self._latest("request_hash", request.request_hash)
        if found is None and not self._overwrite and not exact:
            found = self._latest("content_hash", request.content_hash)
        return found

    def tries(self, request: Request) -> int:
        """The number of answers to this very request that were not withdrawn."""
        return sum(1 for _ in self._believed("request_hash", request.request_hash))

    def _latest(self, column: str, value: str) -> Answer | None:
        return next(self._believed(column, value), None) if value in self._marks else None

    def _believed(self, column: str, value: str) -> Iterator[Answer]:
        """The answers of a request or a conversation that were not withdrawn, the latest first."""
        rows = self._index.execute(
            f"SELECT answered_at, line FROM answers WHERE {column} = ? "  # noqa: S608  our own two names
            "ORDER BY answered_at DESC, rowid DESC",
            (hash(value),),
        )
        for answered_at, line in rows:
            answer = decode_answer(line)
            if answer is None or getattr(answer, column) != value:  # another one of this fingerprint
                continue
            if answered_at > self._withdrawn.get(answer.request_hash, -math.inf):
                yield answer

    def put(self, answer: Answer) -> None:
        """Remember an answer: at once in a folder, with the next segment in a bucket."""
        self.put_all([answer])

    def put_all(self, answers: Sequence[Answer]) -> None:
        """Remember answers, each as `put` does."""
        lines = [encode_answer(answer) for answer in answers]
        if self._appender is None:  # a cache that is only read leaves no trace
            self._appender = self._store.appender(self._key_prefix)
        self._appender.append(b"".join(lines))
        self._add(zip(answers, lines, strict=True))

    def keep_new(self, answer: Answer) -> None:
        """Remember an answer, unless there is one to the same request."""
        known = self._latest("request_hash", answer.request_hash)
        if known is None or known.text != answer.text:
            self.put(answer)

    def flush(self) -> None:
        """Return when everything kept so far is stored. Blocking."""
        if self._appender is not None:
            self._appender.flush()

    def close(self) -> None:
        """Flush, and give up the index."""
        if self._appender is not None:
            self._appender.close()
        self._index.close()
        if self._other_days is not None:
            self._other_days.close()

    def _add(self, kept: Iterable[tuple[Answer, bytes]]) -> None:
        rows = []
        for answer, line in kept:
            answered_at, request_hash = answer.answered_at.timestamp(), answer.request_hash
            if answer.withdrawn:
                self._withdrawn[request_hash] = max(answered_at, self._withdrawn.get(request_hash, -math.inf))
                continue
            rows.append((hash(request_hash), hash(answer.content_hash), answered_at, line))
            self._marks.add(request_hash)
            self._marks.add(answer.content_hash)
        self._index.executemany("INSERT INTO answers VALUES (?, ?, ?, ?)", rows)
        self._known += len(rows)

    def _load(self) -> None:
        for stored in self._store.list_objects(self._prefix):
            with self._store.open_object(stored.key) as lines:
                for line in lines:
                    answer = decode_answer(line)
                    if answer is not None:
                        self._add([(answer, line)])
                        if answer.run_id == self._run_id and not answer.withdrawn:
                            self.billed_before.add(answer)
        # Afterwards: keeping the indexes while a million answers come in takes nearly twice as long.
        self._index.execute("CREATE INDEX by_request ON answers (request_hash)")
        self._index.execute("CREATE INDEX by_content ON answers (content_hash)")
        for answer in self._published(self._day) if self._day else ():
            known = self._index.execute(
                "SELECT 1 FROM answers WHERE content_hash = ?", (hash(answer.content_hash),)
            ).fetchone()
            if known is None:
                self._add([(answer, encode_answer(answer))])

    def _published(self, day: date) -> Iterator[Answer]:
        for batch in _batches_of(self._store, partition_key("summaries", day), SUMMARIES):
            yield from answers_in_summaries(batch)
        for batch in _batches_of(self._store, partition_key("rejects", day), REJECTS):
            yield from answers_in_rejects(batch, datetime(1970, 1, 1, tzinfo=UTC))


def _batches_of(store: ObjectStore, key: str, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """A published table; what of it is missing or damaged was bought before and is bought again, which is logged."""
    try:
        yield from read_batches(store, key, schema)
    except ObjectMissing:
        return
    except TableDamaged as error:
        _log.warning("Passed over: %s", error)
