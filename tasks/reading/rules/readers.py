"""One reader for each way in which an object can hold conversations: what it holds, record by record."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final, Protocol

from tasks.domain.records import Reject
from tasks.reading.rules.context import LogContext
from tasks.reading.rules.correspondence import WORKED_OUT
from tasks.reading.rules.json.dirt import is_no_value, python_value
from tasks.reading.rules.json.lenient import parse_json, parse_line
from tasks.reading.rules.json.records import JsonRecords, Read
from tasks.reading.rules.objects.log_bytes import (
    LINE_LIMIT_BYTES,
    ObjectHead,
    Unended,
    decode_line,
    read_json_values,
    read_lines,
)
from tasks.reading.rules.tables.csv_rows import Dialect, split_rows, undumped
from tasks.reading.rules.tables.row_kinds import SIDES_HEADER, Sides, letter_rows, message_rows
from tasks.reading.rules.tables.rows import Columns, TableRows

_NO_VALUE_BYTES: Final = 2_000


class Reader(Protocol):
    """Reads one object to its end; raises BrokenStream where its compressed data breaks off."""

    def __call__(self, file: BinaryIO, head: ObjectHead) -> Iterator[Read]:
        """Yield what the object holds, in its order."""


@dataclass(frozen=True, slots=True)
class JsonLines:
    """A JSON value a line."""

    log: LogContext
    records: JsonRecords

    def __call__(self, file: BinaryIO, head: ObjectHead) -> Iterator[Read]:
        """Yield what the object holds, in its order."""
        as_stored = head.encoding in ("utf-8", "utf-16")
        for number, line in read_lines(file, head):
            if line is None:
                yield too_long(self.log, number)
            elif line.strip():
                try:
                    value = parse_line(line if as_stored else decode_line(line, head.encoding))
                except UnicodeDecodeError:
                    yield _undecodable(self.log, number, head)
                except ValueError as error:
                    yield from self._mended(line, number, head, str(error))
                else:
                    yield from self.records.read(value, number)

    def _mended(self, line: bytes, number: int, head: ObjectHead, error: str) -> Iterator[Read]:
        """A line that is cut within a character, read without it; else the reject; nothing for a line of brackets."""
        if "encoding" in error:
            try:
                found = list(self.records.read(parse_line(decode_line(line, head.encoding)), number))
            except ValueError:
                found = []
            if len(found) == 1:
                yield found[0]
                return
        if not is_no_value(line[:_NO_VALUE_BYTES].decode("latin-1")):
            yield self.log.unreadable(number, error)


@dataclass(frozen=True, slots=True)
class JsonDocument:
    """A JSON list, or objects written over several lines; `skip` characters of it stand before the list it is about."""

    log: LogContext
    records: JsonRecords
    skip: int = 0

    def __call__(self, file: BinaryIO, head: ObjectHead) -> Iterator[Read]:
        """Yield what the object holds, in its order."""
        for number, list_line, text in read_json_values(file, head, self.skip):
            if isinstance(text, Unended):
                yield self.log.unreadable(number, text.value)
                continue
            try:
                value = parse_json(text)
            except ValueError as error:
                value = python_value(text)
                if value is None:
                    if not is_no_value(text):
                        yield self.log.unreadable(number, str(error))
                    continue
            yield from self.records.read(value, number, list_line)


@dataclass(frozen=True, slots=True)
class Table:
    """CSV or TSV. A row without any content is a blank line; one that is the `header` again is no row of the log.

    `begins` is the line below the header. With `sides`, a row holds a message of each; `fills_ids` says that a blank
    id is that of the row above. Rows may lack the last columns, and are `short` then.
    """

    log: LogContext
    columns: Columns
    dialect: Dialect
    header: tuple[str, ...] | None = None
    begins: int = 1
    sides: Sides | None = None
    fills_ids: bool = False
    short: int = 0

    def __call__(self, file: BinaryIO, head: ObjectHead) -> Iterator[Read]:
        """Yield what the object holds, in its order."""
        rejects: list[Reject] = []
        lines = text_lines(file, head, self.log, rejects)
        if self.begins > 1:
            lines = (line for line in lines if line[0] >= self.begins)
        reader = TableRows(self.log, self.columns, self.dialect.delimiter, fills_ids=self.fills_ids, short=self.short)
        read = reader.read
        first = self.header[0] if self.header else None
        for number, row in self._rows(lines):
            if rejects:
                yield from rejects
                rejects.clear()
            if any(row) and not (row[0].strip() == first and tuple(name.strip() for name in row) == self.header):
                found = read(number, row)
                if found is not None:
                    yield found
        yield from rejects

    def _rows(self, lines: Iterator[tuple[int, str]]) -> Iterator[tuple[int, list[str]]]:
        between = self.log.mapping.between if self.header else None
        added = len(SIDES_HEADER) if self.sides else len(WORKED_OUT) if between else 0
        width = self.columns.width - added
        rows = split_rows(lines, self.dialect, width)
        if self.dialect.dumped:
            rows = ((number, undumped(row)) for number, row in rows)
        if self.dialect.padded:
            rows = ((number, [field.strip() for field in row]) for number, row in rows)
        if not added:
            return rows
        rows = (row for row in rows if tuple(name.strip() for name in row[1]) != self.header)
        if self.sides:
            return message_rows(rows, self.sides)
        assert between
        assert self.header
        return letter_rows(rows, self.header, between, self.log.vocabulary)


def text_lines(file: BinaryIO, head: ObjectHead, log: LogContext, rejects: list[Reject]) -> Iterator[tuple[int, str]]:
    """Yield the lines as text; those that are none are added to `rejects`."""
    encoding = "utf-8" if head.encoding == "utf-16" else head.encoding
    for number, line in read_lines(file, head):
        if line is None:
            rejects.append(too_long(log, number))
            continue
        try:
            text = line.decode(encoding) if encoding == "utf-8" else decode_line(line, encoding)
        except UnicodeDecodeError:
            try:
                text = decode_line(line, encoding)
            except UnicodeDecodeError:
                rejects.append(_undecodable(log, number, head))
                continue
        yield number, text.removeprefix("\ufeff")


def _undecodable(log: LogContext, line: int, head: ObjectHead) -> Reject:
    return log.unreadable(line, f"not text in {head.encoding}, the encoding of the file")


def too_long(log: LogContext, line: int) -> Reject:
    """The reject for a line that no conversation needs."""
    return log.unreadable(line, f"a line of more than {LINE_LIMIT_BYTES >> 20} MB")
