"""Review sheets: what is written is read back, in whatever a spreadsheet saves, and no cell is ever a formula."""

import csv
import io
import re
import tracemalloc
import zipfile
from collections.abc import Iterable
from datetime import date, time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook
from openpyxl.worksheet.formula import ArrayFormula

from tasks.domain.errors import UsageError
from tasks.reviewing.rules.review_sheet import ACCEPTED, COLUMNS, FORM, NEGATIVE, NUMBER, TO_FILL_IN
from tasks.reviewing.sheets import read_sheet, write_form, write_sheet

WILD = [
    "=1+1",
    "+86",
    "-5 元",
    "@SUM(A1)",
    "\t=1",
    "'=1",
    "=cmd|' /C calc'!A0",
    "\x00\x0b坏\ud800",
    "长" * 9000,
    'a,b\n"c"',
    "  =1+1",
    "\u3000＝HYPERLINK(1)",
    "\ufeff\u200b＋1",
    "－1",
    "＠SUM(A1)",
    "好;=1+1",
    "好\t \r@x\n ;'-1",
    "'",
    "''=1",
]


def sampled(number: int, text: str = "用户：你好\n客服：您好"):
    return {
        "number": f"S1A-{number:04}",
        "day": date(2026, 11, 22),
        "stratum": "random",
        "conversation_id": text[:30],
        "content_hash": f"h{number}",
        "text": text,
        "truncated": False,
        "issue": text[:80],
        "plan": None,
        "accepted": None,
        "negative_sentiment": True,
        "model": "m",
        "prompt_version": "p",
    }


def filled_csv(content: bytes, encoding: str, delimiter: str) -> bytes:
    """The sheet as a spreadsheet saves it: another encoding and delimiter, columns in another order, verdicts filled in."""
    header, *rows = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    for row in rows:
        row[COLUMNS.index(ACCEPTED)], row[COLUMNS.index(NEGATIVE)] = "否", "是"
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows([header[::-1], *(row[::-1] for row in rows)])
    return text.getvalue().encode(encoding)


@pytest.mark.parametrize("name", ["a.xlsx", "a.CSV"])
def test_read_sheet_gives_back_what_was_written(name):
    rows = read_sheet(write_sheet([sampled(1), sampled(2)], name), name)
    assert [(number, cells[NUMBER]) for number, cells in rows] == [(2, "S1A-0001"), (3, "S1A-0002")]
    assert {cells[column] for _, cells in rows for column in TO_FILL_IN} == {""}


@pytest.mark.parametrize("text", WILD)
def test_write_sheet_makes_no_formula_of_any_text(text):
    sheet = load_workbook(io.BytesIO(write_sheet([sampled(1, text)], "a.xlsx"))).worksheets[0]
    assert {cell.data_type for row in sheet.iter_rows() for cell in row if cell.value} == {"s"}
    assert all(cell.quotePrefix for cell in sheet[2] if cell.value)
    rows = list(csv.reader(io.StringIO(write_sheet([sampled(1, text)], "a.csv").decode("utf-8-sig"), newline="")))
    assert len(rows) == 2
    for cell in rows[1]:
        for part in re.split(r"[;\t\r\n]", cell):  # cells where other signs part them
            assert not part.lstrip(" \u3000\ufeff\u200b").startswith(tuple("=+-@＝＋－＠"))


@given(st.lists(st.sampled_from([*"=+-＝'; \t\r\n，a好", "\u200b"]), max_size=9).map("".join))
def test_read_sheet_gives_back_what_people_filled_in(text):
    row = [text if column in TO_FILL_IN else "S1" for column in COLUMNS]
    ((_, cells),) = read_sheet(write_form(FORM, [row], "a.csv"), "a.csv")
    assert {cells[column] for column in TO_FILL_IN} == {text}


@settings(max_examples=30)
@given(st.lists(st.text() | st.sampled_from(WILD), min_size=1, max_size=5))
def test_sheets_hold_a_row_for_each_of_the_sample_whatever_is_said(texts):
    sample = [sampled(number, text) for number, text in enumerate(texts)]
    for name in ("a.xlsx", "a.csv"):
        rows = read_sheet(write_sheet(sample, name), name)
        assert [cells[NUMBER] for _, cells in rows] == [row["number"] for row in sample]


@pytest.mark.parametrize(("encoding", "delimiter"), [("utf-8-sig", ","), ("gb18030", ";"), ("utf-16", "\t")])
def test_read_sheet_reads_the_csv_that_a_spreadsheet_saved(encoding, delimiter):
    content = filled_csv(write_sheet([sampled(1), sampled(2, "=1,\n+2")], "a.csv"), encoding, delimiter)
    rows = read_sheet(content, "a.csv")
    assert [(cells[NUMBER], cells[ACCEPTED], cells[NEGATIVE]) for _, cells in rows] == [
        ("S1A-0001", "否", "是"),
        ("S1A-0002", "否", "是"),
    ]


def saved(change):
    """A sheet of one row as a person changed it."""
    book = load_workbook(io.BytesIO(write_sheet([sampled(1)], "a.xlsx")))
    change(book)
    content = io.BytesIO()
    book.save(content)
    ((_, cells),) = read_sheet(content.getvalue(), "a.xlsx")
    return cells


@pytest.mark.parametrize(
    ("value", "read"),
    [("=A1", "=A1"), (ArrayFormula("J2", "=A1"), "="), (time(9, 30), "09:30:00"), (12.5, "12.5"), (True, "True")],
)
def test_read_sheet_shows_cells_as_what_they_are(value, read):
    def change(book):
        book.worksheets[0].cell(2, COLUMNS.index(ACCEPTED) + 1).value = value

    assert saved(change)[ACCEPTED] == read


def test_read_sheet_finds_the_reviews_behind_other_sheets():
    assert saved(lambda book: book.move_sheet("说明", -1))[NUMBER] == "S1A-0001"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.xlsx", b"nonsense", "not a readable XLSX"),
        ("a.xlsx", b"PK\x05\x06" + b"\x00" * 18, "not a readable XLSX"),
        ("a.csv", b"a,b\n1,2\n", "编号、是否接受"),
        ("a.csv", b"", "编号"),
        ("a.csv", b"\xff\xfe\xff", "neither UTF-8 nor GBK"),
        ("a.pdf", b"", ".xlsx or a .csv"),
    ],
)
def test_read_sheet_refuses_what_is_no_sheet_in_one_line(name, content, words):
    with pytest.raises(UsageError, match=re.escape(words)) as refused:
        read_sheet(content, name)
    assert "\n" not in str(refused.value)


@pytest.mark.filterwarnings("ignore")  # openpyxl's, about what it makes do with
@given(st.data())
@settings(max_examples=60)
def test_read_sheet_refuses_a_damaged_workbook_in_one_line(data):
    parts = zipfile.ZipFile(io.BytesIO(write_sheet([sampled(1)], "a.xlsx")))
    damaged = data.draw(st.sampled_from(parts.namelist()))
    content = bytearray(parts.read(damaged))
    content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    book = io.BytesIO()
    with zipfile.ZipFile(book, "w") as file:
        for name in parts.namelist():
            file.writestr(name, bytes(content) if name == damaged else parts.read(name))
    stored = bytearray(book.getvalue())
    if data.draw(st.booleans()):
        stored[data.draw(st.integers(0, len(stored) - 1))] ^= 0xFF
    refusal = r"a\.xlsx(: its first row must name each| is not a readable XLSX file).*"
    assert re.fullmatch(rf"({refusal})?", refusal_of(bytes(stored)))


def made_sheet(rows: Iterable[str], dimension: str = "A1:G2") -> bytes:
    """A workbook whose sheet is written by hand: a header, then these rows of XML."""
    parts = zipfile.ZipFile(io.BytesIO(write_sheet([], "a.xlsx")))
    cells = "".join(f'<c t="inlineStr"><is><t>{name}</t></is></c>' for name in COLUMNS)
    book = io.BytesIO()
    with zipfile.ZipFile(book, "w", zipfile.ZIP_DEFLATED) as file:
        for name in parts.namelist():
            if name != "xl/worksheets/sheet1.xml":
                file.writestr(name, parts.read(name))
        with file.open("xl/worksheets/sheet1.xml", "w") as sheet:
            head = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
            head += f'<dimension ref="{dimension}"/><sheetData><row r="1">{cells}</row>'
            for part in (head, *rows, "</sheetData></worksheet>"):
                sheet.write(part.encode())
    return book.getvalue()


def test_read_sheet_takes_no_more_memory_than_a_sheet_has_cells():
    far = [f'<row r="{at}"><c r="XFD{at}" t="inlineStr"><is><t>x</t></is></c></row>' for at in range(2, 200)]
    content = made_sheet(far, "A1:XFD1048576")
    tracemalloc.start()
    try:
        assert read_sheet(content, "a.xlsx") == []
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


def test_read_sheet_refuses_a_workbook_that_unpacks_to_more_than_any_sheet():
    content = made_sheet(["<!-- "] + ["x" * (1 << 20)] * 130 + [" -->"])
    assert len(content) < 1 << 20
    assert "unpacks to 130 MB" in refusal_of(content)


def test_read_sheet_refuses_a_cell_below_any_sample():
    assert "more than 50,000 rows" in refusal_of(made_sheet(['<row r="1048576"><c r="A1048576"><v>1</v></c></row>']))


@pytest.mark.parametrize("name", ["a.csv", "a.xlsx"])
def test_read_sheet_refuses_more_rows_than_any_sample(name, monkeypatch):
    monkeypatch.setattr("tasks.reviewing.sheets._ROWS_LIMIT", 4)
    content = write_sheet([sampled(number) for number in range(4)], name)
    with pytest.raises(UsageError, match="more than 4 rows"):
        read_sheet(content, name)
    assert len(read_sheet(write_sheet([sampled(number) for number in range(3)], name), name)) == 3


def refusal_of(content: bytes) -> str:
    """Return the reason why a workbook is refused; empty where it was read."""
    try:
        read_sheet(content, "a.xlsx")
    except UsageError as refused:
        return str(refused)
    return ""
