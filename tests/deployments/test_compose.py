"""The compose file on a real Docker Engine: built, started, used, broken and taken away again.

It has a project, an image, a port and volumes of its own: what runs on the machine already is not touched.
"""

import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from flows.wiring.commands.own_server import free_port
from flows.wiring.version import code_version
from tests.conftest import ROOT
from tests.servers.composed import LOGIN
from tests.servers.qianfan import API_KEY, QianfanServer
from tests.servers.served import Deployed

pytestmark = [pytest.mark.containers, pytest.mark.timeout(1800)]

PROJECT = "kefu-digest-test"
OVERRIDE = """\
services:
  server: {{image: "{project}:latest", ports: !override ["127.0.0.1:{port}:4200"]}}
  reports: {{image: "{project}:latest", ports: !override []}}
  set-up: {{image: "{project}:latest"}}
  worker: {{image: "{project}:latest", extra_hosts: ["endpoint:host-gateway"]}}
  watch: {{image: "{project}:latest"}}
"""
STATES = "{{.Service}} {{.Health}}"
# A report as a browser gets it.
SHOW = (
    "import base64, sys, urllib.request as r; login = base64.b64encode(sys.argv[1].encode()).decode(); "
    "page = r.Request('http://reports:4201/day=2026-11-22/report.html', headers={'Authorization': f'Basic {login}'}); "
    "print(r.urlopen(page, timeout=20).read().decode())"
)
SOURCE = "deployments/demo/logs/{day}"
CONCURRENCY = 6


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)


@dataclass(frozen=True)
class Composed(Deployed):
    """The services that the compose file started.

    Args:
        folder: the project's directory.
    """

    folder: Path

    def compose(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `docker compose`."""
        files = [self.folder / "deployments" / "compose.yaml", self.folder / "override.yaml"]
        where = [f"--project-directory={self.folder}", *(f"--file={file}" for file in files)]
        return run("docker", "compose", f"--project-name={PROJECT}", *where, *arguments)

    def inside(self, service: str, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in a service's container."""
        return self.compose("exec", "--no-tty", service, *command)

    def kill(self, service: str) -> None:
        """End what all containers of a service do with -9; the engine starts them again."""
        for container in self.compose("ps", "--quiet", service).stdout.split():
            run("docker", "exec", container, "python", "-c", "import os; os.kill(-1, 9)")
            until = time.monotonic() + 60
            while run("docker", "inspect", "--format", "{{.RestartCount}}", container).stdout.strip() != "1":
                assert time.monotonic() < until, f"{service} was not started again"
                time.sleep(0.5)

    def log(self, part: str) -> str:
        return self.compose("logs", "--no-log-prefix", part).stdout

    def backfill(self) -> str:
        """The name of a backfill of three days, which tells its counts, when it has completed."""
        ended = self.wait(self.start("backfill-days/backfill", start="2026-11-20", end="2026-11-22", source=SOURCE))
        assert ended["state_name"] == "Completed", self.log("worker")
        return str(ended["name"])


@pytest.fixture(scope="module")
def endpoint() -> Iterator[QianfanServer]:
    server = QianfanServer()
    server.host = "0.0.0.0"
    with server:
        yield server


@pytest.fixture(scope="module")
def composed(endpoint: QianfanServer, tmp_path_factory) -> Iterator[Composed]:
    folder, port = tmp_path_factory.mktemp("composed"), free_port()
    for name in ("tasks", "flows", "deployments"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", ".dockerignore"):
        shutil.copy(ROOT / name, folder / name)
    values = f"POSTGRES_PASSWORD=of-a-test\nPREFECT_SERVER_API_AUTH_STRING={LOGIN}\nKEFU_SUMMARIZER=offline\n"
    values += f"OPENAI_BASE_URL=http://endpoint:{endpoint.port}/v1\nOPENAI_API_KEY={API_KEY}\n"
    (folder / ".env").write_text(values, encoding="utf-8")
    (folder / "override.yaml").write_text(OVERRIDE.format(project=PROJECT, port=port), encoding="utf-8")
    with httpx.Client(
        base_url=f"http://127.0.0.1:{port}/api", timeout=60, auth=httpx.BasicAuth(*LOGIN.split(":"))
    ) as api:
        composed = Composed(f"http://127.0.0.1:{port}", api, folder)
        try:
            up = composed.compose("up", "--build", "--detach", "--scale", "worker=2")
            assert up.returncode == 0, up.stdout[-3000:] + composed.log("set-up")
            yield composed
        finally:
            composed.compose("down", "--volumes", "--rmi", "local")


def test_server_shows_its_pages(composed):
    page = httpx.get(composed.url, follow_redirects=True, timeout=60).raise_for_status()
    assert page.headers["content-type"].startswith("text/html")
    assert "<script" in page.text
    assert " ERROR " not in composed.log("server")


def test_every_service_is_healthy_by_its_own_check(composed):
    until = time.monotonic() + 180
    while unwell := [
        line for line in composed.compose("ps", "--format", STATES).stdout.splitlines() if line.split()[1] != "healthy"
    ]:
        assert time.monotonic() < until, unwell
        time.sleep(1)


def test_image_has_this_code(composed):
    assert composed.inside("worker", "python", "-m", "flows.wiring.version").stdout.strip() == code_version()


def test_nobody_is_root_and_nothing_but_data_is_written(composed):
    for service in ("server", "worker"):
        assert composed.inside(service, "id", "--user").stdout.strip() == "10001"
        assert composed.inside(service, "touch", "/opt/kefu-digest/there").returncode != 0
        assert composed.inside(service, "touch", "/data/there", "/tmp/there").returncode == 0
    assert composed.inside("worker", "printenv", "POSTGRES_PASSWORD").stdout.strip() == ""


def test_killed_servers_and_workers_come_back_and_know_what_is_done(composed):
    assert composed.backfill().endswith(" · 3 done")
    for service in ("server", "worker"):
        composed.kill(service)
    assert composed.backfill().endswith(" · 3 skipped")
    shown = composed.inside("worker", "python", "-c", SHOW, LOGIN)
    assert shown.returncode == 0, shown.stdout
    assert "2026-11-22" in shown.stdout


@pytest.mark.parametrize("services", [("worker",), ()], ids=["workers", "everything"])
def test_stopped_in_the_middle_of_calls_throws_none_away_and_goes_on_when_started_again(composed, endpoint, services):
    endpoint.reset()
    endpoint.behavior.latency_median = 8.0
    asked = {
        "source": SOURCE,
        "summarizer": "openai",
        "endpoint": f"stops-{len(services)}",
        "concurrency": CONCURRENCY,
        "overwrite": True,
    }
    run = composed.start("summarize-day/nightly", day="2026-11-22", catch_up_days=0, settings=asked)
    until = time.monotonic() + 300
    while sum(endpoint.delivered.values()) < 2 * CONCURRENCY:
        assert time.monotonic() < until, composed.log("worker")[-3000:]
        time.sleep(0.1)
    assert composed.compose("stop", *services).returncode == 0
    paid = sum(endpoint.delivered.values())
    assert len(endpoint.arrivals) == paid, "what was in flight was thrown away"
    endpoint.behavior.latency_median = 0.0
    assert composed.compose("start", *services).returncode == 0
    ended = composed.wait(run, {"Completed", "Failed", "Cancelled"}, 600)
    assert ended["state_name"] == "Completed", ended["state"]
    assert set(endpoint.delivered.values()) == {1}
    assert len(endpoint.delivered) > paid, "it was stopped when all was done"
    print(f"stopped after {paid} calls, {sum(endpoint.delivered.values())} in all, none twice: {ended['name']}")
