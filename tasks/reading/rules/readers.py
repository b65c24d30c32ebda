"""One reader for each way in which an object can hold conversations: what it holds, record by record."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final, Protocol

from tasks.domain.records import Reason, Reject
from tasks.reading.rules.dialogue import TimestampParser, begins_with_label, conversation_from, split_transcript
from tasks.reading.rules.formats import Vocabulary
from tasks.reading.rules.json_logs import JsonRecords, Read, parse_json
from tasks.reading.rules.log_bytes import LINE_LIMIT_BYTES, ObjectHead, decode_line, read_json_values, read_lines
from tasks.reading.rules.table_logs import Columns, TableRows, split_rows

_LINE_COST_BYTES: Final = 64  # beside its text; short lines take far more memory than their characters

_SEPARATOR: Final = re.compile(r"\s*[-=*#_—~]{3,}\s*")

_HEADING: Final = re.compile(r"\s*([^\s:：][^:：]{0,30})[:：](.*)")

_ID_HEADING: Final = re.compile(
    r"\s*(?:(?:会话|对话|咨询)\s*(?:ID|编号|号|标识)|(?:session|conversation|dialog|chat)[ _-]?id)\s*[:：]", re.I
)


class Reader(Protocol):
    """Reads one object to its end; raises BrokenStream where its compressed data breaks off."""

    def __call__(self, file: BinaryIO, head: ObjectHead) -> Iterator[Read]:
        """What the object holds, in its order."""


def unreadable(uri: str, line: int, detail: str) -> Reject:
    """The reject for a line that is not what its format says."""
    return Reject("", Reason.UNREADABLE, detail, uri, line)


@dataclass(frozen=True, slots=True)
class JsonLines:
    """A JSON value a line."""

    uri: str
    records: JsonRecords

    def __call__(self, file: BinaryIO, head: ObjectHead) -> Iterator[Read]:
        """What the object holds, in its order."""
        for number, line in read_lines(file, head):
            if line is None:
                yield _too_long(self.uri, number)
            elif line.strip():
                try:
                    value = parse_json(decode_line(line, head.encoding) if head.encoding == "gb18030" else line)
                except UnicodeDecodeError:
                    yield _undecodable(self.uri, number, head)
                except ValueError as error:
                    yield unreadable(self.uri, number, str(error))
                else:
                    yield from self.records.read(value, number)


@dataclass(frozen=True, slots=True)
class JsonDocument:
    """A JSON list, or objects written over several lines."""

    uri: str
    records: JsonRecords

    def __call__(self, file: BinaryIO, head: ObjectHead) -> Iterator[Read]:
        """What the object holds, in its order."""
        for number, list_line, text in read_json_values(file, head):
            if text is None:
                yield unreadable(self.uri, number, "the JSON from here on does not end; the rest can't be read")
                continue
            try:
                value = parse_json(text)
            except ValueError as error:
                yield unreadable(self.uri, number, str(error))
            else:
                yield from self.records.read(value, number, list_line)


@dataclass(frozen=True, slots=True)
class Table:
    """CSV or TSV. A row without any content is a blank line; one that is the `header` again is no row of the log."""

    uri: str
    columns: Columns
    vocabulary: Vocabulary
    timestamps: TimestampParser
    delimiter: str
    quoted: bool
    header: list[str] | None = None

    def __call__(self, file: BinaryIO, head: ObjectHead) -> Iterator[Read]:
        """What the object holds, in its order."""
        rejects: list[Reject] = []
        lines = _text_lines(file, head, self.uri, rejects)
        table = TableRows(self.uri, self.columns, self.vocabulary, self.timestamps)
        for number, row in split_rows(lines, self.delimiter, self.quoted, self.columns.width, table.is_row):
            if rejects:
                yield from rejects
                rejects.clear()
            if any(row) and (self.header is None or [name.strip() for name in row] != self.header):
                yield table.read(number, row)
        yield from rejects


@dataclass(frozen=True, slots=True)
class TranscriptLines:
    """A whole transcript a line."""

    uri: str
    vocabulary: Vocabulary
    timestamps: TimestampParser

    def __call__(self, file: BinaryIO, head: ObjectHead) -> Iterator[Read]:
        """What the object holds, in its order."""
        rejects: list[Reject] = []
        for number, line in _text_lines(file, head, self.uri, rejects):
            yield from rejects
            rejects.clear()
            if line.strip():
                yield _transcript([(number, line)], self.uri, self.vocabulary, self.timestamps)
        yield from rejects


@dataclass(frozen=True, slots=True)
class TranscriptFile:
    """Transcripts over several lines, parted by rules (`-----`) or by headings with a conversation's id."""

    uri: str
    vocabulary: Vocabulary
    timestamps: TimestampParser

    def __call__(self, file: BinaryIO, head: ObjectHead) -> Iterator[Read]:
        """What the object holds, in its order."""
        rejects: list[Reject] = []
        block: list[tuple[int, str]] = []
        size, begun, spoken = 0, 0, False
        for number, line in _text_lines(file, head, self.uri, rejects):
            yield from rejects
            rejects.clear()
            rule = _SEPARATOR.fullmatch(line) is not None
            if spoken and (rule or _ID_HEADING.match(line)):
                yield self._read(block, size, begun)
                block, size, spoken = [], 0, False
            if rule or not (line.strip() or block):
                continue
            begun = begun if size else number
            spoken = spoken or begins_with_label(line)
            size += len(line) + _LINE_COST_BYTES
            if size <= LINE_LIMIT_BYTES:
                block.append((number, line))
            else:
                block = []
        yield from rejects
        if size:
            yield self._read(block, size, begun)

    def _read(self, block: list[tuple[int, str]], size: int, begun: int) -> Read:
        if size > LINE_LIMIT_BYTES:
            limit = f"{LINE_LIMIT_BYTES >> 20} MB with {_LINE_COST_BYTES} bytes added for each line"
            return unreadable(self.uri, begun, f"a transcript of more than {limit}: no conversation is that long")
        return _transcript(block, self.uri, self.vocabulary, self.timestamps)


def _transcript(lines: list[tuple[int, str]], uri: str, vocabulary: Vocabulary, timestamps: TimestampParser) -> Read:
    """A conversation of these lines. What stands before it may name its id, start, channel and attributes."""
    text = "\n".join(line for _, line in lines)
    preamble, said, start = split_transcript(text)
    first = lines[text.count("\n", 0, start)][0]
    if not said:
        return unreadable(uri, first, "a transcript without a speaker's label, such as 用户：")
    headings: dict[str, str] = {}
    others = []
    for line in preamble.split("\n"):
        if heading := _HEADING.fullmatch(line):
            headings[heading[1].strip()] = heading[2].strip()
        elif line.strip():
            others.append(line.strip())
    shape = vocabulary.shape(tuple(headings))
    started = shape.started_at or shape.time
    used = {shape.conversation_id, shape.channel, started}
    attributes = {key: value for key, value in headings.items() if key not in used and value}
    if others:
        attributes["preamble"] = "\n".join(others)
    return conversation_from(
        said,
        timestamps,
        headings.get(shape.conversation_id) or f"{uri}:{first}",
        uri,
        first,
        headings.get(started),
        headings.get(shape.channel, ""),
        attributes,
    )


def _text_lines(file: BinaryIO, head: ObjectHead, uri: str, rejects: list[Reject]) -> Iterator[tuple[int, str]]:
    """The lines as text; those that are none are added to `rejects`."""
    for number, line in read_lines(file, head):
        if line is None:
            rejects.append(_too_long(uri, number))
            continue
        try:
            text = decode_line(line, head.encoding)
        except UnicodeDecodeError:
            rejects.append(_undecodable(uri, number, head))
        else:
            yield number, text


def _undecodable(uri: str, line: int, head: ObjectHead) -> Reject:
    return unreadable(uri, line, f"not text in {head.encoding}, the encoding of the file")


def _too_long(uri: str, line: int) -> Reject:
    return unreadable(uri, line, f"a line of more than {LINE_LIMIT_BYTES >> 20} MB")
