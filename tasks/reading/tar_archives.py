"""Files of a tar archive, plain or compressed, one after the other in the archive's order."""

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, cast

from tasks.reading.members import ENTRIES_LIMIT, UNPACKED_LIMIT_BYTES, Member, NotReadable, is_hidden, printable, spool
from tasks.reading.rules.objects.decompression import BrokenStream, compression_of, decompressed

_BLOCK_BYTES: Final = 512

_MARK: Final = slice(257, 262)


def is_tar(file: BinaryIO, magic: bytes) -> bool:
    """True for a tar archive, under whatever compression.

    Args:
        file: the object, seekable; it is read from its start, and left there.
        magic: its first bytes.
    """
    compression = compression_of(magic)
    if not compression:
        return magic[_MARK] == b"ustar"
    try:
        first = next(decompressed(file, compression), b"")
    except BrokenStream:
        first = b""
    file.seek(0)
    return first[_MARK] == b"ustar"


def files_of_tar(file: BinaryIO, magic: bytes, uri: str, scratch: Path) -> Iterator[Member]:
    """Yield the archive's files, unpacked; the file of each is closed when the next one is asked for.

    Raises:
        NotReadable: the archive is damaged, or holds more than any day of logs.
    """
    stream = io.BufferedReader(cast("io.RawIOBase", _Chunks(decompressed(file, compression_of(magic)))))
    entries = unpacked = 0
    try:
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            for entry in archive:
                entries, unpacked = entries + 1, unpacked + entry.size
                if entries > ENTRIES_LIMIT or unpacked > UNPACKED_LIMIT_BYTES:
                    raise NotReadable("a tar archive of more files, or larger ones, than any day of logs")
                stored = archive.extractfile(entry) if entry.isfile() and not is_hidden(entry.name) else None
                if stored is None:
                    continue
                with spool(scratch) as held:
                    while chunk := stored.read(1 << 18):
                        held.write(chunk)
                    held.seek(0)
                    yield Member(f"{uri}!{printable(entry.name)}", held, max(entry.size, 1), "in a tar archive")
    except (tarfile.TarError, BrokenStream, EOFError, OSError, ValueError) as error:
        raise NotReadable(f"a tar archive that is damaged ({type(error).__name__}): what follows is lost") from None


class _Chunks(io.RawIOBase):
    """Chunks as a stream that tarfile can read."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(cast("bytearray", buffer))
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = chunk
        size = min(len(view), len(self._rest))
        view[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size
