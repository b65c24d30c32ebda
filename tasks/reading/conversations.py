"""Log objects to conversations, in every format, streaming: what can't be read becomes a reject that says where.

Conversations of formats that hold a whole one a record come first, in the objects' order; those put together
from messages come after, as `tasks.domain.grouping` orders them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from typing import BinaryIO, Final
from zoneinfo import ZoneInfo

from tasks.domain.records import Conversation, Reason, Reject
from tasks.reading.grouping import MessageGroups
from tasks.reading.rules.detection import recognize
from tasks.reading.rules.dialogue import Clock
from tasks.reading.rules.formats import BUILT_IN, LogMapping, check_log_format, load_mappings, log_formats
from tasks.reading.rules.json_logs import Read
from tasks.reading.rules.log_bytes import BrokenStream, probe_object
from tasks.reading.rules.messages import Message
from tasks.reading.rules.readers import unreadable

__all__ = ["BUILT_IN", "LogObject", "Recognized", "load_mappings", "log_formats", "read_conversations"]

_SHANGHAI: Final = ZoneInfo("Asia/Shanghai")

_REJECTS_HELD: Final = 1_000


@dataclass(frozen=True, slots=True)
class LogObject:
    """One object of a day. `open` gives all of it, verified, as a seekable binary file that the reader closes."""

    uri: str
    open: Callable[[], BinaryIO]


@dataclass(frozen=True, slots=True)
class Recognized:
    """What an object was taken for; said once an object, before anything of it."""

    uri: str
    format: str
    encoding: str
    compressed: bool
    note: str = ""


def read_conversations(
    objects: Iterable[LogObject],
    *,
    log_format: str = "auto",
    scratch: Path,
    mappings: Mapping[str, LogMapping] = BUILT_IN,
    timezone: tzinfo = _SHANGHAI,
) -> Iterator[Conversation | Reject | Recognized]:
    """Every conversation of a day's objects, or the reject that stands for it.

    Args:
        log_format: `auto` looks into each object; else a name of `log_formats` that all of them have.
        scratch: an existing folder for message rows that do not fit in memory.
        mappings: named formats, from `load_mappings`.
        timezone: of times without an offset.

    Raises:
        UsageError: there is no such format.
        StoreError: an object can't be had, or the scratch folder can't take the rows.
    """
    check_log_format(log_format, mappings)
    return _read_objects(objects, log_format, scratch, mappings, Clock(timezone))


def _read_objects(
    objects: Iterable[LogObject],
    log_format: str,
    scratch: Path,
    mappings: Mapping[str, LogMapping],
    clock: Clock,
) -> Iterator[Conversation | Reject | Recognized]:
    with MessageGroups(scratch, clock) as groups:
        for log in objects:
            with log.open() as file:
                probe = probe_object(file)
                taken = recognize(log.uri, probe, log_format, mappings, clock)
                yield Recognized(log.uri, taken.format, probe.encoding, probe.compressed, taken.note)
                if taken.reader:
                    for found in _summed_up(taken.reader(file, probe), log.uri):
                        if isinstance(found, Message):
                            groups.add(found)
                        else:
                            yield found
                elif taken.format != "empty":
                    yield unreadable(log.uri, 1, taken.note)
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
