"""The worker that stops without loss: on real processes in place of Prefect's worker and its runs."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from deployments import worker as worker_module
from deployments.parts import tether
from deployments.worker import children, is_alive, main, run_worker, stop_in_good_order
from tests.conftest import ROOT

RUN = "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: (time.sleep(0.3), open(sys.argv[1], 'w').write('kept'), sys.exit(0))); open(sys.argv[1] + '.up', 'w').close(); time.sleep(600)"
WORKER = f"""
import signal, subprocess, sys, time
run = subprocess.Popen([sys.executable, "-c", {RUN!r}, sys.argv[1]], start_new_session=True)
def stop(*_):
    run.kill()  # as Prefect's worker does, at once
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
while True:
    time.sleep(0.05)
"""
# Prefect's worker keeps a run's environment so, and leaves it there when the run is killed.
LEAVES = """#!/bin/sh
set -e
mkdir "$TMPDIR/prefect-workspace-attempt-x"
env > "$TMPDIR/prefect-workspace-attempt-x/workspace.json"
kill -9 $$
"""
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"


def wait_for(path: Path) -> None:
    until = time.monotonic() + 120
    while not path.exists():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_runs_end_in_good_order_before_their_worker_can_end_them(tmp_path, capsys):
    kept = tmp_path / "kept"
    with subprocess.Popen([sys.executable, "-c", WORKER, str(kept)]) as process:
        wait_for(tmp_path / "kept.up")
        (run,) = children(process.pid)
        stop_in_good_order(process)
        assert process.wait(120) == 0
    assert kept.read_text() == "kept"
    assert not is_alive(run)
    assert "1 of 1 runs have ended in good order" in capsys.readouterr().out


def test_run_that_does_not_listen_is_waited_for_only_so_long(capsys):
    program = f"import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', {DEAF!r}], stdout=subprocess.PIPE); p.stdout.readline(); print('up', flush=True); p.wait()"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        (run,) = children(process.pid)
        stop_in_good_order(process, grace_seconds=0.3)
        assert is_alive(run)
        os.kill(run, signal.SIGKILL)
    assert "0 of 1 runs" in capsys.readouterr().out


@pytest.mark.skipif(not tether(), reason="no setpriv on this machine")
def test_worker_that_stands_still_ends_when_the_process_that_stops_it_is_killed():
    inner = "import time; from deployments.parts import end_with_parent; end_with_parent(); print('up', flush=True); time.sleep(600)"
    outer = f"import subprocess, sys, time; p = subprocess.Popen([{', '.join(map(repr, tether('CONT')))}, sys.executable, '-c', {inner!r}]); print(p.pid, flush=True); time.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", outer], stdout=subprocess.PIPE, cwd=ROOT, text=True) as process:
        assert process.stdout is not None
        worker, up = int(process.stdout.readline()), process.stdout.readline()
        assert up == "up\n"
        os.kill(worker, signal.SIGSTOP)
        process.kill()
    until = time.monotonic() + 60
    while is_alive(worker):
        assert time.monotonic() < until
        time.sleep(0.05)


def test_wrong_settings_are_said_before_a_worker_starts(monkeypatch, capsys):
    monkeypatch.setenv("KEFU_DIR", "x")
    monkeypatch.setattr(worker_module, "run_worker", lambda arguments: pytest.fail("it starts"))
    assert main([]) == 2
    assert "KEFU_DIR in the environment is no setting" in capsys.readouterr().err
    assert main(["--check"]) == 2


def test_temporary_folder_that_is_named_is_made(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path / "not" / "there"))
    assert main(["--check"]) == 0
    assert (tmp_path / "not" / "there").is_dir()


def test_keys_that_killed_runs_left_in_files_are_gone_with_their_worker_or_at_the_next_start(tmp_path, monkeypatch):
    (tmp_path / "kefu-worker" / "worker-dead").mkdir(parents=True)
    left = {
        "of a worker that was killed": tmp_path / "kefu-worker" / "worker-dead",
        "of an older version": tmp_path / "prefect-workspace-attempt-old",
    }
    for folder in left.values():
        folder.mkdir(exist_ok=True)
        (folder / "workspace.json").write_text('{"OPENAI_API_KEY": "made-up"}')
        (folder / "alive").touch()
    os.utime(left["of an older version"], times=(time.time() - 3 * 86400,) * 2)
    program = tmp_path / "worker.sh"
    program.write_text(LEAVES)
    program.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(program))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("OPENAI_API_KEY", "made-up")
    assert run_worker([]) == -signal.SIGKILL
    assert [path for path in tmp_path.rglob("*") if path.is_file() and "made-up" in path.read_text()] == []
