"""A real Prefect server on loopback, in a process and a folder of its own.

What it does only for others, it does seldom or not at all: an idle server costs less than its tests.
"""

import fcntl
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import httpx
import prefect
import pytest

_ROOT = Path(__file__).parents[2]
# What a new server has made in its folder when it first answers: half of the CPU of its start is migrations.
_NEW = _ROOT / ".tmp" / f"prefect-{prefect.__version__}"
# Each of Prefect's clients reads its certificates: 20 ms for the world's 140. No test speaks TLS to Prefect: one does.
ONE_CERTIFICATE = _ROOT / "flows" / "wiring" / "commands" / "nobody.pem"
_START_SECONDS = 240.0
# Nobody looks at a task run while its flow runs: one by one, their records are a third of the server's work.
# A test that waits for an event waits until the next batch.
_IN_BATCHES = {
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_FLUSH_INTERVAL": "1",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "50",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
}
# No test asks the shared server for a task run: their records were a tenth of its work. None waits until it finds a
# run late or paused for too long, for which it looked every five seconds.
_FOR_OTHERS = {
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_LATE_RUNS_LOOP_SECONDS": "600",
    "PREFECT_SERVER_SERVICES_PAUSE_EXPIRATIONS_LOOP_SECONDS": "600",
    "PREFECT_SERVER_SERVICES_CLEANUP_RECONCILER_LOOP_SECONDS": "600",
}
_STOP_SECONDS = 10.0

_shared: list["PrefectServer"] = []
_until_stopped = ExitStack()


@dataclass(frozen=True, slots=True)
class PrefectServer:
    """A running server.

    Args:
        url: its API, as `PREFECT_API_URL` wants it.
        home: its `PREFECT_HOME`, which commands that talk to it share.
        log: what it wrote so far.
        login: USER:PASSWORD; empty: it asks for none.
    """

    url: str
    home: Path
    log: Path
    login: str = ""

    def environment(self) -> dict[str, str]:
        """For a process that talks to this server: the test's own environment without any other Prefect."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
        return {
            **kept,
            "PREFECT_API_URL": self.url,
            "PREFECT_HOME": str(self.home),
            "PREFECT_API_SSL_CERT_FILE": str(ONE_CERTIFICATE),
            "PREFECT_CLIENT_CSRF_SUPPORT_ENABLED": "false",  # each client would ask for a token, and get none
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "DO_NOT_TRACK": "1",
            "NO_COLOR": "1",
            **({"PREFECT_API_AUTH_STRING": self.login} if self.login else {}),
        }

    def client(self) -> httpx.Client:
        """Of its API; how long an answer may take leaves room for a busy machine."""
        return httpx.Client(base_url=self.url, timeout=150)

    def prefect(self, *arguments: str, folder: Path, timeout_seconds: float = 300.0) -> str:
        """Run one `prefect` command against this server in a folder; return what it printed.

        Raises:
            AssertionError: it failed; the message is what it printed.
        """
        done = subprocess.run(
            [sys.executable, "-m", "prefect", "--no-prompt", *arguments],
            cwd=folder,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout_seconds,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout


def beat(api: httpx.Client, runs: Iterable[str], tag: str) -> None:
    """Tell the server what each run of a deployment with that tag tells it while it lives."""
    related = [{"prefect.resource.id": f"prefect.tag.{tag}", "prefect.resource.role": "tag"}]
    beats = [
        {
            "id": str(uuid4()),
            "event": "prefect.flow-run.heartbeat",
            "occurred": datetime.now(UTC).isoformat(),
            "resource": {"prefect.resource.id": f"prefect.flow-run.{run}"},
            "related": related,
            "payload": {},
        }
        for run in runs
    ]
    api.post("/events", json=beats).raise_for_status()


@contextmanager
def prefect_server(folder: Path, login: str = "", **settings: str) -> Iterator[PrefectServer]:
    """A server on SQLite, its data in a new folder, from its first answer to the end of the block, however that ends.

    Args:
        folder: a new one.
        login: USER:PASSWORD, which it then asks for.
        settings: more of its environment.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder.mkdir(parents=True, exist_ok=True)
    server = PrefectServer(f"http://127.0.0.1:{port}/api", folder, folder / "server.log", login)
    environment = server.environment() | {
        "PREFECT_SERVER_LOG_RETRYABLE_ERRORS": "true",
        "PREFECT_UI_URL": server.url.removesuffix("/api"),
        "PYTHONPATH": str(_ROOT),
        **_IN_BATCHES,
        **({"PREFECT_SERVER_API_AUTH_STRING": login} if login else {}),
        **settings,
    }
    del environment["PREFECT_API_URL"]
    with server.log.open("wb") as log, ExitStack() as stack:
        with _made_once(folder):
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "deployments.sqlite",
                    "server",
                    "start",
                    "--host",
                    "127.0.0.1",
                    "--port",
                    str(port),
                ],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            stack.callback(_stop, process)
            _wait_until_healthy(server, process)
        yield server


@contextmanager
def _made_once(folder: Path) -> Iterator[None]:
    """Put into a server's folder what the first server made there; that one starts within the block, and alone."""
    _NEW.parent.mkdir(exist_ok=True)
    with _NEW.with_name(f"{_NEW.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _NEW.exists():
            yield
            made = Path(tempfile.mkdtemp(dir=_NEW.parent))
            with (
                closing(sqlite3.connect(folder / "prefect.db")) as database,
                closing(sqlite3.connect(made / "prefect.db")) as copy,
            ):
                database.backup(copy)
            shutil.copy(folder / "memo_store.toml", made)
            made.rename(_NEW)
            return
    shutil.copytree(_NEW, folder, dirs_exist_ok=True)
    yield


def _wait_until_healthy(server: PrefectServer, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{server.url}/health", timeout=2) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise AssertionError(f"The Prefect server did not start:\n{server.log.read_text(errors='replace')[-3000:]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    # `prefect server start` runs the server in a child: the whole group goes.
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            continue
    process.wait()


@pytest.fixture(scope="module")
def prefect_api(tmp_path_factory: pytest.TempPathFactory) -> PrefectServer:
    """A real Prefect server, started once for all tests of a process that ask for it."""
    if not _shared:
        server = prefect_server(tmp_path_factory.mktemp("prefect"), **_FOR_OTHERS)
        _shared.append(_until_stopped.enter_context(server))
    return _shared[0]


def stop_shared_server() -> None:
    """Stop the server of this process' tests, if it runs; the next test that asks for one starts another."""
    _shared.clear()
    _until_stopped.close()
