"""An object store in Baidu Object Storage, through bce-python-sdk.

The SDK builds, signs and parses requests. What it leaves open is closed here: faults are retried (it would give up on
a proxy's HTML page), downloads are checked against their length and digests (it keeps half a file without a word), and
every error says what to do about it.
"""

import base64
import hashlib
import logging
import random
import re
import tempfile
import time
import uuid
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import partial
from http.client import HTTPException
from pathlib import Path
from typing import Any, BinaryIO, TypeVar
from urllib.parse import urlsplit

from baidubce.auth.bce_credentials import BceCredentials
from baidubce.bce_client_configuration import BceClientConfiguration
from baidubce.exception import BceHttpClientError
from baidubce.retry.retry_policy import NoRetryPolicy
from baidubce.services.bos.bos_client import BosClient

from tasks.clients.bos_appender import _BosAppender
from tasks.clients.bos_download import _BrokenBody, _Download, _no_room
from tasks.clients.bos_faults import _Fault
from tasks.domain.errors import (
    ObjectMissing,
    PreconditionFailed,
    StoreError,
    StoreUnavailable,
    UsageError,
)
from tasks.domain.ports import Appender, Publish, StoredObject

# At DEBUG the SDK logs signing keys and headers.
logging.getLogger("baidubce").setLevel(logging.WARNING)

_T = TypeVar("_T")

_BUCKET = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")

_KEY_BYTES = 1024

_MAX_PARTS = 10_000

_SMALL_BYTES = 1 << 20

_LONGEST_PAUSE_SECONDS = 8.0

_MARK = "written-by"


class _Client(BosClient):  # type: ignore[misc] # the SDK has no types
    """The SDK's client, closing its connections: it uses none twice and leaves them to the garbage collector."""

    def _send_request(self, *args: Any, headers: dict[bytes, Any] | None = None, **named: Any) -> Any:
        return super()._send_request(*args, headers={**(headers or {}), b"Connection": b"close"}, **named)


class BosStore:
    """Objects are those of `bucket` whose key begins with `prefix` and a slash. Safe in threads.

    Args:
        bucket: its name.
        prefix: where in the bucket; empty for all of it.
        endpoint: the region's address, such as `https://bj.bcebos.com`.
        access_key_id: whose requests they are.
        secret_access_key: signs them.
        session_token: for temporary credentials.
        scratch: the folder for objects being downloaded; the system's for temporary files by default.
        attempts: how often a request is tried before the fault counts as lasting.
        backoff_seconds: the mean pause after the first attempt; it doubles from one to the next.
        timeout_seconds: without a byte from the server.
        part_bytes: larger files go up in parts of this size.

    Raises:
        UsageError: bucket, prefix or endpoint can't be right.
    """

    def __init__(
        self,
        bucket: str,
        prefix: str = "",
        *,
        endpoint: str,
        access_key_id: str,
        secret_access_key: str,
        session_token: str = "",
        scratch: Path | None = None,
        attempts: int = 8,
        backoff_seconds: float = 0.25,
        timeout_seconds: float = 30.0,
        part_bytes: int = 32 << 20,
    ) -> None:
        if not _BUCKET.fullmatch(bucket):
            raise UsageError(
                f"bos://{bucket} names no bucket: 3 to 63 lowercase letters, digits and hyphens, no hyphen at the ends."
            )
        self._bucket = bucket
        self._root = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._endpoint = _checked_endpoint(endpoint)
        self._scratch = scratch
        self._attempts = attempts
        self._backoff_seconds = backoff_seconds
        self._part_bytes = part_bytes
        self._client = _Client(
            BceClientConfiguration(
                credentials=BceCredentials(access_key_id, secret_access_key),
                endpoint=self._endpoint,
                security_token=session_token or None,
                connection_timeout_in_mills=int(timeout_seconds * 1000),
                retry_policy=NoRetryPolicy(),
            )
        )
        if self._root:
            self._full(self._root.rstrip("/"), whole=True)

    @property
    def uri(self) -> str:
        """`bos://bucket/prefix`."""
        return f"bos://{self._bucket}/{self._root}".rstrip("/")

    def uri_of(self, key: str) -> str:
        """`bos://bucket/prefix/key`, nothing escaped."""
        return f"bos://{self._bucket}/{self._root}{key}".rstrip("/")

    def list_objects(self, prefix: str = "") -> Iterator[StoredObject]:
        """Objects whose key begins with `prefix`, in key order (code points); the console's folder marks are none."""
        marker: str | None = None
        while True:
            page = self._call(
                "list",
                self.uri_of(prefix),
                partial(self._client.list_objects, self._bucket, prefix=f"{self._root}{prefix}" or None, marker=marker),
            )
            found = page.contents or []
            for item in found:
                key = item.key.removeprefix(self._root)
                if key and not key.endswith("/"):
                    modified = datetime.fromisoformat(item.last_modified)
                    yield StoredObject(key=key, size=int(item.size), etag=item.etag, modified=modified)
            if not page.is_truncated or not found:
                return
            marker = page.next_marker or found[-1].key

    def stat(self, key: str) -> StoredObject | None:
        """The object, or None when there is none."""
        head = self._head(key)
        if head is None:
            return None
        return StoredObject(
            key=key,
            size=int(head.content_length),
            etag=head.etag,
            modified=parsedate_to_datetime(head.last_modified),
        )

    def open_object(self, key: str) -> BinaryIO:
        """The whole object, verified, as a temporary file without a name.

        Raises:
            ObjectMissing: there is no such object.
            StoreFull: the folder for temporary files is full.
        """
        full, where = self._full(key), self.uri_of(key)
        file = self._temporary_file()
        try:
            download = _Download(file, self._folder)
            self._call("read", where, lambda: download.advance(self._client, self._bucket, full, where))
            file.seek(0)
        except BaseException:
            with suppress(OSError):  # what the disk has no room for
                file.close()
            raise
        return file

    def read_path(self, key: str) -> bytes:
        """The whole object in memory, verified."""
        with self.open_object(key) as file:
            return file.read()

    def write_path(self, key: str, data: bytes, *, if_match: str | None = None, if_absent: bool = False) -> str:
        """Write one object with one request; return its etag.

        Args:
            key: where.
            data: the whole object.
            if_match: only over the object that has this etag.
            if_absent: only where there is no object.

        Raises:
            PreconditionFailed: somebody else was first.
        """
        full, where, mark = self._full(key), self.uri_of(key), uuid.uuid4().hex

        def put(condition: dict[bytes, str]) -> str:
            reply = self._call(
                "write",
                where,
                partial(
                    self._client.put_object,
                    self._bucket,
                    full,
                    data,
                    len(data),
                    content_md5=_md5(data),
                    user_metadata={_MARK: mark},
                    cond_read_write=condition,
                ),
            )
            return str(reply.metadata.etag)

        return self._write(key, mark, put, if_match, if_absent)

    def write_file(self, key: str, path: Path, *, if_match: str | None = None, if_absent: bool = False) -> str:
        """Write one object from a local file, a large one in parts that become visible as one.

        The service checks conditions as the object becomes visible, so they hold for large files too.
        """
        if path.stat().st_size <= self._part_bytes:
            return self.write_path(key, path.read_bytes(), if_match=if_match, if_absent=if_absent)
        with self.staged(key, path) as publish:
            return publish(if_match=if_match, if_absent=if_absent)

    @contextmanager
    def staged(self, key: str, content: Path | bytes) -> Iterator[Publish]:
        """A local file, uploaded in parts that become visible as one; what is small is sent as it is published."""
        if isinstance(content, Path) and content.stat().st_size <= min(_SMALL_BYTES, self._part_bytes):
            content = content.read_bytes()
        if isinstance(content, bytes):
            yield partial(self.write_path, key, content)
            return
        full, where = self._full(key), self.uri_of(key)
        upload_id = self._call(
            "write", where, partial(self._client.initiate_multipart_upload, self._bucket, full)
        ).upload_id
        with ExitStack() as unpublished:
            unpublished.callback(self._give_up, full, upload_id)
            parts, crc = self._upload(full, where, upload_id, content)
            mark = uuid.uuid4().hex

            def complete(condition: dict[bytes, str]) -> str:
                request = partial(
                    self._client.complete_multipart_upload,
                    self._bucket,
                    full,
                    upload_id,
                    parts,
                    user_metadata={_MARK: mark},
                    content_crc32=crc,
                    cond_read_write=condition,
                )
                return str(self._call("write", where, request).etag)

            def publish(*, if_match: str | None = None, if_absent: bool = False) -> str:
                etag = self._write(key, mark, complete, if_match, if_absent)
                unpublished.pop_all()
                return etag

            yield publish

    def delete(self, key: str) -> None:
        """Remove one object; no error when there is none."""
        with suppress(ObjectMissing):
            self._call("remove", self.uri_of(key), partial(self._client.delete_object, self._bucket, self._full(key)))

    def appender(self, key_prefix: str) -> Appender:
        """Records for objects `key_prefix` + `-000001.jsonl` and so on: one every 5 s, 256 records or `flush`.

        A crash loses the records since the last object. Existing objects are never touched.
        """
        self._full(key_prefix)
        return _BosAppender(self, key_prefix)

    def abort_uploads(self, started_before: datetime) -> int:
        """Give up multipart uploads that dead writers left, since they cost money; return how many.

        Args:
            started_before: younger ones may have a live writer.
        """
        aborted = 0
        marker: str | None = None
        while True:
            page = self._call(
                "list uploads of",
                self.uri,
                partial(
                    self._client.list_multipart_uploads, self._bucket, prefix=self._root or None, key_marker=marker
                ),
            )
            found = page.uploads or []
            for upload in found:
                if datetime.fromisoformat(upload.initiated) < started_before:
                    self._abort(upload.key, upload.upload_id)
                    aborted += 1
            if not page.is_truncated or not found:
                return aborted
            marker = page.next_key_marker or found[-1].key

    def _full(self, key: str, *, whole: bool = False) -> str:
        full = key if whole else f"{self._root}{key}"
        parts = full.split("/")
        if (
            not key
            or not parts[0]
            or not parts[-1]
            or any(part in (".", "..") for part in parts)
            or full.lower() == "v1"
            or len(full.encode("utf-8", "surrogatepass")) > _KEY_BYTES
        ):
            raise UsageError(
                f"BOS takes no object with the key {full!r}: it needs 1 to {_KEY_BYTES} bytes, "
                "no part that is '.' or '..', and no slash at the ends."
            )
        return full

    def _head(self, key: str) -> Any | None:
        where = self.uri_of(key)
        try:
            return self._call(
                "read", where, partial(self._client.get_object_meta_data, self._bucket, self._full(key))
            ).metadata
        except ObjectMissing:
            # The reply to a HEAD has no body that would tell a missing object from a missing bucket.
            self._call("list", where, partial(self._client.list_objects, self._bucket, max_keys=1, prefix=self._root))
            return None

    def _write(
        self,
        key: str,
        mark: str,
        send: Callable[[dict[bytes, str]], str],
        if_match: str | None,
        if_absent: bool,
    ) -> str:
        conditions: list[dict[bytes, str]] = [{}]
        if if_absent:
            conditions = [{b"If-None-Match": "*"}]
        if if_match is not None:
            conditions = [{b"If-Match": f'"{if_match}"'}, {b"If-Match": if_match}]
        for condition in conditions:
            try:
                return send(condition)
            except (PreconditionFailed, ObjectMissing):
                # Either somebody was first, or this very write was: its reply got lost and it met itself when repeated.
                there = self._head(key)
                if there is not None and getattr(there, f"bce_meta_{_MARK.replace('-', '_')}") == mark:
                    return str(there.etag)
                if there is None or there.etag != if_match:
                    break
                # Or the service wants an etag without the quotes that HTTP gives it.
        if not conditions[0]:
            raise _given_up(self.uri_of(key))
        raise PreconditionFailed(
            f"{self.uri_of(key)} exists already; nothing was written."
            if if_absent
            else f"{self.uri_of(key)} was changed by somebody else meanwhile; nothing was written."
        )

    def _upload(self, full: str, where: str, upload_id: str, path: Path) -> tuple[list[dict[str, Any]], int]:
        part_bytes = max(self._part_bytes, -(-path.stat().st_size // _MAX_PARTS))
        parts: list[dict[str, Any]] = []
        crc = 0
        with path.open("rb") as file:
            while data := file.read(part_bytes):
                number, crc = len(parts) + 1, zlib.crc32(data, crc)
                send = partial(
                    self._client.upload_part, self._bucket, full, upload_id, number, len(data), data, _md5(data)
                )
                try:
                    part = self._call("write", where, send)
                except ObjectMissing:
                    raise _given_up(where) from None
                parts.append({"partNumber": number, "eTag": part.metadata.etag})
        return parts, crc

    def _give_up(self, full: str, upload_id: str) -> None:
        with suppress(StoreError):
            self._abort(full, upload_id)

    def _abort(self, full: str, upload_id: str) -> None:
        abort = partial(self._client.abort_multipart_upload, self._bucket, full, upload_id)
        with suppress(ObjectMissing):
            self._call("abort the upload of", f"bos://{self._bucket}/{full}", abort)

    def _temporary_file(self) -> BinaryIO:
        try:
            if self._scratch is not None:
                self._scratch.mkdir(parents=True, exist_ok=True)
            return tempfile.TemporaryFile(dir=self._scratch)
        except OSError as error:
            raise _no_room(self._folder, error) from error

    @property
    def _folder(self) -> Path:
        return self._scratch or Path(tempfile.gettempdir())

    def _call(self, action: str, where: str, request: Callable[[], _T]) -> _T:
        pause = self._backoff_seconds
        for attempt in range(1, self._attempts + 1):
            try:
                return request()
            except (BceHttpClientError, OSError, HTTPException, _BrokenBody) as error:
                fault = _Fault(error)
                if not fault.passing or attempt == self._attempts:
                    raise fault.explain(action, where, self._bucket, self._endpoint, attempt) from None
            time.sleep(pause * random.uniform(0.5, 1.5))
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
        raise AssertionError("attempts is at least 1")


def _md5(data: bytes) -> str:
    return base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()


def _checked_endpoint(endpoint: str) -> str:
    # The SDK takes an address without a scheme for plain HTTP.
    address = (endpoint if "://" in endpoint else f"https://{endpoint}").rstrip("/")
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path:
        raise UsageError(f"BOS_ENDPOINT {endpoint!r} is no address: give a region's, such as https://bj.bcebos.com.")
    return address


def _given_up(where: str) -> StoreUnavailable:
    return StoreUnavailable(f"Can't write {where}: its upload was given up by somebody. Start again.")
