"""State of the BOS server: its buckets, its log, and the faults that a test asks for."""

import hashlib
import random
import tempfile
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.servers.bos_bucket import Bucket, Entry, Upload

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


@dataclass(frozen=True)
class Seen:
    """One request, as it was understood and as it ended."""

    operation: str  # put, get, head, delete, list, copy, initiate, part, complete, abort, list_uploads, …
    key: str
    status: int
    fault: str
    seconds: float


class BosState:
    """Buckets and behavior of a BOS server.

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
