"""Errors of a folder's disk, as messages for people."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

from tasks.domain.errors import StoreError, StoreFull, StoreRefused, StoreUnavailable

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

_REFUSED = frozenset({errno.EACCES, errno.EPERM})

_NOT_A_FOLDER = frozenset({errno.ENOTDIR, errno.EISDIR, errno.EEXIST})


def printable_path(path: str) -> str:
    """A path as text; bytes that are no UTF-8 would break a message or a table later."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


@contextmanager
def explained(action: str, where: str) -> Iterator[None]:
    """Turn the system's errors in the block into errors that state the action, the place and what to do.

    Raises:
        StoreError: of the kind that fits.
    """
    try:
        yield
    except OSError as error:
        raise _explain(error, action, where) from error


def _explain(error: OSError, action: str, where: str) -> StoreError:
    failed = f"Can't {action} {where}: {os.strerror(error.errno) if error.errno else error}."
    if error.errno in _FULL:
        return StoreFull(f"{failed} Make room (or raise the quota) and start again; what was written before is whole.")
    if error.errno == errno.EROFS:
        return StoreFull(f"{failed} Mount it writable or choose another place; what was written before is whole.")
    if error.errno in _REFUSED:
        return StoreRefused(f"{failed} Give user {os.geteuid()} permission for it, or choose another place.")
    if error.errno in _NOT_A_FOLDER:
        return StoreRefused(f"{failed} A file is where a folder is needed, or the other way round: move it away.")
    return StoreUnavailable(f"{failed} Check the disk and start again.")
