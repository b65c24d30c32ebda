"""Stores of the BOS server, with calls that fail fast."""

from typing import Any

from tasks.clients.bos.connection import BosOptions
from tasks.clients.bos.credentials import BosCredentials
from tasks.clients.bos.store import BosStore
from tests.servers.bos import BosServer

PART_BYTES = 128 * 1024


def open_store(bos: BosServer, prefix: str = "kefu", **options: Any) -> BosStore:
    credentials: dict[str, Any] = {
        "endpoint": bos.endpoint,
        "access_key_id": bos.access_key_id,
        "secret_access_key": bos.secret_access_key,
        "session_token": "",
        "renewed": None,
    }
    calls: dict[str, Any] = {"attempts": 8, "backoff_seconds": 0.001, "timeout_seconds": 90, "part_bytes": PART_BYTES}
    bucket, scratch = options.pop("bucket", bos.bucket), options.pop("scratch", None)
    for name, value in options.items():
        (credentials if name in credentials else calls)[name] = value
    return BosStore(bucket, prefix, BosCredentials(**credentials), scratch=scratch, options=BosOptions(**calls))
