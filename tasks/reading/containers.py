"""Contents of objects that are no text: the files of a ZIP archive, the sheet of a workbook, Parquet's rows.

All of it is bounded: what unpacks to more than a log can hold is named and left alone.
"""

import io
import struct
import zipfile
from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, Final

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from tasks.reading.members import (
    ENTRIES_LIMIT,
    UNPACKED_LIMIT_BYTES,
    Member,
    NotReadable,
    is_hidden,
    printable,
    spool,
)
from tasks.reading.rules.formats import LogMapping
from tasks.reading.rules.objects.xml_values import DamagedXml, is_xml, values_of_xml
from tasks.reading.rules.tables.web_pages import PAGE_LIMIT_BYTES, is_page, log_in_page
from tasks.reading.tar_archives import files_of_tar, is_tar
from tasks.reading.workbooks import sheets_of_workbook

_MAGIC_BYTES: Final = 1 << 10

_RATIO_LIMIT: Final = 250

# So much any file may unpack to.
_ALWAYS_ALLOWED_BYTES: Final = 1 << 28

_ROWS_AT_ONCE: Final = 2_000

_DIRECTORY_END: Final = b"PK\x05\x06"

_TAIL_BYTES: Final = 1 << 16


def members_of(
    file: BinaryIO, uri: str, scratch: Path, mapping: LogMapping | None = None, inside: str = ""
) -> Generator[Member, None, None]:
    """Yield the files of an object to read, one after the other.

    Args:
        file: the object, seekable.
        scratch: an existing folder for what is unpacked.
        mapping: whose sheet of a workbook counts.
        inside: the note of an object that is inside of another.
    """
    file.seek(0)
    magic = file.read(_MAGIC_BYTES)
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    try:
        if magic.startswith(b"PAR1"):
            with spool(scratch) as unpacked:
                _rows_of_parquet(file, unpacked, size)
                yield Member(uri, unpacked, size, "a Parquet file")
        elif magic.startswith(b"PK\x03\x04"):
            yield from _members_of_zip(file, uri, scratch, mapping, size)
        elif is_xml(magic) and size <= PAGE_LIMIT_BYTES:
            yield from _values_of_xml(file, uri, scratch, size)
        elif is_page(magic) and size <= PAGE_LIMIT_BYTES:
            yield from _log_of_page(file, uri, scratch, size)
        elif not inside and is_tar(file, magic):
            for member in files_of_tar(file, magic, uri, scratch):
                assert member.file is not None
                yield from members_of(member.file, member.uri, scratch, mapping, inside=member.note)
        else:
            yield Member(uri, file, size, inside, compressed=bool(inside))
    except NotReadable as error:
        yield Member(uri, None, size, str(error))


def _values_of_xml(file: BinaryIO, uri: str, scratch: Path, size: int) -> Iterator[Member]:
    """Write the records of a document as a list in JSON; a document without any list is no log."""
    damage = ""
    lists = False
    with spool(scratch) as unpacked:
        try:
            for at, value in enumerate(values_of_xml(file.read())):
                lists = lists or at > 0 or _holds_list(value)
                unpacked.write((b",\n" if at else b"[\n") + orjson.dumps(value))
        except DamagedXml as error:
            damage = str(error)
        if not lists:
            raise NotReadable(damage or _NO_LOG)
        unpacked.write(b"\n]")
        written = unpacked.tell()
        unpacked.seek(0)
        yield Member(uri, unpacked, size, "a document of XML")
        if damage:
            yield Member(uri, None, max(1, size - written), damage)


def _holds_list(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_holds_list, value.values()))
    return isinstance(value, list)


_OF_TELEGRAM: Final = "a page of Telegram's export, not a log that can be read: export the chats as JSON, which is read"

_NO_LOG: Final = "a web page or XML, not a log; an export that failed looks like this"


def _log_of_page(file: BinaryIO, uri: str, scratch: Path, size: int) -> Iterator[Member]:
    page = file.read()
    text, note = log_in_page(page)
    if not text:
        raise NotReadable(_OF_TELEGRAM if b'class="from_name"' in page else _NO_LOG)
    with spool(scratch) as unpacked:
        unpacked.write(text.encode("utf-8", "replace"))
        unpacked.seek(0)
        yield Member(uri, unpacked, size, note)


def _members_of_zip(file: BinaryIO, uri: str, scratch: Path, mapping: LogMapping | None, size: int) -> Iterator[Member]:
    _check_directory(file)
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, struct.error, UnicodeError) as error:
        raise NotReadable(f"a ZIP archive that is damaged ({type(error).__name__})") from None
    with archive:
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
        unpacked = sum(entry.file_size for entry in entries)
        if _is_too_much(unpacked, size):
            raise NotReadable(f"a ZIP archive that unpacks to {unpacked >> 20:,} MB, more than any day of logs")
        names = {entry.filename for entry in entries}
        if "xl/workbook.xml" in names:
            yield from sheets_of_workbook(file, archive, uri, scratch, mapping, size)
            return
        if "xl/workbook.bin" in names:
            raise NotReadable("a binary Excel workbook (.xlsb): save it as .xlsx or CSV")
        yield from _files_of_zip(archive, entries, uri, scratch, mapping)


def _files_of_zip(
    archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo], uri: str, scratch: Path, mapping: LogMapping | None
) -> Iterator[Member]:
    for entry in sorted(entries, key=lambda entry: entry.filename):
        if is_hidden(entry.filename):
            continue
        inside = f"{uri}!{printable(entry.filename)}"
        if entry.flag_bits & 1:
            yield Member(inside, None, entry.compress_size, "a file of a ZIP archive that needs a password")
            continue
        try:
            with archive.open(entry) as stored, spool(scratch) as unpacked:
                while chunk := stored.read(1 << 18):
                    unpacked.write(chunk)
                unpacked.seek(0)
                if unpacked.read(4) == b"PK\x03\x04":
                    unpacked.seek(0)
                    yield from _inner(unpacked, inside, scratch, mapping, entry.compress_size)
                    continue
                unpacked.seek(0)
                yield Member(inside, unpacked, entry.compress_size, "in a ZIP archive", compressed=True)
        except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, ValueError, RuntimeError) as error:
            damage = f"a file of a ZIP archive that is damaged ({type(error).__name__})"
            yield Member(inside, None, entry.compress_size, damage)


def _inner(unpacked: BinaryIO, uri: str, scratch: Path, mapping: LogMapping | None, size: int) -> Iterator[Member]:
    """A workbook in an archive; an archive in an archive is left alone."""
    try:
        _check_directory(unpacked)
        with zipfile.ZipFile(unpacked) as archive:
            if "xl/workbook.xml" not in archive.namelist():
                raise NotReadable("an archive inside of an archive: unpack the outer one")
            for sheet in sheets_of_workbook(unpacked, archive, uri, scratch, mapping, size):
                yield replace(sheet, compressed=True)
    except NotReadable as error:
        yield Member(uri, None, size, str(error))


def _check_directory(file: BinaryIO) -> None:
    """Refuse an archive of too many files before its directory is read into memory."""
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - _TAIL_BYTES))
    tail = file.read(_TAIL_BYTES)
    file.seek(0)
    at = tail.rfind(_DIRECTORY_END)
    if at < 0 or len(tail) < at + 16:
        raise NotReadable("a ZIP archive that is cut: its directory at the end is missing")
    entries, length = struct.unpack("<HI", tail[at + 10 : at + 16])
    if entries > ENTRIES_LIMIT or length > ENTRIES_LIMIT * 512:
        raise NotReadable(f"a ZIP archive of more than {ENTRIES_LIMIT:,} files")


def _rows_of_parquet(file: BinaryIO, lines: BinaryIO, size: int) -> None:
    """Write Parquet's rows as JSON lines."""
    try:
        table = pq.ParquetFile(file)
        groups = range(table.metadata.num_row_groups)
        largest = max((table.metadata.row_group(at).total_byte_size for at in groups), default=0)
        total = sum(table.metadata.row_group(at).total_byte_size for at in groups)
        if largest > 1 << 30 or _is_too_much(total, size):
            raise NotReadable(f"a Parquet file that unpacks to {total >> 20:,} MB, more than any day of logs")
        written = 0
        for batch in table.iter_batches(batch_size=_ROWS_AT_ONCE):
            for row in batch.to_pylist(maps_as_pydicts="lossy"):
                written += lines.write(orjson.dumps(row, default=_plain, option=orjson.OPT_NON_STR_KEYS) + b"\n")
                # A value that is kept once, and meant in a million rows, is not in what the file says of its size.
                if _is_too_much(written, size):
                    raise NotReadable(f"a Parquet file of more than {written >> 20:,} MB, more than any day of logs")
    except (pa.ArrowException, OSError, ValueError, TypeError, KeyError) as error:
        raise NotReadable(f"a Parquet file that can't be read ({type(error).__name__})") from None
    lines.seek(0)


def _is_too_much(unpacked: int, size: int) -> bool:
    return unpacked > UNPACKED_LIMIT_BYTES or (unpacked > _ALWAYS_ALLOWED_BYTES and unpacked > _RATIO_LIMIT * size)


def _plain(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
