"""A user without a home, as a container's random one, gets one before Prefect is imported."""

import os
import pwd
import resource
import stat
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NoReturn
from urllib.request import proxy_bypass

import pytest

from flows.wiring.commands.environment import (
    NOBODY,
    close_prefect_home,
    give_home,
    name_prefect_server,
    raise_file_limit,
    spare_from_proxy,
)
from tasks.domain.errors import RunError
from tests.conftest import ROOT


@pytest.fixture
def homeless(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine that knows no home of this user; its folder for temporary files."""

    def unknown(uid: int) -> NoReturn:
        raise KeyError(uid)

    monkeypatch.setenv("HOME", "")  # so that it is put back
    monkeypatch.delenv("HOME")
    monkeypatch.delenv("PREFECT_HOME", raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(RuntimeError, match="home directory"):
        Path.home()
    return tmp_path


def test_home_is_prefect_s_where_that_is_named(homeless, monkeypatch):
    monkeypatch.setenv("PREFECT_HOME", "/data/prefect")
    give_home()
    assert Path.home() == Path("/data/prefect")


def test_home_is_a_folder_of_this_user_alone_and_the_same_each_time(homeless, monkeypatch):
    give_home()
    first = Path.home()
    assert first.parent == homeless
    assert stat.S_IMODE(first.stat().st_mode) == 0o700
    monkeypatch.delenv("HOME")
    give_home()
    assert Path.home() == first


@pytest.mark.parametrize("kind", ["open to others", "a link"])
def test_folder_that_another_account_may_have_made_is_not_taken(homeless, kind):
    there = homeless / f"kefu-home-{os.geteuid()}"
    if kind == "a link":
        (homeless / "elsewhere").mkdir()
        there.symlink_to(homeless / "elsewhere")
    else:
        there.mkdir()
        there.chmod(0o777)
    give_home()
    assert Path.home() != there
    assert stat.S_IMODE(Path.home().stat().st_mode) == 0o700


def test_home_that_is_there_stays(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    give_home()
    assert os.environ["HOME"] == str(tmp_path)


@pytest.mark.parametrize("made_before", [True, False])
def test_prefect_s_folder_is_closed_to_others(made_before, monkeypatch, tmp_path):
    home = tmp_path / "prefect"
    if made_before:
        home.mkdir()
        home.chmod(0o755)
    monkeypatch.setenv("PREFECT_HOME", str(home))
    close_prefect_home()
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_a_folder_of_prefect_that_is_not_this_user_s_is_left_alone(monkeypatch):
    monkeypatch.setenv("PREFECT_HOME", "/dev/null/prefect")
    close_prefect_home()


@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
def test_hosts_that_the_user_spares_from_the_proxy_stay_so_under_either_name(name, monkeypatch):
    for either in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(either, "")  # so that it is put back
        monkeypatch.delenv(either)
    monkeypatch.setenv(name, "model.invalid, 10.0.0.1")
    spare_from_proxy()
    spare_from_proxy()
    assert os.environ["NO_PROXY"] == os.environ["no_proxy"] == "model.invalid,10.0.0.1,127.0.0.1,localhost,::1"
    assert proxy_bypass("model.invalid")
    assert not proxy_bypass("example.invalid")


@pytest.fixture
def file_limits(monkeypatch):
    """Stands in for the system's limits, which a process can't raise again once they are lowered: soft, hard."""
    limits = [1024, 20_000]
    monkeypatch.setattr(resource, "getrlimit", lambda kind: tuple(limits))
    monkeypatch.setattr(resource, "setrlimit", lambda kind, wanted: limits.__setitem__(slice(None), wanted))
    return limits


@pytest.mark.parametrize(
    ("allowed", "then"),
    [
        ((1024, 20_000), 4096),
        ((16, 1024), 1024),
        ((9000, 20_000), 9000),
        ((64, resource.RLIM_INFINITY), 4096),
        ((resource.RLIM_INFINITY, resource.RLIM_INFINITY), resource.RLIM_INFINITY),
    ],
)
def test_as_many_files_as_the_machine_allows_may_be_open(allowed, then, file_limits):
    file_limits[:] = allowed
    raise_file_limit()
    assert file_limits == [then, allowed[1]]


def test_too_few_files_are_said_before_a_server_runs_out_of_them(file_limits):
    file_limits[:] = (16, 16)
    with pytest.raises(RunError, match=r"No more than 16 files .*ulimit -n 4096"):
        raise_file_limit()


def test_certificates_that_are_not_there_end_no_import_in_a_traceback():
    program = "import flows, os, prefect.blocks.webhook; print(os.environ['SSL_CERT_FILE'])"
    given = os.environ | {"SSL_CERT_FILE": "/not/there"}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=given, capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("/not/there\n", "")


@pytest.mark.parametrize(
    ("address", "is_here"),
    [
        ("http://127.0.0.1:4200/api", True),
        ("http://localhost:4200/api", True),
        ("http://[::1]:4200/api", True),
        ("https://127.0.0.1:4200/api", False),
        ("http://prefect.example/api", False),  # may lead on to its https
        ("", False),
    ],
)
def test_clients_of_a_server_on_this_machine_alone_trust_nobody(address, is_here, monkeypatch):
    for name in ("PREFECT_API_URL", "PREFECT_API_SSL_CERT_FILE"):
        monkeypatch.setenv(name, "as before")
    name_prefect_server(address)
    assert os.environ["PREFECT_API_URL"] == address
    assert os.environ["PREFECT_API_SSL_CERT_FILE"] == (str(NOBODY) if is_here else "as before")
