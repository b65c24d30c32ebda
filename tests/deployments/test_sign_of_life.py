"""The watch's sign of life, as a container's health check asks for it."""

import os
import time

from deployments import sign_of_life
from deployments.sign_of_life import give_sign, is_alive, was_given_here


def test_watch_that_has_looked_lately_is_alive_and_one_that_hangs_is_not(tmp_path, monkeypatch):
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "home"))
    assert not is_alive()
    give_sign()
    assert is_alive()
    (sign,) = (tmp_path / "home").iterdir()
    assert sign.stat().st_mode & 0o077 == 0
    os.utime(sign, times=(time.time() - 200,) * 2)
    assert not is_alive()
    os.utime(sign, times=(time.time() + 3600,) * 2)
    assert not is_alive(), "the clock was set back, and nobody has looked since"


def test_folder_that_takes_nothing_stops_no_watch(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "file" / "home"))
    give_sign()
    assert not is_alive()
    assert was_given_here(), "its watchdog must not end a watch for its disk"


def test_watch_that_hangs_is_known_in_its_own_process(monkeypatch):
    monkeypatch.setattr(sign_of_life, "_given_at", None)
    assert not was_given_here()
    give_sign()
    assert was_given_here()
    monkeypatch.setattr(sign_of_life, "_given_at", time.monotonic() - 200)
    assert not was_given_here()
