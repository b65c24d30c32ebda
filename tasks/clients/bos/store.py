"""An object store in Baidu Object Storage, through bce-python-sdk.

What the SDK leaves open is closed here: faults are retried, downloads are checked against their length and digests (the
SDK keeps half a file without a word), writes are conditional, and every error states what to do about it.
"""

import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from tasks.clients.bos.appender import BosAppender
from tasks.clients.bos.connection import DEFAULT_OPTIONS, BosConnection, BosOptions
from tasks.clients.bos.credentials import BosCredentials
from tasks.clients.bos.download import BosDownload, no_room
from tasks.clients.bos.upload import MultipartUpload, abort_uploads, aborted_upload, md5_of
from tasks.domain.errors import ObjectMissing, PreconditionFailed, StoreError, UsageError
from tasks.domain.ports import Appender, Publish, StoredObject

_KEY_BYTES = 1024

_SMALL_BYTES = 1 << 20

_MARK = "written-by"


class BosStore:
    """Objects are those of `bucket` whose key begins with `prefix` and a slash. Safe in threads.

    Args:
        bucket: its name.
        prefix: of the keys in the bucket; empty for all of it.
        credentials: access to the bucket.
        scratch: the folder for objects being downloaded; the system's for temporary files by default.
        options: of the calls.

    Raises:
        UsageError: bucket, prefix or endpoint can't be right.
    """

    def __init__(
        self,
        bucket: str,
        prefix: str,
        credentials: BosCredentials,
        *,
        scratch: Path | None = None,
        options: BosOptions = DEFAULT_OPTIONS,
    ) -> None:
        self._connection = BosConnection(bucket, credentials, options)
        self._bucket = bucket
        self._client = self._connection.client
        self._call = self._connection.call
        self._root = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._scratch = scratch
        self._part_bytes = options.part_bytes
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
            download = BosDownload(file, self._folder)
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
                    content_md5=md5_of(data),
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
        upload = MultipartUpload(self._connection, self._full(key), self.uri_of(key))
        with ExitStack() as unpublished:
            unpublished.callback(_abort_quietly, upload)
            upload.send(content, self._part_bytes)
            mark = uuid.uuid4().hex
            complete = partial(upload.complete, {_MARK: mark})

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
        return BosAppender(self, key_prefix)

    def abort_uploads(self, started_before: datetime) -> int:
        """Give up multipart uploads that dead writers left, since they cost money; return how many.

        Args:
            started_before: younger ones may have a live writer.
        """
        return abort_uploads(self._connection, self._root, self.uri, started_before)

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
            raise aborted_upload(self.uri_of(key))
        raise PreconditionFailed(
            f"{self.uri_of(key)} exists already; nothing was written."
            if if_absent
            else f"{self.uri_of(key)} was changed by somebody else meanwhile; nothing was written."
        )

    def _temporary_file(self) -> BinaryIO:
        try:
            if self._scratch is not None:
                self._scratch.mkdir(parents=True, exist_ok=True)
            return tempfile.TemporaryFile(dir=self._scratch)
        except OSError as error:
            raise no_room(self._folder, error) from error

    @property
    def _folder(self) -> Path:
        return self._scratch or Path(tempfile.gettempdir())


def _abort_quietly(upload: MultipartUpload) -> None:
    with suppress(StoreError):
        upload.abort()
