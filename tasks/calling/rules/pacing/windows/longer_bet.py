"""Longer bet: after a time in peace a longer window is tried, and taken back once it is refused."""

import math
from typing import Final

_FIRST_PEACE_SECONDS: Final = 8.0


class LongerBet:
    """The time without a refusal, how much of it is needed for a bet, and where to go back to if the bet is lost."""

    __slots__ = ("_felt_until", "_needed_seconds", "_since", "from_seconds")

    def __init__(self) -> None:
        self._since = math.inf  # the clock's beginning is the machine's: nothing is measured from there
        self._needed_seconds = _FIRST_PEACE_SECONDS
        self._felt_until = -math.inf
        self.from_seconds = 0.0

    def accepted(self, now: float) -> None:
        """A call was taken: peace has begun, if it had not."""
        self._since = min(self._since, now)

    def is_due(self, now: float) -> bool:
        """True after enough time in peace."""
        return now >= self._since + self._needed_seconds

    def wait(self, now: float) -> None:
        """Begin to measure anew."""
        self._since = now

    def place(self, from_seconds: float) -> None:
        """A longer window than that one is counted in from now on."""
        self.from_seconds = from_seconds

    def settle(self, now: float) -> None:
        """Another window was found: there is no way back, and peace begins there."""
        self.from_seconds = 0.0
        self._since = now

    def lose(self, seconds: float, now: float) -> float:
        """Return the window to go back to from one of so many seconds; the next bet takes twice as long in peace."""
        self._needed_seconds *= 2
        self._felt_until = now + seconds
        return self.from_seconds

    def is_felt(self, now: float) -> bool:
        """True while a service that does count in the longer window holds calls which were sent on a lost bet."""
        return now < self._felt_until
