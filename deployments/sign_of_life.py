"""The watch's sign of life: a file that it touches at each look. Imports nothing slow: it is asked for every minute.

python -m deployments.sign_of_life
"""

import os
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

_SECONDS: Final = 180.0


def give_sign() -> None:
    """Touch the file; a disk that is full keeps nobody from looking on."""
    with suppress(OSError):
        _file().touch()


def is_alive() -> bool:
    """Return true where a watch of this user has looked in the last three minutes."""
    try:
        return time.time() - _file().stat().st_mtime < _SECONDS
    except OSError:
        return False


def _file() -> Path:
    return Path(tempfile.gettempdir()) / f"kefu-watch-{os.geteuid()}"


if __name__ == "__main__":
    sys.exit(0 if is_alive() else 1)
