"""Fuzz one target in a process of its own: libFuzzer ends the process it runs in.

python -m tests.fuzz.one TARGET [libFuzzer's arguments]
"""

import sys

import atheris

with atheris.instrument_imports(include=["tasks"]):
    from tests.fuzz.targets import TARGETS


def main() -> None:
    """The command line."""
    target = TARGETS[sys.argv.pop(1)]
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
