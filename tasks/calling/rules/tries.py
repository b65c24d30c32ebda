"""The attempts at one request."""

from dataclasses import dataclass


@dataclass(slots=True)
class Tries:
    """Attempts at one request.

    Args:
        attempts: sent so far.
        failures: counts fractions: a failure with nothing to compare it with is a quarter.
        unreadable: replies that held no whole answer.
        began: when the latest was sent, in monotonic seconds.
        again: another model was asked about it before.
    """

    attempts: int = 0
    failures: float = 0.0
    unreadable: int = 0
    began: float = 0.0
    again: bool = False
