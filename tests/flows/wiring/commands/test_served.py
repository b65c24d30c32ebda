"""A command beside `make serve` uses its server: where its folder is locked, its login opens and it answers."""

import base64
import fcntl
import os
from collections.abc import Callable, Iterator
from contextvars import Context
from functools import wraps
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from prefect.client.orchestration import get_client
from prefect.context import refresh_global_settings_context
from prefect.settings import PREFECT_API_URL

from flows.wiring.commands.own_server import free_port
from flows.wiring.commands.served import use_served
from flows.wiring.commands.surroundings import surroundings

LOGIN = "admin:of-this-machine"


def as_a_command(test: Callable[..., None]) -> Callable[..., None]:
    """Run the test as a new process would begin, whatever server other tests of this one use."""

    @wraps(test)
    def run(**fixtures: object) -> None:
        Context().run(test, **fixtures)

    return run


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The place of what `make serve` keeps, for a process that nobody told of a server."""
    for name in ("PREFECT_API_URL", "PREFECT_UI_URL", "PREFECT_API_AUTH_STRING"):
        monkeypatch.setenv(name, "")
    with monkeypatch.context() as patch:
        patch.setenv("PREFECT_HOME", str(tmp_path))
        refresh_global_settings_context()
        (tmp_path / "serve").mkdir()
        (tmp_path / "serve" / "login").write_text(f"{LOGIN}\n")
        yield tmp_path / "serve"
    monkeypatch.undo()
    refresh_global_settings_context()


@pytest.fixture
def serving(folder: Path) -> Iterator[Path]:
    with (folder / "serving").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder / "serving"


@pytest.fixture
def guarded() -> Iterator[str]:
    """The address of a server that lets in nobody but `LOGIN`."""
    expected = f"Basic {base64.b64encode(LOGIN.encode()).decode()}"

    class Guard(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.headers["Authorization"] == expected else 401)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Guard) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@as_a_command
def test_a_command_uses_the_server_of_make_serve(serving, prefect_api):
    serving.write_text(f"{prefect_api.url.removesuffix('/api')} (process 7)")
    with surroundings(), get_client(sync_client=True) as client:
        assert str(client.api_url).rstrip("/") == prefect_api.url
        assert client.hello().status_code == 200
    assert os.environ["PREFECT_API_URL"] == prefect_api.url, "its children, too"


@as_a_command
def test_the_login_is_that_of_the_folder(serving, guarded):
    serving.write_text(f"{guarded} (process 7)")
    assert use_served()
    assert PREFECT_API_URL.value() == f"{guarded}/api"
    assert os.environ["PREFECT_API_AUTH_STRING"] == LOGIN


@as_a_command
def test_a_server_behind_another_login_is_left_alone(serving, guarded):
    serving.write_text(f"{guarded} (process 7)")
    serving.with_name("login").write_text("admin:of-before")
    assert not use_served()
    assert not PREFECT_API_URL.value()


@as_a_command
def test_a_server_that_does_not_answer_yet_is_left_alone(serving):
    serving.write_text(f"http://127.0.0.1:{free_port()} (process 7)")
    assert not use_served()


@as_a_command
def test_an_address_that_nobody_holds_any_more_gets_no_login(folder, guarded):
    assert not use_served()
    (folder / "serving").write_text(f"{guarded} (process 7)")
    assert not use_served()
