"""Read log objects as conversations, in every format, streaming: unreadable parts become rejects with their place.

Conversations of formats that hold a whole one a record come first, in the objects' order; those put together
from messages come after, as `tasks.reading.grouping` orders them, and rejects that stand for files last.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import date, tzinfo
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final
from zoneinfo import ZoneInfo

from tasks.domain.ports import StoredObject
from tasks.domain.records import Conversation, Reason, Reject, Request
from tasks.preparing.masking import mask_identifier
from tasks.reading.containers import members_of
from tasks.reading.grouping import MessageGroups
from tasks.reading.log_objects import LogSource
from tasks.reading.members import Member
from tasks.reading.rules.candidate import Detected
from tasks.reading.rules.context import LogContext
from tasks.reading.rules.detection import detect_format
from tasks.reading.rules.doubts import Doubts
from tasks.reading.rules.formats import BUILT_IN, LogMapping, check_log_format, load_mappings, log_formats
from tasks.reading.rules.json.records import Read
from tasks.reading.rules.messages import Message
from tasks.reading.rules.objects.decompression import BrokenStream
from tasks.reading.rules.objects.log_bytes import ObjectHead, read_head
from tasks.reading.rules.speakers import nameable
from tasks.reading.rules.timestamps import TimestampParser, UnknownTimes
from tasks.reading.rules.vocabulary import normalized
from tasks.reading.tally import ReadingTally

__all__ = ["BUILT_IN", "DetectedFormat", "LogObject", "LogReader", "load_mappings", "log_formats", "log_objects"]

_SHANGHAI: Final = ZoneInfo("Asia/Shanghai")

_REJECTS_HELD: Final = 1_000

_ROLES_NAMED: Final = 5

_BEHIND_HELD: Final = 2_000


@dataclass(frozen=True, slots=True)
class LogObject:
    """One object of a day. `open` gives all of it, verified, as a seekable binary file that the reader closes."""

    uri: str
    open: Callable[[], BinaryIO]


@dataclass(frozen=True, slots=True)
class DetectedFormat:
    """The detected format of an object; yielded once an object, before its conversations.

    `columns` are the names in it with their meanings, `log` the words of its roles and names, `head` its beginning.
    """

    uri: str
    format: str
    encoding: str
    compressed: bool
    note: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    log: LogContext | None = field(default=None, compare=False, repr=False)
    head: ObjectHead | None = field(default=None, compare=False, repr=False)


Reading = Conversation | Reject | DetectedFormat


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
        day: only conversations that began on it, and those without times; None for all.
        name_of: an id as the tables name it.
    """

    prepare: Callable[[Conversation], Request]
    scratch: Path
    log_format: str = "auto"
    mappings: Mapping[str, LogMapping] = field(default_factory=lambda: BUILT_IN)
    zone: tzinfo = _SHANGHAI
    storable: Callable[[Reject], Reject] = lambda reject: reject
    day: date | None = None
    name_of: Callable[[str], str] = mask_identifier

    def read(self, objects: Iterable[LogObject], tally: ReadingTally | None = None) -> Iterator[Reading]:
        """Yield every conversation of a day's objects, or the reject that stands for it.

        Args:
            tally: counts what is read; true once everything is.

        Raises:
            UsageError: there is no such format.
            StoreError: an object can't be had, or the scratch folder can't take the rows.
        """
        check_log_format(self.log_format, self.mappings)
        return _DayReading(self, tally or ReadingTally()).read(objects)


def log_objects(store: LogSource, logs: Iterable[StoredObject]) -> Iterator[LogObject]:
    """Stored objects, each opened when its turn comes."""
    for found in logs:
        yield LogObject(printable(store.uri_of(found.key)), partial(store.open_object, found.key))


def printable(name: str) -> str:
    """A name without signs that command a terminal or turn a line around."""
    if name.isprintable():
        return name
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in name)


class _DayReading:
    """One reading of a day's objects."""

    def __init__(self, reader: LogReader, tally: ReadingTally) -> None:
        self._reader = reader
        self._tally = tally
        self._timestamps = TimestampParser(reader.zone)
        self._files: list[Reject] = []  # rejects that stand for a file
        self._behind: list[Conversation | Reject] = []  # conversations that don't begin their transcript's file
        self._doubts: dict[str, tuple[str, int]] = {}  # by kind: about the first file, and in how many

    def read(self, objects: Iterable[LogObject]) -> Iterator[Reading]:
        with MessageGroups(self._reader.scratch, TimestampParser(self._reader.zone)) as groups:
            for log in objects:
                with (
                    log.open() as file,
                    closing(members_of(file, log.uri, self._reader.scratch, self._mapping)) as members,
                ):
                    for member in members:
                        yield from self._member(member, groups)
            yield from self._behind
            for found in groups.conversations():
                self._tally.grouped += 1
                if (kept := self._counted(found)) is not None:
                    yield kept
        self._tally.notes += [_about_times(uri, unknown) for uri, unknown in groups.unknown_times.items()]
        self._tally.notes += [_in_files(remark, files) for remark, files in self._doubts.values()]
        yield from self._files

    @property
    def _mapping(self) -> LogMapping | None:
        return self._reader.mappings.get(self._reader.log_format)

    def _member(self, member: Member, groups: MessageGroups) -> Iterator[Reading]:
        if member.file is None:
            yield DetectedFormat(member.uri, "unknown", "", compressed=False, note=member.note)
            self._unread_file(Reject("", Reason.UNREADABLE, member.note, member.uri, 1), member.size)
            return
        head = read_head(member.file)
        reader = self._reader
        detected = detect_format(member.uri, head, reader.log_format, reader.mappings, self._timestamps)
        note = "; ".join(filter(None, (member.note, detected.note)))
        compressed = bool(head.compression) or member.compressed
        yield DetectedFormat(
            member.uri, detected.format, head.encoding, compressed, note, detected.columns, detected.log, head
        )
        if detected.reader is None:
            if detected.format != "empty":
                self._unread_file(Reject("", Reason.UNREADABLE, note, member.uri, 1), member.size)
            return
        if head.doubtful:
            self._tally.notes.append(
                f"{member.uri}: its encoding can't be told; it is taken for {head.encoding}, and its texts may be "
                "garbled. Save it as UTF-8."
            )
        if detected.remark:
            self._tally.notes.append(f"{member.uri}: {detected.remark}")
        yield from self._records(detected, member, head, groups)

    def _records(
        self, detected: Detected, member: Member, head: ObjectHead, groups: MessageGroups
    ) -> Iterator[Reading]:
        assert detected.reader is not None
        assert member.file is not None
        tally, before = self._tally, self._tally.messages + self._tally.conversations
        unread_files, unread_bytes = tally.unread_files, tally.unread_bytes
        rows = unread = 0
        begun = False
        timestamps = detected.log.timestamps if detected.log else self._timestamps
        own_times = detected.log is not None and bool(detected.log.mapping.times)
        timestamps.take_unknown()
        measured = detected.log.mapping.measured if detected.log else {}
        doubts = Doubts(detected, member.uri)
        for item in self._summed_up(detected.reader(member.file, head), member):
            found = _with_measured(item, measured) if measured and not isinstance(item, Reject) else item
            doubts.take(found)
            if isinstance(found, Message):
                rows += 1
                unread += found.speaker is None
                tally.messages += 1
                groups.add(_timed(found, timestamps) if own_times else found)
            elif isinstance(found, Reject) and not found.conversation_id and rows:
                tally.unread_rows += 1
                yield found
            elif (kept := self._counted(found)) is not None:
                yield from self._in_turn(kept, behind=begun and detected.format == "transcript")
                begun = True
        if tally.messages + tally.conversations > before:
            tally.read_bytes += max(member.size - (tally.unread_bytes - unread_bytes), 0)
        unknown = timestamps.take_unknown()
        if unknown.count and not (unknown.of_day and detected.format == "transcript"):
            tally.notes.append(_about_times(member.uri, unknown))
        if unread:
            tally.notes.append(_about_roles(member.uri, unread, rows, detected.log))
        for kind, remark in doubts.remarks() if tally.unread_files == unread_files else ():
            about, files = self._doubts.get(kind, (f"{member.uri}: {remark}", 0))
            self._doubts[kind] = about, files + 1

    def _in_turn(self, found: Conversation | Reject, *, behind: bool) -> Iterator[Reading]:
        """Give a conversation now, or after those that begin a file.

        In a text file a customer can type a border and another's id; so ids at the beginning of files count first.
        """
        if not behind:
            yield found
            return
        self._behind.append(found)
        if len(self._behind) > _BEHIND_HELD:
            yield from self._behind
            self._behind.clear()

    def _counted(self, found: Conversation | Reject) -> Conversation | Reject | None:
        """A conversation, or what stands for one, if it is of the day."""
        if isinstance(found, Reject) and not found.conversation_id:
            return found
        if not self._tally.belongs(found.started_at, self._reader.day, self._reader.zone):
            return None
        self._tally.conversations += 1
        return found

    def _unread_file(self, reject: Reject, size: int) -> None:
        self._tally.unread_files += 1
        self._tally.unread_bytes += size
        self._files.append(reject)

    def _summed_up(self, found: Iterator[Read], member: Member) -> Iterator[Read]:
        """Yield a reader's findings; hold rejects back until the first good one, so that a file that is no log is one
        reject.
        """
        held: list[Reject] = []
        count = last = taken = 0
        good = False
        try:
            for item in found:
                unread = None
                if isinstance(item, Reject) and item.reason is Reason.UNREADABLE and not item.conversation_id:
                    unread = item
                else:
                    taken = member.taken()
                if good:
                    yield item
                elif unread:
                    count, last = count + 1, item.line
                    if count <= _REJECTS_HELD:
                        held.append(unread)
                else:
                    good = True
                    if count > len(held):
                        detail = f"none of {count} lines or records up to line {last}: {held[0].detail}"
                        held = [Reject("", Reason.UNREADABLE, detail, member.uri, held[0].line)]
                    yield from held
                    yield item
        except BrokenStream as error:
            if not good and count:
                self._unread_file(_nothing(held[0], count), member.size)
            detail = f"{error}: nothing from this line on can be read"
            lost = max(member.size - taken, 1)  # from the last record on: what is garbled before the damage shows, too
            self._unread_file(Reject("", Reason.UNREADABLE, detail, member.uri, error.line), lost)
        else:
            if not good and count:
                self._unread_file(_nothing(held[0], count), member.size)


def _with_measured(found: Conversation | Message, measured: Mapping[str, str]) -> Conversation | Message:
    """The conversation or message with the names that a mapping gives to its attributes."""
    logged = {normalized(name): (name, value) for name, value in (found.attributes or {}).items()}
    named: dict[str, str] = {}
    for name, meaning in measured.items():  # of several, the first in the mapping that is filled
        if name in logged and (value := logged[name][1]):
            named.setdefault(meaning, value)
    if not named:
        return found
    attributes = {name: value for key, (name, value) in logged.items() if key not in measured} | named
    return (
        found._replace(attributes=attributes) if isinstance(found, Message) else replace(found, attributes=attributes)
    )


def _about_roles(uri: str, unread: int, rows: int, log: LogContext | None) -> str:
    unknown = Counter(log.vocabulary.unknown_roles if log else {})
    named = ", ".join(
        f"{nameable(word) if word.strip() else 'an empty one'} ({count:,})"
        for word, count in unknown.most_common(_ROLES_NAMED)
    )
    said = f"; roles that are not known: {named}. A mapping says under roles whose side each is on" if named else ""
    if any(not word.strip() for word in unknown):
        said += ', and { "" = "system" } leaves lines out that are nobody\'s'
    return f"{uri}: {unread:,} of {rows:,} rows can't be read{said}."


def _timed(message: Message, timestamps: TimestampParser) -> Message:
    """The message with its times in a form that needs no mapping."""
    time, started = (
        parsed.isoformat() if (parsed := timestamps.parse(value)) else None
        for value in (message.time, message.started_at)
    )
    return message._replace(time=time, started_at=started)


def _about_times(uri: str, unknown: UnknownTimes) -> str:
    if unknown.of_day:
        return (
            f"{uri}: {unknown.count:,} times name no date (their form is {unknown.form}); their messages stay in the "
            "log's order. Export the date with them, or in a column of its own."
        )
    return (
        f"{uri}: {unknown.count:,} times can't be read, of the form {unknown.form}; their messages stay in the log's "
        "order. A mapping gives the form under times, such as '%d.%m.%Y %H:%M'."
    )


def _in_files(remark: str, files: int) -> str:
    return remark if files == 1 else f"{remark} Likewise in {files - 1:,} more files."


def _nothing(first: Reject, count: int) -> Reject:
    if count == 1:
        return first
    detail = f"nothing in the file can be read ({count} lines or records); the first: {first.detail}"
    return Reject("", Reason.UNREADABLE, detail, first.source_uri, first.line)
