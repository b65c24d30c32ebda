"""A user without a home, as a container's random one, gets one before Prefect is imported."""

import os
import pwd
import stat
import tempfile
from pathlib import Path
from typing import NoReturn
from urllib.request import proxy_bypass

import pytest

from flows.wiring.commands.environment import close_prefect_home, give_home, spare_from_proxy


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
