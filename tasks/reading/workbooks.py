"""Sheets of Excel workbooks as CSV: each that holds messages, or the one that a mapping names."""

import csv
import io
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Final

from tasks.reading.members import Member, NotReadable, printable, spool
from tasks.reading.rules.context import LogContext
from tasks.reading.rules.formats import LogMapping
from tasks.reading.rules.tables.rows import COLUMNS_LIMIT, header_columns
from tasks.reading.rules.tables.told_by_values import is_conversations_name
from tasks.reading.rules.timestamps import TimestampParser
from tasks.reading.rules.vocabulary import normalized

_TEXTS_LIMIT_BYTES: Final = 128 << 20

_SHEETS_LIMIT: Final = 500

_ROWS_LOOKED_AT: Final = 21

_SHEETS_NAMED: Final = 5

_FEWEST_NAMES: Final = 3


def sheets_of_workbook(
    file: BinaryIO, archive: zipfile.ZipFile, uri: str, scratch: Path, mapping: LogMapping | None, size: int
) -> Iterator[Member]:
    """Yield the sheets that hold messages, each as CSV; the first where none is seen to.

    A line end within a cell is written as a vertical tab, so that a row stays a line.

    Raises:
        NotReadable: the workbook is damaged or too large.
    """
    sizes = {entry.filename: entry.file_size for entry in archive.infolist()}
    texts = sum(size for name, size in sizes.items() if not name.startswith("xl/worksheets/"))
    if texts > _TEXTS_LIMIT_BYTES:
        raise NotReadable(f"an Excel workbook with {texts >> 20:,} MB of texts: save its sheet as CSV")
    file.seek(0)
    book = _opened(file)
    chosen, others = _logs_in(book, mapping)
    left_out = ", ".join(printable(str(sheet.title)) for sheet in others[:_SHEETS_NAMED])
    for at, sheet in enumerate(chosen):
        with spool(scratch) as table:
            _write(sheet, table)
            note = f"the sheet {printable(str(sheet.title))!r} of an Excel workbook"
            if left_out and not at:
                note += f"; sheets without messages are left out: {left_out}"
            inside = uri if len(chosen) == 1 else f"{uri}!{printable(str(sheet.title))}"
            yield Member(inside, table, max(1, size // len(chosen)), note)


def _opened(file: BinaryIO) -> Any:
    import openpyxl  # noqa: PLC0415  only workbooks need it

    try:
        return openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
    except Exception as error:  # whatever a made-up workbook makes of the library that reads it
        raise _damaged(error) from None


def _damaged(error: Exception) -> NotReadable:
    return NotReadable(f"an Excel workbook that can't be read ({type(error).__name__}): save its sheet as CSV")


def _logs_in(book: Any, mapping: LogMapping | None) -> tuple[list[Any], list[Any]]:
    """The sheets to read, and the others that hold anything."""
    sheets = [sheet for sheet in book.worksheets if hasattr(sheet, "iter_rows")][:_SHEETS_LIMIT]
    if not sheets:
        raise NotReadable("an Excel workbook without a sheet")
    if mapping and mapping.sheet:
        if found := next((sheet for sheet in sheets if sheet.title == mapping.sheet), None):
            return [found], []
        raise NotReadable(f"an Excel workbook without a sheet named {mapping.sheet!r}")
    log = LogContext("", TimestampParser(UTC), mapping or LogMapping({}), (mapping or LogMapping({})).vocabulary())
    try:
        beginnings = {sheet.title: _beginning(sheet) for sheet in sheets}
    except Exception as error:  # as above
        raise _damaged(error) from None
    chosen = [sheet for sheet in sheets if any(_is_header(names, log) for names in beginnings[sheet.title])]
    if not chosen:
        return sheets[:1], [sheet for sheet in sheets[1:] if beginnings[sheet.title]]
    return chosen, [sheet for sheet in sheets if sheet not in chosen and len(beginnings[sheet.title]) > 1]


def _beginning(sheet: Any) -> list[list[str]]:
    rows = ([_field(cell).strip() for cell in row] for row in islice(_rows(sheet), _ROWS_LOOKED_AT))
    return [names for names in rows if any(names)]


def _is_header(names: list[str], log: LogContext) -> bool:
    while names and not names[-1]:
        names = names[:-1]
    if sum(map(bool, names)) < _FEWEST_NAMES - 1:
        return False
    named = sum(map(bool, names)) >= _FEWEST_NAMES and any(is_conversations_name(normalized(name)) for name in names)
    return named or header_columns(names, log) is not None


def _write(sheet: Any, table: BinaryIO) -> None:
    try:
        out = io.TextIOWrapper(table, "utf-8", newline="", write_through=True)
        writer = csv.writer(out, lineterminator="\n")
        width = 0
        for row in _rows(sheet):
            fields = [_field(cell) for cell in row]
            while len(fields) > width and not fields[-1]:
                fields.pop()
            width = len(fields)
            writer.writerow(fields)
        out.detach()
    except Exception as error:  # as above
        raise _damaged(error) from None
    table.seek(0)


def _rows(sheet: Any) -> Iterator[tuple[Any, ...]]:
    sheet.reset_dimensions()  # what a sheet says of its size may be anything
    yield from sheet.iter_rows(max_col=COLUMNS_LIMIT, values_only=True)


def _field(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return cell.replace("_x000D_", "").replace("\r\n", "\v").replace("\n", "\v").replace("\r", "\v")
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.isoformat(" ", "microseconds" if cell.microsecond else "seconds")
    return cell.isoformat() if isinstance(cell, date | time) else str(cell)
