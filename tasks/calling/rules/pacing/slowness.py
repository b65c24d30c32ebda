"""Calls in flight at a server that is slow: timeouts lower them to what it answered in time, answers raise them."""

import math
from collections import deque
from typing import Final

# Of what was answered within one time limit; the rest is left for answers that take longer.
_SHARE: Final = 0.75


class InFlightLimit:
    """The most calls to have in flight at once, infinity until a first call got no reply in time.

    Args:
        seconds: the time limit of a call.
    """

    __slots__ = ("_answered", "_lowered_at", "_quickly_to", "_raised", "_seconds", "limit")

    def __init__(self, seconds: float) -> None:
        self.limit = math.inf
        self._seconds = seconds
        self._answered: deque[float] = deque()
        self._lowered_at = -math.inf
        self._raised = 0
        self._quickly_to = math.inf

    def answered(self, now: float) -> None:
        """A call was answered. Once as many were as may be in flight one more may, and sooner below half of before."""
        self._answered.append(now)
        while self._answered[0] <= now - self._seconds:
            self._answered.popleft()
        if self.limit < math.inf:
            self._raised += 1
            if self._raised >= self.limit or self.limit < self._quickly_to:
                self.limit += 1
                self._raised = 0

    def timed_out(self, began: float, in_flight: int, now: float) -> None:
        """A call that began then got no reply in time. Those sent before the last lowering are no new evidence.

        Args:
            began: when the call was sent.
            in_flight: calls under way, itself included.
            now: the time.
        """
        if began < self._lowered_at:
            return
        while self._answered and self._answered[0] <= now - self._seconds:
            self._answered.popleft()
        if self._answered:
            self.limit = max(1, math.floor(min(self.limit, in_flight - 1, _SHARE * len(self._answered))))
            self._quickly_to = self.limit
        else:  # it may be at what was given up, or away: one call at a time shows when it is back
            self.limit = 1
            self._quickly_to = min(self._quickly_to, max(1, in_flight // 2))
        self._lowered_at = now
        self._raised = 0
