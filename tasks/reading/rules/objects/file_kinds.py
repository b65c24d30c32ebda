"""Objects that are no text, by their first bytes."""

import re
from typing import Final

from tasks.reading.rules.objects.log_bytes import ObjectHead

_FILE_KINDS: Final = {
    b"PK\x03\x04": "a ZIP archive",
    b"PAR1": "a Parquet file",
    b"ARROW1": "an Arrow (Feather) file: export it as Parquet, CSV or JSON lines",
    b"\xff\xff\xff\xff": "an Arrow stream: export it as Parquet, CSV or JSON lines",
    b"ORC": "an ORC file: export it as Parquet, CSV or JSON lines",
    b"Obj\x01": "an Avro file: export it as Parquet, CSV or JSON lines",
    b"7z\xbc\xaf": "a 7z archive: extract it, or pack it as zip",
    b"Rar!": "a RAR archive: extract it, or pack it as zip",
    b"\x1f\x9d": "data packed by compress: pack it with gzip",
    b"\x04\x22\x4d\x18": "lz4 data: pack it with gzip or zstd",
    b"\x89PNG": "a picture",
    b"GIF8": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"%PDF": "a PDF document: export its text",
    b"{\\rtf": "a rich text document: save it as plain text",
    b"SQLite": "an SQLite database: export a table as CSV",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook (.xls): save it as .xlsx or CSV",
}

_ZLIB: Final = ("zlib data", "pack it with gzip")

# zlib data has no other mark than a check sum of its first two bytes.
_ZLIB_LEVELS: Final = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")

# How gzip data and a ZIP archive begin.
_PACKED_AGAIN: Final = ("\x1f", "PK\x03\x04")

# Texts that other programs read, by how they begin.
_SQL: Final = re.compile(
    r"(?:--[^\n]*\n|/\*.{0,2000}?\*/;?|\s)*(?:CREATE TABLE|INSERT INTO|DROP TABLE|SET \w|BEGIN;)", re.S
)

_MAILBOX: Final = re.compile(r"From \S+ [A-Z][a-z]{2} [A-Z][a-z]{2} .{1,60}\n[\w-]{1,40}: ?")

_TEXT_KINDS: Final = {
    _SQL: "an SQL dump, not a log that can be read: load it and export the table as CSV or TSV, as "
    "mysql --batch --execute 'SELECT …' does",
    _MAILBOX: "a mailbox, not a log that can be read: export the tickets as CSV or JSON",
}

_YAML: Final = re.compile(
    r"(?:---(?:\n| (?!--))|#[^\n]*\n)*(?=[^\n]*\n(?:[^\n]*\n)?[ -])(?:[ -]{0,40}[A-Za-z_]{1,40}:(?: [^\n]*)?\n){4}"
)

# Control characters that no text has; \x01 to \x03 and \x1c to \x1f separate fields and records somewhere.
_CONTROLS: Final = re.compile(r"[\x00\x04-\x08\x0e-\x1a]")


def why_no_text(head: ObjectHead, delimiters: set[str]) -> str:
    """Return the reason why an object is no text, with advice where there is some; empty for text."""
    if kind := next((kind for magic, kind in _FILE_KINDS.items() if head.magic.startswith(magic)), ""):
        what, _, advice = kind.partition(": ")
        return f"{what}, not a log that can be read" + (f": {advice}" if advice else "")
    packed_again = head.compression and head.text.startswith(_PACKED_AGAIN)
    if packed_again or (head.magic[:2] in _ZLIB_LEVELS and not head.text[2:40].isprintable()):
        what, advice = ("packed data in packed data", "unpack the outer one") if packed_again else _ZLIB
        return f"{what}, not a log that can be read: {advice}"
    if "ustar" in head.text[:600]:
        return "a tar archive, not a log that can be read: extract it, or pack it as zip"
    if found := next((advice for begins, advice in _TEXT_KINDS.items() if begins.match(head.text)), ""):
        return found
    controls = sum(control not in delimiters for control in _CONTROLS.findall(head.text))
    if controls > 0.05 * len(head.text):
        return "binary data, or UTF-16 without a byte order mark: not a log"
    return ""


def is_yaml(text: str) -> bool:
    """True for a text that begins as YAML does; a transcript may, too."""
    return _YAML.match(text) is not None


# Reads YAML of any size, with what is installed here.
YAML_TO_JSON: Final = (
    "python -c 'import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout, default=str)'"
    " < log.yaml > log.json"
)
