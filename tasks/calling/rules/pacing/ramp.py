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

_EASY_RATE: Final = 128.0

# How much faster than the quota's own pace an empty window is filled, a new quota explored.
_BURST: Final = 3.0

# Where bursts lose, calls follow each other at the quota's own pace; the log holds back what is too much.
_EVEN: Final = 1.02

# Calls of many sizes are no even stream: some go close together, and what fits is for the log to say.
_UNEVEN: Final = 1.5

_UNEVEN_CATCH_UP_SECONDS: Final = 0.2

# The mean square of sizes that differ by a third from their mean, in squares of that mean.
_MIXED: Final = 1.1

# What a timer that fires late may catch up on.
_CATCH_UP_SECONDS: Final = 0.005

_EVEN_CATCH_UP_SECONDS: Final = 0.05


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

    def granted(self, now: float, cruise: float, catch_up_seconds: float, weight: float = 1.0) -> None:
        """Space the next call from one that goes now.

        Args:
            now: the time.
            cruise: the rate to reach; infinity where no quota is known.
            catch_up_seconds: how much lateness of timers the next calls may make up for.
            weight: how many calls of mean size this one is worth.
        """
        if self.rate < cruise:
            easy = self.rate < _BLIND_RATE or cruise < math.inf
            elapsed = min(max(0.0, now - self._last_grant), 0.25)
            self.rate *= 2.0 ** (elapsed / (self._doubling if easy else max(self._doubling, self._blind_doubling)))
        self.rate = min(self.rate, cruise)
        self._last_grant = now
        self.next_send = max(self.next_send, now - catch_up_seconds) + weight / self.rate

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


class CallSizes:
    """A running mean of the tokens of calls, and of their squares."""

    __slots__ = ("_squares", "mean")

    def __init__(self) -> None:
        self.mean = self._squares = 0.0

    def add(self, tokens: int) -> None:
        """Take one call's tokens."""
        gain = 0.02 if self.mean else 1.0
        self.mean += (tokens - self.mean) * gain
        self._squares += (tokens * tokens - self._squares) * gain

    @property
    def are_mixed(self) -> bool:
        """True where calls differ much: they are no even stream then."""
        return self._squares > _MIXED * self.mean**2


def in_bursts(steady: float) -> tuple[float, float]:
    """The rate to rise to where an empty window may be filled at once, and the seconds of lateness to catch up on."""
    return max(_EASY_RATE, _BURST * steady), _CATCH_UP_SECONDS


def even(steady: float) -> tuple[float, float]:
    """The same where bursts lose: the quota's own pace."""
    return _EVEN * steady, _EVEN_CATCH_UP_SECONDS


def uneven(steady: float) -> tuple[float, float]:
    """The same for calls of many sizes in a short window: the log says which fit."""
    return _UNEVEN * steady, _UNEVEN_CATCH_UP_SECONDS
