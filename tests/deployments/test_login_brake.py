"""Guessed logins are braked and logged, and nobody is locked out by somebody else's guesses."""

import asyncio
import base64
import json
import logging
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from deployments.login_brake import WRONG_A_MINUTE, LoginBrake
from deployments.reports import reports_server
from deployments.server import Guard

LOGIN = "admin:right-horse-battery"
FAR = "203.0.113.5"


def header(login: str) -> str:
    return "Basic " + base64.b64encode(login.encode()).decode()


def guess(brake: LoginBrake, times: int, *, address: str = FAR, now: float = 0.0) -> list[str]:
    return [said for _ in range(times) if (said := brake.try_login(address, "admin:wrong-horse", now)[1])]


def test_ten_wrong_logins_make_an_address_wait_until_the_first_is_a_minute_old():
    brake = LoginBrake(LOGIN)
    assert guess(brake, WRONG_A_MINUTE - 1) == []
    assert brake.wait(FAR, 1) == 0
    assert guess(brake, 1, now=5) == [f"10 wrong logins from {FAR} within a minute. Its next ones wait 55 s."]
    assert brake.wait(FAR, 5) == 55
    assert brake.wait(FAR, 60) == 0
    assert brake.wait("203.0.113.6", 5) == 0


@given(st.lists(st.floats(min_value=0, max_value=30), min_size=1, max_size=400))
def test_no_minute_sees_more_than_ten_guesses_of_an_address(pauses):
    brake, now, looked_at = LoginBrake(LOGIN), 0.0, []
    for pause in pauses:
        now += pause
        if not brake.wait(FAR, now):
            guess(brake, 1, now=now)
            looked_at.append(now)
    later = zip(looked_at, looked_at[WRONG_A_MINUTE:], strict=False)
    assert all(last - first >= 60 - 1e-6 for first, last in later)


@pytest.mark.parametrize("address", [FAR, "127.0.0.1", "::1"])
def test_a_worker_is_not_locked_out_by_guesses_from_its_own_address(address):
    brake = LoginBrake(LOGIN)
    assert brake.try_header(address, header(LOGIN), 0)[0]
    assert guess(brake, 100, address=address, now=1) == [f"10 wrong logins from {address} within a minute."]
    assert brake.wait(address, 2) == 0


def test_this_machine_never_waits_even_before_its_first_right_login():
    brake = LoginBrake(LOGIN)
    guess(brake, 100, address="127.0.0.1")
    assert brake.wait("127.0.0.1", 1) == 0


def test_trust_ends_an_hour_after_the_last_right_login():
    brake = LoginBrake(LOGIN)
    brake.try_login(FAR, LOGIN, 0)
    guess(brake, 10, now=3_599)
    assert brake.wait(FAR, 3_599) == 0
    assert brake.wait(FAR, 3_600) == 59


def test_addresses_without_end_take_no_memory_without_end():
    brake = LoginBrake(LOGIN)
    for number in range(10_500):
        brake.try_login(f"2001:db8::{number:x}", "x:y", 0)
    assert len(brake._addresses) == 10_000


@pytest.mark.parametrize("given", ["", "Basic", "Basic !", "Basic /w==", header("密:码"), "Bearer " + LOGIN, LOGIN])
def test_a_header_in_any_form_is_right_or_wrong(given):
    assert LoginBrake(LOGIN).try_header(FAR, given, 0) == (False, "")


async def _prefect(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that answers requests, and reads a web socket's first two messages."""
    if scope["type"] == "http":
        await PlainTextResponse("Prefect's")(scope, receive, send)
        return
    await receive()
    await receive()


def asked(guard: Guard, address: str, **headers: str) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app=guard, client=(address, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://10.0.0.5:4200") as client:
            return await client.post("/api/flows/filter", headers=headers)

    return asyncio.run(ask())


def opened(guard: Guard, address: str, token: str) -> list[Message]:
    arriving = [{"type": "websocket.connect"}, {"type": "websocket.receive", "text": json.dumps({"token": token})}]
    sent: list[Message] = []

    async def receive() -> Message:
        return arriving.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "websocket", "client": (address, 1), "headers": [(b"host", b"10.0.0.5")]}
    asyncio.run(guard(scope, receive, send))
    return sent


@pytest.mark.parametrize("through", ["requests", "web sockets"])
def test_the_server_looks_at_no_login_of_an_address_that_guesses(through, caplog):
    guard = Guard(_prefect, login=LOGIN)
    with caplog.at_level(logging.WARNING):
        for _ in range(WRONG_A_MINUTE):
            if through == "requests":
                assert asked(guard, FAR, Authorization=header("admin:wrong")).text == "Prefect's"
            else:
                assert opened(guard, FAR, "admin:wrong") == []
    refused = asked(guard, FAR, Authorization=header(LOGIN))
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    assert [message["code"] for message in opened(guard, FAR, LOGIN)] == [1008]
    assert asked(guard, FAR).text == "Prefect's"  # health, and the page that asks for a login
    assert asked(guard, "203.0.113.6", Authorization=header(LOGIN)).text == "Prefect's"
    assert [record.getMessage()[:37] for record in caplog.records] == ["10 wrong logins from 203.0.113.5 with"]
    assert "wrong-" not in caplog.text


@pytest.fixture(params=["127.0.0.1", FAR])
def reports(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """The address of a report, and the one that its requests come from."""
    (tmp_path / "a.txt").write_text("a")
    with reports_server(tmp_path, "127.0.0.1", 0, LOGIN) as server:
        accept = server.get_request
        server.get_request = lambda: (accept()[0], (request.param, 1))  # type: ignore[method-assign]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/a.txt", request.param
        server.shutdown()
        thread.join()


def test_the_reports_say_that_somebody_guesses_and_stay_open_to_this_machine(reports, capfd):
    url, address = reports
    with httpx.Client(trust_env=False) as client:
        for _ in range(WRONG_A_MINUTE):
            assert client.get(url, auth=("admin", "wrong")).status_code == 401
        answer = client.get(url, auth=("admin", "right-horse-battery"))
    assert capfd.readouterr().err.startswith(f"10 wrong logins from {address} within a minute.")
    assert answer.status_code == (429 if address == FAR else 200)
    assert ("Retry-After" in answer.headers) is (address == FAR)
