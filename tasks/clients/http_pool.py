"""Pooled connections of every endpoint client: one bounded exchange, and what its failure on the way means.

Nothing here knows an SDK or an API. Messages name the address without its query or password.
"""

import ssl
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit, urlunsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from aiohttp.http import HttpProcessingError

from tasks.clients.deadlines import Deadlines
from tasks.clients.http_exchange import Target, exchange
from tasks.clients.http_faults import status_fault
from tasks.domain.errors import (
    CallTimedOut,
    CertificateUntrusted,
    KefuError,
    TransientFault,
    Unreachable,
)

# A quota of a minute that is used up at its beginning leaves connections idle until the next minute; aiohttp's
# 15 s would open them all anew every time.
_KEEP_SECONDS: Final = 75.0


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Limits of a pool's connections and of the time of a call.

    Args:
        connections: how many at most.
        idle_seconds: how long a server may send nothing at all; any byte (a blank line of DeepSeek's) counts as life.
        call_seconds: for one whole call, whatever arrives meanwhile.
    """

    connections: int = 128
    idle_seconds: float = 30.0
    call_seconds: float = 300.0


class Call:
    """One request on its way: whether its bytes were written, and the headers that came back.

    Args:
        on_sent: called when its bytes are being written.
        asked: the text that it is about, whose words no message may show.
    """

    __slots__ = ("asked", "headers", "on_sent", "sent")

    def __init__(self, on_sent: Callable[[], None] = lambda: None, asked: str = "") -> None:
        self.on_sent = on_sent
        self.asked = asked
        self.sent = False
        self.headers: Mapping[str, str] = {}

    def mark_sent(self) -> None:
        """The request's bytes are being written."""
        self.sent = True
        self.on_sent()


class Pool:
    """Connections kept open between calls, opened in the loop that makes the first call.

    Proxies and certificates are those of the environment (`HTTPS_PROXY`, `NO_PROXY`, `SSL_CERT_FILE`); this machine
    itself is reached without a proxy.

    Args:
        limits: of connections and times.
        secrets: values that no message may show, should a server repeat them.
    """

    def __init__(self, limits: ConnectionLimits, secrets: Collection[str] = ()) -> None:
        self.limits = limits
        self.secrets = frozenset(filter(None, secrets))
        self._connector: aiohttp.TCPConnector | None = None
        self._timeout = aiohttp.ClientTimeout(sock_connect=limits.idle_seconds, sock_read=limits.idle_seconds)
        self._targets: dict[tuple[str, str], Target] = {}
        self._deadlines: Deadlines
        self._reached = False

    def _open_connector(self) -> aiohttp.TCPConnector:
        connector = self._connector
        if connector is None or connector.closed:
            self._targets, self._deadlines = {}, Deadlines(self.limits.call_seconds)
            connector = aiohttp.TCPConnector(limit=self.limits.connections, keepalive_timeout=_KEEP_SECONDS)
            self._connector = connector
        return connector

    def _target(self, method: str, url: str) -> Target:
        target = self._targets.get((method, url))
        if target is None:
            target = self._targets[method, url] = Target(method, url, proxy_of(url), address(url))
        return target

    async def send(
        self, call: Call, method: str, url: str, headers: Mapping[str, str], data: bytes | None = None
    ) -> bytes:
        """The body of one exchange, read whole; its connection is free again.

        Raises:
            TransientFault: no full reply came.
            ReplyUnreadable: the reply is larger than any answer.
            CertificateUntrusted: the server's certificate is not one that this machine trusts.
            KefuError: the status is an error; see `status_fault`.
        """
        # A few compressed bytes must not become gigabytes before anybody counts them.
        asked = {"Accept-Encoding": "identity", **headers}
        try:
            connector = self._open_connector()
            with self._deadlines.begin():
                received = await exchange(
                    connector, self._target(method, url), asked, data, call.mark_sent, self._timeout
                )
        except (aiohttp.ClientError, HttpProcessingError, TimeoutError, OSError) as error:
            raise self._transport_fault(error, url, call.sent) from error
        self._reached = True
        call.headers = received.headers
        if not 200 <= received.status < 300:
            raise status_fault(received.status, received.headers, received.body, address(url), self.secrets, call.asked)
        return received.body

    def _transport_fault(self, error: BaseException, url: str, sent: bool) -> KefuError:
        where = address(url)
        if isinstance(error, TimeoutError):
            silent = isinstance(error, aiohttp.ServerTimeoutError)
            seconds = self.limits.idle_seconds if silent else self.limits.call_seconds
            what = "nothing came for" if silent else "no whole reply within"
            return CallTimedOut(f"{where}: {what} {seconds:g} s; worth trying again.", maybe_paid=sent)
        if isinstance(error, ssl.SSLCertVerificationError | aiohttp.ClientConnectorCertificateError):
            reason = getattr(error, "verify_message", "") or getattr(
                getattr(error, "certificate_error", None), "verify_message", ""
            )
            message = (
                f"{where}: this machine does not trust the server's certificate ({reason or 'no reason given'}); "
                "name the file of your CA's certificates in SSL_CERT_FILE."
            )
            # Seen before the first reply it is the setup; later on it is one sick machine among those behind the name.
            return TransientFault(message) if self._reached else CertificateUntrusted(message)
        if isinstance(error, aiohttp.ClientProxyConnectionError):
            return TransientFault(f"{where}: the proxy cannot be reached; check HTTPS_PROXY and NO_PROXY.")
        if isinstance(error, aiohttp.ClientHttpProxyError):
            return TransientFault(f"{where}: the proxy answered HTTP {error.status}; check HTTPS_PROXY and NO_PROXY.")
        if isinstance(error, aiohttp.ClientConnectorError):
            return Unreachable(f"{where} cannot be reached; check the address and the network.")
        return TransientFault(
            f"{where}: the connection broke ({type(error).__name__}); worth trying again.", maybe_paid=sent
        )

    async def aclose(self) -> None:
        """Close every connection."""
        if self._connector is not None:
            await self._connector.close()


@cache
def address(url: str) -> str:
    """The address without its query and without a password, for messages."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def proxy_of(url: str) -> str | None:
    """The proxy that the environment names for an address; None for this machine's own.

    aiohttp's `trust_env` looks for it anew in each call, in a thread, and breaks on a login for the host in `.netrc`.
    """
    parts = urlsplit(url)
    if is_loopback(url) or not parts.hostname or proxy_bypass(parts.hostname):
        return None
    return getproxies().get(parts.scheme)


@cache
def is_loopback(url: str) -> bool:
    """Return true where the address is this machine's own."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
