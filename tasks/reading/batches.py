"""From a day's log objects to batches of requests, in constant memory."""

import asyncio
import secrets
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import closing
from hashlib import blake2b
from pathlib import Path

from tasks.domain.errors import NoLogs
from tasks.domain.ports import StoredObject
from tasks.domain.records import Conversation, Reason, Reject, Request
from tasks.domain.shards import Shard
from tasks.reading.conversations import DetectedFormat, LogReader, log_objects
from tasks.reading.log_objects import LogSource
from tasks.reading.tally import ReadingTally


class Batch:
    """Consecutive conversations of the day: those to summarize, and those that are rejects already.

    No dataclass: Prefect walks through dataclasses and lists among a task's arguments looking for futures, which
    costs more than reading the conversations did.
    """

    def __init__(self, number: int, requests: Sequence[Request], rejects: Sequence[Reject]) -> None:
        self.number = number
        self.requests = requests
        self.rejects = rejects

    @property
    def read(self) -> int:
        """The number of conversations, and of lines that should have been some."""
        return len(self.requests) + len(self.rejects)


class ConversationIds:
    """The conversation ids of a day and where each was first seen, on disk so that memory stays flat."""

    def __init__(self, scratch: Path) -> None:
        self._key = secrets.token_bytes(16)
        self._seen = sqlite3.connect(scratch / "ids.sqlite", check_same_thread=False, isolation_level=None)
        self._seen.executescript(
            "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-8000; BEGIN;"
            "CREATE TABLE seen (id BLOB PRIMARY KEY, content TEXT, source_uri TEXT, line INTEGER) WITHOUT ROWID;"
        )

    def first_seen(self, conversation: Conversation, content: str) -> tuple[str, str, int] | None:
        """None for an id that is new; else the content, address and line of the conversation that had it before."""
        key = self._digest(conversation.conversation_id)
        cursor = self._seen.execute(
            "INSERT OR IGNORE INTO seen VALUES (?, ?, ?, ?)", (key, content, conversation.source_uri, conversation.line)
        )
        if cursor.rowcount:
            return None
        found: tuple[str, str, int] = self._seen.execute(
            "SELECT content, source_uri, line FROM seen WHERE id = ?", (key,)
        ).fetchone()
        return found

    def _digest(self, name: str) -> bytes:
        # An id may be a phone number, and a killed run leaves its scratch behind: the key dies with the process.
        return blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16, key=self._key).digest()

    def close(self) -> None:
        """Give up the index."""
        self._seen.close()


async def read_batches(
    store: LogSource,
    logs: Sequence[StoredObject],
    reader: LogReader,
    *,
    size: int,
    detected: Callable[[DetectedFormat], None],
    shard: Shard | None = None,
    tally: ReadingTally | None = None,
) -> AsyncIterator[Batch]:
    """Yield the day's conversations as batches, each read in a thread so that calls in flight do not wait for it.

    Raises:
        NoLogs: there is nothing at all in the objects; a day is not replaced by an export that failed.
    """
    tally = tally or ReadingTally()
    readings = reader.read(log_objects(store, logs), tally)
    with closing(ConversationIds(reader.scratch)) as ids:
        batches = batches_of(readings, reader, ids, size=size, detected=detected, shard=shard)
        any_read = False
        while (batch := await asyncio.to_thread(next, batches, None)) is not None:
            any_read = True
            yield batch
    if any_read or shard is not None:
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


def batches_of(
    readings: Iterator[Conversation | Reject | DetectedFormat],
    reader: LogReader,
    ids: ConversationIds,
    *,
    size: int,
    detected: Callable[[DetectedFormat], None],
    shard: Shard | None = None,
) -> Iterator[Batch]:
    """Pack what is read into batches of `size`; a second conversation of an id is a reject.

    Args:
        shard: give only its requests, and no rejects.
    """
    number = 0
    requests: list[Request] = []
    rejects: list[Reject] = []
    for reading in readings:
        if isinstance(reading, DetectedFormat):
            detected(reading)
            continue
        if isinstance(reading, Reject):
            found: Request | Reject = reader.storable(reading)
        else:
            found = _request_or_duplicate(reader.prepare(reading), reading, ids)
        if isinstance(found, Request):
            if shard is None or shard.holds(found.request_hash):
                requests.append(found)
        elif shard is None:
            rejects.append(found)
        if len(requests) + len(rejects) >= size:
            yield Batch(number, requests, rejects)
            number, requests, rejects = number + 1, [], []
    if requests or rejects:
        yield Batch(number, requests, rejects)


def _request_or_duplicate(request: Request, logged: Conversation, ids: ConversationIds) -> Request | Reject:
    first = ids.first_seen(logged, request.content_hash)
    if first is None:
        return request
    conversation = request.conversation
    content, uri, line = first
    same = (
        "the same conversation is" if content == request.content_hash else "a conversation of this id that differs is"
    )
    return Reject(
        conversation_id=conversation.conversation_id,
        reason=Reason.DUPLICATE,
        detail=f"{same} in {uri}, line {line}; that one counts",
        source_uri=conversation.source_uri,
        line=conversation.line,
        content_hash=request.content_hash,
        started_at=conversation.started_at,
        channel=conversation.channel,
    )
