"""`deployments.serve` as an operator runs it: a database, a server, deployments and a worker, in processes of their own."""

import os
import signal
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from flows.wiring.commands.own_server import free_port
from tests.conftest import ROOT

_START_SECONDS = 900.0
ENDED = {"Completed", "Failed", "Crashed", "Cancelled"}


@dataclass(frozen=True)
class Deployed(ABC):
    """A Prefect server with the deployments and their workers.

    Args:
        url: the UI's address; the API is below it.
        api: a client of the API.
    """

    url: str
    api: httpx.Client

    def start(self, deployment: str, scheduled_time: str = "", **parameters: Any) -> str:
        """Start a run, now or as if the schedule had; its id."""
        found = self.ask("GET", f"/deployments/name/{deployment}")
        state = {"type": "SCHEDULED", "state_details": {"scheduled_time": scheduled_time}} if scheduled_time else None
        asked = {"parameters": parameters, **({"state": state} if state else {})}
        return str(self.ask("POST", f"/deployments/{found['id']}/create_flow_run", asked)["id"])

    def ask(self, method: str, path: str, content: Any = None) -> Any:
        """Call the API; ask again what is started anew: a server (503, no connection) or its database (500)."""
        until = time.monotonic() + 120
        while True:
            try:
                answer = self.api.request(method, path, json=content)
                if answer.status_code not in (500, 503) or time.monotonic() > until:
                    return answer.raise_for_status().json()
            except httpx.TransportError:
                if time.monotonic() > until:
                    raise
            time.sleep(1)

    def run(self, run_id: str) -> dict[str, Any]:
        """A run as the API tells of it."""
        return dict(self.ask("GET", f"/flow_runs/{run_id}"))

    def wait(self, run_id: str, states: set[str] = ENDED, seconds: float = 300.0) -> dict[str, Any]:
        """The run, when it has come to one of the states."""
        until = time.monotonic() + seconds
        while (run := self.run(run_id))["state_name"] not in states:
            assert time.monotonic() < until, f"{run['name']} is {run['state_name']}:\n{self.log('worker')[-3000:]}"
            time.sleep(0.5)
        return run

    @abstractmethod
    def log(self, part: str) -> str:
        """Return a part's output."""


@dataclass(frozen=True)
class Served(Deployed):
    """A machine that serves.

    Args:
        folder: what it keeps.
        warehouse: where its worker writes tables.
        process: the supervisor.
    """

    folder: Path
    warehouse: Path
    process: subprocess.Popen[bytes]

    def said(self) -> str:
        """Return the terminal's output so far."""
        return (self.folder.parent / "said.txt").read_text(encoding="utf-8")

    def login(self) -> str:
        """The login that the first start made."""
        return (self.folder / "login").read_text(encoding="utf-8").strip()

    def log(self, part: str) -> str:
        """Return a part's output."""
        return (self.folder / "logs" / f"{part}.log").read_text(encoding="utf-8", errors="replace")

    def part(self, word: str) -> int:
        """The process id of the part whose command has that word; 0: it isn't there."""
        listed = subprocess.run(
            ["ps", "-o", "pid=,args=", "--ppid", str(self.process.pid)], capture_output=True, text=True, check=False
        )
        for line in listed.stdout.splitlines():
            if f" {word} " in f"{line} " or f" deployments.{word} " in f"{line} ":
                return int(line.split()[0])
        return 0

    def stop(self) -> int:
        """Ctrl-C; its exit code."""
        self.process.send_signal(signal.SIGCONT)  # a test that failed may have left it standing still
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(180)


@contextmanager
def served(folder: Path, database: str, environment: Mapping[str, str], *flags: str) -> Iterator[Served]:
    """A machine that serves, from the line that says it is ready to the end of the block."""
    port, said = free_port(), folder / "said.txt"
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "KEFU_"))}
    command = ["--port", str(port), "--folder", str(folder / "serve"), "--database", database, *flags]
    command += ["--reports-port", str(free_port())]
    proxy = dict.fromkeys(("HTTP_PROXY", "http_proxy", "HTTPS_PROXY"), "http://127.0.0.1:9")  # which nobody may ask
    kept = {name: value for name, value in kept.items() if name.lower() != "no_proxy"} | proxy
    with said.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "deployments.serve", *command],
            cwd=ROOT,
            env={**kept, "KEFU_WAREHOUSE": str(folder / "warehouse"), **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    url = f"http://127.0.0.1:{port}"
    with process, httpx.Client(base_url=f"{url}/api", timeout=150) as api:
        machine = Served(url, api, folder / "serve", folder / "warehouse", process)
        try:
            until = time.monotonic() + _START_SECONDS
            while "ready: " not in machine.said():
                assert process.poll() is None, machine.said()
                assert time.monotonic() < until, machine.said()
                time.sleep(0.2)
            api.auth = httpx.BasicAuth(*machine.login().split(":"))
            yield machine
        finally:
            if process.poll() is None:
                machine.stop()
