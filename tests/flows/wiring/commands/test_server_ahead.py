"""A server that waits: begun by commands that need one, and by nothing else; it never outlives its command."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flows.wiring.commands.server_ahead import command_in
from tests.builders.processes import processes_at
from tests.conftest import ROOT

# The beginning of a command, with what a test looks for in its place.
BEGIN = (
    "import sys; sys.orig_argv = sys.argv = sys.argv[1:]; import flows; from flows.wiring.commands import server_ahead"
)


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("python -m flows.summarize_day --day 2026-11-22", "summarize_day"),
        ("python -X utf8 -m flows.build_report", "build_report"),
        ("python -m flows summarize-day", "summarize_day"),
        ("python -m flows flows.summarize_day", "summarize_day"),
        ("python -m flows", ""),
        ("python .venv/bin/kefu-digest backfill_days --all-days", "backfill_days"),
        ("python /usr/bin/kefu-digest", ""),
        ("python -m prefect.engine", ""),
        ("python -m pytest tests/flows", ""),
        ("python -c import flows -m flows.summarize_day", ""),
        ("python", ""),
    ],
)
def test_command_in_names_commands_and_nothing_else(words, name):
    assert command_in(words.split()) == name


def begin(folder: Path, words: str, then: str, *, closed: bool = False, **changes: str) -> subprocess.Popen[str]:
    """A process that begins like a command of these words, and then does something else; its output may be closed."""
    home = {"HOME": str(folder), "PREFECT_HOME": str(folder / "prefect"), "DO_NOT_TRACK": "1"}
    command = [sys.executable, "-c", f"{BEGIN}; {then}", *words.split()]
    if closed:
        command = ["sh", "-c", 'exec "$@" >&-', "sh", *command]
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]} | home | changes,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE if closed else None,
        text=True,
    )


@pytest.mark.parametrize(
    ("words", "changes", "waiting"),
    [
        ("python -m flows.summarize_day --day 2026-11-22", {}, 1),
        ("python -m flows.summarize_day --help", {}, 0),
        ("python -m flows.try_logs exports", {}, 0),
        ("python -m flows.no_command", {}, 0),
        ("python -m flows.summarize_day", {"PREFECT_API_URL": "http://127.0.0.1:9/api"}, 0),
        ("python -m flows.summarize_day", {"SSL_CERT_FILE": "/not/there"}, 0),
    ],
)
def test_server_waits_only_for_a_command_that_will_bring_one(words, changes, waiting, tmp_path):
    with begin(tmp_path, words, "print(len(server_ahead._waiting))", **changes) as process:
        process.wait(120)
        assert not processes_at(tmp_path), "whoever reads the command's output waits for it"
        assert process.communicate()[0] == f"{waiting}\n"


def test_server_is_in_no_session_that_is_interrupted_with_the_command(tmp_path):
    then = "import os; print(os.getsid(server_ahead._waiting[0].pid) == os.getsid(0))"
    with begin(tmp_path, "python -m flows.summarize_day", then) as process:
        assert process.communicate(timeout=120)[0] == "False\n"


def test_server_that_waits_is_not_where_a_closed_output_was(tmp_path):
    """Otherwise the command writes its result to the server."""
    then = "import os; os.write(2, os.readlink('/proc/self/fd/1').encode())"
    with begin(tmp_path, "python -m flows.summarize_day", then, closed=True) as process:
        assert process.communicate(timeout=120)[1] == "/dev/null"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_server_that_waits_ends_with_its_command_however_that_ends(number, tmp_path):
    then = "import time; print('begun', flush=True); time.sleep(600)"
    with begin(tmp_path, "python -m flows.summarize_day", then) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert len(processes_at(tmp_path)) == 2
        process.send_signal(number)
        process.wait(120)
    until = time.monotonic() + 120
    while processes_at(tmp_path):
        assert time.monotonic() < until, "it waits for a command that is no more"
        time.sleep(0.05)
