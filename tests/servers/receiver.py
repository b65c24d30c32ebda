"""A receiver of notifications on loopback, which may be told to fail or to refuse."""

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from queue import Queue
from typing import Any


@dataclass
class Receiver:
    """A receiver of posted notifications.

    Args:
        url: its address.
        posted: what was taken, in order.
        types: each request's Content-Type.
        replies: the next replies as (status, body), before it takes everything.
    """

    url: str = ""
    posted: Queue[dict[str, Any]] = field(default_factory=Queue)
    types: list[str | None] = field(default_factory=list)
    replies: list[tuple[int, bytes]] = field(default_factory=list)


@contextmanager
def receiver() -> Iterator[Receiver]:
    """A receiver, up until the block ends."""
    state = Receiver()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            state.types.append(self.headers["Content-Type"])
            status, reply = state.replies.pop(0) if state.replies else (200, b"{}")
            if status < 300:
                state.posted.put(json.loads(body))
            self.send_response(status)
            self.send_header("Content-Length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        state.url = f"http://127.0.0.1:{server.server_address[1]}/on-call"
        try:
            yield state
        finally:
            server.shutdown()
            thread.join()
