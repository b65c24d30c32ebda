import os
import signal
import subprocess
import sys

from tasks.scratch import scratch_folder

HOLD = """
import sys, time
from pathlib import Path
from tasks.scratch import scratch_folder
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
        with scratch_folder(tmp_path, "mine"):
            assert (tmp_path / "theirs" / "work").exists()
        os.kill(other.pid, signal.SIGKILL)
        other.wait()
        with scratch_folder(tmp_path, "mine"):
            assert not (tmp_path / "theirs").exists()
    finally:
        other.kill()
        other.wait()
        other.stdout.close()
