"""Log objects to conversations, in every format, streaming: what can't be read becomes a reject that says where.

Conversations of formats that hold a whole one a record come first, in the objects' order; those put together
from messages come after, as `tasks.reading.grouping` orders them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final
from zoneinfo import ZoneInfo

from tasks.domain.ports import StoredObject
from tasks.domain.records import Conversation, Reason, Reject, Request
from tasks.reading.grouping import MessageGroups
from tasks.reading.log_objects import LogSource
from tasks.reading.rules.detection import detect_format
from tasks.reading.rules.dialogue import TimestampParser
from tasks.reading.rules.formats import BUILT_IN, LogMapping, check_log_format, load_mappings, log_formats
from tasks.reading.rules.json_logs import Read
from tasks.reading.rules.log_bytes import BrokenStream, read_head
from tasks.reading.rules.messages import Message
from tasks.reading.rules.readers import unreadable

__all__ = ["BUILT_IN", "DetectedFormat", "LogObject", "LogReader", "load_mappings", "log_formats", "log_objects"]

_SHANGHAI: Final = ZoneInfo("Asia/Shanghai")

_REJECTS_HELD: Final = 1_000


@dataclass(frozen=True, slots=True)
class LogObject:
    """One object of a day. `open` gives all of it, verified, as a seekable binary file that the reader closes."""

    uri: str
    open: Callable[[], BinaryIO]


@dataclass(frozen=True, slots=True)
class DetectedFormat:
    """What an object was taken for; said once an object, before anything of it."""

    uri: str
    format: str
    encoding: str
    compressed: bool
    note: str = ""


@dataclass(frozen=True, slots=True)
class LogReader:
    """Logs to conversations, and what becomes of each.

    Args:
        prepare: makes a conversation a request.
        scratch: an existing folder for message rows that do not fit in memory.
        log_format: `auto` looks into each object; else a name of `log_formats` that all of them have.
        mappings: named formats, from `load_mappings`.
        zone: of times without an offset.
        storable: makes a reject one that may be stored.
    """

    prepare: Callable[[Conversation], Request]
    scratch: Path
    log_format: str = "auto"
    mappings: Mapping[str, LogMapping] = field(default_factory=lambda: BUILT_IN)
    zone: tzinfo = _SHANGHAI
    storable: Callable[[Reject], Reject] = lambda reject: reject

    def read(self, objects: Iterable[LogObject]) -> Iterator[Conversation | Reject | DetectedFormat]:
        """Yield every conversation of a day's objects, or the reject that stands for it.

        Raises:
            UsageError: there is no such format.
            StoreError: an object can't be had, or the scratch folder can't take the rows.
        """
        check_log_format(self.log_format, self.mappings)
        return _read_objects(objects, self)


def log_objects(store: LogSource, logs: Iterable[StoredObject]) -> Iterator[LogObject]:
    """Stored objects, each opened when its turn comes."""
    for found in logs:
        yield LogObject(store.uri_of(found.key), partial(store.open_object, found.key))


def _read_objects(objects: Iterable[LogObject], reader: LogReader) -> Iterator[Conversation | Reject | DetectedFormat]:
    timestamps = TimestampParser(reader.zone)
    with MessageGroups(reader.scratch, timestamps) as groups:
        for log in objects:
            with log.open() as file:
                head = read_head(file)
                detected = detect_format(log.uri, head, reader.log_format, reader.mappings, timestamps)
                yield DetectedFormat(log.uri, detected.format, head.encoding, head.compressed, detected.note)
                if detected.reader:
                    for found in _summed_up(detected.reader(file, head), log.uri):
                        if isinstance(found, Message):
                            groups.add(found)
                        else:
                            yield found
                elif detected.format != "empty":
                    yield unreadable(log.uri, 1, detected.note)
        yield from groups.conversations()


def _summed_up(found: Iterator[Read], uri: str) -> Iterator[Read]:
    """What a reader finds; but rejects before anything good are held, so that a file that is no log is one."""
    held: list[Reject] = []
    count = last = 0
    good = False
    try:
        for item in found:
            if good:
                yield item
            elif isinstance(item, Reject) and item.reason is Reason.UNREADABLE:
                count, last = count + 1, item.line
                if count <= _REJECTS_HELD:
                    held.append(item)
            else:
                good = True
                if count > len(held):
                    detail = f"none of {count} lines or records up to line {last}: {held[0].detail}"
                    held = [unreadable(uri, held[0].line, detail)]
                yield from held
                yield item
    except BrokenStream as error:
        if not good and count:
            yield _nothing(held[0], count)
        yield unreadable(uri, error.line, f"{error}: nothing from this line on can be read")
    else:
        if not good and count:
            yield _nothing(held[0], count)


def _nothing(first: Reject, count: int) -> Reject:
    if count == 1:
        return first
    detail = f"nothing in the file can be read ({count} lines or records); the first: {first.detail}"
    return unreadable(first.source_uri, first.line, detail)
