"""A strict BOS on loopback: signatures, pages, conditions, multipart uploads, and faults on demand.

Objects are files of a folder, so a server can be stopped and started over the same state. Errors are
`{"code", "message", "requestId"}`. `python -m tests.servers.bos --port P --root DIR` runs it and prints its address;
there `GET /_stats` tells what happened and `POST /_control` sets faults.
"""

import argparse
import contextlib
import threading
import time
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

import orjson

from tests.servers.bce_auth import verify
from tests.servers.bos_bucket import Bucket
from tests.servers.bos_objects import ObjectCalls
from tests.servers.bos_state import BosState, Seen
from tests.servers.bos_uploads import UploadCalls
from tests.servers.bos_wire import BosHttpServer, Reply, WireError

MAX_KEY_BYTES = 1024
_AUTH_CODES = {
    "no bce-auth-v1 authorization": (403, "AccessDenied"),
    "unknown access key": (403, "InvalidAccessKeyId"),
    "malformed time": (400, "InvalidHTTPAuthHeader"),
    "expired": (400, "RequestExpired"),
}


class BosServer(BosState):
    """The server in its own threads: `with BosServer() as bos: bos.endpoint`."""

    def __enter__(self) -> "BosServer":
        for folder in (self._root / self.bucket, *(path for path in self._root.iterdir() if path.is_dir())):
            self.buckets[folder.name] = Bucket(folder)
        self._server = BosHttpServer(("127.0.0.1", self._port), self, _Handler)
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


class _Handler(ObjectCalls, UploadCalls):
    """Takes a request apart, and gives it to its call."""

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
            raise WireError(403, "AccessDenied", "The session token is unknown or has expired.")
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
