"""Trouble around a command gets one sentence each, from real commands in real trouble."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, PREFECT_HOME, temporary_settings

from flows.wiring.commands.own_server import free_port
from flows.wiring.commands.surroundings import explain, surroundings
from tasks.domain.errors import NoLogs, RunError
from tests.builders.processes import processes_at
from tests.conftest import ROOT

COMMAND = [sys.executable, "-m", "flows.build_report", "--start", "2026-11-22", "--end", "2026-11-22"]
DAY = [sys.executable, "-m", "flows.summarize_day", "--day", "2026-11-22"]


def environment(folder: Path, **changes: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH",)}
    home = {"HOME": str(folder), "PREFECT_HOME": str(folder / "prefect"), "TMPDIR": str(folder)}
    return kept | home | {"KEFU_WAREHOUSE": str(folder / "warehouse"), "DO_NOT_TRACK": "1"} | changes


def run(command: list[str], given: dict[str, str]) -> tuple[int, list[str], str]:
    """A command's exit code, what it complained of and everything it wrote to stderr."""
    done = subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True, check=False, timeout=300)
    said = [line for line in done.stderr.splitlines() if line.startswith("kefu-digest:")]
    return done.returncode, said, done.stderr


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (RuntimeError("Failed to reach API at http://127.0.0.1:9/api/"), "can't be reached"),
        (httpx.ConnectError("All connection attempts failed"), "can't be reached"),
        (ValueError("No Prefect API URL provided. Please set PREFECT_API_URL"), "There is no Prefect server"),
        (ImportError("Using SOCKS proxy, but the 'socksio' package is not installed."), "SOCKS"),
        (RuntimeError("Could not determine home directory."), "PREFECT_HOME"),
        (OSError(24, "Too many open files"), "ulimit"),
        (OSError(28, "No space left on device"), "Make room"),
        (httpx.ReadTimeout("slow"), "in the middle"),
        (UnicodeEncodeError("utf-8", "\udce6", 0, 1, "surrogates not allowed"), "PYTHONUTF8=1"),
        (ExceptionGroup("many", [ValueError("other"), OSError(24, "Too many open files")]), "ulimit"),
    ],
)
def test_explain_says_what_is_wrong_and_what_to_do(error, says):
    wrapped = ValueError("around")
    wrapped.__cause__ = error
    for raised in (error, wrapped):
        sentence = explain(raised)
        assert sentence is not None
        assert says in sentence
        assert "\n" not in sentence


def test_explain_names_the_full_disk_behind_a_server_that_failed():
    error = httpx.ReadError("cut off")
    assert "no room" not in str(explain(error))
    with temporary_settings({PREFECT_HOME: Path("/proc")}):  # has no block free
        assert "/proc has no room left" in str(explain(error))


def test_explain_leaves_a_mistake_of_ours_to_its_traceback():
    assert explain(KeyError("theme")) is None


def test_surroundings_leave_our_own_errors_as_they_are(prefect_api):
    with temporary_settings({PREFECT_API_URL: prefect_api.url}):
        with pytest.raises(NoLogs, match="none"), surroundings():
            raise NoLogs("none")
        with pytest.raises(KeyError), surroundings():
            raise KeyError("a bug")
        with surroundings(), get_client(sync_client=True) as client:
            assert client.hello().status_code == 200


def test_server_that_is_not_there_is_one_sentence():
    url = f"http://127.0.0.1:{free_port()}/api"
    with temporary_settings({PREFECT_API_URL: url}), pytest.raises(RunError, match="can't be reached"), surroundings():
        raise AssertionError("it begins without a server")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"PREFECT_API_URL": "http://127.0.0.1:9/api"}, "can't be reached"),
        ({"PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false"}, "There is no Prefect server"),
        ({"PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "1"}, "did not start in time"),
        ({"ALL_PROXY": "socks5://127.0.0.1:9"}, "SOCKS"),
        ({"SSL_CERT_FILE": "/not/there"}, "SSL_CERT_FILE"),
        ({"OPENAI_API_KEY": "made-up\nkey"}, "line breaks"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
@pytest.mark.long
def test_command_in_trouble_says_one_sentence(changes, says, tmp_path):
    code, said, everything = run(COMMAND, environment(tmp_path, **changes))
    assert code in (1, 2), everything
    (sentence,) = said
    assert says in sentence
    assert "Traceback" not in everything


@pytest.mark.long
def test_proxy_of_the_environment_is_not_for_this_machine(tmp_path):
    code, _, everything = run(
        DAY, environment(tmp_path, HTTP_PROXY="http://127.0.0.1:9", http_proxy="http://127.0.0.1:9")
    )
    assert code == 0, everything


@pytest.mark.long
@pytest.mark.parametrize("output", [">&-", ">/dev/full", "| true"])
def test_output_that_takes_nothing_harms_no_day(output, tmp_path):
    script = f"set -o pipefail; {' '.join(DAY)} --json {output}"
    code, said, everything = run(["bash", "-c", script], environment(tmp_path))
    assert (tmp_path / "warehouse" / "runs" / "day=2026-11-22").exists(), everything
    assert "Traceback" not in everything
    assert code == 0 if output == ">&-" else len(said) == 1


@pytest.mark.long
def test_two_commands_on_a_fresh_home_do_not_disturb_each_other(tmp_path):
    given = environment(tmp_path)
    commands = [[*DAY, "--warehouse", str(tmp_path / name)] for name in ("a", "b")]
    others = [
        subprocess.Popen(command, cwd=ROOT, env=given, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for command in commands
    ]
    said = [other.communicate(timeout=300)[1] for other in others]
    assert [other.returncode for other in others] == [0, 0], said


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGHUP])
def test_embedded_server_ends_with_its_command(number, tmp_path):
    given = environment(tmp_path, KEFU_LOGS_WAIT_SECONDS="9999999", KEFU_SOURCE=str(tmp_path / "none-{day}"))
    command = ["env", "--default-signal=HUP", *DAY]  # also where the tests themselves run under nohup
    with subprocess.Popen(command, cwd=ROOT, env=given, stderr=subprocess.DEVNULL, start_new_session=True) as process:
        until = time.monotonic() + 180
        while not (found := servers(tmp_path)) or not (status := status_without_login(found[0])):
            assert time.monotonic() < until
            time.sleep(0.2)
        assert status == 401, "others reach its port, too"
        assert (tmp_path / "prefect").stat().st_mode & 0o777 == 0o700
        process.send_signal(number)
        process.wait(180)
    until = time.monotonic() + 180
    while servers(tmp_path):
        assert time.monotonic() < until, "it goes on without its command"
        time.sleep(0.2)


def status_without_login(server: int) -> int:
    """The status by which a server answers whoever asks for its blocks' secrets; 0 before it listens."""
    if not (ports := listened_on_by(server)):
        return 0
    blocks = f"http://127.0.0.1:{ports[0]}/api/block_documents/filter"
    try:
        return httpx.post(blocks, json={"include_secrets": True}, timeout=30).status_code
    except httpx.TransportError:
        return 0


def listened_on_by(process: int) -> list[int]:
    """The ports of IPv4 on which a process listens."""
    sockets = {os.readlink(entry) for entry in Path(f"/proc/{process}/fd").iterdir() if entry.is_symlink()}
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return [int(row[1].split(":")[1], 16) for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in sockets]


def servers(folder: Path) -> list[int]:
    return [process for process, words in processes_at(folder).items() if b"waiting_server.py" in words]
