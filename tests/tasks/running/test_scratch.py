import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from tasks.domain.errors import StoreRefused
from tasks.running.scratch import scratch_folder

HOLD = """
import sys, time
from pathlib import Path
from tasks.running.scratch import scratch_folder
with scratch_folder(Path(sys.argv[1]), "theirs") as folder:
    (folder / "work").write_text("half")
    print("held", flush=True)
    time.sleep(60)
"""


def test_scratch_folder_is_gone_at_the_end(tmp_path):
    with scratch_folder(tmp_path, "run") as folder:
        (folder / "work").write_text("done")
    assert not list(tmp_path.iterdir())


def test_scratch_folder_removes_what_the_dead_left_and_spares_the_living(tmp_path):
    other = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None
    try:
        assert other.stdout.readline() == "held\n"
        with scratch_folder(tmp_path, "theirs"):  # a run that is begun again while it lives has the same name
            assert len(list(tmp_path.glob("theirs-*/work"))) == 1
        os.kill(other.pid, signal.SIGKILL)
        other.wait()
        with scratch_folder(tmp_path, "mine") as folder:
            assert list(tmp_path.iterdir()) == [folder]
    finally:
        other.kill()
        other.wait()
        other.stdout.close()


def test_scratch_folders_of_many_that_begin_at_once_do_not_harm_each_other(tmp_path):
    def work(number):
        for turn in range(100):
            dead = tmp_path / f"dead-{number}-{turn}"
            dead.mkdir()
            (dead / "alive").touch()
            with scratch_folder(tmp_path, "run") as folder:
                (folder / "work").write_text("done")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert not list(tmp_path.glob("run-*"))


def test_scratch_folder_says_where_it_may_not_be(tmp_path):
    (tmp_path / "a-file").touch()
    with pytest.raises(StoreRefused, match=r"a-file: .* --scratch"), scratch_folder(tmp_path / "a-file", "run"):
        pass
