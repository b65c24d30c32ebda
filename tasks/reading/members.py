"""Files inside an object: what containers give, and why one can't."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, cast

ENTRIES_LIMIT: Final = 10_000

UNPACKED_LIMIT_BYTES: Final = 4 << 30

_IN_MEMORY_BYTES: Final = 8 << 20


@dataclass(frozen=True, slots=True)
class Member:
    """One file to read: an object itself, or what is inside of one. Without a file, `note` says why there is none.

    `size` is in bytes, as it is stored.
    """

    uri: str
    file: BinaryIO | None
    size: int
    note: str = ""
    compressed: bool = False

    def taken(self) -> int:
        """The number of stored bytes read so far."""
        try:
            return self.file.tell() if self.file else 0
        except (OSError, ValueError):
            return 0


class NotReadable(Exception):
    """A container that can't be, or must not be, unpacked; the message says why."""


def spool(scratch: Path) -> BinaryIO:
    """A file for what is unpacked; in memory while it is small."""
    return cast("BinaryIO", tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES, dir=str(scratch)))


def printable(name: str) -> str:
    """A name without signs that command a terminal."""
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in name)


def is_hidden(name: str) -> bool:
    """True for a file of an archive that is hidden, as everywhere; macOS packs such files beside each other one."""
    parts = name.replace("\\", "/").split("/")
    return any(part.startswith((".", "_")) and part not in ("..", ".") for part in parts)
