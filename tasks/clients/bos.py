"""Baidu BOS as an object store, through bce-python-sdk.

What the SDK leaves open is closed here: a body cut short is noticed and taken again, an HTML error page of a proxy is
retried like any other fault, conditions go with every write that needs one, and unfinished uploads are given up.
"""

import base64
import hashlib
import json
import logging
import random
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from baidubce.auth.bce_credentials import BceCredentials
from baidubce.bce_client_configuration import BceClientConfiguration
from baidubce.exception import BceError, BceHttpClientError, BceServerError
from baidubce.retry.retry_policy import NoRetryPolicy
from baidubce.services.bos.bos_client import BosClient

from tasks.domain.errors import (
    BucketMissing,
    ObjectMissing,
    PreconditionFailed,
    StoreError,
    StoreRefused,
    StoreUnavailable,
    UsageError,
)
from tasks.domain.ports import Appender, StoredObject

T = TypeVar("T")

logging.getLogger("baidubce").setLevel(logging.CRITICAL)  # at DEBUG it would log signing keys

_ATTEMPTS = 6
_FIRST_WAIT_SECONDS = 0.25
_TIMEOUT_MILLISECONDS = 30_000
_PART_BYTES = 32 << 20
_SEGMENT_RECORDS = 256
_SEGMENT_SECONDS = 5.0
_LISTED_AT_A_TIME = 1000


class BosStore:
    """Objects of a bucket below a prefix.

    Args:
        bucket: its name.
        prefix: what all keys begin with, without a slash at its end; empty for the whole bucket.
        endpoint: `https://bj.bcebos.com` and its like; an address of an IP is called path-style.
        access_key_id: of the key pair.
        secret_access_key: of the key pair.
        first_wait_seconds: before the second try of a failed request; each further wait is twice as long.
    """

    def __init__(
        self,
        bucket: str,
        prefix: str,
        *,
        endpoint: str,
        access_key_id: str,
        secret_access_key: str,
        first_wait_seconds: float = _FIRST_WAIT_SECONDS,
    ) -> None:
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._endpoint = endpoint
        self._first_wait_seconds = first_wait_seconds
        self._client = BosClient(
            BceClientConfiguration(
                credentials=BceCredentials(access_key_id, secret_access_key),
                endpoint=endpoint,
                retry_policy=NoRetryPolicy(),
                connection_timeout_in_mills=_TIMEOUT_MILLISECONDS,
            )
        )
        self.uri = f"bos://{bucket}/{self._prefix}".rstrip("/")

    def uri_of(self, key: str) -> str:
        """The object's address."""
        return f"{self.uri}/{key}" if key else self.uri

    def list_objects(self, prefix: str = "") -> Iterator[StoredObject]:
        """Objects whose key begins with `prefix`, in key order, page by page."""
        marker = None
        while True:
            page = self._tried(
                prefix,
                lambda marker=marker: self._client.list_objects(
                    self._bucket, max_keys=_LISTED_AT_A_TIME, prefix=self._prefix + prefix, marker=marker
                ),
            )
            contents = getattr(page, "contents", None) or []
            for found in contents:
                yield StoredObject(
                    found.key[len(self._prefix) :],
                    int(found.size),
                    found.e_tag.strip('"'),
                    datetime.fromisoformat(found.last_modified.replace("Z", "+00:00")),
                )
            if not page.is_truncated:
                return
            marker = getattr(page, "next_marker", None) or contents[-1].key

    def stat(self, key: str) -> StoredObject | None:
        """The object, or None when there is none."""
        try:
            metadata = self._tried(
                key, lambda: self._client.get_object_meta_data(self._bucket, self._full(key)).metadata
            )
        except ObjectMissing:
            return None
        return StoredObject(key, int(metadata.content_length), _etag(metadata), _modified(metadata))

    def open_object(self, key: str) -> BinaryIO:
        """The whole object in an anonymous temporary file, checked against its length and checksum."""
        return self._tried(key, lambda: self._downloaded(key))

    def read_path(self, key: str) -> bytes:
        """The whole object in memory."""
        with self.open_object(key) as file:
            return file.read()

    def write_path(self, key: str, data: bytes, *, if_match: str | None = None, if_absent: bool = False) -> str:
        """Replace the object by `data`; return its etag, which is the MD5 of `data`."""
        digest = hashlib.md5(data, usedforsecurity=False)

        def put() -> str:
            response = self._client.put_object_from_string(
                self._bucket,
                self._full(key),
                data,
                content_md5=base64.b64encode(digest.digest()),
                cond_read_write=_condition(if_match, if_absent),
            )
            return _etag(response.metadata)

        return self._written(key, put, digest.hexdigest())

    def write_file(self, key: str, path: Path, *, if_match: str | None = None, if_absent: bool = False) -> str:
        """Replace the object by a file: at once, or in parts that become the object together."""
        if path.stat().st_size <= _PART_BYTES:
            return self.write_path(key, path.read_bytes(), if_match=if_match, if_absent=if_absent)
        upload = self._tried(
            key, lambda: self._client.initiate_multipart_upload(self._bucket, self._full(key)).upload_id
        )
        try:
            parts = []
            with path.open("rb") as file:
                while data := file.read(_PART_BYTES):
                    parts.append(self._uploaded_part(key, upload, len(parts) + 1, data))
            joined = hashlib.md5(b"".join(bytes.fromhex(part["eTag"]) for part in parts), usedforsecurity=False)

            def complete() -> str:
                response = self._client.complete_multipart_upload(
                    self._bucket, self._full(key), upload, parts, cond_read_write=_condition(if_match, if_absent)
                )
                return str(getattr(response, "e_tag", "") or _etag(response.metadata)).strip('"')

            return self._written(key, complete, f"-{joined.hexdigest()}")
        except BaseException:
            with suppress(BceError, StoreError):  # parts that nobody completes are paid for
                self._client.abort_multipart_upload(self._bucket, self._full(key), upload)
            raise

    def delete(self, key: str) -> None:
        """Remove the object; nothing happens when there is none."""
        with suppress(ObjectMissing):
            self._tried(key, lambda: self._client.delete_object(self._bucket, self._full(key)))

    def appender(self, key_prefix: str) -> Appender:
        """Records in numbered objects `key_prefix`-000001.jsonl …, put away every few seconds by a thread."""
        return _SegmentAppender(self, key_prefix)

    def _full(self, key: str) -> str:
        if any(part in (".", "..") for part in key.split("/")):
            raise UsageError(f"{self.uri_of(key)}: BOS takes no key with . or .. between slashes.")
        return self._prefix + key

    def _downloaded(self, key: str) -> BinaryIO:
        response = self._client.get_object(self._bucket, self._full(key))
        metadata = response.metadata
        file = tempfile.TemporaryFile()  # noqa: SIM115  the caller closes it
        try:
            digest, size = hashlib.md5(usedforsecurity=False), 0
            with closing(response.data) as body:
                while chunk := body.read(1 << 20):
                    digest.update(chunk)
                    size += len(chunk)
                    file.write(chunk)
            expected = getattr(metadata, "content_md5", None)
            etag = _etag(metadata)
            if size != int(metadata.content_length):
                raise _CutShort(f"{size} of {metadata.content_length} bytes arrived")
            if expected and base64.b64decode(expected) != digest.digest():
                raise _CutShort("the bytes do not match their Content-MD5")
            if not expected and len(etag) == 32 and etag != digest.hexdigest():
                raise _CutShort("the bytes do not match their eTag")
        except BaseException:
            file.close()
            raise
        file.seek(0)
        return file

    def _uploaded_part(self, key: str, upload: str, number: int, data: bytes) -> dict[str, Any]:
        digest = hashlib.md5(data, usedforsecurity=False)

        def put() -> str:
            response = self._client.upload_part(
                self._bucket,
                self._full(key),
                upload,
                number,
                len(data),
                BytesIO(data),
                part_md5=base64.b64encode(digest.digest()),
            )
            return _etag(response.metadata)

        return {"partNumber": number, "eTag": self._tried(key, put)}

    def _written(self, key: str, write: Callable[[], str], etag: str) -> str:
        tried_before = False

        def once() -> str:
            nonlocal tried_before
            try:
                return write()
            except BceError as error:
                # The reply to an earlier try may have been lost although the object was written: then the
                # condition fails on our own success.
                if tried_before and _status(error) in (404, 412):
                    stored = self.stat(key)
                    if stored is not None and stored.etag == etag:
                        return stored.etag
                tried_before = True
                raise

        return self._tried(key, once)

    def _tried(self, key: str, call: Callable[[], T]) -> T:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return call()
            except (BceError, OSError, _CutShort, json.JSONDecodeError) as error:
                fault = self._final(error, key)
                if fault is not None:
                    raise fault from error
                if attempt == _ATTEMPTS:
                    raise StoreUnavailable(
                        f"{self.uri_of(key)}: {_ATTEMPTS} tries failed, the last one with: {_words(error)}. "
                        f"Check {self._endpoint} and start the run again; what was done is kept."
                    ) from error
            time.sleep(self._first_wait_seconds * 2 ** (attempt - 1) * random.uniform(0.5, 1.0))
        raise AssertionError("unreachable")

    def _final(self, error: Exception, key: str) -> StoreError | None:  # noqa: PLR0911  one case a line
        """What no retry mends; None for what one may."""
        server = _server_error(error)
        if server is None:
            return None
        status, code = server.status_code, str(server.code or "")
        where = self.uri_of(key)
        if code == "NoSuchBucket":
            return BucketMissing(
                f"There is no bucket {self._bucket!r} at {self._endpoint}: check its name, and that BOS_ENDPOINT "
                "is its region's."
            )
        if status == 404:
            return ObjectMissing(f"There is no object {where}.")
        if status == 412:
            return PreconditionFailed(f"{where} was changed by somebody else.")
        if status in (301, 307) or code in ("PermanentRedirect", "IllegalRegion"):
            return BucketMissing(
                f"Bucket {self._bucket!r} is not in the region of {self._endpoint}: set BOS_ENDPOINT to its own."
            )
        if status in (401, 403) or code in ("SignatureDoesNotMatch", "InvalidAccessKeyId", "AccessDenied"):
            return StoreRefused(
                f"BOS refused {where} ({code or status}): check BCE_ACCESS_KEY_ID, BCE_SECRET_ACCESS_KEY and what "
                "they may do in this bucket."
            )
        if status is not None and 400 <= status < 500 and status not in (400, 408, 409, 429):
            return StoreError(f"BOS does not take the request for {where} ({code or status}): {_words(error)}.")
        return None


class _CutShort(Exception):
    """A download is not what was promised."""


class _SegmentAppender:
    """Records kept in memory until a thread of its own puts them away; `append` never waits for the network."""

    def __init__(self, store: BosStore, key_prefix: str) -> None:
        self._store = store
        self._key_prefix = key_prefix
        self._pending: list[bytes] = []
        self._segments = 0
        self._writing = threading.Lock()
        self._wake = threading.Event()
        self._closing = False
        self._thread: threading.Thread | None = None
        self._failure: StoreError | None = None

    def append(self, data: bytes) -> None:
        if self._failure is not None:
            raise self._failure
        if self._thread is None:
            self._thread = threading.Thread(target=self._put_away, name="answers", daemon=True)
            self._thread.start()
        self._pending.append(data)
        if len(self._pending) >= _SEGMENT_RECORDS:
            self._wake.set()

    def flush(self) -> None:
        with self._writing:
            count = len(self._pending)
            if count:
                self._segments += 1
                key = f"{self._key_prefix}-{self._segments:06}.jsonl"
                self._store.write_path(key, b"".join(self._pending[:count]))
                del self._pending[:count]

    def close(self) -> None:
        self._closing = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self.flush()

    def _put_away(self) -> None:
        while not self._closing:
            self._wake.wait(_SEGMENT_SECONDS)
            self._wake.clear()
            try:
                self.flush()
            except StoreError as error:  # said to the next `append`: the run must not go on buying
                self._failure = error
                return


def _condition(if_match: str | None, if_absent: bool) -> dict[bytes, bytes] | None:
    if if_match is not None:
        return {b"If-Match": f'"{if_match}"'.encode()}
    return {b"If-None-Match": b"*"} if if_absent else None


def _etag(metadata: Any) -> str:
    return str(metadata.etag).strip('"')


def _modified(metadata: Any) -> datetime:
    return datetime.strptime(metadata.last_modified, "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)


def _server_error(error: Exception) -> BceServerError | None:
    if isinstance(error, BceHttpClientError):
        error = error.last_error
    return error if isinstance(error, BceServerError) else None


def _status(error: Exception) -> int | None:
    server = _server_error(error)
    return server.status_code if server is not None else None


def _words(error: Exception) -> str:
    server = _server_error(error)
    if server is not None:
        return f"HTTP {server.status_code} {server.code or ''} {server}".strip()
    if isinstance(error, BceHttpClientError):
        error = error.last_error
    return f"{type(error).__name__}: {str(error)[:200]}"
