"""The watch's sign of life: a file that it touches at each look. Imports nothing slow: it is asked for every minute.

python -m deployments.sign_of_life

Within the watch's process the sign is no file, which a read-only disk refuses, and by a clock that is never set.
"""

import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

_SECONDS: Final = 180.0


_given_at: float | None = None


def give_sign() -> None:
    """Give the sign; a disk that takes nothing keeps nobody from looking on."""
    global _given_at  # noqa: PLW0603
    _given_at = time.monotonic()
    with suppress(OSError, RuntimeError):
        _file().parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _file().touch(mode=0o600)


def is_alive() -> bool:
    """Return true where a watch of this user has looked in the last three minutes."""
    try:
        return abs(time.time() - _file().stat().st_mtime) < _SECONDS
    except (OSError, RuntimeError):  # the last: a user without a home
        return False


def was_given_here() -> bool:
    """Return true where this process has given the sign in the last three minutes."""
    return _given_at is not None and time.monotonic() - _given_at < _SECONDS


def _file() -> Path:
    # Not in the system's temporary folder: another account could have made the file there first.
    return Path(os.environ.get("PREFECT_HOME") or Path.home() / ".prefect") / "kefu-watch"


if __name__ == "__main__":
    sys.exit(0 if is_alive() else 1)
