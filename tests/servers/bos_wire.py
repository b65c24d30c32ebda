"""The wire of the BOS server: replies, errors, conditions and broken connections."""

import base64
import contextlib
import hashlib
import socket
import struct
import uuid
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult

import orjson

from tests.servers.bos_bucket import Entry
from tests.servers.bos_state import BosState

_KEPT_HEADERS = ("content-type", "content-encoding", "x-bce-content-crc32")


class WireError(Exception):
    """An error reply."""

    def __init__(self, status: int, code: str, message: str = "") -> None:
        super().__init__(code)
        self.status, self.code, self.message = status, code, message or code


@dataclass
class Reply:
    """A reply; `body` is bytes, or where they lie: a file with the offset and length to send."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | tuple[Path, int, int] = b""


class BosHttpServer(ThreadingHTTPServer):
    """The HTTP server around a state."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 1024

    def __init__(self, address: tuple[str, int], bos: BosState, handler: type[BaseHTTPRequestHandler]) -> None:
        self.bos = bos
        super().__init__(address, handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is its own business."""


class BosCall(BaseHTTPRequestHandler):
    """One request: its conditions, its checks and its reply."""

    protocol_version = "HTTP/1.1"
    server: BosHttpServer
    url: SplitResult
    query: dict[str, str]
    data: bytes
    opened: Any

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: the log is `BosServer.log`."""

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
        lines = [f"HTTP/1.1 {reply.status} {reason_of(reply.status)}", *(f"{k}: {v}" for k, v in headers.items())]
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


def base64_of(hexadecimal: str) -> str:
    return base64.b64encode(bytes.fromhex(hexadecimal)).decode()


def iso_time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def reason_of(status: int) -> str:
    reasons: Mapping[int, str] = {200: "OK", 204: "No Content", 206: "Partial Content", 404: "Not Found"}
    return reasons.get(status, "Status")
