"""From a day's log objects to batches of requests, in constant memory."""

import asyncio
import secrets
import sqlite3
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager, closing
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final, TypeVar

from tasks.domain.errors import NoLogs
from tasks.domain.ports import StoredObject
from tasks.domain.records import Conversation, Reject, Request
from tasks.domain.shards import Shard
from tasks.preparing.logged import Logged, Sighting, Steps, prepare_logged
from tasks.reading.conversations import DetectedFormat, LogReader, log_objects
from tasks.reading.log_objects import LogSource
from tasks.reading.stoppable_logs import ReadingStop, StoppableLogs
from tasks.reading.tally import ReadingTally

B = TypeVar("B")
U = TypeVar("U")

# A disk that hangs must not hold up whoever stops.
_STOP_SECONDS: Final = 10.0

# A batch is a task of Prefect, which takes its server and this process as much CPU as a hundred conversations: the
# batches of a large day grow, as far as memory allows.
_BATCHES_OF_A_SIZE: Final = 8

_MOST_TIMES: Final = 2

_MOST_IN_A_GROWN_BATCH: Final = 1_000

_MOST_TURNS_IN_A_GROWN_BATCH: Final = 20_000


@dataclass(frozen=True, slots=True)
class Preparing:
    """A way to prepare what was read elsewhere, several batches ahead of the one that is wanted."""

    prepare: "Callable[[LoggedBatch], Coroutine[Any, Any, list[Request | Reject]]]"
    ahead: int


class Batch:
    """Consecutive conversations of the day: those to summarize, and those that are rejects already.

    No dataclass: Prefect walks through dataclasses and lists among a task's arguments looking for futures, which
    costs more than reading the conversations did. `logged` is what all of it was made of.
    """

    def __init__(
        self, number: int, requests: Sequence[Request], rejects: Sequence[Reject], logged: Sequence[Logged] = ()
    ) -> None:
        self.number = number
        self.requests = requests
        self.rejects = rejects
        self.logged = logged

    @property
    def asked(self) -> int:
        """The number of requests that will be settled, each by itself."""
        return len(self.requests)

    @property
    def read(self) -> int:
        """The number of conversations, and of lines that should have been some."""
        return len(self.requests) + len(self.rejects)


class LoggedBatch:
    """Consecutive conversations of the day as they were read, nothing prepared yet; no dataclass either."""

    def __init__(self, number: int, logged: Sequence[Logged]) -> None:
        self.number = number
        self.logged = logged

    @property
    def asked(self) -> int:
        """The number of conversations that will be settled together."""
        return len(self.logged)


class ConversationIds:
    """The conversation ids of a day and where each was first seen, on disk so that memory stays flat."""

    def __init__(self, scratch: Path) -> None:
        self._key = secrets.token_bytes(16)
        self._seen = sqlite3.connect(scratch / "ids.sqlite", check_same_thread=False, isolation_level=None)
        self._seen.executescript(
            "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-8000; BEGIN;"
            "CREATE TABLE seen (id BLOB PRIMARY KEY, said INTEGER, source_uri TEXT, line INTEGER) WITHOUT ROWID;"
        )

    def first_seen(self, conversation: Conversation) -> Sighting | None:
        """None for an id that is new; else the place of the conversation that had it before."""
        key = self._digest(conversation.conversation_id)
        # Only compared within this process: Python's own hash takes a fifth of a digest's time.
        said = hash(tuple([(turn.role, turn.text) for turn in conversation.turns]))
        cursor = self._seen.execute(
            "INSERT OR IGNORE INTO seen VALUES (?, ?, ?, ?)", (key, said, conversation.source_uri, conversation.line)
        )
        if cursor.rowcount:
            return None
        found = self._seen.execute("SELECT said = ?, source_uri, line FROM seen WHERE id = ?", (said, key))
        says_the_same, source_uri, line = found.fetchone()
        return Sighting(bool(says_the_same), source_uri, line)

    def _digest(self, name: str) -> bytes:
        # An id may be a phone number, and a killed run leaves its scratch behind: the key dies with the process.
        return blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16, key=self._key).digest()

    def close(self) -> None:
        """Give up the index."""
        self._seen.close()


@asynccontextmanager
async def closing_batches(batches: AsyncIterator[B]) -> AsyncIterator[AsyncIterator[B]]:
    """Yield batches whose reading ends with the block: left open by an error, they end with the loop, in any order."""
    try:
        yield batches
    finally:
        if isinstance(batches, AsyncGenerator):
            await batches.aclose()


async def read_batches(
    store: LogSource,
    logs: Sequence[StoredObject],
    reader: LogReader,
    *,
    size: int,
    detected: Callable[[DetectedFormat], None],
    shard: Shard | None = None,
    tally: ReadingTally | None = None,
    beside: Preparing | None = None,
) -> AsyncIterator[Batch]:
    """Yield the day's conversations as batches, each read in a thread so that calls in flight do not wait for it.

    Args:
        store: holds the logs.
        logs: the day's objects.
        reader: reads them.
        size: conversations in each of the day's first batches.
        detected: gets the format of each object.
        shard: give only its requests, and no rejects.
        tally: counts what is read.
        beside: prepares what was read in processes of its own; in a thread otherwise.

    Raises:
        NoLogs: there is nothing at all in the objects; a day is not replaced by an export that failed.
    """
    beside = beside or _in_a_thread(Steps(reader.prepare, reader.storable))
    per_batch = size * shard.of if shard else size
    logged = read_logged(
        store, logs, reader, size=per_batch, detected=detected, tally=tally, may_be_empty=shard is not None
    )
    number = 0
    async with aclosing(_in_order(logged, beside.prepare, beside.ahead)) as prepared:
        async for read, found in prepared:
            batch = batch_of(number, found, shard)
            batch.logged = read.logged
            if batch.read:
                yield batch
                number += 1


async def read_logged(
    store: LogSource,
    logs: Sequence[StoredObject],
    reader: LogReader,
    *,
    size: int,
    detected: Callable[[DetectedFormat], None],
    tally: ReadingTally | None = None,
    may_be_empty: bool = False,
) -> AsyncGenerator[LoggedBatch, None]:
    """Yield what was read of the day in batches, the first ones of `size`, before anything of it is prepared.

    Raises:
        NoLogs: there is nothing at all in the objects, and that may not be.
    """
    tally, stop = tally or ReadingTally(), ReadingStop()
    readings = reader.read(log_objects(StoppableLogs(store, stop), logs), tally)
    with closing(ConversationIds(reader.scratch)) as ids:
        chunks = logged_of(readings, ids, size=size, detected=detected)
        number = 0
        while (chunk := await _in_stoppable_thread(partial(next, chunks, None), stop)) is not None:
            yield LoggedBatch(number, chunk)
            number += 1
    if number or may_be_empty:
        return
    if tally.outside:
        first, last = min(tally.outside), max(tally.outside)
        raise NoLogs(
            f"None of the {tally.outside.total():,} conversations in {store.uri_of(logs[0].key)} began on "
            f"{reader.day}: they are of {first} to {last}. Ask for one of those (--day {last}), or for all of them "
            "(python -m flows.backfill_days --all-days); nothing was changed."
        )
    raise NoLogs(
        f"There is nothing in the day's logs ({len(logs)}, from {store.uri_of(logs[0].key)} on): each is "
        "empty, or a header without rows. Check whether the export has run to its end; nothing was changed."
    )


async def _in_stoppable_thread(work: Callable[[], U], stop: ReadingStop) -> U:
    """Work in a thread; whoever is cancelled meanwhile leaves none behind that reads on."""
    working = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        stop.set()
        await asyncio.wait([working], timeout=_STOP_SECONDS)
        raise


def logged_of(
    readings: Iterator[Conversation | Reject | DetectedFormat],
    ids: ConversationIds,
    *,
    size: int,
    detected: Callable[[DetectedFormat], None],
) -> Iterator[list[Logged]]:
    """Pack what is read by `size`, and by more on a large day, each conversation beside an earlier one of its id."""
    logged: list[Logged] = []
    turns = number = 0
    most = size
    for reading in readings:
        if isinstance(reading, DetectedFormat):
            detected(reading)
            continue
        if isinstance(reading, Reject):
            logged.append(reading)
        else:
            logged.append((reading, ids.first_seen(reading)))
            turns += len(reading.turns)
        if len(logged) >= most or (len(logged) >= size and turns >= _MOST_TURNS_IN_A_GROWN_BATCH):
            yield logged
            logged, turns, number = [], 0, number + 1
            most = min(size * (1 + number // _BATCHES_OF_A_SIZE), largest_batch(size))
    if logged:
        yield logged


def largest_batch(size: int) -> int:
    """Return how many conversations a batch of a day holds at most whose first batches hold `size`."""
    return max(size, min(size * _MOST_TIMES, _MOST_IN_A_GROWN_BATCH))


def batch_of(number: int, prepared: Sequence[Request | Reject], shard: Shard | None = None) -> Batch:
    """Return a batch of what was prepared; of a shard only its requests, and no rejects."""
    requests = [outcome for outcome in prepared if isinstance(outcome, Request)]
    if shard is not None:
        return Batch(number, [request for request in requests if shard.holds(request.request_hash)], [])
    return Batch(number, requests, [outcome for outcome in prepared if isinstance(outcome, Reject)])


def _in_a_thread(steps: Steps) -> Preparing:
    return Preparing(lambda batch: asyncio.to_thread(prepare_logged, steps, batch.logged), ahead=0)


async def _in_order(
    batches: AsyncGenerator[LoggedBatch, None], work: Callable[[LoggedBatch], Coroutine[Any, Any, U]], ahead: int
) -> AsyncGenerator[tuple[LoggedBatch, U], None]:
    """Yield each batch and what becomes of it, in order, while so many others behind it are worked on."""
    under_way: deque[tuple[LoggedBatch, asyncio.Task[U]]] = deque()

    async def first() -> tuple[LoggedBatch, U]:
        batch, task = under_way[0]
        done = await task
        under_way.popleft()
        return batch, done

    try:
        async with aclosing(batches):
            async for batch in batches:
                under_way.append((batch, asyncio.create_task(work(batch))))
                if len(under_way) > ahead:
                    yield await first()
        while under_way:
            yield await first()
    finally:
        for _, task in under_way:
            task.cancel()
        await asyncio.gather(*(task for _, task in under_way), return_exceptions=True)
