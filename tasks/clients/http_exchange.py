"""One HTTP exchange over a connection of aiohttp's, driven without its session.

The session makes a request, a response, a writer's task and two timers of each call, which takes three times as long as
the exchange itself. Its connector (the pool, TLS, proxies, several addresses of one name) and its parser are used here
as the session uses them.
"""

import asyncio
import zlib
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

import aiohttp
from aiohttp.client_reqrep import ClientRequest
from aiohttp.http import RawResponseMessage
from aiohttp.streams import StreamReader
from yarl import URL

from tasks.domain.errors import EndpointMissing, ReplyUnreadable

# Four short fields take a kilobyte; a thinking model's reply some hundred.
MAX_BODY_BYTES: Final = 8 << 20

_CHUNK_BYTES: Final = 64 << 10

_SWITCHING_PROTOCOLS: Final = 101


class Received(NamedTuple):
    """A reply, read whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Target:
    """One address and method: what its requests have in common, and what the connector has to know of them.

    Args:
        method: of HTTP.
        url: the address; a login in it is sent as basic authorization.
        proxy: the proxy to it, if there is one.
        where: its name in messages.

    Raises:
        EndpointMissing: it is no address of HTTP.
    """

    def __init__(self, method: str, url: str, proxy: str | None, where: str) -> None:
        self.where = where
        try:
            address = URL(url)
            if address.scheme not in {"http", "https"}:
                raise aiohttp.InvalidURL(where)
            self.request = ClientRequest(
                method,
                address,
                skip_auto_headers=["Content-Type"],
                loop=asyncio.get_running_loop(),
                proxy=None if proxy is None else URL(proxy),
            )
        except ValueError as error:  # aiohttp.InvalidURL is one; yarl has others, as of a port that can't be
            raise EndpointMissing(f"{where} is no address such as https://example.com/v1; correct it.") from error
        is_told_whole = proxy is not None and not self.request.is_ssl()
        place = str(address.with_user(None)) if is_told_whole else self.request.url.raw_path_qs
        self._line = f"{method} {place} HTTP/1.1"
        self._last: tuple[Mapping[str, str] | None, bytes] = None, b""

    def head(self, headers: Mapping[str, str], length: int | None) -> bytes:
        """Return the head of a request with these headers beside the common ones, and a body of that many bytes.

        Raises:
            ValueError: a header has a line break in it.
        """
        if headers != self._last[0]:  # as good as never, but for signed requests
            self._last = headers, self._head(headers)
        return self._last[1] + (b"\r\n" if length is None else b"Content-Length: %d\r\n\r\n" % length)

    def _head(self, headers: Mapping[str, str]) -> bytes:
        fields = self.request.headers.copy()  # as of now: the connector adds a proxy's login when it connects
        fields.popall("Content-Length", None)  # of no body
        fields.update(headers)
        lines = [self._line, *[f"{name}: {value}" for name, value in fields.items()], ""]
        text = "\r\n".join(lines)
        if text.count("\n") >= len(lines) or text.count("\r") >= len(lines):
            raise ValueError(f"{self.where}: there is a line break in a header.")
        return text.encode()


async def exchange(
    connector: aiohttp.BaseConnector,
    target: Target,
    headers: Mapping[str, str],
    data: bytes | None,
    on_sent: Callable[[], None],
    timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109  it is the connector's
) -> Received:
    """Send one request and read its reply whole; its connection is free again, or closed.

    Args:
        connector: whose connections are used.
        target: whom to ask.
        headers: of this request.
        data: its body.
        on_sent: called as its bytes are written.
        timeout: for the connection, and for how long nothing at all may come.

    Raises:
        aiohttp.ClientError: no full reply came.
        HttpProcessingError: what came is no HTTP.
        ReplyUnreadable: the reply is larger than any answer, or not in the encoding that it names.
    """
    try:
        connection = await connector.connect(target.request, [], timeout)
    except TimeoutError as error:
        raise aiohttp.ConnectionTimeoutError from error
    try:
        protocol, transport = connection.protocol, connection.transport
        if protocol is None or transport is None:
            raise aiohttp.ServerDisconnectedError
        protocol.set_response_params(auto_decompress=False, read_until_eof=True, read_timeout=timeout.sock_read)
        head = target.head(headers, None if data is None else len(data))
        on_sent()
        transport.write(head + data if data else head)
        protocol.start_timeout()
        message, payload = await protocol.read()
        while message.code < 200 and message.code != _SWITCHING_PROTOCOLS:
            message, payload = await protocol.read()
        body = await _read_bounded(message, payload, target.where)
    except BaseException:
        connection.close()
        raise
    connection.release()
    return Received(message.code, message.headers, body)


async def _read_bounded(message: RawResponseMessage, payload: StreamReader, where: str) -> bytes:
    """The body, decompressed where the server compressed it all the same."""
    encoding = message.headers.get("Content-Encoding", "").strip().lower()
    if not encoding and payload.is_eof():  # nearly always: all of it came at once
        return payload.read_nowait()
    unpack = zlib.decompressobj(wbits=47) if encoding in {"gzip", "x-gzip", "deflate"} else None
    body = bytearray()
    async for packed in payload.iter_chunked(_CHUNK_BYTES):
        try:
            body += unpack.decompress(packed, MAX_BODY_BYTES + 1 - len(body)) if unpack else packed
        except zlib.error:
            raise ReplyUnreadable(f"{where}: the reply is not the {encoding} that it says it is.") from None
        if len(body) > MAX_BODY_BYTES:
            raise ReplyUnreadable(f"{where}: the reply is larger than {MAX_BODY_BYTES >> 20} MB.")
    return bytes(body)
