"""A folder for work in progress that dies with its run, however the run dies."""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def scratch_folder(parent: Path, name: str) -> Iterator[Path]:
    """A new folder `parent/name`, removed at the end; what dead runs left in `parent` is removed at the start.

    A live run holds a lock on a file in its folder, which the system gives up with the process, so no clock
    and no process id decides who is dead.
    """
    parent.mkdir(parents=True, exist_ok=True)
    remove_dead(parent)
    folder = parent / name
    folder.mkdir()
    with (folder / "alive").open("w") as alive:
        fcntl.flock(alive, fcntl.LOCK_EX)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def remove_dead(parent: Path) -> None:
    """Remove the folders in `parent` whose runs are gone."""
    for folder in parent.iterdir():
        mark = folder / "alive"
        if not mark.is_file():
            continue  # just being made, or none of ours
        with mark.open("r+") as alive:
            try:
                fcntl.flock(alive, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            shutil.rmtree(folder, ignore_errors=True)
