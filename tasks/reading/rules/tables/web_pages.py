"""Web pages that hold a log: the rows of their tables, or the lines of a transcript.

Many shops' systems export a table as HTML, or as Excel's XML of 2003, under the name .xls.
"""

import csv
import io
import re
from html.parser import HTMLParser
from typing import Final

from tasks.reading.rules.objects.encodings import encoding_of, utf16_of
from tasks.reading.rules.transcripts.dialogues import split_transcript

PAGE_LIMIT_BYTES: Final = 32 << 20

_PAGE: Final = re.compile(rb"(?:\xef\xbb\xbf|\s)*<(?:!doctype html|html|head|meta|body|table|div|\?xml|\?mso)", re.I)

_ROWS: Final = frozenset(["tr", "row"])

_CELLS: Final = frozenset(["td", "th", "cell"])

_BLOCKS: Final = frozenset(
    "p div br li tr ul ol dl dt dd h1 h2 h3 h4 h5 h6 section article header footer blockquote pre table body hr".split()  # noqa: SIM905
)

_HIDDEN: Final = frozenset(["script", "style", "title", "head", "noscript", "template"])

_FEWEST_CELLS: Final = 3

_WIDEST: Final = 2_000


def is_page(first: bytes) -> bool:
    """True for bytes that begin a page of HTML or XML, UTF-16 included."""
    if encoding := utf16_of(first):
        first = first.decode(encoding, "ignore").lstrip("\ufeff").encode()
    return _PAGE.match(first) is not None


def log_in_page(page: bytes) -> tuple[str, str]:
    """A page's part of a log, as CSV or as lines, and a note of it; two empty texts for a page that holds none."""
    encoding = utf16_of(page[: 1 << 10]) or encoding_of(page[: 1 << 18])
    reader = _Page()
    reader.feed(page.decode(encoding, "replace").removeprefix("\ufeff"))
    reader.close()
    rows = [row for row in reader.rows if sum(map(bool, row)) >= _FEWEST_CELLS]
    if len(rows) > 1 and any(len(row) == len(rows[0]) for row in rows[1:]):
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerows(reader.rows)
        return out.getvalue(), "a table of a web page"
    text = "\n".join(line for line in map(str.strip, "".join(reader.text).split("\n")) if line)
    sides = {said.speaker for said in split_transcript(text).utterances}
    return (text, "the text of a web page") if {"user", "agent"} <= sides else ("", "")


class _Page(HTMLParser):
    """Collects a page's rows and its text. A line end within a cell is a vertical tab, so that a row stays a line."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.text: list[str] = []
        self._cell: list[str] | None = None
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        tag = tag.rpartition(":")[2]
        if tag in _HIDDEN:
            self._hidden += 1
        elif tag in _ROWS:
            self._end_cell()
            self.rows.append([])
        elif tag in _CELLS and self.rows:
            self._end_cell()
            self._fill_to(dict(attrs).get("ss:index"))
            self._cell = []
        elif tag == "br" and self._cell is not None:
            self._cell.append("\v")
        self.text.append("\n" if tag in _BLOCKS else " ")

    def handle_endtag(self, tag: str) -> None:
        tag = tag.rpartition(":")[2]
        if tag in _HIDDEN:
            self._hidden = max(0, self._hidden - 1)
        elif tag in _CELLS or tag in _ROWS or tag == "table":
            self._end_cell()
        elif tag in _BLOCKS and self._cell:
            self._cell.append("\v")
        self.text.append("\n" if tag in _BLOCKS else " ")

    def close(self) -> None:
        super().close()
        self._end_cell()

    def handle_data(self, data: str) -> None:
        if self._hidden:
            return
        words = data.replace("\r", "").replace("\xa0", " ")
        self.text.append(words)
        if self._cell is not None:
            self._cell.append(words.replace("\n", "\v"))

    def _end_cell(self) -> None:
        if self._cell is not None:
            self.rows[-1].append("".join(self._cell).strip(" \t\v"))
            self._cell = None

    def _fill_to(self, place: str | None) -> None:
        """Add the blank cells that Excel's XML leaves out before a cell that names its place."""
        if place and place.isdecimal() and len(place) < 5:
            missing = min(int(place), _WIDEST) - 1 - len(self.rows[-1])
            self.rows[-1] += [""] * missing
