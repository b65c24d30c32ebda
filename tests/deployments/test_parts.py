"""Parts on real processes: they come back when they die, go when told to, and say why they did not start."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from deployments import parts
from deployments.parts import PartFailed, Service
from tests.conftest import ROOT

TALK = "import time; print('here I am', flush=True); time.sleep(600)"
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('here I am', flush=True); time.sleep(600)"
PARENT = "import subprocess, sys; print(subprocess.Popen(['sleep', '600']).pid, 'here I am', flush=True); import time; time.sleep(600)"


@pytest.fixture
def part(tmp_path: Path):
    made: list[Service] = []

    def make(program: str, is_ready: Callable[[str], bool] = lambda written: "here I am" in written) -> Service:
        environment = {"PATH": os.environ["PATH"]}
        made.append(
            Service("talker", [sys.executable, "-c", program], environment, tmp_path / "a/talker.log", is_ready)
        )
        return made[-1]

    yield make
    for service in made:
        service.stop()


def pid_of(service: Service) -> int:
    assert service._process is not None
    return service._process.pid


def is_alive(pid: int) -> bool:
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state) and not state.startswith("Z")


def wait_for(what: Callable[[], object]) -> None:
    until = time.monotonic() + 90
    while not what() and time.monotonic() < until:
        time.sleep(0.02)
    assert what()


def test_part_that_dies_is_started_again(part, capsys):
    service = part(TALK)
    service.start()
    service.wait_until_ready()
    first = pid_of(service)
    service.revive()
    assert pid_of(service) == first, "it lives"

    os.kill(first, signal.SIGKILL)
    wait_for(lambda: service.revive() or pid_of(service) != first)
    service.wait_until_ready()
    told = capsys.readouterr().out
    assert "talker: ended (SIGKILL); again in 1 s" in told
    assert "talker: started again" in told


def test_part_that_keeps_dying_is_started_less_and_less_often(part, capsys, monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    service = part("raise SystemExit(3)")
    service.start()
    for _ in range(400):
        clock[0] += 0.5
        service._process.wait()
        service.revive()
    told = capsys.readouterr().out
    pauses = [int(line.split("again in ")[1].split()[0]) for line in told.splitlines() if "again in" in line]
    assert pauses[:7] == [1, 2, 4, 8, 16, 30, 30]
    assert "exit code 3" in told


def test_part_that_does_not_start_says_what_it_wrote_last(part):
    service = part("print('no such database'); raise SystemExit(1)")
    service.start()
    with pytest.raises(PartFailed, match=r"(?s)talker did not start.*talker\.log.*no such database"):
        service.wait_until_ready()


def test_what_an_earlier_start_wrote_does_not_count(part):
    service = part(TALK)
    service.start()
    service.wait_until_ready()
    service.stop()
    again = part("raise SystemExit(1)")
    again.start()
    with pytest.raises(PartFailed):
        again.wait_until_ready()


def test_stop_ends_what_the_part_started_too(part):
    service = part(PARENT)
    service.start()
    service.wait_until_ready()
    child = int(service.log.read_text().split()[0])
    service.stop()
    wait_for(lambda: not is_alive(child) and not is_alive(pid_of(service)))


def test_stop_ends_a_part_that_does_not_listen(part, monkeypatch):
    monkeypatch.setattr(parts, "STOP_SECONDS", 0.3)
    service = part(DEAF)
    service.start()
    service.wait_until_ready()
    service.stop()
    assert not is_alive(pid_of(service))


def test_long_log_gives_way(part, monkeypatch):
    monkeypatch.setattr(parts, "_LOG_BYTES", 5)
    for _ in range(2):
        service = part(TALK)
        service.start()
        service.wait_until_ready()
        service.stop()
    assert service.log.read_text() == service.log.with_suffix(".old.log").read_text() == "here I am\n"


@pytest.mark.skipif(not parts.tether(), reason="no setpriv on this machine")
def test_parts_of_a_killed_supervisor_end(tmp_path):
    supervisor = f"""
import time
from pathlib import Path
from deployments.parts import Service
one = Service("talker", ["sleep", "600"], {{"PATH": "/usr/bin:/bin"}}, Path({str(tmp_path)!r}) / "log", lambda written: True)
one.start()
print(one._process.pid, flush=True)
time.sleep(600)
"""
    with subprocess.Popen([sys.executable, "-c", supervisor], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        wait_for(lambda: Path(f"/proc/{child}/comm").read_text() == "sleep\n")  # the tether is on: setpriv is through
        process.kill()
    wait_for(lambda: not is_alive(child))
