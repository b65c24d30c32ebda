"""The services of deployments/compose.yaml as processes of this machine, where there is no engine for containers.

Commands, environments, health checks and times are the file's and the image's. Replaced are the places (ports, names of
other services, folders), and what an engine does: it starts again what ended.
"""

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
import yaml  # type: ignore[import-untyped]

from deployments.postgresql import Cluster
from deployments.worker import children
from flows.wiring.commands.own_server import free_port
from tests.conftest import ROOT
from tests.servers.served import Deployed

COMPOSE: Final[dict[str, Any]] = yaml.safe_load((ROOT / "deployments" / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: Final[dict[str, dict[str, Any]]] = COMPOSE["services"]
DOCKERFILE: Final = (ROOT / "deployments" / "Dockerfile").read_text(encoding="utf-8")
INSTRUCTIONS: Final = [
    tuple(line.split(maxsplit=1))
    for line in re.sub(r"\\\n", " ", re.sub(r"(?m)^#.*\n", "", DOCKERFILE)).splitlines()
    if line.strip()
]
LOGIN: Final = "somebody:of-a-test-only"
_VARIABLE: Final = re.compile(r"\$\{(\w+)(?:(:?)([-?])([^}]*))?\}")
_HEALTHY_SECONDS: Final = 240.0


def said(instruction: str) -> list[str]:
    """Everything the Dockerfile says by an instruction, a line each."""
    return [str(rest) for name, rest in INSTRUCTIONS if name == instruction]


def image_environment() -> dict[str, str]:
    """The environment that the Dockerfile gives every process."""
    return dict(pair.split("=", 1) for line in said("ENV") for pair in shlex.split(line))


def interpolate(text: str, values: Mapping[str, str]) -> str:
    """Put variables in, as Compose does.

    Raises:
        KeyError: one that is required has no value; the message is the file's.
    """

    def put(found: re.Match[str]) -> str:
        name, colon, kind, other = found.groups()
        value = values.get(name)
        if value or (value is not None and not colon):
            return value
        if kind == "?":
            raise KeyError(other)
        return other or ""

    return _VARIABLE.sub(put, text)


@dataclass(frozen=True)
class ByHand(Deployed):
    """The services, started and killed by hand.

    Args:
        folder: keeps the volumes and the logs.
        values: what `.env` holds.
        places: what the file and the image name -> what stands for it here.
    """

    folder: Path
    values: Mapping[str, str]
    places: Mapping[str, str]
    processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    def up(self, *names: str) -> None:
        """Start services, one after the other: each when the one before is healthy, or has ended if it is to end."""
        for name in names:
            with (self.folder / f"{name}.log").open("ab") as output:
                self.processes[name] = subprocess.Popen(
                    self._command(SERVICES[name]["command"]),
                    cwd=ROOT,
                    env=self.environment(name),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            until = time.monotonic() + _HEALTHY_SECONDS
            while not (self.is_healthy(name) if "healthcheck" in SERVICES[name] else self._has_ended(name)):
                assert not self.processes[name].poll(), self.log(name)[-3000:]
                assert time.monotonic() < until, self.log(name)[-3000:]
                time.sleep(1)

    def is_healthy(self, name: str) -> bool:
        """Return true where the service's health check ends with 0."""
        command = self._command(SERVICES[name]["healthcheck"]["test"][1:])
        environment = self.environment(name)
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=False).returncode == 0

    def kill(self, *names: str) -> None:
        """End services with -9, all that is in their containers, and start them again as the engine does."""
        for name in names:
            for pid in tree(self.processes[name].pid):
                os.kill(pid, signal.SIGKILL)
            self.processes[name].wait()
        self.up(*names)

    def stop(self, name: str) -> bool:
        """Stop a service as the engine does; return true where it ended in the time that the file gives it."""
        self.processes[name].terminate()
        try:
            self.processes[name].wait(float(SERVICES[name]["stop_grace_period"].removesuffix("s")))
        except subprocess.TimeoutExpired:
            return False
        return True

    def environment(self, name: str) -> dict[str, str]:
        """The environment of a service, with the places of this machine."""
        own = {key: interpolate(value, self.values) for key, value in SERVICES[name].get("environment", {}).items()}
        made = {"TMPDIR": "/tmp", **image_environment(), **own}
        # Volumes and temporary folders are no roots here. What the test says lies here already, perhaps below such a root.
        volume = SERVICES[name].get("volumes", ["none"])[0].partition(":")[0]
        roots = {"/data": self.folder / volume, "/tmp": self.folder / "tmp" / name}
        for here in roots.values():
            here.mkdir(parents=True, exist_ok=True)
        made = {
            key: re.sub(r"^(/data|/tmp)(?=/|$)", lambda root: str(roots[root[1]]), value) for key, value in made.items()
        }
        from_file = self.values if "env_file" in SERVICES[name] else {}
        made |= {key: value for key, value in from_file.items() if key not in own}
        made = {key: self._here(value) for key, value in made.items()}
        return made | {"PREFECT_WORKER_WEBSERVER_PORT": self.places["8080"]}

    def log(self, part: str) -> str:
        return (self.folder / f"{part}.log").read_text(encoding="utf-8", errors="replace")

    def _command(self, words: list[str]) -> list[str]:
        here = [self._here(word) for word in words]
        return [sys.executable, *here[1:]] if here[0] == "python" else here

    def _here(self, text: str) -> str:
        for there, here in self.places.items():
            text = text.replace(there, here)
        return text

    def _has_ended(self, name: str) -> bool:
        return self.processes[name].poll() == 0


def tree(pid: int) -> list[int]:
    """A process and all that it has started, those below first."""
    return [below for child in children(pid) for below in tree(child)] + [pid]


@contextmanager
def by_hand(folder: Path, values: Mapping[str, str]) -> Iterator[ByHand]:
    """Everything that the file starts, in its order, until the end of the block."""
    cluster = Cluster(folder / "database")
    cluster.make()
    with (folder / "database" / "access").open("a") as access:
        access.write("host postgres kefu 127.0.0.1/32 scram-sha-256\n")
    password = (folder / "database" / "password").read_text()
    database, server, health, reports = (str(free_port()) for _ in range(4))
    places = {
        "/opt/kefu-digest/.venv/bin:$PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "/opt/kefu-digest": str(ROOT),
        "@database:5432/prefect": f"@127.0.0.1:{database}/postgres",
        "http://server:": "http://127.0.0.1:",
        "0.0.0.0": "127.0.0.1",
        "4200": server,
        "4201": reports,
        "8080": health,
    }
    process = subprocess.Popen(
        [*cluster.command, "-c", "listen_addresses=127.0.0.1", "-c", f"port={database}"],
        env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        **cluster.options,
    )
    url = f"http://127.0.0.1:{server}"
    values = {"POSTGRES_PASSWORD": password, "PREFECT_SERVER_API_AUTH_STRING": LOGIN, **values}
    with process, httpx.Client(base_url=f"{url}/api", timeout=150, auth=httpx.BasicAuth(*LOGIN.split(":"))) as api:
        hand = ByHand(url, api, folder, values, places)
        try:
            hand.up("server", "set-up", "worker", "watch", "reports")
            yield hand
        finally:
            for service in reversed(hand.processes.values()):
                service.terminate()
            for service in hand.processes.values():
                service.wait(120)
            process.send_signal(signal.SIGINT)
