"""Pooled connections of every endpoint client: one bounded exchange, and what its failure on the way means.

Nothing here knows an SDK or an API. Messages name the address without its query or password.
"""

import ssl
import zlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit, urlunsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import orjson
from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import BytesPayload

from tasks.clients.http_faults import status_fault
from tasks.domain.errors import (
    CallTimedOut,
    CertificateUntrusted,
    KefuError,
    ReplyUnreadable,
    TransientFault,
    Unreachable,
)

# A quota of a minute that is used up at its beginning leaves connections idle until the next minute; aiohttp's
# 15 s would open them all anew every time.
_KEEP_SECONDS: Final = 75.0

# Four short fields take a kilobyte; a thinking model's reply some hundred.
MAX_BODY_BYTES: Final = 8 << 20

_CHUNK_BYTES: Final = 64 << 10


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
    """One request on its way: whether its bytes were written, and the headers that came back."""

    __slots__ = ("headers", "on_sent", "sent")

    def __init__(self, on_sent: Callable[[], None] = lambda: None) -> None:
        self.on_sent = on_sent
        self.sent = False
        self.headers: Mapping[str, str] = {}


class _Body(BytesPayload):
    """A request's body, which marks its call as sent when it is written; aiohttp's traces take ten times as long."""

    def __init__(self, data: bytes, call: Call) -> None:
        super().__init__(data, content_type="application/json")
        self._call = call

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Write the bytes, as aiohttp before 3.12 asks for."""
        await self.write_with_length(writer, None)

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        """Write the bytes."""
        if not self._call.sent:
            self._call.sent = True
            self._call.on_sent()
        await writer.write(self._value)


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
        self._session: aiohttp.ClientSession | None = None
        self._proxies: dict[str, str | None] = {}
        self._reached = False

    def _open_session(self) -> aiohttp.ClientSession:
        session = self._session
        if session is None or session.closed:
            idle = self.limits.idle_seconds
            session = self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self.limits.connections, keepalive_timeout=_KEEP_SECONDS),
                timeout=aiohttp.ClientTimeout(total=self.limits.call_seconds, sock_connect=idle, sock_read=idle),
                cookie_jar=aiohttp.DummyCookieJar(),
                json_serialize=lambda value: orjson.dumps(value).decode(),
                auto_decompress=False,  # a few bytes must not become gigabytes before anybody counts them
            )
        return session

    def _proxy(self, url: str) -> str | None:
        if url not in self._proxies:
            self._proxies[url] = proxy_of(url)
        return self._proxies[url]

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
        asked = {"Accept-Encoding": "identity", **headers}
        body = None if data is None else _Body(data, call)
        try:
            async with self._open_session().request(
                method, url, headers=asked, allow_redirects=False, data=body, proxy=self._proxy(url)
            ) as response:
                reply = await _read_bounded(response, url)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise self._transport_fault(error, url, call.sent) from error
        self._reached = True
        call.headers = response.headers
        if not 200 <= response.status < 300:
            raise status_fault(response.status, response.headers, reply, address(url), self.secrets)
        return reply

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
        if self._session is not None:
            await self._session.close()


async def _read_bounded(response: aiohttp.ClientResponse, url: str) -> bytes:
    """The body, decompressed where the server compressed it all the same.

    Raises:
        ReplyUnreadable: it is larger than `MAX_BODY_BYTES`, or not in its encoding.
    """
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    if not encoding and (response.content_length or MAX_BODY_BYTES) < MAX_BODY_BYTES:
        return await response.read()  # the parser ends it where the header says
    unpack = zlib.decompressobj(wbits=47) if encoding in {"gzip", "x-gzip", "deflate"} else None
    body = bytearray()
    async for packed in response.content.iter_chunked(_CHUNK_BYTES):
        try:
            body += unpack.decompress(packed, MAX_BODY_BYTES + 1 - len(body)) if unpack else packed
        except zlib.error:
            raise ReplyUnreadable(f"{address(url)}: the reply is not the {encoding} that it says it is.") from None
        if len(body) > MAX_BODY_BYTES:
            response.close()
            raise ReplyUnreadable(f"{address(url)}: the reply is larger than {MAX_BODY_BYTES >> 20} MB.")
    return bytes(body)


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
