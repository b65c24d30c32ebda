"""Review sheets as files: XLSX or CSV, written for people and read back as they saved it.

No cell is ever a formula: a dialogue that begins with `=` stays text, in the file and after an edit.
"""

import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from io import BytesIO, StringIO
from typing import Any, Final
from zipfile import ZipFile

from openpyxl import Workbook, load_workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.formula import ArrayFormula, DataTableFormula
from openpyxl.worksheet.worksheet import Worksheet

from tasks.domain.errors import UsageError
from tasks.reviewing.rules.review_sheet import FORM, sheet_row
from tasks.reviewing.rules.sheet_form import SheetForm

Cells = Mapping[str, str]

_TITLE: Final = "审核"

_WIDTH: Final = 24

_LINE_POINTS: Final = 15

_TALLEST_POINTS: Final = 405  # what a spreadsheet takes is 409

_HEAD = PatternFill("solid", start_color="DDE6F0")

_HEAD_TO_FILL_IN = PatternFill("solid", start_color="FFE699")

_TO_FILL_IN = PatternFill("solid", start_color="FFF9E5")

_LONGEST_LIST: Final = 250  # a formula's text may have 255 signs

_LONGEST_MESSAGE: Final = 220

_ROWS_LIMIT: Final = 50_000

_COLUMNS_LIMIT: Final = 200

_UNPACKED_LIMIT_BYTES: Final = 128 << 20

# Full-width signs, too: Excel on CJK systems takes them for formulas.
# What a spreadsheet takes for a formula's first sign, behind as many blanks, unseen signs and borders as there may be.
_FORMULA: Final = re.compile(
    r"(?<!{0})({0}*+)(?=[=+\-@＝＋－＠﹦﹢﹣﹫−])".format(r"[\s\x00-\x20\u200b-\u200f\u2060\ufeff';]")
)

# A cell ends at these elsewhere.
_BORDERS: Final = frozenset(";\t\r\n\v\f\x85\u2028\u2029")


def write_sheet(sampled: Sequence[Mapping[str, Any]], name: str, reviewer: str = "") -> bytes:
    """The sheet of SAMPLES rows, to be filled in; XLSX or CSV, by the name's ending.

    Args:
        sampled: the rows.
        name: the file's name.
        reviewer: whose sheet it is; filled in already.

    Raises:
        UsageError: the name has another ending.
    """
    return write_form(FORM, [sheet_row(row, reviewer) for row in sampled], name)


def write_form(form: SheetForm, rows: Sequence[Sequence[str]], name: str) -> bytes:
    """Rows as a sheet of a form; XLSX or CSV, by the name's ending.

    Raises:
        UsageError: the name has another ending.
    """
    write = {"xlsx": _write_xlsx, "csv": _write_csv}.get(_ending(name))
    if write is None:
        raise UsageError(f"{name}: a review sheet is an .xlsx or a .csv file.")
    return write(form, rows)


def read_sheet(content: bytes, name: str, form: SheetForm = FORM) -> list[tuple[int, Cells]]:
    """Read the rows of a sheet with their numbers in it, by column.

    Raises:
        UsageError: it is no sheet that can be read, or a column is missing.
    """
    read: Callable[[bytes, str], Iterator[list[str]]] | None = {"xlsx": _read_xlsx, "csv": _read_csv}.get(_ending(name))
    if read is None:
        raise UsageError(f"{name}: a review sheet is an .xlsx or a .csv file.")
    rows = iter(enumerate(read(content, name), 1))
    _, header = next(rows, (1, []))
    names = [cell.strip() for cell in header]
    needed = (form.number, *form.to_fill_in)
    missing = [column for column in needed if names.count(column) != 1]
    if missing:
        raise UsageError(f"{name}: its first row must name each of these columns once: {'、'.join(missing)}.")
    places = {column: names.index(column) for column in needed}
    read_rows: list[tuple[int, Cells]] = []
    for number, row in rows:
        if number > _ROWS_LIMIT:
            raise UsageError(f"{name} has more than {_ROWS_LIMIT:,} rows: no sample is that long.")
        if not any(cell.strip() for cell in row):
            continue
        read_rows.append((number, {column: row[place] if place < len(row) else "" for column, place in places.items()}))
    return read_rows


def _ending(name: str) -> str:
    return name.rpartition(".")[2].lower()


def _write_xlsx(form: SheetForm, rows: Sequence[Sequence[str]]) -> bytes:
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.title = _TITLE
    sheet.freeze_panes = "B2"
    for at, column in enumerate(form.columns, 1):
        sheet.column_dimensions[get_column_letter(at)].width = form.widths.get(column, _WIDTH)
        head = sheet.cell(1, at, column)
        head.font = Font(bold=True)
        head.fill = _HEAD_TO_FILL_IN if column in form.to_fill_in else _HEAD
        head.alignment = Alignment(wrap_text=True, vertical="center")
    for number, row in enumerate(rows, 2):
        sheet.row_dimensions[number].height = _height(row, form)
        for at, (text, column) in enumerate(zip(row, form.columns, strict=True), 1):
            _write_text(sheet, number, at, text)
            if column in form.to_fill_in:
                sheet.cell(number, at).fill = _TO_FILL_IN
    last = len(rows) + 1
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(form.columns))}{last}"
    for column, words in form.choices.items():
        _offer(sheet, get_column_letter(form.columns.index(column) + 1), max(last, 2), words)
    notes = book.create_sheet("说明")
    notes.column_dimensions["A"].width = 110
    for number, line in enumerate(form.instructions, 1):
        _write_text(notes, number, 1, line)
    buffer = BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _offer(sheet: Worksheet, letter: str, last: int, words: Sequence[str]) -> None:
    """Let a column be chosen from a list, where a spreadsheet can hold the list in one formula."""
    listed = ",".join(words)
    if listed.count(",") >= len(words) or '"' in listed or len(listed) > _LONGEST_LIST:
        return
    said = f"请选择：{'、'.join(words)}"
    choices = DataValidation(
        type="list",
        formula1=f'"{listed}"',
        allow_blank=True,
        showErrorMessage=True,
        errorTitle="请选择",
        error=said[:_LONGEST_MESSAGE],
    )
    sheet.add_data_validation(choices)
    choices.add(f"{letter}2:{letter}{last}")


def _write_text(sheet: Worksheet, row: int, column: int, text: str) -> None:
    cell = sheet.cell(row, column)
    cell.alignment = Alignment(wrap_text=True, vertical="top")
    if text:
        cell.value = text
        cell.data_type = "s"  # otherwise a text that begins with = is taken for a formula
        cell.quotePrefix = True  # and it stays text when somebody edits it


def _height(row: Sequence[str], form: SheetForm) -> float:
    """As many lines as the longest cell takes; a character of Chinese is two wide."""
    lines = 1
    for text, column in zip(row, form.columns, strict=True):
        width = form.widths.get(column, _WIDTH)
        lines = max(lines, sum(-(-max(2 * len(line), 1) // width) for line in text.split("\n")))
    return min(lines * _LINE_POINTS, _TALLEST_POINTS)


def _read_xlsx(content: bytes, name: str) -> Iterator[list[str]]:
    try:
        with ZipFile(BytesIO(content)) as archive:
            unpacked = sum(part.file_size for part in archive.infolist())
        if unpacked > _UNPACKED_LIMIT_BYTES:
            raise UsageError(f"{name} unpacks to {unpacked >> 20:,} MB: no review sheet is that big.")
        with closing(load_workbook(BytesIO(content), read_only=True)) as book:
            sheet = book[_TITLE] if _TITLE in book.sheetnames else book.worksheets[0]
            sheet.reset_dimensions()  # what a sheet says of its size may be anything
            for row in sheet.iter_rows(max_col=_COLUMNS_LIMIT, values_only=True):
                yield [_as_text(value) for value in row]
    except UsageError:
        raise
    except Exception as error:  # of a damaged file openpyxl raises whatever its ZIP and XML parsers stumble over
        raise UsageError(f"{name} is not a readable XLSX file ({type(error).__name__}); save it anew.") from None


def _as_text(value: object) -> str:
    if value is None:
        return ""
    return "=" if isinstance(value, ArrayFormula | DataTableFormula) else str(value)


def _write_csv(form: SheetForm, rows: Sequence[Sequence[str]]) -> bytes:
    text = StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)  # a cell with `;=…` in it must not become two
    writer.writerow(form.columns)
    writer.writerows([_FORMULA.sub(_quoted, cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")  # without the mark Excel takes it for the machine's own encoding


def _begins_a_cell(found: re.Match[str]) -> bool:
    return found.start() == 0 or not _BORDERS.isdisjoint(found[1])


def _quoted(found: re.Match[str]) -> str:
    return f"{found[1]}'" if _begins_a_cell(found) else found[1]


def _unquoted(found: re.Match[str]) -> str:
    return found[1][:-1] if _begins_a_cell(found) and found[1].endswith("'") else found[1]


def _read_csv(content: bytes, name: str) -> Iterator[list[str]]:
    text = _decoded(content, name)
    header = text.partition("\n")[0]
    delimiter = max(",;\t", key=header.count)
    try:
        for row in csv.reader(StringIO(text, newline=""), delimiter=delimiter):
            yield [_FORMULA.sub(_unquoted, cell) for cell in row]
    except csv.Error as error:
        raise UsageError(f"{name} is not a readable CSV file ({error}); save it anew.") from None


def _decoded(content: bytes, name: str) -> str:
    # What spreadsheets save: UTF-8, GBK on Chinese machines, UTF-16 as "Unicode text".
    encodings = ("utf-16",) if content.startswith((b"\xff\xfe", b"\xfe\xff")) else ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise UsageError(f"{name} is neither UTF-8 nor GBK; save it as CSV UTF-8, or as .xlsx.")
