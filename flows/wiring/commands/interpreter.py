"""The Python that runs a command: one that the project supports, with the project's packages."""

import sys
from importlib.util import find_spec

_OLDEST = (3, 11)


def require_packages() -> None:
    """End this process in one line if its Python can't run the project; imports would fail with a traceback."""
    if sys.version_info < _OLDEST:
        wrong = f"is Python {sys.version_info[0]}.{sys.version_info[1]}, and the project needs 3.11 to 3.13"
    elif find_spec("prefect") is None:
        wrong = "lacks the project's packages"
    else:
        return
    sys.stderr.write(f"kefu-digest: {sys.executable} {wrong}: run .venv/bin/python, which `make env` makes.\n")
    sys.exit(2)
