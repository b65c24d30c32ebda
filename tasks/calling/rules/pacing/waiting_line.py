"""A line of calls that wait for their quota: first come, first served, as far as that fills it.

Of a quota of tokens, a window that ten calls fill stays a twentieth empty where the next call has to be the first in
the line: it waits for more room than there is, and smaller ones behind it would fit. So the largest of the next few
that fits goes ahead, but the first one is not passed by for ever.
"""

from collections import deque
from collections.abc import Callable
from itertools import islice
from typing import Final, Generic, TypeVar

from tasks.calling.rules.pacing.pacer import Pacer

T = TypeVar("T")

_LOOKED_AT: Final = 8

_MOST_OVERTAKERS: Final = 24


class WaitingLine(Generic[T]):
    """Calls in the order they came, each with its estimated tokens.

    Args:
        is_gone: returns true for a call that does not wait any more.
    """

    def __init__(self, is_gone: Callable[[T], bool] = lambda _: False) -> None:
        self._calls: deque[tuple[T, int]] = deque()
        self._is_gone = is_gone
        self._overtakers = 0

    def __len__(self) -> int:
        return len(self._calls)

    def append(self, call: T, estimate: int) -> None:
        """Add a call at the end."""
        self._calls.append((call, estimate))

    def next_ready(self, pacer: Pacer, now: float) -> tuple[int, float] | None:
        """Return the place of the call to go next and when it may, as `Pacer.ready_at` says it; None: nobody waits."""
        self._drop_gone()
        if not self._calls:
            return None
        at = pacer.ready_at(now, self._calls[0][1])
        if at > now and self._overtakers < _MOST_OVERTAKERS and pacer.is_short_of_tokens(now):
            place = self._largest_that_fits(pacer, now)
            if place:
                return place, now
        return 0, at

    def take(self, place: int) -> tuple[T, int]:
        """Remove a call from the line, and return it with its estimate."""
        self._overtakers = self._overtakers + 1 if place else 0
        taken = self._calls[place]
        del self._calls[place]
        return taken

    def clear(self) -> list[T]:
        """Remove all calls, and return them."""
        calls = [call for call, _ in self._calls]
        self._calls.clear()
        return calls

    def _drop_gone(self) -> None:
        while self._calls and self._is_gone(self._calls[0][0]):
            self.take(0)

    def _largest_that_fits(self, pacer: Pacer, now: float) -> int:
        """The place behind the first, 0 for none."""
        behind = enumerate(islice(self._calls, 1, _LOOKED_AT), 1)
        waiting = sorted((-estimate, place) for place, (call, estimate) in behind if not self._is_gone(call))
        # Mostly there is no room at all, and where a small call does not fit, no larger one does.
        if not waiting or pacer.ready_at(now, -waiting[-1][0]) > now:
            return 0
        return next(place for estimate, place in waiting if pacer.ready_at(now, -estimate) <= now)
