"""Replies in pieces, cut off, or no HTTP at all, and what is sent: against a server that writes bytes as it is told."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from itertools import pairwise
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.clients.http_pool import Call, ConnectionLimits, Pool
from tasks.domain.errors import CallTimedOut, CertificateUntrusted, KefuError, TransientFault

T = TypeVar("T")

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


class BytesServer:
    """Sends the next of its replies for each request, in the pieces that it is given; an empty one ends the connection.

    Args:
        replies: each in its pieces. The last one comes again and again.
    """

    def __init__(self, *replies: Sequence[bytes]) -> None:
        self._replies = list(replies)
        self.requests: list[bytes] = []
        self.connections = 0

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
                self.requests.append(head + await reader.readexactly(int(lengths[0][15:]) if lengths else 0))
                for piece in self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]:
                    if not piece:
                        return
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(0)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    def asked(
        self,
        times: int = 1,
        limits: ConnectionLimits | None = None,
        headers: Mapping[str, str] | None = None,
        login: str = "",
    ) -> list[bytes | KefuError]:
        """The replies or faults of so many calls, one after the other."""

        async def ask(host: str, port: int) -> list[bytes | KefuError]:
            pool, found = Pool(limits or ConnectionLimits()), list[bytes | KefuError]()
            try:
                for _ in range(times):
                    call = Call()
                    try:
                        found.append(
                            await pool.send(call, "POST", f"http://{login}{host}:{port}/v1?a=b", headers or {}, b"[1]")
                        )
                    except KefuError as error:
                        found.append(error)
                    assert call.sent
            finally:
                await pool.aclose()
            return found

        return asyncio.run(self.serve_during(ask))

    async def serve_during(self, ask: Callable[[str, int], Coroutine[Any, Any, T]]) -> T:
        """The result of what is done with the server's address."""
        async with await asyncio.start_server(self._serve, "127.0.0.1", 0) as server:
            return await ask(*server.sockets[0].getsockname())


def cut(data: bytes, places: Sequence[int]) -> list[bytes]:
    """The data in pieces, none of them empty."""
    edges = sorted({0, len(data), *(place % len(data) for place in places)})
    return [data[start:end] for start, end in pairwise(edges)]


def by_length(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def in_chunks(body: bytes) -> bytes:
    half = len(body) // 2
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:half], body[half:]) if part)
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"


@given(
    body=st.binary(max_size=300),
    framed=st.sampled_from([by_length, in_chunks]),
    before=st.sampled_from([b"", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"]),
    places=st.lists(st.integers(0, 10_000), max_size=6),
)
@settings(max_examples=60, deadline=None)
def test_a_reply_is_read_whole_however_it_is_cut_and_its_connection_used_again(
    body: bytes, framed: Callable[[bytes], bytes], before: bytes, places: list[int]
):
    server = BytesServer(cut(before + framed(body), places))
    assert server.asked(times=3) == [body] * 3
    assert server.connections == 1


@given(place=st.integers(1, len(by_length(b"x" * 50)) - 1), framed=st.sampled_from([by_length, in_chunks]))
@settings(max_examples=40, deadline=None)
def test_a_reply_that_is_cut_off_may_have_been_paid_and_the_next_call_takes_another_connection(place, framed):
    server = BytesServer([framed(b"x" * 50)[:place], b""], [OK])
    broken, good = server.asked(times=2)
    assert isinstance(broken, TransientFault)
    assert broken.maybe_paid
    assert "the connection broke" in str(broken)
    assert good == b"{}"
    assert server.connections == 2


def test_what_is_no_http_is_a_fault_on_the_way():
    (fault,) = BytesServer([b"SSH-2.0-OpenSSH_9.6\r\n"]).asked()
    assert isinstance(fault, TransientFault)
    assert "the connection broke" in str(fault)


@pytest.mark.parametrize("said", [[], [b"HTTP/1.1 200 OK\r\n"]])
def test_a_server_that_says_nothing_is_given_up_after_the_idle_time(said):
    (fault,) = BytesServer(said).asked(limits=ConnectionLimits(idle_seconds=0.3))
    assert isinstance(fault, CallTimedOut)
    assert fault.maybe_paid
    assert "nothing came for 0.3 s" in str(fault)


def test_a_server_that_shakes_no_hands_is_given_up_after_the_idle_time_and_never_paid():
    async def ask(host: str, port: int) -> None:
        pool = Pool(ConnectionLimits(idle_seconds=0.3))
        try:
            await pool.send(Call(), "POST", f"https://{host}:{port}/", {}, b"[1]")
        finally:
            await pool.aclose()

    with pytest.raises(CallTimedOut, match=r"nothing came for 0\.3 s") as raised:
        asyncio.run(BytesServer([]).serve_during(ask))
    assert not raised.value.maybe_paid


def test_a_call_that_was_given_up_leaves_its_reply_to_nobody():
    server = BytesServer([], [OK])
    late, good = server.asked(times=2, limits=ConnectionLimits(call_seconds=0.2))
    assert isinstance(late, CallTimedOut)
    assert good == b"{}"
    assert server.connections == 2


def test_each_call_sends_its_own_headers():
    server = BytesServer([OK])

    async def ask(host: str, port: int) -> None:
        pool = Pool(ConnectionLimits())
        for token in ("first", "second"):
            await pool.send(Call(), "POST", f"http://{host}:{port}/", {"Authorization": token}, b"[1]")
        await pool.aclose()

    asyncio.run(server.serve_during(ask))
    assert [b"Authorization: first\r\n" in request for request in server.requests] == [True, False]
    assert b"Authorization: second\r\n" in server.requests[1]


def test_an_error_leaves_its_connection_for_the_next_call():
    server = BytesServer([b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy"], [OK])
    fault, good = server.asked(times=2)
    assert isinstance(fault, TransientFault)
    assert good == b"{}"
    assert server.connections == 1


def test_a_connection_that_the_server_closes_is_not_used_again():
    server = BytesServer([b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}"])
    assert server.asked(times=2) == [b"{}", b"{}"]
    assert server.connections == 2


def test_what_is_sent():
    server = BytesServer([OK])
    server.asked(headers={"host": "model.example", "Authorization": "Bearer k", "X-客": "服"}, login="we:secret@")
    (head, body) = server.requests[0].split(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    assert first == "POST /v1?a=b HTTP/1.1"
    fields = dict(line.split(": ") for line in lines)
    assert len(fields) == len(lines)
    assert {name.lower(): value for name, value in fields.items()} == {
        "host": "model.example",
        "accept": "*/*",
        "accept-encoding": "identity",
        "user-agent": fields["User-Agent"],
        "authorization": "Bearer k",
        "x-客": "服",
        "content-length": "3",
    }
    assert body == b"[1]"


def test_a_login_in_the_address_is_sent_and_not_named():
    server = BytesServer([b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"])
    (fault,) = server.asked(login="we:secret@")
    assert b"\r\nAuthorization: Basic d2U6c2VjcmV0\r\n" in server.requests[0]
    assert "secret" not in str(fault)


@pytest.mark.parametrize("value", ["a\nX-Evil: 1", "a\r", "a\r\nX-Evil: 1"])
def test_a_header_with_a_line_break_is_not_sent(value):
    server = BytesServer([OK])
    with pytest.raises(ValueError, match="line break"):
        server.asked(headers={"Authorization": value})
    assert not server.requests


def test_a_proxy_is_told_the_whole_address_and_no_login_in_it(monkeypatch):
    proxy = BytesServer([OK])

    async def ask(host: str, port: int) -> bytes:
        monkeypatch.setenv("http_proxy", f"http://{host}:{port}")
        pool = Pool(ConnectionLimits())
        try:
            return await pool.send(Call(), "POST", "http://we:secret@model.invalid/v1?a=b", {}, b"[1]")
        finally:
            await pool.aclose()

    assert asyncio.run(proxy.serve_during(ask)) == b"{}"
    (request,) = proxy.requests
    assert request.startswith(b"POST http://model.invalid/v1?a=b HTTP/1.1\r\n")
    assert b"\r\nAuthorization: Basic d2U6c2VjcmV0\r\n" in request


def test_what_is_far_and_behind_tls_is_reached_through_a_tunnel(monkeypatch):
    """The proxy is told the host alone; what comes back is no certificate that anybody knows."""
    tunnel = BytesServer([b"HTTP/1.1 200 OK\r\n\r\n", b""])

    async def ask(host: str, port: int) -> None:
        monkeypatch.setenv("https_proxy", f"http://we:secret@{host}:{port}")
        pool = Pool(ConnectionLimits())
        try:
            await pool.send(Call(), "POST", "https://model.invalid/v1", {"Authorization": "Bearer k"}, b"[1]")
        finally:
            await pool.aclose()

    with pytest.raises(TransientFault) as raised:
        asyncio.run(tunnel.serve_during(ask))
    assert not isinstance(raised.value, CertificateUntrusted)
    assert not raised.value.maybe_paid
    (head,) = tunnel.requests
    assert head.startswith(b"CONNECT model.invalid:443 HTTP/1.1\r\n")
    assert b"\r\nProxy-Authorization: Basic d2U6c2VjcmV0\r\n" in head
    assert b"Bearer" not in head
