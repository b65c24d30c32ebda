"""Version: the release, and which code of it made a table.

    python -m flows.wiring.version

The release alone says little between two releases. What stands behind the + is a hash of the code itself: the same in a
clone, in an image and in a copy without git. Check out a commit and run this to see whether it is that one.
"""

import sys
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Final

RELEASE: Final = "0.1.0"

_ROOT: Final = Path(__file__).resolve().parents[2]
_CODE: Final = ("tasks", "flows")


@cache
def code_version() -> str:
    """The version of the code that runs, such as `0.1.0+3f9a0c1b`."""
    digest = blake2b(digest_size=4)
    for path in sorted(path for folder in _CODE for path in (_ROOT / folder).rglob("*") if path.is_file()):
        if "__pycache__" not in path.parts:
            digest.update(f"{path.relative_to(_ROOT).as_posix()}\n".encode())
            digest.update(path.read_bytes())
    return f"{RELEASE}+{digest.hexdigest()}"


if __name__ == "__main__":
    sys.stdout.write(f"{code_version()}\n")
