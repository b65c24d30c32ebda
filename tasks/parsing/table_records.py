"""The records in an answer's tables: Markdown, tabs, commas; a field a column, or a field a row."""

import csv
import re
from typing import Final

from tasks.parsing.field_names import field_of
from tasks.parsing.json_records import Record

_RULE: Final = re.compile(r"[\s|:+-]*")

_LONGEST_NAME: Final = 40  # characters

_HEADER_COLUMNS: Final = {"|": 2, "\t": 2, ",": 3, ";": 3}  # a comma is in many a sentence


def records_in_tables(plain: str) -> tuple[list[Record], str]:
    """The records of the tables, and the text without their lines. Several rows are several issues, and one record."""
    records: list[Record] = []
    rest: list[str] = []
    upright: dict[str, object] = {}
    columns: list[str | None] = []
    mark = ""
    rows = 0
    for line in plain.split("\n"):
        if mark and line and mark not in line:
            columns, mark = [], ""
        found = mark or next((sign for sign in _HEADER_COLUMNS if sign in line and line[:1] not in "{['“"), "")
        if not found or not line:
            rest.append(line)
            continue
        cells = _cells(line, found)
        named = [field_of(cell) if len(cell) < _LONGEST_NAME else None for cell in cells]
        if columns:
            if not _RULE.fullmatch(line):
                record = Record({field: cell for field, cell in zip(columns, cells, strict=False) if field})
                records[-1:] = [records[-1].merged(record)] if rows else [*records[-1:], record]
                rows += 1
        elif sum(field is not None for field in named) >= _HEADER_COLUMNS[found]:
            columns, mark, rows = named, found, 0
        elif found == "|" and (entry := _entry(cells, named)):
            upright.setdefault(*entry)
        else:
            rest.append(line)
    return [*records, *([Record(upright)] if upright else [])], "\n".join(rest)


def _cells(line: str, mark: str) -> list[str]:
    if mark in ",;":
        try:
            return [cell.strip() for cell in next(csv.reader([line], delimiter=mark, skipinitialspace=True), [])]
        except csv.Error:  # longer than any cell
            return [line]
    return [cell.strip() for cell in (line.strip("|") if mark == "|" else line).split(mark)]


def _entry(cells: list[str], named: list[str | None]) -> tuple[str, str] | None:
    first = next((place for place, field in enumerate(named) if field), None)
    if first is None or first + 1 >= len(cells):
        return None
    return named[first] or "", cells[first + 1]
