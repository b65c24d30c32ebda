"""Fuzz every target for an equal time; print the executions of each."""

import argparse
import sys
import time

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.fuzz.targets import TARGETS, TEXTS

_ROUND = 200


def fuzz(name: str, seconds: float) -> int:
    """Run one target; the executions. What breaks it is raised, shrunk."""
    ended = time.monotonic() + seconds
    executions = rounds = 0

    def once(text: str) -> None:
        nonlocal executions
        executions += 1
        TARGETS[name](text)

    while time.monotonic() < ended:
        rounds += 1
        phases = (Phase.generate, Phase.shrink)
        limits = settings(
            max_examples=_ROUND, database=None, deadline=None, phases=phases, suppress_health_check=list(HealthCheck)
        )
        seed(rounds)(limits(given(TEXTS)(once)))()
    return executions


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="in all")
    parser.add_argument("--target", choices=TARGETS, action="append", help="only this one; may be repeated")
    args = parser.parse_args()
    names = args.target or list(TARGETS)
    for name in names:
        print(f"{name:12} {fuzz(name, args.seconds / len(names))} executions", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
