"""Calls sent before a refused one: what any window up to it held, and which known window that speaks for."""

import math
from bisect import bisect_left
from itertools import accumulate
from typing import Final

from tasks.calling.rules.pacing.windows.sliding_window import Entry, SlidingLog, slack_of

# How far sums of estimates may be off by chance.
_DEVIATIONS: Final = 2.0

# Windows that services document; others come from token buckets, which act like a window of their depth.
KNOWN_SECONDS: Final = (1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 60.0)


class SentCalls:
    """All that was sent and counts, as prefix sums: made once for the histories of several refusals.

    Args:
        log: of calls that count.
    """

    __slots__ = ("sent", "sums", "times", "unsure")

    def __init__(self, log: SlidingLog) -> None:
        self.sent = log.sent()
        self.times = [at for at, _, _ in self.sent]
        self.sums = [0, *accumulate(weight for _, weight, _ in self.sent)]
        # What is not answered yet may weigh more than it is thought to.
        self.unsure = [0, *accumulate(0 if entry.ended else weight * weight for _, weight, entry in self.sent)]


class SentHistory:
    """Calls sent before a refused one.

    Args:
        calls: all that are known.
        refused: the call that was refused after them.
        by_tokens: the quota counts tokens.
    """

    def __init__(self, calls: SentCalls, refused: Entry, by_tokens: bool) -> None:
        assert refused.sent_at is not None
        self.own = float(refused.tokens) if by_tokens else 1.0
        # Of calls, one more was one too many; of tokens, something between nothing and all of it was.
        self._most_room = self.own if by_tokens else 0.0
        self._sent, self._times, self._sums, self._unsure = calls.sent, calls.times, calls.sums, calls.unsure
        self._until = refused.sent_at
        self._before = bisect_left(calls.sent, refused.sequence, key=lambda item: item[2].sequence)

    def __bool__(self) -> bool:
        return self._before > 0

    def held(self, seconds: float) -> int:
        """The weight sent within so many seconds before the refused call."""
        return self._sums[self._before] - self._sums[bisect_left(self._times, self._until - seconds)]

    def sent(self, seconds: float) -> list[tuple[float, int, Entry]]:
        """The calls of that time: send time, weight, call."""
        return self._sent[bisect_left(self._times, self._until - seconds) : self._before]

    def most(self, seconds: float) -> int:
        """The most that was sent within any such window."""
        return max(
            self._sums[number + 1] - self._sums[bisect_left(self._times, at - seconds)]
            for number, at in enumerate(self._times[: self._before])
        )

    def likely(self, seconds: float) -> float:
        """The quota of a service that counts in such windows and refused the call."""
        return max(self.held(seconds) + self._most_room / 2, 1.0)

    def barely_full(self, seconds: float, doubt: float) -> float:
        """The same, where the call was thought to fit: then it was too large by little."""
        off = doubt * math.sqrt(sum(weight * weight for _, weight, _ in self.sent(seconds)))
        return self.held(seconds) + max(self._most_room / 2, self._most_room - off / 2)

    def upper(self, seconds: float) -> float:
        """The same, if there was as much room left as there can have been."""
        return self.held(seconds) + self._most_room

    def variance(self, seconds: float, doubt: float) -> float:
        """The square of what `likely` may be off by.

        The weight of a call that is not answered is in doubt, and a call at the window's border is in it or not.
        """
        first = bisect_left(self._times, self._until - seconds)
        mean = self.held(seconds) / max(self._before - first, 1)
        unsure = self._unsure[self._before] - self._unsure[first]
        return (max(self.own, mean, 2.0) / 2) ** 2 + doubt * doubt * unsure

    def at_most(self, seconds: float, doubt: float) -> float:
        """The most that this quota can be.

        Calls overtake each other, and the weight of one that is not answered may be wrong by a doubt.
        """
        slack = slack_of(seconds)
        first = bisect_left(self._times, self._until - seconds - slack)
        last = bisect_left(self._times, self._until + slack)
        unsure = math.sqrt(self._unsure[last] - self._unsure[first])
        return self._sums[last] - self._sums[first] + self.own + _DEVIATIONS * doubt * unsure


def snapped(low: float, high: float, tolerance: float) -> float:
    """The known window nearest to the middle of two bounds in seconds, or the middle where none is near."""
    middle = (low + high) / 2
    near = [known for known in KNOWN_SECONDS if low * (1 - tolerance) <= known <= high * (1 + tolerance)]
    return min(near, key=lambda known: abs(math.log(known / middle)), default=middle)
