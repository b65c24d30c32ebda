"""CSV and TSV, one message a row, to messages."""

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from typing import Final, NamedTuple

from tasks.domain.records import Conversation, Reason, Reject
from tasks.reading.rules.dialogue import TimestampParser, conversation_from, speaker_of_flag, split_transcript
from tasks.reading.rules.formats import MEANINGS, Vocabulary
from tasks.reading.rules.messages import Message

_NOTHING: Final = frozenset({"", "nan", "NaN", "null", "NULL", "None", "none", "\\N", "#N/A"})

_QUOTED_LINES: Final = 1_000

Line = tuple[int, str]


class Columns(NamedTuple):
    """Where a table holds what, by position; -1 where it does not.

    `attributes` are positions with names. A table with `transcript` holds a conversation a row.
    """

    width: int
    conversation_id: int
    role: int
    is_agent: int
    text: int
    time: int
    started_at: int
    channel: int
    transcript: int
    attributes: tuple[tuple[int, str], ...]


def header_columns(names: list[str], vocabulary: Vocabulary) -> Columns | None:
    """The columns that a header names, or None when it is no header of messages or transcripts.

    A name that comes again has its number behind it (`name (2)`), a column without one its place (`column 3`).
    """
    names = _told_apart(names)
    shape = vocabulary.shape(tuple(names))
    speaks = bool(shape.role or shape.is_agent)
    if not (shape.conversation_id and shape.text and speaks) and not (shape.transcripts and not speaks):
        return None
    text = shape.text if speaks else ""
    transcript = "" if speaks else shape.transcripts[0]

    def position(name: str) -> int:
        return names.index(name) if name else -1

    return Columns(
        width=len(names),
        conversation_id=position(shape.conversation_id),
        role=position(shape.role),
        is_agent=position(shape.is_agent),
        text=position(text),
        time=position(shape.time),
        started_at=position(shape.started_at),
        channel=position(shape.channel),
        transcript=position(transcript),
        attributes=tuple((at, name) for at, name in enumerate(names) if name in shape.rest and name != transcript),
    )


def _told_apart(names: list[str]) -> list[str]:
    apart: dict[str, None] = {}
    again = Counter[str]()
    for name in (name or f"column {at}" for at, name in enumerate(names, 1)):
        own = name
        while own in apart:
            again[name] += 1
            own = f"{name} ({again[name] + 1})"
        apart[own] = None
    return list(apart)


def mapping_columns(columns: tuple[str, ...]) -> Columns:
    """The columns of a table without a header, as a mapping names them."""

    def position(meaning: str) -> int:
        return columns.index(meaning) if meaning in columns else -1

    return Columns(
        width=len(columns),
        conversation_id=position("conversation_id"),
        role=position("role"),
        is_agent=-1,
        text=position("text"),
        time=position("time"),
        started_at=position("started_at"),
        channel=position("channel"),
        transcript=-1,
        attributes=tuple((at, name) for at, name in enumerate(columns) if name and name not in MEANINGS),
    )


def split_rows(
    lines: Iterable[Line],
    delimiter: str,
    quoted: bool,
    width: int = 0,
    is_row: Callable[[list[str]], bool] = lambda fields: False,
) -> Iterator[tuple[int, list[str]]]:
    """The fields of each row with the line it begins on. Blank lines are left out.

    A quoted field may hold line ends. A quote that is opened and never closed costs no more than its own line:
    when the row that it would join has not `width` fields, or holds a line that `is_row` by itself, each of its
    lines is a row.
    """
    source = iter(lines)
    for number, line in source:
        if not quoted or '"' not in line:
            if line.strip():
                yield number, line.split(delimiter)
            continue
        row = _fields(line, delimiter)
        if row is None:
            record = _Record(chain([(number, line)], islice(source, _QUOTED_LINES)), delimiter)
            row = record.fields
            alone = [(at, _fields(text, delimiter) or text.split(delimiter)) for at, text in record.lines]
            if not record.closed or len(row) != width or any(is_row(fields) for _, fields in alone[1:]):
                yield from ((at, fields) for at, fields in alone if any(fields))
                continue
        yield number, row


class TableRows:
    """Reads the rows of one object."""

    def __init__(self, uri: str, columns: Columns, vocabulary: Vocabulary, timestamps: TimestampParser) -> None:
        self._uri = uri
        self._columns = columns
        self._vocabulary = vocabulary
        self._timestamps = timestamps

    def is_row(self, fields: list[str]) -> bool:
        """Whether fields are beyond doubt a row: as many as the columns, and a role that is known."""
        columns = self._columns
        return (
            len(fields) == columns.width
            and columns.role >= 0
            and self._vocabulary.speaker(fields[columns.role].strip()) is not None
        )

    def read(self, number: int, row: list[str]) -> Message | Conversation | Reject:
        """What one row holds."""
        columns = self._columns
        if len(row) != columns.width:
            if len(row) < columns.width or any(row[columns.width :]):
                detail = f"a row of {len(row)} fields where {columns.width} are expected"
                return Reject("", Reason.UNREADABLE, detail, self._uri, number)
            row = row[: columns.width]
        conversation_id = row[columns.conversation_id].strip() if columns.conversation_id >= 0 else ""
        started = row[columns.started_at] if columns.started_at >= 0 else None
        channel = row[columns.channel].strip() if columns.channel >= 0 else ""
        channel = "" if channel in _NOTHING else channel
        attributes = {name: row[at] for at, name in columns.attributes if row[at] not in _NOTHING}
        time = row[columns.time] if columns.time >= 0 else None
        if columns.transcript >= 0:
            conversation_id = conversation_id or f"{self._uri}:{number}"
            preamble, said, _ = split_transcript(row[columns.transcript])
            if preamble and not said:
                detail = "the transcript has no speaker's label, such as 用户："
                return Reject(conversation_id, Reason.UNREADABLE, detail, self._uri, number)
            if preamble:
                attributes["preamble"] = preamble
            return conversation_from(
                said, self._timestamps, conversation_id, self._uri, number, started or time, channel, attributes
            )
        speaker = self._vocabulary.speaker(row[columns.role].strip()) if columns.role >= 0 else None
        if speaker is None and columns.is_agent >= 0:
            speaker = speaker_of_flag(row[columns.is_agent])
        if speaker is None:
            detail = "the message has no role that is known; a mapping can name it under roles"
            return Reject(conversation_id, Reason.UNREADABLE, detail, self._uri, number)
        if not conversation_id:
            return Reject("", Reason.UNREADABLE, "the message names no conversation", self._uri, number)
        text = row[columns.text]
        return Message(
            conversation_id,
            self._uri,
            number,
            speaker,
            text if text.strip() else "",
            time or None,
            started or None,
            channel,
            attributes or None,
        )


def _fields(line: str, delimiter: str) -> list[str] | None:
    """The fields of a line by itself, or None when it leaves a quote open."""
    more = iter((line + "\n", ""))  # the second is only asked for inside quotes
    try:
        row = next(csv.reader(more, delimiter=delimiter))
    except csv.Error:
        return None
    return None if next(more, None) is None else row


class _Record:
    """The first row of some lines: its fields, the lines it took, and whether its last quote is closed."""

    def __init__(self, lines: Iterable[Line], delimiter: str) -> None:
        self.lines: list[Line] = []
        self.closed = True
        try:
            self.fields = next(csv.reader(self._fed(lines), delimiter=delimiter))
        except csv.Error:  # a field of more than 131,072 characters
            self.fields, self.closed = [], False

    def _fed(self, lines: Iterable[Line]) -> Iterator[str]:
        for line in lines:
            self.lines.append(line)
            yield line[1] + "\n"
        self.closed = False
