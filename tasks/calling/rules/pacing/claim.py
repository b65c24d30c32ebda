"""The fraction of a process's part of a shared quota that it uses: a refusal there is no measure of the quota."""

import math
from typing import Final

# Taken by a refusal, and given back by a second without one.
_LESS: Final = 0.99

_MORE_PER_SECOND: Final = 0.001

_LEAST: Final = 0.01


class Claim:
    """From 0 to 1: a bit less after each refusal, and more again as time passes."""

    __slots__ = ("_at", "_fraction")

    def __init__(self) -> None:
        self._fraction = 1.0
        self._at = -math.inf

    def at(self, now: float) -> float:
        """The fraction now."""
        if self._fraction == 1.0:
            return 1.0
        return min(1.0, self._fraction + (now - self._at) * _MORE_PER_SECOND)

    def lower(self, now: float) -> None:
        """Take less, after a refusal."""
        self._fraction = max(_LEAST, self.at(now) * _LESS)
        self._at = now
