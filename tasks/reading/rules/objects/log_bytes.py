"""An object's bytes as lines or JSON values: compression, encodings, byte order marks, line ends, NULs.

Memory is bounded by one chunk and one line, whatever the object holds.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import BinaryIO, Final

from tasks.reading.rules.objects.decompression import BrokenStream, compression_of, decompressed
from tasks.reading.rules.objects.encoded_twice import way_to_mend
from tasks.reading.rules.objects.encodings import decode, encoding_of, is_doubtful, utf16_of

HEAD_BYTES: Final = 1 << 18

LINE_LIMIT_BYTES: Final = 16 << 20

_EVIDENCE_BYTES: Final = 1 << 16

_ORDER_BYTES: Final = 1 << 10

_ASCII: Final = bytes(range(128))

_BETWEEN: Final = " \t\r\n,\ufeff\x1e"

# NULs, and the mark by which DOS ends a file.
_NO_TEXT: Final = b"\0\x1a"

_LINE_END: Final = re.compile(rb"[\r\n]")

_BEFORE_JSON: Final = b" \t\x1e" + codecs.BOM_UTF8

_STRUCTURE: Final = re.compile(r'["\[\]{}\n]')

_IN_STRING: Final = re.compile(r'["\\\n]')


@dataclass(frozen=True, slots=True)
class ObjectHead:
    """An object's beginning, and how it is stored, found by looking into it.

    `text` is its beginning, `whole` says that it is all of it, `broken` that reading ran into damage, `magic` are its
    first bytes as stored; `cr_lines` means that a lone carriage return ends a line, `doubtful` that the encoding is a
    guess that may be wrong.
    """

    compression: str
    encoding: str
    cr_lines: bool
    text: str
    whole: bool
    broken: bool
    magic: bytes
    doubtful: bool = False


def read_head(file: BinaryIO) -> ObjectHead:
    """Look into a seekable object from its start; reads on until a byte outside ASCII tells the encoding."""
    file.seek(0)
    magic = file.read(16)
    compression = compression_of(magic)
    head, evidence, above = bytearray(), bytearray(), b""
    utf16, whole, broken = False, False, False
    try:
        chunks, utf16 = _unmarked(decompressed(file, compression))
        for chunk in chunks:
            if len(head) < HEAD_BYTES:
                head += chunk
                if head.isspace():
                    head.clear()
                if long := _long_line(head):
                    above = above or bytes(head[:HEAD_BYTES])
                    del head[:long]
            if evidence or not chunk.isascii():
                evidence += chunk if evidence else chunk.lstrip(_ASCII)
            if len(head) >= HEAD_BYTES and len(evidence) >= _EVIDENCE_BYTES:
                break
        else:
            whole = len(head) <= HEAD_BYTES and not above
    except BrokenStream:
        broken = True
    encoding = "utf-16" if utf16 else encoding_of(bytes(evidence))
    start = bytes(head[:HEAD_BYTES]) or above
    cr_lines = b"\r\n" not in start and start.count(b"\r") > start.count(b"\n")
    if cr_lines:
        start = start.replace(b"\r", b"\n")
    text = start.decode("utf-8" if utf16 else encoding, "replace").replace("\r\n", "\n").removeprefix("\ufeff")
    doubtful = not utf16 and is_doubtful(bytes(evidence), encoding)
    return ObjectHead(compression, encoding, cr_lines, text, whole, broken, magic, doubtful)


def _long_line(head: bytearray) -> int:
    """The bytes of a first line that is no JSON and fills most of a beginning: what tells the format stands below."""
    if len(head) < HEAD_BYTES or head.lstrip(_BEFORE_JSON).startswith((b"{", b"[")):
        return 0
    end = _LINE_END.search(head)
    return len(head) if end is None else end.end() if end.start() > HEAD_BYTES // 2 else 0


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
    return decode(line, "utf-8" if encoding == "utf-16" else encoding).removeprefix("\ufeff")


class Unended(Enum):
    """Reasons why a JSON value has no text; nothing behind one that is cut can be read."""

    CUT = "the JSON from here on does not end; the rest can't be read"
    TOO_LONG = (
        f"one JSON value of more than {LINE_LIMIT_BYTES >> 20} MB: export the conversations as a list, or one a line"
    )


JsonText = tuple[int, int, str | Unended]
"""The line a value begins on, the line its list begins on (0 outside one), and its text."""


def read_json_values(file: BinaryIO, head: ObjectHead, skip: int = 0) -> Iterator[JsonText]:
    """Yield the JSON values of a document: each element of a top-level list, each top-level object.

    Their text is unchecked: what stands between values and is no comma is given as a value too. A value that does not
    end is the last; one that does not end within `LINE_LIMIT_BYTES` is passed over.

    Args:
        skip: characters before the elements of a list inside an object, which is all that is read then.

    Raises:
        BrokenStream: after the last whole value before the break.
    """
    encoding = "utf-8" if head.encoding == "utf-16" else head.encoding
    decoder = codecs.getincrementaldecoder(encoding)("surrogateescape")
    values = _JsonValues()
    skipped = skip
    try:
        for chunk in _chunks(file, head):
            text = decoder.decode(chunk)
            if skipped:
                before, text = text[:skipped], text[skipped:]
                skipped -= len(before)
                values.begin_inside(before)
            yield from values.feed(text)
            if skip and values.ended:
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
        self._size = 0
        self._depth = 0
        self._in_string = False
        self._escaped = False
        self.ended = self._inside = False
        self._parts: list[str] = []

    def begin_inside(self, before: str) -> None:
        """Take what follows for the elements of a list."""
        self.line += before.count("\n")
        self.begun_on = self.list_line = self.line
        self._depth, self._inside = 1, True

    def feed(self, text: str) -> Iterator[JsonText]:
        if self.ended:
            return
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
                kept, self._depth, self.ended = position, 0, self.list_line > 0 and self._inside
                self.list_line = 0
                if self.ended:
                    return
        self._keep(text[kept:])

    @property
    def _is_too_long(self) -> bool:
        return self._size > LINE_LIMIT_BYTES

    def _keep(self, part: str) -> None:
        """Keep the part of a value that does not end yet, if anybody will read it."""
        self._parts.append(part)
        self._size += len(part)
        if self._size > LINE_LIMIT_BYTES:
            self._parts.clear()

    def finish(self) -> Iterator[JsonText]:
        if self._depth:
            yield self.begun_on, self.list_line, Unended.TOO_LONG if self._is_too_long else Unended.CUT
        else:
            yield from self._cut("")

    def _cut(self, end: str) -> Iterator[JsonText]:
        value = "".join([*self._parts, end]).strip(_BETWEEN)
        self._size += len(end)
        if self._is_too_long:
            yield self.begun_on, self.list_line, Unended.TOO_LONG
        elif value:
            yield self.begun_on, self.list_line, value
        self._parts, self._size, self.begun_on = [], 0, self.line


def _line(raw: bytes) -> bytes:
    line = raw.removesuffix(b"\r")
    return line[3:] if line.startswith(codecs.BOM_UTF8) else line


def _chunks(file: BinaryIO, head: ObjectHead) -> Iterator[bytes]:
    chunks, _ = _unmarked(decompressed(file, head.compression))
    if not head.cr_lines:
        return chunks
    return (chunk.replace(b"\r", b"\n") for chunk in chunks)


def _unmarked(chunks: Iterator[bytes]) -> tuple[Iterator[bytes], bool]:
    """The chunks without byte order mark and NULs, UTF-16 as UTF-8; and whether it was UTF-16."""
    first = b""
    broken: BrokenStream | None = None
    try:
        while len(first) < _ORDER_BYTES and (chunk := next(chunks, b"")):
            first += chunk
    except BrokenStream as error:
        broken = error

    def all_chunks() -> Iterator[bytes]:
        yield first
        if broken:
            raise broken
        yield from chunks

    utf16 = utf16_of(first[:_ORDER_BYTES])
    texts = _utf16_as_utf8(all_chunks(), utf16) if utf16 else all_chunks()
    if not utf16 and (mend := way_to_mend(first[:_ORDER_BYTES])):
        texts = mend(texts)
    return (chunk.translate(None, _NO_TEXT) for chunk in texts), bool(utf16)


def _utf16_as_utf8(chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """Recode UTF-16 as UTF-8; a lone surrogate or half a unit at the end stays invalid, and its line is rejected."""
    decoder = codecs.getincrementaldecoder(encoding)("surrogatepass")
    for chunk in chunks:
        yield decoder.decode(chunk).encode("utf-8", "surrogatepass")
    if decoder.getstate()[0]:
        yield b"\xff"


def first_json_values(text: str) -> list[str]:
    """The whole values at the beginning of a document, as text."""
    return [value for _, _, value in _JsonValues().feed(text) if isinstance(value, str)]
