"""Prefect's server as make serve starts it answers its own pages and workers, and nobody who borrows its address."""

import asyncio

import httpx
import pytest
from prefect.settings import PREFECT_SERVER_API_AUTH_STRING, temporary_settings
from starlette.responses import PlainTextResponse
from starlette.types import Message

from deployments.server import Guard, main

GUARD = Guard(PlainTextResponse("Prefect's"), ["Night.example"], "https://kefu.example.com/ui")


def ask(host: str, **headers: str) -> httpx.Response:
    async def asked() -> httpx.Response:
        transport = httpx.ASGITransport(app=GUARD)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:4200") as client:
            return await client.post("/api/variables/", headers={"Host": host, **headers})

    return asyncio.run(asked())


@pytest.mark.parametrize(
    "host", ["127.0.0.1:4200", "10.0.0.5:4200", "[::1]:4200", "localhost:9999", "LOCALHOST", "night.example:4200"]
)
def test_workers_reach_it_by_its_addresses_and_names(host):
    assert ask(host).text == "Prefect's"


@pytest.mark.parametrize("host", ["evil.example:4200", "127.0.0.1.evil.example", "localhost.evil.example", "", "[::1"])
def test_a_foreign_name_that_leads_here_gets_no_answer(host):
    refused = ask(host)
    assert refused.status_code == 403
    assert "PREFECT_UI_URL" in refused.text


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("127.0.0.1:4200", "http://127.0.0.1:4200"),
        ("localhost:9999", "http://localhost:9999"),  # through a tunnel
        ("127.0.0.1:4200", "https://kefu.example.com"),  # through a proxy
        ("kefu.example.com", "https://kefu.example.com"),
    ],
)
def test_its_own_pages_may_call(host, origin):
    assert ask(host, Origin=origin).text == "Prefect's"


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "null",
        "",
        "http://127.0.0.1:8099",
        "http://192.0.2.1",
        "https://kefu.example.com:8443",
        "http://night.example",
        "http://[x",
    ],
)
def test_pages_of_other_sites_may_not(origin):
    refused = ask("127.0.0.1:4200", Origin=origin)
    assert refused.status_code == 403
    assert "other sites" in refused.text


def test_no_page_shows_it_in_a_frame():
    for headers in (ask("127.0.0.1:4200").headers, ask("evil.example").headers):
        assert headers["X-Frame-Options"] == "SAMEORIGIN"
        assert headers["Content-Security-Policy"] == "frame-ancestors 'self'"


@pytest.mark.parametrize(("host", "origin"), [(b"evil.example", b"http://evil.example"), (b"127.0.0.1", b"http://x")])
def test_web_sockets_of_other_sites_are_closed_before_they_open(host, origin):
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(GUARD({"type": "websocket", "headers": [(b"host", host), (b"origin", origin)]}, receive, send))
    assert [(message["type"], message["code"]) for message in sent] == [("websocket.close", 1008)]


@pytest.mark.parametrize("login", [None, "", "x", "admin", "admin:", "admin:short", "admin:pass word long"], ids=repr)
@pytest.mark.parametrize("host", ["0.0.0.0", "10.0.0.5", "night.example"])
def test_it_listens_for_other_machines_only_behind_a_login_that_protects(host, login, capsys):
    with temporary_settings({PREFECT_SERVER_API_AUTH_STRING: login}):
        assert main(["--host", host]) == 2
    assert "USER:PASSWORD" in capsys.readouterr().err
