"""The lock that `make serve` holds as long as it serves; the locked file begins with the address."""

import fcntl
from typing import Final

from flows.wiring.commands.environment import serve_folder

SERVING: Final = "serving"


def address_served() -> str:
    """The address of the server that `make serve` runs on this machine; empty: it does not run."""
    try:
        with (serve_folder() / SERVING).open(encoding="utf-8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return lock.read().partition(" ")[0]
    except OSError:  # nothing is served here, or by another user
        pass
    return ""
