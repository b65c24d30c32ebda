"""Rows of tables, one message or one conversation each, to messages and conversations."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from tasks.domain.records import Conversation, Reject
from tasks.reading.rules.context import LogContext
from tasks.reading.rules.dialogue import Header, conversation_from
from tasks.reading.rules.json.fields import joined
from tasks.reading.rules.json.lenient import parse_json
from tasks.reading.rules.json.records import JsonRecords
from tasks.reading.rules.json.reshaping import texts_of_sides
from tasks.reading.rules.json.texts import NO_IDS, words_in_envelope
from tasks.reading.rules.messages import Message, new_message
from tasks.reading.rules.reasons import no_label, strangers_in
from tasks.reading.rules.speakers import (
    Speaker,
    is_marked,
    is_unsaid,
    is_withdrawn,
    speaker_of_flag,
    speaker_of_user_flag,
)
from tasks.reading.rules.tables.cells import NO_TEXTS, id_of_cell, number_of_cell, text_of_cell
from tasks.reading.rules.tables.row_kinds import SIDES_HEADER, says_nothing
from tasks.reading.rules.transcripts.dialogues import split_transcript
from tasks.reading.rules.vocabulary import KINDS, MEANINGS, normalized

COLUMNS_LIMIT: Final = 2_000

_NOTHING: Final = frozenset({"", "nan", "NaN", "null", "NULL", "None", "none", "\\N", "#N/A"})

# An id that a spreadsheet has rounded: 2.02611E+17. What it was is lost, and other ids look the same now.
_ROUNDED: Final = re.compile(r"\d\.\d{1,14}[eE]\+\d{2}")

# Second characters of ids that want a closer look: none, ="00123", 2.02611E+17.
_OF_SPREADSHEETS: Final = frozenset(["", '"', "."])

_SPREADSHEET_SIGNS: Final = frozenset("='`\"")

_FALSE: Final = ("false", "0", "no", "否")


class Columns(NamedTuple):
    """Positions of a table's columns; -1 for one that it lacks.

    `attributes` are positions with names. A table with `transcript` holds a conversation a row. `names` are all of
    the header's, as they are told apart.
    """

    names: tuple[str, ...]
    conversation_id: int
    role: int
    is_agent: int
    is_user: int
    text: int
    time: int
    date: int
    started_at: int
    channel: int
    transcript: int
    number: int
    message_id: int
    public: int
    recalled: tuple[int, ...]
    states: tuple[int, ...]
    attributes: tuple[tuple[int, str], ...]

    @property
    def width(self) -> int:
        """The number of fields in a row."""
        return len(self.names)


def header_columns(names: Sequence[str], log: LogContext) -> Columns | None:
    """The columns that a header names, or None when it is no header of messages or transcripts.

    A name that comes again has its number behind it (`name (2)`), a column without one its place (`column 3`).
    """
    if len(names) > COLUMNS_LIMIT:
        return None
    names = _told_apart(names)
    shape = log.vocabulary.shape(tuple(names))
    speaks = bool(shape.speaks or _compares(log, names))
    transcripts = shape.transcripts or shape.messages
    of_messages = (shape.conversation_id or log.only_conversation) and shape.text and speaks
    if not of_messages and not (transcripts and not speaks):
        return None
    places = {name: at for at, name in enumerate(names)}
    transcript = "" if speaks else transcripts[0]
    rest = set(shape.rest)

    def position(name: str) -> int:
        return places[name] if name else -1

    return Columns(
        names=tuple(names),
        conversation_id=position(shape.conversation_id),
        role=position(shape.role),
        is_agent=position(shape.is_agent),
        is_user=position(shape.is_user),
        text=position(shape.text if speaks else ""),
        time=position(shape.time),
        date=position(shape.date),
        started_at=position(shape.started_at),
        channel=position(shape.channel),
        transcript=position(transcript),
        number=position(shape.number),
        message_id=position(shape.message_id),
        public=position(shape.public),
        recalled=tuple(map(position, shape.recalled)),
        states=tuple(map(position, shape.states)),
        attributes=tuple((at, name) for at, name in enumerate(names) if name in rest and name != transcript),
    )


def columns_of_sides(names: Sequence[str], log: LogContext) -> Columns | None:
    """The columns of rows that hold what each side says, with the side and its words at the end."""
    columns = header_columns([*names, *SIDES_HEADER], log)
    if columns is None:
        return None
    texts = set(texts_of_sides(tuple(names), log.vocabulary) or ())
    kept = tuple((at, name) for at, name in columns.attributes if name not in texts)
    return columns._replace(role=len(names), text=len(names) + 1, attributes=kept)


def _compares(log: LogContext, names: Sequence[str]) -> bool:
    side = log.mapping.side
    return side is not None and side.left in names and side.right in names


def _told_apart(names: Iterable[str]) -> list[str]:
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
        names=columns,
        conversation_id=position("conversation_id"),
        role=position("role"),
        is_agent=position("is_agent"),
        is_user=position("is_user"),
        text=position("text"),
        time=position("time"),
        date=position("date"),
        started_at=position("started_at"),
        channel=position("channel"),
        transcript=-1,
        number=position("number"),
        message_id=position("message_id"),
        public=-1,
        recalled=(),
        states=(),
        attributes=tuple((at, name) for at, name in enumerate(columns) if name and name not in MEANINGS),
    )


class TableRows:
    """Reads the rows of one object."""

    def __init__(
        self, log: LogContext, columns: Columns, delimiter: str, *, fills_ids: bool = False, short: int = 0
    ) -> None:
        self._log = log
        self._uri = log.uri
        self._columns = columns
        self._delimiter = delimiter
        self._speaker_of = log.vocabulary.speaker
        mapping = log.mapping
        places = {name: at for at, name in enumerate(columns.names)}
        self._skip = tuple((places[name], values) for name, values in mapping.skip.items() if name in places)
        self._kinds = tuple(at for name, at in places.items() if normalized(name) in KINDS)
        side = mapping.side
        compares = side is not None and side.left in places and side.right in places
        self._side = (places[side.left], places[side.right], side) if side and compares else None
        self._by_role = columns.role >= 0 and self._side is None
        self._known = log.vocabulary.speakers
        self._leaves_out = bool(self._kinds or columns.recalled or columns.states or columns.public >= 0 or self._skip)
        others = (columns.date, columns.started_at, columns.channel, columns.number, columns.message_id)
        flagged = columns.recalled or columns.states or columns.public >= 0 or self._skip
        self._plain = self._by_role and not flagged and max(*others, columns.transcript) < 0
        self._places = columns.width, columns.conversation_id, columns.role, columns.text, columns.time
        self._plain = self._plain and columns.conversation_id >= 0
        self._plain = self._plain and not (fills_ids or log.newest_first or log.enveloped)
        self._fills_ids = fills_ids
        self._short = short
        self._last_id = ""

    def read(self, number: int, row: list[str]) -> Message | Conversation | Reject | None:
        """Read one row; None for one that the log marks as not the customer's."""
        columns = self._columns
        if self._plain and (plain := self._plain_message(number, row)):
            return plain
        if says_nothing(row, self._log.vocabulary):
            return None
        if len(row) != columns.width:
            fitted = self._fitted(row)
            if fitted is None:
                return self._log.unreadable(number, f"a row of {len(row)} fields where {columns.width} are expected")
            row = fitted
        if self._leaves_out and self._is_left_out(row):
            return None
        conversation_id = row[columns.conversation_id].strip() if columns.conversation_id >= 0 else ""
        conversation_id = "" if conversation_id in NO_IDS else conversation_id
        if conversation_id[:1] in _SPREADSHEET_SIGNS or conversation_id[-2:] == ".0":
            conversation_id = id_of_cell(conversation_id)
        if columns.transcript >= 0:
            return self._conversation(number, row, conversation_id)
        return self._message(number, row, conversation_id)

    def _plain_message(self, number: int, row: list[str]) -> Message | None:
        """The message of a row that is an id, a known role, a text and perhaps a time; None for any other."""
        width, at_id, at_role, at_text, at_time = self._places
        if len(row) != width or (self._kinds and any(is_unsaid(row[at]) for at in self._kinds)):
            return None
        if not (speaker := self._known.get(row[at_role])):
            return None
        conversation_id, text = row[at_id].strip(), row[at_text]
        if conversation_id[1:2] in _OF_SPREADSHEETS or conversation_id[-2:] == ".0" or not text or text.isspace():
            return None
        if conversation_id in NO_IDS or text[0] == "'" or text in NO_TEXTS:
            return None
        if conversation_id[0] in _SPREADSHEET_SIGNS:
            return None
        time = row[at_time] or None if at_time >= 0 else None
        attributes = (self._attributes(row) or None) if self._columns.attributes else None
        return new_message((conversation_id, self._uri, number, speaker, text, time, None, "", attributes, None, ""))

    def _message(self, number: int, row: list[str], conversation_id: str) -> Message | Reject | None:
        columns = self._columns
        if self._fills_ids:
            conversation_id = self._last_id = conversation_id or self._last_id
        conversation_id = conversation_id or self._log.only_conversation
        if not conversation_id:
            return self._log.unreadable(number, "the message names no conversation")
        if conversation_id[1:2] == "." and _ROUNDED.fullmatch(conversation_id):
            why = "its id has lost its last digits in a spreadsheet; export it as text"
            return Message(conversation_id, self._uri, number, None, why)
        text = text_of_cell(row[columns.text])
        if self._log.enveloped:
            text = words_in_envelope(text) or text
        speaker = self._known.get(row[columns.role]) or self._speaker(row) if self._by_role else self._speaker(row)
        if speaker is None:
            if not text.strip():
                return None
            role = row[columns.role].strip() if columns.role >= 0 else ""
            return Message(conversation_id, self._uri, number, None, self._log.vocabulary.unknown_role(role))
        channel = row[columns.channel].strip() if columns.channel >= 0 else ""
        time: Any = row[columns.time] if columns.time >= 0 else None
        if columns.date >= 0 and time is not None and len(time) < 16:
            time = joined(row[columns.date], time)
        return Message(
            conversation_id,
            self._uri,
            number,
            speaker,
            text if text.strip() else "",
            time or None,
            (row[columns.started_at] or None) if columns.started_at >= 0 else None,
            "" if channel in _NOTHING else channel,
            self._attributes(row) or None,
            number_of_cell(row[columns.number]) if columns.number >= 0 else -number if self._log.newest_first else None,
            row[columns.message_id] if columns.message_id >= 0 else "",
        )

    def _speaker(self, row: list[str]) -> Speaker | None:
        columns = self._columns
        if self._side:
            left, right, side = self._side
            if self._known.get(row[left]) == "system" or self._speaker_of(row[left].strip()) == "system":
                return "system"
            if row[left] and row[right]:
                return side.side if row[left] == row[right] else side.otherwise
        speaker = self._speaker_of(row[columns.role].strip()) if columns.role >= 0 else None
        if speaker is None and columns.is_agent >= 0:
            speaker = speaker_of_flag(row[columns.is_agent])
        if speaker is None and columns.is_user >= 0:
            speaker = speaker_of_user_flag(row[columns.is_user])
        if speaker is None and self._kinds and columns.role >= 0:
            kinds = (row[at] for at in self._kinds)
            speaker = "system" if self._log.vocabulary.is_of_system(row[columns.role], kinds) else None
        return speaker

    def _attributes(self, row: list[str]) -> dict[str, str]:
        return {name: row[at] for at, name in self._columns.attributes if row[at] not in _NOTHING}

    def _is_left_out(self, row: list[str]) -> bool:
        columns = self._columns
        return (
            any(is_marked(row[at]) for at in columns.recalled)
            or any(is_withdrawn(row[at]) for at in columns.states)
            or any(is_unsaid(row[at]) for at in self._kinds)
            or (columns.public >= 0 and row[columns.public].strip().lower() in _FALSE)
            or any(row[at].strip().lower() in values for at, values in self._skip)
        )

    def _fitted(self, row: list[str]) -> list[str] | None:
        """A row of fewer fields, where all are, or of too many, where it is plain which belong to its text."""
        columns = self._columns
        width, text = columns.width, columns.text
        if len(row) < width:
            return [*row, *[""] * (width - len(row))] if len(row) == self._short else None
        if not any(row[width:]):
            return row[:width]
        if text < 0 or columns.role < 0:
            return None
        more = len(row) - width
        fitted = [*row[:text], self._delimiter.join(row[text : text + more + 1]), *row[text + more + 1 :]]
        if self._speaker_of(fitted[columns.role].strip()) is None:
            return None
        if text == width - 1:
            return fitted
        time = fitted[columns.time] if columns.time > text else ""
        return fitted if time and self._log.timestamps.parse(time) else None

    def _conversation(self, number: int, row: list[str], own_id: str) -> Conversation | Message | Reject:
        columns = self._columns
        conversation_id = own_id or f"{self._uri}:{number}"
        cell = row[columns.transcript]
        channel = row[columns.channel].strip() if columns.channel >= 0 else ""
        started = row[columns.started_at] if columns.started_at >= 0 else None
        time = row[columns.time] if columns.time >= 0 else None
        attributes = self._attributes(row)
        if cell.lstrip()[:2] in ("[{", "[]") and (found := self._listed(number, row, conversation_id, cell)):
            return found
        said = split_transcript(cell.replace("\v", "\n"), self._log.labels)
        self._log.counts_guess(said.guessed)
        if said.strangers:
            return self._log.unreadable(number, strangers_in(said.strangers, self._log), conversation_id)
        if said.preamble and not said.utterances:
            name = columns.names[columns.transcript]
            others = [other for other in columns.names if other != name] if self._may_be_message(name) else []
            return self._log.unreadable(number, no_label("the transcript", others), conversation_id)
        if said.preamble:
            attributes["preamble"] = said.preamble
        channel = "" if channel in _NOTHING else channel
        if own_id and len(said.utterances) == 1:  # a message a row, with its speaker's label
            speaker, text, *_ = said.utterances[0]
            when = said.utterances[0].time or time
            return Message(own_id, self._uri, number, speaker, text, when, started, channel, attributes or None)
        header = Header(conversation_id, self._uri, number, started or time, channel, attributes)
        return conversation_from(said.utterances, self._log.timestamps, header)

    def _may_be_message(self, name: str) -> bool:
        """True for a column that is called as one message's text may be."""
        return self._log.vocabulary.means(name, "text")

    def _listed(self, number: int, row: list[str], conversation_id: str, cell: str) -> Conversation | Reject | None:
        """The conversation of a cell that holds a list of messages as JSON."""
        try:
            messages = parse_json(cell)
        except ValueError:
            return None
        columns = self._columns
        record: Mapping[str, Any] = {
            **self._attributes(row),
            "conversation_id": conversation_id,
            "messages": messages,
            "channel": row[columns.channel] if columns.channel >= 0 else "",
            "started_at": row[columns.started_at if columns.started_at >= 0 else columns.time]
            if max(columns.started_at, columns.time) >= 0
            else None,
        }
        found = next(iter(JsonRecords(self._log).read(record, number)), None)
        return None if isinstance(found, Message) else found
