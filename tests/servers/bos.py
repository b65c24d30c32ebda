"""A strict BOS on loopback: signatures, pages, conditions, multipart uploads, and faults on demand.

Objects are files of a folder, so a server can be stopped and started over the same state. Errors are
`{"code", "message", "requestId"}`. `python -m tests.servers.bos --port P --root DIR` runs it and prints its address;
there `GET /_stats` tells what happened and `POST /_control` sets faults.
"""

import argparse
import base64
import contextlib
import hashlib
import os
import random
import socket
import struct
import tempfile
import threading
import time
import uuid
import zlib
from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import orjson

from tests.servers.bce_auth import verify

FAULTS = (
    "http_500",
    "slow_down",  # 503
    "html_502",
    "reset_before",  # no work was done
    "reset_after",  # the work was done, the reply is lost
    "cut_short",  # the work was done, half the body under the right Content-Length
    "corrupt",  # a GET's body with one byte changed
    "stall",  # the work was done, the reply does not come for stall_seconds
)
MIN_PART_BYTES = 100 * 1024
MAX_KEY_BYTES = 1024
_AUTH_CODES = {
    "no bce-auth-v1 authorization": (403, "AccessDenied"),
    "unknown access key": (403, "InvalidAccessKeyId"),
    "malformed time": (400, "InvalidHTTPAuthHeader"),
    "expired": (400, "RequestExpired"),
}
_KEPT_HEADERS = ("content-type", "content-encoding", "x-bce-content-crc32")


class WireError(Exception):
    """An error reply."""

    def __init__(self, status: int, code: str, message: str = "") -> None:
        super().__init__(code)
        self.status, self.code, self.message = status, code, message or code


@dataclass(frozen=True)
class Seen:
    """One request, as it was understood and as it ended."""

    operation: str  # put, get, head, delete, list, copy, initiate, part, complete, abort, list_uploads, …
    key: str
    status: int
    fault: str
    seconds: float


@dataclass(frozen=True)
class Entry:
    """An object's data besides its bytes."""

    key: str
    size: int
    etag: str
    modified: float
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Upload:
    """An unfinished multipart upload."""

    key: str
    started: float
    headers: dict[str, str]
    parts: dict[int, tuple[str, bytes]] = field(default_factory=dict)


@dataclass
class Reply:
    """A reply; `body` is bytes, or where they lie: a file with the offset and length to send."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | tuple[Path, int, int] = b""


class Bucket:
    """Objects of one bucket: a file each (a line of JSON, then the bytes), replaced atomically."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.uploads: dict[str, Upload] = {}
        self.entries: dict[str, Entry] = {}
        for path in folder.iterdir():
            if path.suffix == ".new":
                path.unlink()
                continue
            with path.open("rb") as file:
                entry = Entry(**orjson.loads(file.readline()))
            self.entries[entry.key] = entry
        self.keys = sorted(self.entries)

    def path(self, key: str) -> Path:
        return self.folder / hashlib.sha256(key.encode()).hexdigest()

    def put(self, entry: Entry, data: bytes) -> None:
        path = self.path(entry.key)
        new = path.with_suffix(".new")
        new.write_bytes(orjson.dumps(asdict(entry)) + b"\n" + data)
        os.replace(new, path)
        if entry.key not in self.entries:
            self.keys.insert(bisect_left(self.keys, entry.key), entry.key)
        self.entries[entry.key] = entry

    def open(self, entry: Entry) -> tuple[Any, int]:
        """The object's file and where its bytes begin."""
        file = self.path(entry.key).open("rb")
        return file, len(file.readline())

    def read(self, entry: Entry) -> bytes:
        file, start = self.open(entry)
        with file:
            file.seek(start)
            return bytes(file.read())

    def remove(self, key: str) -> None:
        self.path(key).unlink()
        del self.entries[key]
        del self.keys[bisect_left(self.keys, key)]


class BosServer:
    """The server in its own threads: `with BosServer() as bos: bos.endpoint`.

    `faults` maps names of `FAULTS` to probabilities, drawn per request; `script` holds the fate of the next
    requests ("" for none) and goes first. `before` and `after` are called in the request's thread with
    its operation and key, before the work and between the work and the reply: they may block.
    """

    def __init__(
        self,
        root: Path | None = None,
        *,
        port: int = 0,
        bucket: str = "kefu-logs",
        seed: int = 7,
        access_key_id: str = "test-access-key-id",
        secret_access_key: str = "test-secret-access-key",
        session_token: str = "",
        stall_seconds: float = 30.0,
    ) -> None:
        self.bucket = bucket
        self.access_key_id, self.secret_access_key, self.session_token = access_key_id, secret_access_key, session_token
        self.faults: dict[str, float] = {}
        self.script: deque[str] = deque()
        self.stall_seconds = stall_seconds
        self.denied: set[str] = set()  # operations that the key has no permission for
        self.max_page = 1000
        self.ranges = True  # False: a range is answered with the whole object
        self.bare_etags = False  # True: conditions name etags without quotes
        self.before: Callable[[str, str], None] | None = None
        self.after: Callable[[str, str], None] | None = None
        self.log: list[Seen] = []
        self.endpoint = ""
        self._port = port
        self._random = random.Random(seed)
        self._temporary = tempfile.TemporaryDirectory() if root is None else None
        self._root = Path(self._temporary.name) if self._temporary else Path(root or ".")
        self.lock = threading.RLock()
        self.stopping = threading.Event()
        self.buckets: dict[str, Bucket] = {}

    def __enter__(self) -> "BosServer":
        for folder in (self._root / self.bucket, *(path for path in self._root.iterdir() if path.is_dir())):
            self.buckets[folder.name] = Bucket(folder)
        self._server = _Server(("127.0.0.1", self._port), self)
        self.endpoint = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="bos", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._thread.join(10)
        self._server.server_close()
        if self._temporary is not None:
            self._temporary.cleanup()

    @property
    def requests(self) -> Counter[str]:
        """Count the requests of each operation."""
        return Counter(seen.operation for seen in self.log)

    def keys(self, bucket: str = "") -> list[str]:
        """The keys of a bucket, in order."""
        with self.lock:
            return list(self.buckets[bucket or self.bucket].keys)

    def put(self, key: str, data: bytes, bucket: str = "", **headers: str) -> None:
        """Store an object without a request."""
        with self.lock:
            etag = hashlib.md5(data).hexdigest()
            self.buckets[bucket or self.bucket].put(Entry(key, len(data), etag, time.time(), headers), data)

    def read(self, key: str, bucket: str = "") -> bytes:
        """An object's bytes without a request."""
        with self.lock:
            place = self.buckets[bucket or self.bucket]
            return place.read(place.entries[key])

    def uploads(self, bucket: str = "") -> list[Upload]:
        """The unfinished multipart uploads."""
        with self.lock:
            return list(self.buckets[bucket or self.bucket].uploads.values())

    def spread_faults(self, probability: float, *, without: tuple[str, ...] = ("stall",)) -> None:
        """Let requests fail with this probability, all kinds alike."""
        chosen = [name for name in FAULTS if name not in without]
        self.faults = dict.fromkeys(chosen, probability / len(chosen))

    def draw_fault(self) -> str:
        with self.lock:
            if self.script:
                return self.script.popleft()
            roll = self._random.random()
            for name, probability in self.faults.items():
                roll -= probability
                if roll < 0:
                    return name
            return ""

    def stats(self) -> dict[str, Any]:
        """Totals for other processes."""
        log = list(self.log)
        return {
            "requests": dict(Counter(seen.operation for seen in log)),
            "statuses": {str(status): count for status, count in Counter(seen.status for seen in log).items()},
            "faults": dict(Counter(seen.fault for seen in log if seen.fault)),
            "objects": {name: len(bucket.keys) for name, bucket in self.buckets.items()},
            "uploads": {name: len(bucket.uploads) for name, bucket in self.buckets.items()},
        }


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 1024

    def __init__(self, address: tuple[str, int], bos: BosServer) -> None:
        self.bos = bos
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is its own business."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: the log is `BosServer.log`."""

    def do_GET(self) -> None:
        began, bos = time.perf_counter(), self.server.bos
        self.url = urlsplit(self.path)
        self.data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.url.path.startswith("/_"):
            self._send(self._inspect(), "")
            return
        self.query = dict(parse_qsl(self.url.query, keep_blank_values=True))
        bucket, _, key = unquote(self.url.path).removeprefix("/").partition("/")
        host = self.headers.get("Host", "").partition(":")[0].split(".")
        if len(host) == 4 and host[2:] == ["bcebos", "com"]:
            bucket, key = host[0], unquote(self.url.path).removeprefix("/")
        operation = self._operation(key)
        fault = bos.draw_fault()
        if fault == "reset_before":
            bos.log.append(Seen(operation, key, 0, fault, time.perf_counter() - began))
            self._reset()
            return
        try:
            reply = self._broken(fault) or self._work(operation, bucket, key)
        except WireError as error:
            reply = self._error(error)
        bos.log.append(Seen(operation, key, reply.status, fault, time.perf_counter() - began))
        if fault == "stall":
            bos.stopping.wait(bos.stall_seconds)
        if fault in ("reset_after", "stall"):
            self._reset()
            return
        self._send(reply, fault)

    do_PUT = do_POST = do_DELETE = do_HEAD = do_GET

    def _inspect(self) -> Reply:
        bos = self.server.bos
        if self.url.path == "/_control":
            for name, value in orjson.loads(self.data).items():
                if name not in ("faults", "stall_seconds", "max_page"):
                    return self._json({"unknown": name}, 400)
                setattr(bos, name, value)
        return self._json(bos.stats())

    def _operation(self, key: str) -> str:
        query, method = self.query, self.command
        if "uploadId" in query:
            return {"PUT": "part", "POST": "complete", "DELETE": "abort"}.get(method, "list_parts")
        if "uploads" in query:
            return "initiate" if method == "POST" else "list_uploads"
        if not key:
            return {"PUT": "put_bucket", "HEAD": "head_bucket", "DELETE": "delete_bucket"}.get(method, "list")
        if "x-bce-copy-source" in self.headers:
            return "copy"
        return method.lower()

    def _broken(self, fault: str) -> Reply | None:
        if fault == "http_500":
            raise WireError(500, "InternalError", "We encountered an internal error. Please try again.")
        if fault == "slow_down":
            raise WireError(503, "SlowDown", "Please reduce your request rate.")
        if fault == "html_502":
            page = b"<html><head><title>502 Bad Gateway</title></head><body>502</body></html>"
            return Reply(502, {"Content-Type": "text/html"}, page)
        return None

    def _work(self, operation: str, bucket: str, key: str) -> Reply:
        bos = self.server.bos
        problem = verify(
            self.command,
            self.url.path,
            self.url.query,
            dict(self.headers.items()),
            bos.access_key_id,
            bos.secret_access_key,
        )
        if problem:
            raise WireError(*_AUTH_CODES.get(problem, (403, "SignatureDoesNotMatch")), problem)
        if bos.session_token and self.headers.get("x-bce-security-token") != bos.session_token:
            raise WireError(403, "AccessDenied", "the session token is wrong")
        if operation in bos.denied:
            raise WireError(403, "AccessDenied", "Access denied.")
        if len(key.encode()) > MAX_KEY_BYTES or any(part in (".", "..") for part in key.split("/")):
            raise WireError(400, "InvalidURI", "Could not parse the specified URI.")
        if bos.before is not None:
            bos.before(operation, key)
        with bos.lock:
            if bucket not in bos.buckets and operation != "put_bucket":
                raise WireError(404, "NoSuchBucket", "The specified bucket does not exist.")
            reply: Reply = getattr(self, f"_{operation}")(bos.buckets.get(bucket), key or bucket)
        if bos.after is not None:
            bos.after(operation, key)
        return reply

    # Buckets

    def _put_bucket(self, bucket: Bucket | None, name: str) -> Reply:
        bos = self.server.bos
        if bucket is not None:
            raise WireError(409, "BucketAlreadyExists")
        bos.buckets[name] = Bucket(bos._root / name)
        return Reply()

    def _head_bucket(self, bucket: Bucket, name: str) -> Reply:
        return Reply()

    def _delete_bucket(self, bucket: Bucket, name: str) -> Reply:
        if bucket.keys:
            raise WireError(409, "BucketNotEmpty")
        del self.server.bos.buckets[name]
        bucket.folder.rmdir()
        return Reply(204)

    def _list(self, bucket: Bucket, name: str) -> Reply:
        prefix, marker = self.query.get("prefix", ""), self.query.get("marker", "")
        delimiter = self.query.get("delimiter", "")
        limit = min(int(self.query.get("maxKeys") or 1000), self.server.bos.max_page)
        contents: list[dict[str, Any]] = []
        folders: list[str] = []
        last, truncated = "", False
        for key in bucket.keys[bisect_left(bucket.keys, max(prefix, marker)) :]:
            if not key.startswith(prefix):
                break
            folder = ""
            if delimiter and delimiter in key[len(prefix) :]:
                folder = prefix + key[len(prefix) :].partition(delimiter)[0] + delimiter
            if key <= marker or (folder and (folder <= marker or folder in folders[-1:])):
                continue
            if len(contents) + len(folders) == limit:
                truncated = True
                break
            last = folder or key
            if folder:
                folders.append(folder)
                continue
            entry = bucket.entries[key]
            contents.append(
                {
                    "key": key,
                    "lastModified": _iso(entry.modified),
                    "eTag": entry.etag,
                    "size": entry.size,
                    "storageClass": "STANDARD",
                    "owner": {"id": "owner", "displayName": "owner"},
                }
            )
        page = {
            "name": name,
            "prefix": prefix,
            "delimiter": delimiter,
            "marker": marker,
            "maxKeys": limit,
            "isTruncated": truncated,
            "contents": contents,
        }
        if truncated:
            page["nextMarker"] = last
        if folders:
            page["commonPrefixes"] = [{"prefix": folder} for folder in folders]
        return self._json(page)

    # Objects

    def _found(self, bucket: Bucket, key: str) -> Entry:
        if key not in bucket.entries:
            raise WireError(404, "NoSuchKey", "The specified key does not exist.")
        return bucket.entries[key]

    def _check_conditions(self, entry: Entry | None) -> None:
        match, none_match = self.headers.get("If-Match"), self.headers.get("If-None-Match")
        if match is not None and (entry is None or not self._names(match, entry)):
            raise WireError(412, "PreconditionFailed", "The specified If-Match header doesn't match the ETag header.")
        if none_match is not None and entry is not None and self._names(none_match, entry):
            if self.command in ("GET", "HEAD"):
                raise WireError(304, "NotModified")
            raise WireError(412, "PreconditionFailed", "The object exists.")
        unmodified = self.headers.get("If-Unmodified-Since")
        if unmodified and entry is not None and entry.modified >= parsedate_to_datetime(unmodified).timestamp() + 1:
            raise WireError(412, "PreconditionFailed", "The object was modified.")

    def _names(self, header: str, entry: Entry) -> bool:
        etag = entry.etag if self.server.bos.bare_etags else f'"{entry.etag}"'
        return any(name.strip() in ("*", etag) for name in header.split(","))

    def _check_digests(self, data: bytes) -> None:
        told = self.headers.get("Content-MD5")
        if told and told != base64.b64encode(hashlib.md5(data).digest()).decode():
            raise WireError(400, "BadDigest", "The Content-MD5 you specified did not match what we received.")
        crc = self.headers.get("x-bce-content-crc32")
        if crc and int(crc) != zlib.crc32(data):
            raise WireError(400, "BadDigest", "The CRC32 you specified did not match what we received.")

    def _given_headers(self) -> dict[str, str]:
        return {
            name.lower(): value
            for name, value in self.headers.items()
            if name.lower() in _KEPT_HEADERS or name.lower().startswith("x-bce-meta-")
        }

    def _put(self, bucket: Bucket, key: str) -> Reply:
        self._check_digests(self.data)
        self._check_conditions(bucket.entries.get(key))
        etag = hashlib.md5(self.data).hexdigest()
        bucket.put(Entry(key, len(self.data), etag, time.time(), self._given_headers()), self.data)
        return Reply(200, {"ETag": f'"{etag}"', "Content-MD5": _base64(etag)})

    def _copy(self, bucket: Bucket, key: str) -> Reply:
        source, _, source_key = unquote(self.headers["x-bce-copy-source"]).removeprefix("/").partition("/")
        if source not in self.server.bos.buckets:
            raise WireError(404, "NoSuchBucket")
        place = self.server.bos.buckets[source]
        entry = self._found(place, source_key)
        self._check_conditions(bucket.entries.get(key))
        copied = Entry(key, entry.size, entry.etag, time.time(), entry.headers)
        bucket.put(copied, place.read(entry))
        return self._json({"eTag": entry.etag, "lastModified": _iso(copied.modified)})

    def _head(self, bucket: Bucket, key: str) -> Reply:
        return self._get(bucket, key)

    def _get(self, bucket: Bucket, key: str) -> Reply:
        entry = self._found(bucket, key)
        self._check_conditions(entry)
        first, last, status = 0, entry.size - 1, 200
        headers = {
            "Content-Type": "application/octet-stream",
            **entry.headers,
            "ETag": f'"{entry.etag}"',
            "Last-Modified": format_datetime(datetime.fromtimestamp(entry.modified, UTC), usegmt=True),
            "Accept-Ranges": "bytes",
        }
        if not entry.etag.startswith("-"):
            headers["Content-MD5"] = _base64(entry.etag)
        span = self.headers.get("Range", "")
        if span.startswith("bytes=") and self.server.bos.ranges:
            begin, _, end = span.removeprefix("bytes=").partition("-")
            first = int(begin)
            last = min(last, int(end)) if end else last
            if first > last:
                raise WireError(416, "InvalidRange", "The requested range cannot be satisfied.")
            status = 206
            headers["Content-Range"] = f"bytes {first}-{last}/{entry.size}"
        file, start = bucket.open(entry)
        self.opened = file
        return Reply(status, headers, (bucket.path(key), start + first, last - first + 1))

    def _delete(self, bucket: Bucket, key: str) -> Reply:
        self._found(bucket, key)
        bucket.remove(key)
        return Reply(204)

    # Multipart uploads

    def _initiate(self, bucket: Bucket, key: str) -> Reply:
        upload_id = uuid.uuid4().hex
        bucket.uploads[upload_id] = Upload(key, time.time(), self._given_headers())
        return self._json({"bucket": self.server.bos.bucket, "key": key, "uploadId": upload_id})

    def _upload(self, bucket: Bucket, key: str) -> Upload:
        upload = bucket.uploads.get(self.query["uploadId"])
        if upload is None or upload.key != key:
            raise WireError(404, "NoSuchUpload", "The specified multipart upload does not exist.")
        return upload

    def _part(self, bucket: Bucket, key: str) -> Reply:
        upload, number = self._upload(bucket, key), int(self.query["partNumber"])
        if not 1 <= number <= 10_000:
            raise WireError(400, "InvalidArgument", "partNumber")
        self._check_digests(self.data)
        etag = hashlib.md5(self.data).hexdigest()
        upload.parts[number] = etag, self.data
        return Reply(200, {"ETag": f'"{etag}"'})

    def _complete(self, bucket: Bucket, key: str) -> Reply:
        upload = self._upload(bucket, key)
        listed = [(part["partNumber"], part["eTag"].strip('"')) for part in orjson.loads(self.data)["parts"]]
        if not listed or [number for number, _ in listed] != sorted({number for number, _ in listed}):
            raise WireError(400, "InvalidPartOrder", "The parts must be in ascending order.")
        if any(upload.parts.get(number, ("", b""))[0] != etag for number, etag in listed):
            raise WireError(400, "InvalidPart", "One or more of the parts could not be found.")
        pieces = [upload.parts[number][1] for number, _ in listed]
        if any(len(piece) < MIN_PART_BYTES for piece in pieces[:-1]):
            raise WireError(400, "EntityTooSmall", "A part is smaller than the minimum.")
        data = b"".join(pieces)
        crc = self.headers.get("x-bce-content-crc32")
        if crc and int(crc) != zlib.crc32(data):
            raise WireError(400, "BadDigest", "The CRC32 you specified did not match what we received.")
        self._check_conditions(bucket.entries.get(key))
        etag = "-" + hashlib.md5("".join(etag for _, etag in listed).encode()).hexdigest()
        given = {name: value for name, value in self._given_headers().items() if name != "content-type"}
        bucket.put(Entry(key, len(data), etag, time.time(), {**upload.headers, **given}), data)
        del bucket.uploads[self.query["uploadId"]]
        return self._json({"location": "", "bucket": self.server.bos.bucket, "key": key, "eTag": etag})

    def _abort(self, bucket: Bucket, key: str) -> Reply:
        self._upload(bucket, key)
        del bucket.uploads[self.query["uploadId"]]
        return Reply(204)

    def _list_parts(self, bucket: Bucket, key: str) -> Reply:
        parts = sorted(self._upload(bucket, key).parts.items())
        listed = [{"partNumber": number, "eTag": etag, "size": len(data)} for number, (etag, data) in parts]
        return self._json({"key": key, "uploadId": self.query["uploadId"], "isTruncated": False, "parts": listed})

    def _list_uploads(self, bucket: Bucket, name: str) -> Reply:
        prefix, marker = self.query.get("prefix", ""), self.query.get("keyMarker", "")
        limit = min(int(self.query.get("maxUploads") or 1000), self.server.bos.max_page)
        found = sorted(
            (upload.key, upload_id, upload.started)
            for upload_id, upload in bucket.uploads.items()
            if upload.key.startswith(prefix) and upload.key > marker
        )
        page: dict[str, Any] = {
            "bucket": name,
            "prefix": prefix,
            "isTruncated": len(found) > limit,
            "uploads": [
                {"key": key, "uploadId": upload_id, "initiated": _iso(started)}
                for key, upload_id, started in found[:limit]
            ],
        }
        if len(found) > limit:
            page["nextKeyMarker"] = found[limit - 1][0]
        return self._json(page)

    # Replies

    def _json(self, body: Any, status: int = 200) -> Reply:
        return Reply(status, {"Content-Type": "application/json; charset=utf-8"}, orjson.dumps(body))

    def _error(self, error: WireError) -> Reply:
        if error.status == 304:
            return Reply(304)
        body = {"code": error.code, "message": error.message, "requestId": str(uuid.uuid4())}
        return self._json(body, error.status)

    def _reset(self) -> None:
        self.close_connection = True
        self._close_opened()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        for stream in (self.rfile, self.wfile, self.connection):
            stream.close()

    def _close_opened(self) -> None:
        file = self.__dict__.pop("opened", None)
        if file is not None:
            file.close()

    def _send(self, reply: Reply, fault: str) -> None:
        length = len(reply.body) if isinstance(reply.body, bytes) else reply.body[2]
        headers = {
            "Server": "BceBos",
            "x-bce-request-id": str(uuid.uuid4()),
            **reply.headers,
            "Date": format_datetime(datetime.now(UTC), usegmt=True),
        }
        if reply.status not in (204, 304):
            headers.setdefault("Content-Length", str(length))
        if self.close_connection or fault == "cut_short":
            self.close_connection = True
            headers["Connection"] = "close"
        lines = [f"HTTP/1.1 {reply.status} {_reason(reply.status)}", *(f"{k}: {v}" for k, v in headers.items())]
        head = ("\r\n".join(lines) + "\r\n\r\n").encode()
        with contextlib.suppress(ConnectionError):
            if self.command == "HEAD" or reply.status in (204, 304):
                self.wfile.write(head)
            else:
                self._send_body(head, reply.body, length, fault)
        self._close_opened()

    def _send_body(self, head: bytes, body: bytes | tuple[Path, int, int], length: int, fault: str) -> None:
        if isinstance(body, bytes):
            self.wfile.write(head + (body[: length // 2] if fault == "cut_short" else body))
            return
        left = length // 2 if fault == "cut_short" else length
        self.opened.seek(body[1])
        while True:
            piece = self.opened.read(min(left, 1 << 20))
            left -= len(piece)
            if fault == "corrupt" and piece:
                piece = bytes([piece[0] ^ 1]) + piece[1:]
                fault = ""
            self.wfile.write(head + piece)
            head = b""
            if left <= 0 or not piece:
                return


def _base64(hexadecimal: str) -> str:
    return base64.b64encode(bytes.fromhex(hexadecimal)).decode()


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _reason(status: int) -> str:
    reasons: Mapping[int, str] = {200: "OK", 204: "No Content", 206: "Partial Content", 404: "Not Found"}
    return reasons.get(status, "Status")


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--root", type=Path)
    parser.add_argument("--bucket", default="kefu-logs")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--faults", type=float, default=0.0, help="probability of a fault for each request")
    options = parser.parse_args()
    if options.root is not None:
        options.root.mkdir(parents=True, exist_ok=True)
    with BosServer(options.root, port=options.port, bucket=options.bucket, seed=options.seed) as bos:
        bos.spread_faults(options.faults)
        print(bos.endpoint, bos.bucket, bos.access_key_id, bos.secret_access_key, flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
