"""Cells as they were before a database, a program or a spreadsheet wrote them."""

import re
from typing import Final

from tasks.reading.rules.json.texts import undressed

# What programs write for no text, as far as nobody says such a thing.
NO_TEXTS: Final = frozenset({"nan", "NaN", "null", "NULL", "(null)", "[NULL]", "<NA>", "\\N", "#N/A"})

# A sign before a text, so that a spreadsheet takes it for none of its formulas: '=怎么退, '-3 度
_GUARDED: Final = re.compile(r"'(?=[=+\-@])")

_WHOLE: Final = re.compile(r"\d{1,15}\.0")

# ="00123", =("00123"), =T("00123"), "00123", =00123
_DRESSED: Final = re.compile(r"(?:=(?:\(|T\()?)?\"(?P<quoted>[^\"()]{1,64})\"\)?|=(?P<bare>\d{1,64})")


def text_of_cell(field: str) -> str:
    """A text without a spreadsheet's guard; "" for a word that stands where there is none."""
    if field[:1] == "'":
        field = _GUARDED.sub("", field, count=1)
    return "" if field.strip() in NO_TEXTS else field


def id_of_cell(field: str) -> str:
    """An id as it was before a spreadsheet wrote it: `="00123"` is 00123, `1001.0` is 1001."""
    if field[:1] in '="' and (dressed := _DRESSED.fullmatch(field)):
        return (dressed["quoted"] or dressed["bare"]).strip()
    if field[:1] in "'`":
        return undressed(field)
    if field[-2:] == ".0" and _WHOLE.fullmatch(field):
        return field[:-2]
    return field


def number_of_cell(field: str) -> float | None:
    """A message's number; None for anything else."""
    field = field.strip()
    return int(field) if field.isascii() and field.isdecimal() and len(field) < 19 else None
