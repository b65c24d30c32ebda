"""Ramp: how fast calls may follow each other, from a first few a second up to a cruising rate."""

import math
from typing import Final

# Refusals come back within tens of milliseconds, so at these rates a limit costs two or three of them.
FIRST_RATE: Final = 48.0

_BLIND_RATE: Final = 64.0

_DOUBLING_SECONDS: Final = 0.5

# A service that refuses a steep rise gets one that is half as steep, as often as it says so.
_GENTLEST_DOUBLING_SECONDS: Final = 60.0

_SLOWEST_RATE: Final = 1.0


class Ramp:
    """Sends a second.

    Args:
        blind_doubling_seconds: how long a rate takes to double where no quota is known.
    """

    __slots__ = ("_blind_doubling", "_doubling", "_last_grant", "next_send", "rate")

    def __init__(self, blind_doubling_seconds: float) -> None:
        self.rate = FIRST_RATE
        self.next_send = -math.inf
        self._last_grant = math.inf
        self._doubling = _DOUBLING_SECONDS
        self._blind_doubling = blind_doubling_seconds

    def granted(self, now: float, cruise: float, catch_up_seconds: float) -> None:
        """Space the next call from one that goes now.

        Args:
            now: the time.
            cruise: the rate to reach; infinity where no quota is known.
            catch_up_seconds: how much lateness of timers the next calls may make up for.
        """
        if self.rate < cruise:
            easy = self.rate < _BLIND_RATE or cruise < math.inf
            elapsed = min(max(0.0, now - self._last_grant), 0.25)
            self.rate *= 2.0 ** (elapsed / (self._doubling if easy else max(self._doubling, self._blind_doubling)))
        self.rate = min(self.rate, cruise)
        self._last_grant = now
        self.next_send = max(self.next_send, now - catch_up_seconds) + 1.0 / self.rate

    def pause(self, until: float) -> None:
        """Send nothing more before a time."""
        self.next_send = max(self.next_send, until)

    def slow_to(self, rate: float) -> None:
        """Go no faster than this for now; rise again from there."""
        self.rate = min(self.rate, rate)

    def rise_more_gently(self, accepted_rate: float) -> None:
        """Take a refusal for rising too quickly: fall back to the rate that was taken, and double half as often."""
        self.rate = max(_SLOWEST_RATE, min(self.rate, accepted_rate) / 2)
        self._doubling = min(2 * self._doubling, _GENTLEST_DOUBLING_SECONDS)
