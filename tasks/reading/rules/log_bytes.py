"""An object's bytes as lines or JSON values: gzip, encodings, byte order marks, line ends, NULs.

Memory is bounded by one chunk and one line, whatever the object holds.
"""

import codecs
import re
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

CHUNK_BYTES: Final = 1 << 18

HEAD_BYTES: Final = 1 << 18

LINE_LIMIT_BYTES: Final = 16 << 20

_EVIDENCE_BYTES: Final = 1 << 16

_ASCII: Final = bytes(range(128))

_BETWEEN: Final = " \t\r\n,\ufeff"

_STRUCTURE: Final = re.compile(r'["\[\]{}\n]')

_IN_STRING: Final = re.compile(r'["\\\n]')


class BrokenStream(Exception):
    """The object can't be decompressed any further; the message says why, `line` where (1-based)."""

    line = 1


@dataclass(frozen=True, slots=True)
class ObjectHead:
    """How an object is stored, found by looking into it.

    `text` is its beginning, `whole` whether that is all of it, `broken` whether reading ran into
    damage, `magic` its first bytes as stored; `cr_lines` means that a lone carriage return ends a line.
    """

    compressed: bool
    encoding: str
    cr_lines: bool
    text: str
    whole: bool
    broken: bool
    magic: bytes


def read_head(file: BinaryIO) -> ObjectHead:
    """Look into a seekable object from its start; reads on until a byte outside ASCII tells the encoding."""
    file.seek(0)
    magic = file.read(16)
    file.seek(0)
    compressed = magic.startswith(b"\x1f\x8b")
    head, evidence = bytearray(), bytearray()
    utf16, whole, broken = False, False, False
    try:
        chunks, utf16 = _unmarked(_raw_chunks(file, compressed))
        for chunk in chunks:
            if len(head) < HEAD_BYTES:
                head += chunk
                if head.isspace():
                    head.clear()
            if evidence or not chunk.isascii():
                evidence += chunk if evidence else chunk.lstrip(_ASCII)
            if len(head) >= HEAD_BYTES and len(evidence) >= _EVIDENCE_BYTES:
                break
        else:
            whole = len(head) <= HEAD_BYTES
    except BrokenStream:
        broken = True
    encoding = "utf-16" if utf16 else _encoding_of(bytes(evidence))
    start = bytes(head[:HEAD_BYTES])
    cr_lines = b"\r" in start and b"\n" not in start
    if cr_lines:
        start = start.replace(b"\r", b"\n")
    text = start.decode("utf-8" if utf16 else encoding, "replace").replace("\r\n", "\n").removeprefix("\ufeff")
    return ObjectHead(compressed, encoding, cr_lines, text, whole, broken, magic)


def read_lines(file: BinaryIO, head: ObjectHead) -> Iterator[tuple[int, bytes | None]]:
    """Every line with its 1-based number, without its end; None for one longer than `LINE_LIMIT_BYTES`.

    The bytes are UTF-8 when the head's encoding is UTF-16, else as stored.

    Raises:
        BrokenStream: after the last whole line before the break; the line it is in is not given.
    """
    number = 0
    parts: list[bytes] = []
    size = 0
    try:
        for chunk in _chunks(file, head):
            first, *others = chunk.split(b"\n")
            size += len(first)
            if size <= LINE_LIMIT_BYTES:
                parts.append(first)
            else:
                parts.clear()
            if not others:
                continue
            number += 1
            yield number, _line(b"".join(parts)) if size <= LINE_LIMIT_BYTES else None
            last = others.pop()
            for line in others:
                number += 1
                yield number, _line(line)
            parts, size = [last], len(last)
    except BrokenStream as error:
        error.line = number + 1
        raise
    if size:
        yield number + 1, _line(b"".join(parts)) if size <= LINE_LIMIT_BYTES else None


def decode_line(line: bytes, encoding: str) -> str:
    """A line of `read_lines` as text.

    Raises:
        UnicodeDecodeError: it is not in the object's encoding.
    """
    return line.decode("utf-8" if encoding == "utf-16" else encoding).removeprefix("\ufeff")


def read_json_values(file: BinaryIO, head: ObjectHead) -> Iterator[tuple[int, int, str | None]]:
    """The JSON values of a document: each element of a top-level list, each top-level object.

    Yields the line a value begins on, the line its list begins on (0 outside one), and its text, unchecked:
    what stands between values and is no comma is given as a value too. None instead of a text stands for one
    that does not end within `LINE_LIMIT_BYTES`, or at all: nothing can be told of what follows, so it is last.

    Raises:
        BrokenStream: after the last whole value before the break.
    """
    encoding = "utf-8" if head.encoding == "utf-16" else head.encoding
    decoder = codecs.getincrementaldecoder(encoding)("surrogateescape")
    values = _JsonValues()
    try:
        for chunk in _chunks(file, head):
            yield from values.feed(decoder.decode(chunk))
            if values.size > LINE_LIMIT_BYTES:
                yield values.begun_on, values.list_line, None
                return
    except BrokenStream as error:
        error.line = values.line
        raise
    yield from values.finish()


class _JsonValues:
    """Cuts a document into its values by brackets and strings alone; linear, whatever it is fed."""

    def __init__(self) -> None:
        self.line = self.begun_on = 1
        self.list_line = 0
        self.size = 0
        self._depth = 0
        self._in_string = False
        self._escaped = False
        self._parts: list[str] = []

    def feed(self, text: str) -> Iterator[tuple[int, int, str]]:
        position, kept = int(self._escaped and text != ""), 0
        self._escaped = self._escaped and text == ""
        while found := (_IN_STRING if self._in_string else _STRUCTURE).search(text, position):
            mark, at = found.group(), found.start()
            position = at + 1
            base = 1 if self.list_line else 0
            if mark == "\n":
                self.line += 1
            elif mark == "\\":
                position += 1
                self._escaped = position > len(text)
            elif mark == '"':
                self._in_string = not self._in_string
            elif mark in "[{":
                if self._depth == base:
                    yield from self._cut(text[kept:at])
                    kept = at
                    if mark == "[" and not base:
                        self.list_line, kept = self.line, position
                self._depth += 1
            elif self._depth > base:
                self._depth -= 1
                if self._depth == base:
                    yield from self._cut(text[kept:position])
                    kept = position
            else:  # the end of the list, or a bracket too many
                yield from self._cut(text[kept : at if base else position])
                kept, self._depth, self.list_line = position, 0, 0
        self._parts.append(text[kept:])
        self.size += len(text) - kept

    def finish(self) -> Iterator[tuple[int, int, str | None]]:
        if self._depth:
            yield self.begun_on, self.list_line, None
        else:
            yield from self._cut("")

    def _cut(self, end: str) -> Iterator[tuple[int, int, str]]:
        value = "".join([*self._parts, end]).strip(_BETWEEN)
        if value:
            yield self.begun_on, self.list_line, value
        self._parts, self.size, self.begun_on = [], 0, self.line


def _line(raw: bytes) -> bytes:
    line = raw.removesuffix(b"\r")
    return line[3:] if line.startswith(codecs.BOM_UTF8) else line


def _chunks(file: BinaryIO, head: ObjectHead) -> Iterator[bytes]:
    file.seek(0)
    chunks, _ = _unmarked(_raw_chunks(file, head.compressed))
    if not head.cr_lines:
        return chunks
    return (chunk.replace(b"\r", b"\n") for chunk in chunks)


def _raw_chunks(file: BinaryIO, compressed: bool) -> Iterator[bytes]:
    stored = iter(lambda: file.read(CHUNK_BYTES), b"")
    return _gunzip(stored) if compressed else stored


def _unmarked(chunks: Iterator[bytes]) -> tuple[Iterator[bytes], bool]:
    """The chunks without byte order mark and NULs, UTF-16 as UTF-8; and whether it was UTF-16."""
    first = b""
    broken: BrokenStream | None = None
    try:
        while len(first) < 4 and (chunk := next(chunks, b"")):
            first += chunk
    except BrokenStream as error:
        broken = error

    def all_chunks() -> Iterator[bytes]:
        yield first
        if broken:
            raise broken
        yield from chunks

    utf16 = first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    texts = _utf16_as_utf8(all_chunks()) if utf16 else all_chunks()
    return (chunk.replace(b"\0", b"") for chunk in texts), utf16


def _utf16_as_utf8(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """What is no text (a lone surrogate, half a unit at the end) stays invalid, so that its line is rejected."""
    decoder = codecs.getincrementaldecoder("utf-16")("surrogatepass")
    for chunk in chunks:
        yield decoder.decode(chunk).encode("utf-8", "surrogatepass")
    if decoder.getstate()[0]:
        yield b"\xff"


def _gunzip(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Everything that can be had, then BrokenStream where the data is cut or damaged."""
    member = zlib.decompressobj(31)
    for chunk in chunks:
        data = chunk
        while data:
            if member.eof:
                data = data.lstrip(b"\0")  # tapes and block devices pad
                if not data:
                    break
                member = zlib.decompressobj(31)
            before = member.copy()
            try:
                piece = member.decompress(data, CHUNK_BYTES)
            except zlib.error:
                yield _before_the_damage(before, data)
                raise BrokenStream("the gzip data is damaged") from None
            if piece:
                yield piece
            data = member.unused_data if member.eof else member.unconsumed_tail
    if not member.eof:
        with suppress(zlib.error):
            yield member.flush()
        raise BrokenStream("the gzip data ends too early")


def _before_the_damage(member: Any, data: bytes) -> bytes:
    """What the member gives byte by byte: a failing call keeps everything it had to itself."""
    given = bytearray()
    with suppress(zlib.error):
        for at in range(len(data)):
            given += member.decompress(data[at : at + 1])
    return bytes(given)


def _encoding_of(evidence: bytes) -> str:
    """UTF-8 or GB18030, by which can decode the evidence: all of it, or else more of its lines."""
    for encoding in ("utf-8", "gb18030"):
        with suppress(UnicodeDecodeError):
            codecs.getincrementaldecoder(encoding)().decode(evidence)  # not final: the end may be cut
            return encoding
    lines = [line for line in re.split(rb"[\r\n]", evidence) if not line.isascii()]
    return max(("utf-8", "gb18030"), key=lambda encoding: sum(_decodes(line, encoding) for line in lines))


def _decodes(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
