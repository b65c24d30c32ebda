"""Compressed objects as chunks of what they hold, in bounded memory; a bomb ends like damage."""

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, BinaryIO, Final, Protocol

import pyarrow as pa

CHUNK_BYTES: Final = 1 << 18

_STORED_BYTES: Final = 1 << 14  # of compressed data at a time: how much of it was read is known that well

COMPRESSIONS: Final = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
}

# Logs shrink to a fifth, seldom to a fiftieth; what unpacks to far more is made to fill a machine.
_BOMB_RATIO: Final = 250
_BOMB_BYTES: Final = 1 << 28

_XZ_MEMORY_BYTES: Final = 256 << 20

_PADDING: Final = b"\0\r\n\x1a "


class BrokenStream(Exception):
    """The object can't be decompressed any further; the message says why, `line` where (1-based)."""

    line = 1


class _Member(Protocol):
    """One compressed stream of several that may follow each other."""

    @property
    def eof(self) -> bool:
        """True at the end of the stream."""

    @property
    def needs_input(self) -> bool:
        """True where the input so far yields no more output."""

    @property
    def unused_data(self) -> bytes:
        """The input bytes beyond the end of the stream."""

    def decompress(self, data: bytes, /, max_length: int = -1) -> bytes:
        """The next bytes."""


def compression_of(magic: bytes) -> str:
    """Return the compression by an object's first bytes, or ""."""
    return next((name for mark, name in COMPRESSIONS.items() if magic.startswith(mark)), "")


def decompressed(file: BinaryIO, compression: str) -> Iterator[bytes]:
    """Everything that can be had of an object from its start, in chunks.

    Raises:
        BrokenStream: where the data is cut or damaged, or unpacks to more than any log does.
    """
    file.seek(0)
    if not compression:
        return iter(lambda: file.read(CHUNK_BYTES), b"")
    stored = iter(lambda: file.read(_STORED_BYTES), b"")
    taken = [0]

    def counted() -> Iterator[bytes]:
        for chunk in stored:
            taken[0] += len(chunk)
            yield chunk

    if compression == "gzip":
        chunks = _gunzip(counted())
    elif compression == "zstd":
        chunks = _zstd(file, taken)
    else:
        chunks = _members(counted(), _openers[compression], compression)
    return _bounded(chunks, taken, compression)


def _bounded(chunks: Iterator[bytes], taken: list[int], compression: str) -> Iterator[bytes]:
    given = 0
    for chunk in chunks:
        given += len(chunk)
        if given > _BOMB_BYTES and given > _BOMB_RATIO * taken[0]:
            raise BrokenStream(
                f"the {compression} data unpacks to more than {_BOMB_RATIO} times its size, as no log does"
            )
        yield chunk


def _gunzip(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Everything that can be had, then BrokenStream where the data is cut or damaged."""
    member = zlib.decompressobj(31)
    for chunk in chunks:
        data = chunk
        while data:
            if member.eof:
                data = data.lstrip(_PADDING)  # tapes and block devices pad, gateways add a line end
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
    """Return the bytes before the damage, by decompressing byte by byte: a failing call returns none of its output."""
    given = bytearray()
    with suppress(zlib.error):
        for at in range(len(data)):
            given += member.decompress(data[at : at + 1])
            if len(given) > CHUNK_BYTES:
                break
    return bytes(given)


_openers: Final[dict[str, Callable[[], _Member]]] = {
    "bzip2": bz2.BZ2Decompressor,
    "xz": lambda: lzma.LZMADecompressor(memlimit=_XZ_MEMORY_BYTES),
}


def _members(chunks: Iterator[bytes], opened: Callable[[], _Member], name: str) -> Iterator[bytes]:
    member = opened()
    for chunk in chunks:
        data = chunk
        while data:
            if member.eof:
                data = data.lstrip(_PADDING)
                if not data:
                    break
                member = opened()
            try:
                piece = member.decompress(data, CHUNK_BYTES)
                while piece:
                    yield piece
                    piece = b"" if member.eof or member.needs_input else member.decompress(b"", CHUNK_BYTES)
            except (OSError, EOFError, lzma.LZMAError, ValueError):
                raise BrokenStream(f"the {name} data is damaged") from None
            data = member.unused_data if member.eof else b""
    if not member.eof:
        raise BrokenStream(f"the {name} data ends too early")


class _Borrowed:
    """A file that its reader does not close."""

    closed = False

    def __init__(self, file: BinaryIO) -> None:
        self.read, self.seek, self.tell = file.read, file.seek, file.tell

    def close(self) -> None:
        """Leave the file to whoever opened it."""


def _zstd(file: BinaryIO, taken: list[int]) -> Iterator[bytes]:
    stream = pa.CompressedInputStream(pa.PythonFile(_Borrowed(file), mode="r"), "zstd")
    try:
        while chunk := stream.read(CHUNK_BYTES):
            taken[0] = max(file.tell(), 1)
            yield chunk
    except (OSError, pa.ArrowException):
        raise BrokenStream("the zstd data is cut or damaged") from None
