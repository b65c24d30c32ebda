"""A folder for work in progress that dies with its run, however the run dies."""

import errno
import fcntl
import os
import shutil
import sqlite3
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tasks.domain.errors import StoreFull, StoreRefused

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS})

_REFUSED = frozenset({errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EEXIST})

_SQLITE_FULL = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY})


@contextmanager
def scratch_folder(parent: Path, name: str) -> Iterator[Path]:
    """A new folder in `parent`, removed at the end; what dead runs left in `parent` is removed at the start.

    A live run holds a lock on a file in its folder, which the system gives up with the process, so no clock
    and no process id decides who is dead.

    Args:
        parent: made where it is missing.
        name: what the folder's own begins with.

    Raises:
        StoreFull: its disk is full, or turned read-only, before or while the block worked there.
        StoreRefused: this user may not make a folder there.
    """
    try:
        with _new_folder(parent, name) as folder:
            yield folder
    except (OSError, sqlite3.OperationalError) as error:
        why = _why_full(error)
        if why is None:
            raise
        raise StoreFull(
            f"Can't keep work in progress in {parent}: {why}. Make room there, or name another folder with "
            "--scratch, and start again; what was paid for is kept, and the tables are as they were."
        ) from error


@contextmanager
def _new_folder(parent: Path, name: str) -> Iterator[Path]:
    while True:
        try:
            parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _check_owner(parent)
            _remove_dead(parent)
            folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=parent))
        except OSError as error:
            if error.errno not in _REFUSED:
                raise
            raise StoreRefused(
                f"Can't make a folder for work in progress in {parent}: {os.strerror(error.errno)}. Give user "
                f"{os.geteuid()} permission for it, or name another folder with --scratch; nothing was changed."
            ) from error
        with (folder / "alive").open("w") as alive:
            fcntl.flock(alive, fcntl.LOCK_EX)
            if not (folder / "alive").exists():
                continue  # whoever removes the dead came between the file and its lock
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)
            return


def _check_owner(parent: Path) -> None:
    """Refuse a folder that another account made or may write to: its owner could put tables of his own there."""
    found = parent.stat()
    shared = Path(tempfile.gettempdir()).resolve() in parent.resolve().parents
    anybody_writes = found.st_mode & stat.S_IWOTH and not found.st_mode & stat.S_ISVTX
    if anybody_writes or (shared and found.st_uid not in {os.geteuid(), 0}):
        raise StoreRefused(
            f"{parent} belongs to another account, or others may write to it: work in progress is not safe there. "
            "Remove it, or name another folder with --scratch; nothing was changed."
        )


def _why_full(error: OSError | sqlite3.OperationalError) -> str | None:
    if isinstance(error, OSError):
        return os.strerror(error.errno) if error.errno in _FULL else None
    # The low byte is the error's kind, what is above says more.
    return str(error) if error.sqlite_errorcode & 0xFF in _SQLITE_FULL else None


def _remove_dead(parent: Path) -> None:
    for mark in parent.glob("*/alive"):
        # A live run's, one that somebody else is removing, or another user's.
        with suppress(BlockingIOError, FileNotFoundError, PermissionError), mark.open("r+") as alive:
            fcntl.flock(alive, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(mark.parent, ignore_errors=True)
