"""Calls to one bucket through bce-python-sdk, retried.

The SDK builds, signs and parses requests. It would give up on a proxy's HTML page; here every fault that may pass is
retried, and each error states what to do about it.
"""

import logging
import random
import re
import threading
import time
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from baidubce.auth.bce_credentials import BceCredentials
from baidubce.bce_client_configuration import BceClientConfiguration
from baidubce.exception import BceHttpClientError
from baidubce.retry.retry_policy import NoRetryPolicy
from baidubce.services.bos.bos_client import BosClient

from tasks.clients.bos.credentials import BosCredentials
from tasks.clients.bos.download import BrokenBody
from tasks.clients.bos.faults import BosFault
from tasks.domain.errors import UsageError

# At DEBUG the SDK logs signing keys and headers.
logging.getLogger("baidubce").setLevel(logging.WARNING)

_T = TypeVar("_T")

_BUCKET = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")

_LONGEST_PAUSE_SECONDS = 8.0


@dataclass(frozen=True, slots=True)
class BosOptions:
    """Retries, timeout and part size of calls to BOS.

    Args:
        attempts: of a request before its fault counts as lasting, at least 1.
        backoff_seconds: the mean pause after the first attempt; it doubles from one to the next.
        timeout_seconds: without a byte from the server.
        part_bytes: larger files go up in parts of this size.
    """

    attempts: int = 8
    backoff_seconds: float = 0.25
    timeout_seconds: float = 30.0
    part_bytes: int = 32 << 20


DEFAULT_OPTIONS: Final = BosOptions()


class _Client(BosClient):  # type: ignore[misc] # the SDK has no types
    """The SDK's client, closing its connections: it uses none twice and leaves them to the garbage collector."""

    def _send_request(self, *args: Any, headers: dict[bytes, Any] | None = None, **named: Any) -> Any:
        return super()._send_request(*args, headers={**(headers or {}), b"Connection": b"close"}, **named)


class BosConnection:
    """One bucket: the SDK's client, and calls of it with retries. Safe in threads.

    Args:
        bucket: its name.
        credentials: access to it; the endpoint is the bucket's region.
        options: of the calls.

    Raises:
        UsageError: bucket, endpoint or proxy can't be right.
    """

    def __init__(self, bucket: str, credentials: BosCredentials, options: BosOptions = DEFAULT_OPTIONS) -> None:
        if not _BUCKET.fullmatch(bucket):
            raise UsageError(
                f"bos://{bucket} names no bucket: 3 to 63 lowercase letters, digits and hyphens, no hyphen at the ends."
            )
        self.bucket = bucket
        self._endpoint = _checked_endpoint(credentials.endpoint)
        self._options = options
        self._credentials = credentials
        self._renewing = threading.Lock()
        proxy_host, proxy_port = _proxy_of(self._endpoint)
        self.client = _Client(
            BceClientConfiguration(
                credentials=BceCredentials(credentials.access_key_id, credentials.secret_access_key),
                endpoint=self._endpoint,
                security_token=credentials.session_token or None,
                connection_timeout_in_mills=int(options.timeout_seconds * 1000),
                retry_policy=NoRetryPolicy(),
                proxy_host=proxy_host,
                proxy_port=proxy_port,
            )
        )

    def call(self, action: str, where: str, request: Callable[[], _T]) -> _T:
        """Make a request until it succeeds, a fault lasts, or the attempts are used up.

        Credentials that are refused are read anew from where they came from: a session may end before the run does.

        Args:
            action: a verb for the error's message, such as `read`.
            where: the object's address, for the message.
            request: one attempt.

        Raises:
            StoreError: its kind and its message follow from the last fault.
        """
        attempts, pause = self._options.attempts, self._options.backoff_seconds
        refused: BosCredentials | None = None
        for attempt in range(1, attempts + 1):
            credentials = self._credentials
            try:
                return request()
            except (BceHttpClientError, OSError, HTTPException, BrokenBody) as error:
                fault = BosFault(error)
                if fault.is_refusal and attempt < attempts and refused is None and self._renew(credentials):
                    refused = credentials
                    continue
                if not fault.is_passing or attempt == attempts:
                    raise fault.explain(action, where, self.bucket, self._endpoint, attempt) from None
            time.sleep(pause * random.uniform(0.5, 1.5))
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
        raise AssertionError("attempts is at least 1")

    def _renew(self, refused: BosCredentials) -> bool:
        """Return true if there are other credentials than those that were refused."""
        with self._renewing:
            if self._credentials == refused and refused.renewed is not None:
                found = refused.renewed()
                if found != refused and found.access_key_id and found.secret_access_key:
                    self._credentials = found
                    # At once, so that no request in another thread is signed by one pair and sent with another token.
                    config = copy(self.client.config)
                    config.credentials = BceCredentials(found.access_key_id, found.secret_access_key)
                    config.security_token = found.session_token or None
                    self.client.config = config
            return self._credentials != refused


def _proxy_of(endpoint: str) -> tuple[str | None, int | None]:
    """The proxy that the environment names for an address, by HTTPS_PROXY and NO_PROXY.

    Raises:
        UsageError: it is one that the SDK can't go through.
    """
    parts = urlsplit(endpoint)
    # To a proxy for plain HTTP the SDK writes no whole address, which none takes.
    named = getproxies().get("https") if parts.scheme == "https" and not proxy_bypass(str(parts.hostname)) else None
    if not named:
        return None, None
    proxy = urlsplit(named if "://" in named else f"http://{named}")
    if proxy.scheme != "http" or not proxy.hostname or proxy.username:
        raise UsageError(
            "BOS is not reached through the proxy that HTTPS_PROXY names: give it as http://HOST:PORT, without a "
            "login, or name the BOS endpoint in NO_PROXY."
        )
    return proxy.hostname, proxy.port or 80


def _checked_endpoint(endpoint: str) -> str:
    # The SDK takes an address without a scheme for plain HTTP.
    address = (endpoint if "://" in endpoint else f"https://{endpoint}").rstrip("/")
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path:
        raise UsageError(f"BOS_ENDPOINT {endpoint!r} is no address: give a region's, such as https://bj.bcebos.com.")
    return address
