"""Multipart uploads to BOS: parts that become visible as one object, and those that dead writers left."""

import base64
import hashlib
import zlib
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from tasks.clients.bos.connection import BosConnection
from tasks.domain.errors import ObjectMissing, StoreUnavailable

_MAX_PARTS = 10_000


class MultipartUpload:
    """One upload: begun at once, and either completed or aborted.

    Args:
        connection: the bucket.
        full: the object's whole key.
        where: its address, for messages.
    """

    def __init__(self, connection: BosConnection, full: str, where: str) -> None:
        self._connection = connection
        self._full = full
        self._where = where
        begin = partial(connection.client.initiate_multipart_upload, connection.bucket, full)
        self._id = connection.call("write", where, begin).upload_id
        self._parts: list[dict[str, Any]] = []
        self._crc = 0

    def send(self, path: Path, part_bytes: int) -> None:
        """Upload a file in parts of at least `part_bytes`, none visible yet.

        Raises:
            StoreUnavailable: somebody aborted the upload, or faults outlasted the retries.
        """
        part_bytes = max(part_bytes, -(-path.stat().st_size // _MAX_PARTS))
        with path.open("rb") as file:
            while data := file.read(part_bytes):
                number, self._crc = len(self._parts) + 1, zlib.crc32(data, self._crc)
                send = partial(
                    self._connection.client.upload_part,
                    self._connection.bucket,
                    self._full,
                    self._id,
                    number,
                    len(data),
                    data,
                    md5_of(data),
                )
                try:
                    part = self._connection.call("write", self._where, send)
                except ObjectMissing:
                    raise aborted_upload(self._where) from None
                self._parts.append({"partNumber": number, "eTag": part.metadata.etag})

    def complete(self, metadata: Mapping[str, str], condition: Mapping[bytes, str]) -> str:
        """Make the parts visible as one object with this metadata, if the condition holds; return its etag."""
        request = partial(
            self._connection.client.complete_multipart_upload,
            self._connection.bucket,
            self._full,
            self._id,
            self._parts,
            user_metadata=metadata,
            content_crc32=self._crc,
            cond_read_write=condition,
        )
        return str(self._connection.call("write", self._where, request).etag)

    def abort(self) -> None:
        """Remove the parts; no error if the upload is gone already."""
        _abort(self._connection, self._full, self._id)


def abort_uploads(connection: BosConnection, prefix: str, where: str, started_before: datetime) -> int:
    """Abort the uploads under a prefix that began before an instant; return how many."""
    aborted = 0
    marker: str | None = None
    while True:
        listing = partial(
            connection.client.list_multipart_uploads, connection.bucket, prefix=prefix or None, key_marker=marker
        )
        page = connection.call("list uploads of", where, listing)
        found = page.uploads or []
        for upload in found:
            if datetime.fromisoformat(upload.initiated) < started_before:
                _abort(connection, upload.key, upload.upload_id)
                aborted += 1
        if not page.is_truncated or not found:
            return aborted
        marker = page.next_key_marker or found[-1].key


def md5_of(data: bytes) -> str:
    """The MD5 of data in Base64, as the header Content-MD5 has it."""
    return base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()


def aborted_upload(where: str) -> StoreUnavailable:
    """The error for an upload that somebody else aborted."""
    return StoreUnavailable(f"Can't write {where}: its upload was given up by somebody. Start again.")


def _abort(connection: BosConnection, full: str, upload_id: str) -> None:
    abort = partial(connection.client.abort_multipart_upload, connection.bucket, full, upload_id)
    with suppress(ObjectMissing):
        connection.call("abort the upload of", f"bos://{connection.bucket}/{full}", abort)
