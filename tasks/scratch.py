"""A folder for work in progress that dies with its run, however the run dies."""

import errno
import fcntl
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tasks.domain.errors import StoreFull

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS})
_SQLITE_FULL = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY})


@contextmanager
def scratch_folder(parent: Path, name: str) -> Iterator[Path]:
    """A new folder `parent/name`, removed at the end; what dead runs left in `parent` is removed at the start.

    A live run holds a lock on a file in its folder, which the system gives up with the process, so no clock
    and no process id decides who is dead.

    Raises:
        StoreFull: its disk filled up, or turned read-only, while the block worked there.
    """
    parent.mkdir(parents=True, exist_ok=True)
    remove_dead(parent)
    folder = parent / name
    folder.mkdir()
    with (folder / "alive").open("w") as alive:
        fcntl.flock(alive, fcntl.LOCK_EX)
        try:
            yield folder
        except (OSError, sqlite3.OperationalError) as error:
            why = _why_full(error)
            if why is None:
                raise
            raise StoreFull(
                f"Can't keep work in progress in {folder}: {why}. Make room there, or name another folder with "
                "--scratch, and start again; what was paid for is kept, and the tables are as they were."
            ) from error
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _why_full(error: OSError | sqlite3.OperationalError) -> str | None:
    if isinstance(error, OSError):
        return os.strerror(error.errno) if error.errno in _FULL else None
    # The low byte is the error's kind, what is above says more.
    return str(error) if error.sqlite_errorcode & 0xFF in _SQLITE_FULL else None


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
