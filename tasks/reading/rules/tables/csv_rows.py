"""Lines of CSV and TSV to rows. A field quoted as it should be is one field, whatever a customer wrote in it."""

import csv
import re
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Final, NamedTuple

_QUOTED_LINES: Final = 1_000

Line = tuple[int, str]

Row = tuple[int, list[str]]


class Dialect(NamedTuple):
    r"""Delimiter and quoting of a table; `escaped` means that a backslash escapes the next character.

    `dumped` means that fields hold `\n` for a line end and `\N` for nothing, as databases dump them; `padded` means
    that blanks stand around them, `spaced` that a blank stands before a quoted one.
    """

    delimiter: str = ","
    quoted: bool = True
    escaped: bool = False
    dumped: bool = False
    padded: bool = False
    quote: str = '"'
    spaced: bool = False


def split_rows(lines: Iterable[Line], dialect: Dialect, width: int = 0) -> Iterator[Row]:
    """Yield the fields of each row with the line it begins on. Blank lines are left out.

    A quoted field may hold line ends. A quote that is opened and never rightly closed costs no more than its own line:
    when the row that it would join has not `width` fields, or its end is followed by more than a delimiter, each of
    its lines is a row.
    """
    source = iter(lines)
    delimiter = dialect.delimiter
    for number, line in source:
        if not dialect.quoted or (dialect.quote not in line and not (dialect.escaped and "\\" in line)):
            if line.strip():
                fields = line.split(delimiter)
                yield number, _unquoted(fields) if len(delimiter) > 1 and '"' in line else fields
            continue
        row = _fields(line, dialect)
        if row is None:
            record = _Record(chain([(number, line)], islice(source, _QUOTED_LINES)), dialect)
            row = record.fields
            if not record.closed or (width and len(row) != width):
                alone = ((at, _fields(text, dialect) or text.split(delimiter)) for at, text in record.lines)
                yield from ((at, fields) for at, fields in alone if any(fields))
                continue
        yield number, row


def _unquoted(fields: list[str]) -> list[str]:
    """The fields of a row that several signs part, without quotes where all but numbers and empty ones have them."""
    if not all(_QUOTED.fullmatch(field) or not field or field.isdecimal() for field in fields):
        return fields
    return [field[1:-1].replace('""', '"') if field[:1] == '"' else field for field in fields]


_QUOTED: Final = re.compile(r'"(?:[^"]|"")*+"')

# Not behind a drive's letter: C:\\new.
_ESCAPES: Final = re.compile(r"(?<![A-Za-z]:)\\(n|r|t|N|\\|'|\")")

_MEANT: Final = {"n": "\n", "r": "", "t": "\t", "N": ""}


def undumped(fields: list[str]) -> list[str]:
    """The fields of a dump as they were in the database."""
    return [
        _ESCAPES.sub(lambda found: _MEANT.get(found[1], found[1]), field) if "\\" in field else field
        for field in fields
    ]


def _reader(lines: Iterable[str], dialect: Dialect, *, strict: bool) -> Iterator[list[str]]:
    escape = "\\" if dialect.escaped else None
    return csv.reader(
        lines,
        delimiter=dialect.delimiter,
        quotechar=dialect.quote,
        escapechar=escape,
        strict=strict,
        skipinitialspace=dialect.spaced,
    )


def _fields(line: str, dialect: Dialect) -> list[str] | None:
    """The fields of a line by itself, or None when it leaves a quote open."""
    more = iter((line + "\n", ""))  # the second is only asked for inside quotes
    try:
        row = next(_reader(more, dialect, strict=False))
    except (csv.Error, StopIteration):
        return None
    return None if next(more, None) is None else row


class _Record:
    """The first row of some lines: its fields, the lines it took, and whether its last quote is rightly closed."""

    def __init__(self, lines: Iterable[Line], dialect: Dialect) -> None:
        self.lines: list[Line] = []
        self.closed = True
        try:
            self.fields = next(_reader(self._fed(lines), dialect, strict=True))
        except (csv.Error, StopIteration):  # the first also for a field of more than 131,072 characters
            self.fields, self.closed = [], False

    def _fed(self, lines: Iterable[Line]) -> Iterator[str]:
        for line in lines:
            self.lines.append(line)
            yield line[1] + "\n"
        self.closed = False
