"""Prefect's server as `make serve` and the compose file start it: behind a login, for names of its own, in no frame.

python -m deployments.server --host 127.0.0.1 --port 4200

A page on the web may have its own name lead to this machine, and send requests that no browser asks about first. The
login is what keeps such a page out; here its requests end before they reach Prefect.
"""

import argparse
import json
import logging
import math
import os
import socket
import sys
import time
from collections.abc import Collection, Sequence
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

import uvicorn
from prefect.settings import get_current_settings
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

import flows  # noqa: F401  keeps logins out of the server's log
from deployments.login import check_exposure
from deployments.login_brake import LoginBrake
from deployments.watchdog import Watchdog, answers
from flows.wiring.commands.new_database import make_new_database
from flows.wiring.commands.standard_streams import complain
from tasks.domain.errors import UsageError

_log = logging.getLogger("uvicorn.error")  # the server's own, which has a place to write to

_UNFRAMED: Final = {
    "X-Frame-Options": "SAMEORIGIN",
    "Content-Security-Policy": "frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
}


class Guard:
    """Prefect's application behind checks of the headers Host and Origin, and a brake on guessed logins.

    Args:
        app: Prefect's.
        names: of this machine, as requests may call it. Any address that is a number, and localhost, are fine anyway:
            a page's own name is neither.
        page: the UI's address at a proxy, whose pages may call besides those that the server sends itself.
        login: of the server, which Prefect checks; None: it has none.
    """

    def __init__(self, app: ASGIApp, names: Collection[str] = (), page: str = "", login: str | None = None) -> None:
        self._brake = None if login is None else LoginBrake(login)
        self._app = app
        self._names = {"localhost", _name_of(page), *(name.lower() for name in names)} - {""}
        self._page = _place_of(page)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, a web socket, or the server's own start and end."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return

        async def send_unframed(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_UNFRAMED)
            await send(message)

        headers = Headers(scope=scope)
        refusal, status, more = self._refusal(headers), 403, {}
        if not refusal and (wait := self._brake_on(scope, headers)):
            refusal, status = f"Too many wrong logins from this address: try again in {wait} s.", 429
            more = {"Retry-After": str(wait)}
        if not refusal:
            await self._app(scope, self._watched(scope, receive), send_unframed)
        elif scope["type"] == "websocket":
            await WebSocketClose(1008, refusal)(scope, receive, send)
        else:
            await PlainTextResponse(refusal, status, more)(scope, receive, send_unframed)

    def _brake_on(self, scope: Scope, headers: Headers) -> int:
        """Take in a request's login; return the seconds that its address has to wait."""
        given = headers.get("authorization")
        if self._brake is None or (given is None and scope["type"] == "http"):
            return 0
        address, now = _address_of(scope), time.monotonic()
        if wait := self._brake.wait(address, now):
            return math.ceil(wait)
        if given is not None:
            _warn(self._brake.try_header(address, given, now)[1])
        return 0

    def _watched(self, scope: Scope, receive: Receive) -> Receive:
        """Take in the login of a web socket, which is in its first message."""
        brake = self._brake
        if scope["type"] != "websocket" or brake is None:
            return receive
        is_first = True

        async def watched() -> Message:
            nonlocal is_first
            message = await receive()
            if message["type"] == "websocket.receive" and is_first:
                is_first = False
                _warn(brake.try_login(_address_of(scope), _token_of(message), time.monotonic())[1])
            return message

        return watched

    def _refusal(self, headers: Headers) -> str:
        host, origin = headers.get("host", ""), headers.get("origin")
        name = _name_of(f"http://{host}")
        if name not in self._names and not _is_number(name):
            return "This server does not go by the name that was asked for: put its address into PREFECT_UI_URL."
        if origin is None or (_place_of(origin) and _place_of(origin) in {host, self._page}):
            return ""
        return "This server takes no requests of other sites' pages."


def _address_of(scope: Scope) -> str:
    return str((scope.get("client") or ("unknown",))[0])


def _token_of(message: Message) -> str:
    try:
        token = json.loads(message.get("text") or message.get("bytes") or "")["token"]
    except (ValueError, TypeError, KeyError):
        return ""
    return token if isinstance(token, str) else ""


def _warn(sentence: str) -> None:
    if sentence:
        _log.warning(sentence)


def _name_of(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return ""


def _place_of(url: str) -> str:
    """The host and the port in an address, as the header Host has them; "" where there is none."""
    try:
        return urlsplit(url).netloc
    except ValueError:
        return ""


def _is_number(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def main(arguments: Sequence[str]) -> int:
    """The command line; returns when it was stopped. All else comes from Prefect's own settings."""
    parser = argparse.ArgumentParser(prog="python -m deployments.server")
    parser.add_argument("--host", default="127.0.0.1", help="an address of this machine (default: this machine only)")
    parser.add_argument("--port", type=int, default=4200, help="where it listens (default: 4200)")
    parser.add_argument("--name", action="append", default=[], help="one more name that requests may call it by")
    given = parser.parse_args(arguments)

    settings = get_current_settings().server
    secret = settings.api.auth_string
    login = None if secret is None else secret.get_secret_value()
    try:
        check_exposure(given.host, given.port, login)
    except UsageError as error:
        return complain(error)
    database = settings.database.connection_url
    if database is None or database.get_secret_value().startswith("sqlite"):
        import deployments.sqlite  # noqa: F401, PLC0415  changes how Prefect waits for SQLite

        make_new_database()
    from prefect.server.api.server import create_app  # noqa: PLC0415  loads all of Prefect's server, for 3 s of CPU

    own = "127.0.0.1" if given.host == "0.0.0.0" else given.host  # noqa: S104
    Watchdog("server", lambda: answers(f"http://{own}:{given.port}/api/health"), lambda: os._exit(1)).start()
    uvicorn.run(
        Guard(create_app(final=True), [socket.gethostname(), *given.name], get_current_settings().ui_url or "", login),
        host=given.host,
        port=given.port,
        timeout_keep_alive=settings.api.keepalive_timeout,
        ws_ping_interval=settings.api.websocket_ping_interval,
        ws_ping_timeout=settings.api.websocket_ping_timeout,
        log_level=settings.logging_level.lower(),
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
