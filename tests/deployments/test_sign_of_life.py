"""The watch's sign of life, as a container's health check asks for it."""

import os
import time

from deployments.sign_of_life import give_sign, is_alive


def test_watch_that_has_looked_lately_is_alive_and_one_that_hangs_is_not(tmp_path, monkeypatch):
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "home"))
    assert not is_alive()
    give_sign()
    assert is_alive()
    (sign,) = (tmp_path / "home").iterdir()
    assert sign.stat().st_mode & 0o077 == 0
    os.utime(sign, times=(time.time() - 200,) * 2)
    assert not is_alive()


def test_folder_that_takes_nothing_stops_no_watch(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "file" / "home"))
    give_sign()
    assert not is_alive()
