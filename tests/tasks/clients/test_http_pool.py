"""Connections to servers that mean no good, are slow in odd ways, or stand behind proxies and private CAs."""

import asyncio
import gzip
import os
import re
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web

from tasks.clients.http_exchange import MAX_BODY_BYTES
from tasks.clients.http_pool import Call, ConnectionLimits, Pool, is_loopback
from tasks.clients.openai_chat import OpenAISummarizer
from tasks.domain.errors import CallTimedOut, CertificateUntrusted, EndpointMissing, ReplyUnreadable, TransientFault
from tasks.domain.records import Conversation, Request
from tests.servers.certificates import write_certificate
from tests.servers.qianfan import API_KEY, QianfanServer
from tests.servers.threaded import ThreadedServer

REQUEST = Request(Conversation("c1", (), "a", 1), (), "", "用户：在吗", False, "", "", 0)


class HostileServer(ThreadedServer):
    """Answers as its path says."""

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/huge":
            return web.Response(body=b"x" * (MAX_BODY_BYTES + 1))
        if request.path == "/bomb":
            packed = gzip.compress(b" " * (4 * MAX_BODY_BYTES))
            return web.Response(body=packed, headers={"Content-Encoding": "gzip"})
        if request.path == "/packed":
            return web.Response(body=gzip.compress(b'{"packed": true}'), headers={"Content-Encoding": "gzip"})
        if request.path == "/torn":
            return web.Response(body=b"no gzip at all", headers={"Content-Encoding": "gzip"})
        response = web.StreamResponse()
        await response.prepare(request)
        if request.path == "/blank-lines":
            for _ in range(8):
                await response.write(b"\n")
                await asyncio.sleep(0.15)
            await response.write(b"{}")
            return response
        while True:  # /endless
            await response.write(b" ")
            await asyncio.sleep(0.05)


@pytest.fixture(scope="module")
def hostile() -> Iterator[HostileServer]:
    with HostileServer() as server:
        yield server


def fetched(url: str, limits: ConnectionLimits = ConnectionLimits()) -> bytes:  # noqa: B008  frozen
    async def fetch() -> bytes:
        pool = Pool(limits)
        try:
            return await pool.send(Call(), "POST", url, {})
        finally:
            await pool.aclose()

    return asyncio.run(fetch())


@pytest.mark.parametrize(
    ("path", "what"), [("/huge", "larger than 8 MB"), ("/bomb", "larger than 8 MB"), ("/torn", "not the gzip")]
)
def test_a_reply_that_swells_is_given_up_before_it_fills_the_memory(hostile, path, what):
    with pytest.raises(ReplyUnreadable, match=what):
        fetched(hostile.url + path)


def test_a_reply_that_is_compressed_all_the_same_is_read(hostile):
    assert fetched(hostile.url + "/packed") == b'{"packed": true}'


def test_a_server_that_holds_the_line_with_blank_lines_is_waited_for(hostile):
    assert fetched(hostile.url + "/blank-lines", ConnectionLimits(idle_seconds=1.0)).strip() == b"{}"


def test_a_reply_that_never_ends_does(hostile):
    with pytest.raises(CallTimedOut, match=r"no whole reply within 0\.5 s"):
        fetched(hostile.url + "/endless", ConnectionLimits(idle_seconds=5.0, call_seconds=0.5))


@pytest.mark.parametrize(
    ("url", "own"),
    [
        ("http://localhost:8000/v1", True),
        ("http://127.0.0.1:1/v1", True),
        ("http://[::1]/v1", True),
        ("https://qianfan.baidubce.com", False),
        ("http://10.0.0.1", False),
    ],
)
def test_is_loopback_knows_this_machine(url, own):
    assert is_loopback(url) is own


@pytest.mark.parametrize("url", ["http://host:99999/v1", "ftp://host/v1", "http:///v1", "host/v1"])
def test_an_address_that_is_none_is_missing_and_not_tried_again(url):
    with pytest.raises(EndpointMissing, match=r"is no address such as https://example\.com/v1"):
        fetched(url)


def asked(base_url: str) -> str:
    async def ask() -> str:
        summarizer = OpenAISummarizer("m", base_url=base_url, api_key=API_KEY)
        try:
            return (await summarizer.summarize(REQUEST, lambda: None)).text
        finally:
            await summarizer.aclose()

    return asyncio.run(ask())


def test_a_proxy_is_used_for_what_is_far_and_not_for_this_machine(monkeypatch):
    with QianfanServer() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("http_proxy", proxy.url)
        assert "在吗" in asked("http://model.invalid/v1")
        assert proxy.last_headers["Host"] == "model.invalid"
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
        assert "在吗" in asked(f"{proxy.url}/v1")
        monkeypatch.setenv("no_proxy", "model.invalid")
        with pytest.raises(TransientFault, match=r"model\.invalid\S* cannot be reached"):
            asked("http://model.invalid/v1")


def test_a_proxy_is_told_the_login_in_its_address(monkeypatch):
    with QianfanServer() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url.replace("http://", "http://we:secret@"))
        assert "在吗" in asked("http://model.invalid/v1")
        assert proxy.last_headers["Proxy-Authorization"] == "Basic d2U6c2VjcmV0"
        assert proxy.last_headers["Authorization"] == f"Bearer {API_KEY}"


def test_a_login_in_netrc_is_no_business_of_the_models(monkeypatch, tmp_path):
    (tmp_path / "netrc").write_text("default login somebody password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with QianfanServer() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        assert "在吗" in asked("http://model.invalid/v1")
        assert proxy.last_headers["Authorization"] == f"Bearer {API_KEY}"


class TlsServer(QianfanServer):
    """The same behind TLS, with a certificate that nobody knows."""

    def __init__(self, folder: Path, host: str = "127.0.0.1", valid_until_days: int = 1) -> None:
        super().__init__()
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(write_certificate(folder, host, valid_until_days=valid_until_days))


def test_a_certificate_that_nobody_knows_is_named(tmp_path):
    with TlsServer(tmp_path) as server, pytest.raises(CertificateUntrusted, match="SSL_CERT_FILE"):
        asked(server.url.replace("http://", "https://") + "/v1")


@pytest.mark.parametrize(
    ("host", "days", "told"),
    [
        ("127.0.0.1", -1, r"certificate has expired\); its owner has to renew it"),
        ("127.0.0.2", 1, r"mismatch.*\); check the host in the address"),
    ],
)
def test_a_certificate_that_is_old_or_another_host_s_is_told_as_such(host, days, told, tmp_path):
    with TlsServer(tmp_path, host, days) as server:
        address = server.url.replace("http://", "https://") + "/v1"
        ended = subprocess.run(  # what is trusted is read once a process
            [sys.executable, "-c", f"from {__name__} import asked; asked({address!r})"],
            env={**os.environ, "SSL_CERT_FILE": str(tmp_path / "certificate.pem")},
            capture_output=True,
            text=True,
            check=False,
        )
    (line,) = re.findall("^tasks.*CertificateUntrusted: .*", ended.stderr, re.MULTILINE)
    assert re.search(told, line)
    assert "SSL_CERT_FILE" not in line
