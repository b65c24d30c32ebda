"""Scratch files that only the process which wrote them can read: what a killed run leaves behind is noise.

AES in counter mode, each file a stream of its own; the key is in memory and dies with the process.
"""

import secrets
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

_BLOCK: Final = 16

_CHUNK: Final = 1 << 14


class SealedFiles:
    """Appends to files and reads their lines. A path is written by one object only, and never anew."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def append(self, path: Path, data: bytes) -> None:
        """Add bytes at the end."""
        with path.open("ab") as file:
            file.write(self._stream(path, file.tell(), data))

    def lines(self, path: Path) -> Iterator[bytes]:
        """Every line, with its end."""
        rest = b""
        position = 0
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                *lines, rest = (rest + self._stream(path, position, chunk)).split(b"\n")
                position += len(chunk)
                for line in lines:
                    yield line + b"\n"
        if rest:
            yield rest

    def _stream(self, path: Path, position: int, data: bytes) -> bytes:
        """The bytes sealed or opened, which in counter mode is one thing."""
        nonce = blake2b(str(path).encode("utf-8", "surrogateescape"), digest_size=8).digest()
        counter = nonce + (position // _BLOCK).to_bytes(8)
        skipped = position % _BLOCK
        stream = Cipher(AES(self._key), CTR(counter)).encryptor()
        return stream.update(bytes(skipped) + data)[skipped:]
