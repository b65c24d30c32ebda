"""Downloads from BOS: resumed where they broke off, and checked against their length and digests."""

import base64
import hashlib
import os
import zlib
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

from baidubce.exception import BceHttpClientError
from baidubce.services.bos.bos_client import BosClient

from tasks.domain.errors import StoreFull

_COPY_BYTES = 1 << 20


class BrokenBody(Exception):
    """A body that does not match its headers."""


class BosDownload:
    """One object on its way into a file. A broken download resumes where it stopped while the object is the same."""

    def __init__(self, file: BinaryIO, folder: Path) -> None:
        self._file = file
        self._folder = folder
        self._restart()

    def _restart(self) -> None:
        self._file.seek(0)
        self._file.truncate()
        self._etag = ""
        self._size = 0
        self._sent_md5: str | None = None
        self._sent_crc: str | None = None
        self._crc = 0
        self._md5 = hashlib.md5(usedforsecurity=False)

    def advance(self, client: BosClient, bucket: str, full: str, where: str) -> None:
        """One attempt: return when the file holds the whole object.

        Raises:
            BrokenBody, OSError, BceHttpClientError: it broke off; the next attempt goes on.
        """
        begin = self._file.tell()
        more = {"range": (begin, self._size - 1), "cond_read_write": {b"If-Match": f'"{self._etag}"'}} if begin else {}
        try:
            reply = client.get_object(bucket, full, **more)
        except BceHttpClientError as error:
            if begin and error.status_code in (412, 416):
                self._restart()
                raise BrokenBody("the object was replaced while it was read") from None
            raise
        with closing(reply.data) as body:
            if begin and body.status != 206:
                self._restart()
            if not self._file.tell():
                sent = reply.metadata
                self._etag, self._size = sent.etag, int(sent.content_length)
                self._sent_md5, self._sent_crc = sent.content_md5, sent.bce_content_crc_32
            while piece := body.read(_COPY_BYTES):
                self._keep(piece)
        if self._file.tell() != self._size:
            raise BrokenBody(f"{self._file.tell()} of {self._size} bytes arrived")
        md5 = base64.b64encode(self._md5.digest()).decode()
        if (self._sent_md5 and self._sent_md5 != md5) or (self._sent_crc and int(self._sent_crc) != self._crc):
            self._restart()
            raise BrokenBody("the bytes do not match their checksum")

    def _keep(self, piece: bytes) -> None:
        self._md5.update(piece)
        self._crc = zlib.crc32(piece, self._crc)
        try:
            self._file.write(piece)
            self._file.flush()  # or a small object's bytes would find the disk full where nobody explains it
        except OSError as error:
            raise no_room(self._folder, error) from error


def no_room(folder: Path, error: OSError) -> StoreFull:
    """The error for a folder that can't take a download."""
    return StoreFull(
        f"Can't keep a download in {folder}: {os.strerror(error.errno or 0)}. "
        "Make room there, or name a folder on a larger disk with --scratch."
    )
