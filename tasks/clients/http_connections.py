"""Connections of a pool, over aiohttp: one bounded exchange, and what its failure on the way means.

A module of its own, which a pool imports at its first call: aiohttp takes a quarter of a second of CPU, which a day
without calls can do without.
"""

import ssl
from collections.abc import Mapping
from typing import Final

import aiohttp
from aiohttp.http import HttpProcessingError

from tasks.clients.deadlines import Deadlines
from tasks.clients.http_exchange import Received, Target, exchange
from tasks.clients.http_pool import Call, ConnectionLimits, address, proxy_of
from tasks.domain.errors import CallTimedOut, CertificateUntrusted, KefuError, TransientFault, Unreachable

# A quota of a minute that is used up at its beginning leaves connections idle until the next minute; aiohttp's
# 15 s would open them all anew every time.
_KEEP_SECONDS: Final = 75.0


class Connections:
    """Connections of the loop that opens them.

    Args:
        limits: of connections and times.
    """

    def __init__(self, limits: ConnectionLimits) -> None:
        self._limits = limits
        self._connector = aiohttp.TCPConnector(limit=limits.connections, keepalive_timeout=_KEEP_SECONDS)
        self._timeout = aiohttp.ClientTimeout(sock_connect=limits.idle_seconds, sock_read=limits.idle_seconds)
        self._targets: dict[tuple[str, str], Target] = {}
        self._deadlines = Deadlines(limits.call_seconds)
        self._reached = False

    @property
    def closed(self) -> bool:
        """Return true after `aclose`, or after the end of the loop."""
        return self._connector.closed

    async def exchange(
        self, call: Call, method: str, url: str, headers: Mapping[str, str], data: bytes | None
    ) -> Received:
        """One exchange, whatever the status of its reply.

        Raises:
            TransientFault: no full reply came.
            ReplyUnreadable: the reply is larger than any answer.
            CertificateUntrusted: the server's certificate is not one that this machine trusts.
        """
        try:
            with self._deadlines.begin():
                received = await exchange(
                    self._connector, self._target(method, url), headers, data, call.mark_sent, self._timeout
                )
        except (aiohttp.ClientError, HttpProcessingError, TimeoutError, OSError) as error:
            raise self._fault(error, url, call.sent) from error
        self._reached = True
        return received

    async def aclose(self) -> None:
        """Close every connection."""
        await self._connector.close()

    def _target(self, method: str, url: str) -> Target:
        target = self._targets.get((method, url))
        if target is None:
            target = self._targets[method, url] = Target(method, url, proxy_of(url), address(url))
        return target

    def _fault(self, error: BaseException, url: str, sent: bool) -> KefuError:
        where = address(url)
        if isinstance(error, TimeoutError):
            silent = isinstance(error, aiohttp.ServerTimeoutError)
            seconds = self._limits.idle_seconds if silent else self._limits.call_seconds
            what = "nothing came for" if silent else "no whole reply within"
            return CallTimedOut(f"{where}: {what} {seconds:g} s; worth trying again.", maybe_paid=sent)
        if isinstance(error, ssl.SSLCertVerificationError | aiohttp.ClientConnectorCertificateError):
            message = f"{where}: {_distrust(getattr(error, 'certificate_error', error))}"
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


def _distrust(error: BaseException) -> str:
    reason = getattr(error, "verify_message", "") or "no reason given"
    if "expired" in reason or "not yet valid" in reason:
        hint = "its owner has to renew it, unless the clock of this machine is wrong"
    elif "mismatch" in reason:
        hint = "check the host in the address, or a proxy that answers in its place"
    else:
        hint = "name the file of your CA's certificates in SSL_CERT_FILE"
    return f"this machine does not trust the server's certificate ({reason.rstrip('.')}); {hint}."
