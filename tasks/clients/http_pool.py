"""Pooled connections of every endpoint client, and what a reply's status means.

Nothing here knows an SDK or an API. Messages name the address without its query or password.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit
from urllib.request import getproxies, proxy_bypass

from tasks.clients.http_faults import status_fault

if TYPE_CHECKING:
    from tasks.clients.http_connections import Connections


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
        self._connections: Connections | None = None

    def _open(self) -> "Connections":
        # Here, and not above: with aiohttp, a quarter of a second that a day without calls can do without.
        from tasks.clients.http_connections import Connections  # noqa: PLC0415

        return Connections(self.limits)

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
        connections = self._connections
        if connections is None or connections.closed:
            connections = self._connections = self._open()
        # A few compressed bytes must not become gigabytes before anybody counts them.
        asked = {"Accept-Encoding": "identity", **headers}
        received = await connections.exchange(call, method, url, asked, data)
        call.headers = received.headers
        if not 200 <= received.status < 300:
            raise status_fault(received.status, received.headers, received.body, address(url), self.secrets, call.asked)
        return received.body

    async def aclose(self) -> None:
        """Close every connection."""
        if self._connections is not None:
            await self._connections.aclose()


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
