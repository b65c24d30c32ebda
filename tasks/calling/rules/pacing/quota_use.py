"""The part of a quota that was used, of what the service would have allowed since the first call."""

import math


class QuotaUse:
    """Calls that count, beside the limits in force as each was sent.

    A service that counts in windows allows a whole window's quota at once, and again in each that begins: in 61 s two
    of 60 s. Before the first call, and after the last one, nothing was wanted.
    """

    __slots__ = ("_allowed", "_began", "_calls", "_known_seconds", "_last", "_rate")

    def __init__(self) -> None:
        self._calls = 0
        self._began = self._last = self._rate = math.inf
        self._allowed = self._known_seconds = 0.0

    def sent(self, now: float, per_second: float) -> None:
        """A call was sent; `per_second` is what the service allows from now on, infinity while unknown."""
        if self._calls == 0:
            self._began = self._last = now
        if self._rate < math.inf:
            self._allowed += (now - self._last) * self._rate
            self._known_seconds += now - self._last
        self._calls += 1
        self._last, self._rate = now, per_second

    def refused(self) -> None:
        """A call that was sent does not count."""
        self._calls -= 1

    def part(self, window_seconds: float) -> float | None:
        """Return the part that was used; None where no limit is known for half of the time.

        Args:
            window_seconds: the window that the service counts in.
        """
        seconds = self._last - self._began
        if self._calls <= 0 or self._rate == math.inf or self._known_seconds < seconds / 2:
            return None
        rate = self._allowed / self._known_seconds if self._known_seconds else self._rate
        return min(1.0, self._calls / (rate * window_seconds * (math.floor(seconds / window_seconds) + 1)))
