"""Admission of calls: a conversation waits until canary, ceiling and a slow server's limit let it go.

The quota comes afterwards, in the rate limiter. One `Admission` serves a run, in one event loop.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Self

from tasks.calling.rules.budget import Budget, Reservation
from tasks.calling.rules.call_policy import CallPolicy
from tasks.calling.rules.canary import Canary
from tasks.calling.rules.pacing.slowness import InFlightLimit
from tasks.domain.errors import AnswersUseless, CeilingReached, KefuError
from tasks.domain.records import Reason, Reply

_Queue = deque[tuple["asyncio.Future[Ticket]", Reservation]]


class Ticket:
    """One call under way. Its reservation is released at the end unless it was paid for."""

    __slots__ = ("_admission", "_ended", "reserved")

    def __init__(self, admission: "Admission", reserved: Reservation) -> None:
        self._admission = admission
        self._ended = False
        self.reserved = reserved

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if not self._ended:
            self._ended = True
            self._admission.budget.release(self.reserved)
        self._admission.leave()

    def paid(self, reply: Reply) -> None:
        """Count what the call took; for an answer whose tokens the service does not give, all that it can have been."""
        completion_tokens = reply.completion_tokens
        if not completion_tokens and reply.text:
            completion_tokens = self.reserved.completion_tokens
        self._end(reply.prompt_tokens or self.reserved.prompt_tokens, completion_tokens, reply.cached_tokens)

    def maybe_paid(self) -> None:
        """Count all that the call can have taken: nobody said."""
        self._end(0, 0, 0)

    def _end(self, prompt_tokens: int, completion_tokens: int, cached_tokens: int) -> None:
        if not self._ended:
            self._ended = True
            self._admission.budget.settle(self.reserved, prompt_tokens, completion_tokens, cached_tokens)


class Admission:
    """A queue, first come, first served; retries go before new calls, as long as the run may go on buying.

    Args:
        policy: what the run may spend and how useless its answers may be.
        model: the model's name, for messages.
        clock: seconds that never go back.
    """

    def __init__(self, policy: CallPolicy, model: str, clock: Callable[[], float]) -> None:
        self.budget = Budget(policy.ceiling, policy.max_tokens)
        self.stopped: KefuError | None = None
        self._ceiling = policy.ceiling
        self.model = model
        self._canary = Canary(policy.canary)
        self._slowness = InFlightLimit(policy.call_seconds)
        self._clock = clock
        self._in_flight = 0
        # Who asks once more goes first: the canary may hold everybody new up until those are through.
        self._waiting: dict[bool, _Queue] = {True: deque(), False: deque()}

    async def enter(self, asked: Reservation, again: bool) -> Ticket:
        """Wait until this conversation may be sent. A cancelled wait leaves nothing behind.

        Args:
            asked: the most that the call can take.
            again: it was asked about before, and so is part of what the canary judges already.

        Raises:
            CeilingReached: the call does not fit under the ceiling.
            AnswersUseless: the canary stopped the run.
        """
        if self._is_free_for(asked, again):
            return self._begin(asked, again)
        place: asyncio.Future[Ticket] = asyncio.get_running_loop().create_future()
        self._waiting[again].append((place, asked))
        self._dispatch()
        try:
            return await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled() and place.exception() is None:
                place.result().__exit__()
            else:
                place.cancel()
                self._dispatch()
            raise

    def leave(self) -> None:
        """A call has ended."""
        self._in_flight -= 1
        self._dispatch()

    def answered(self) -> None:
        """A call was answered in time."""
        self._slowness.answered(self._clock())

    def timed_out(self, began: float) -> None:
        """A call that began then got no reply in time."""
        self._slowness.timed_out(began, self._in_flight, self._clock())

    def judge(self, useless: Reason | None, cut_off: bool = False) -> None:
        """Take an answer into account, which may stop the run."""
        self._canary.judge(useless, cut_off)
        if self._canary.trouble and self.stopped is None:
            self.stopped = AnswersUseless(
                f"{self.model}: {self._canary.trouble} Nothing is published and what was bought is kept: mend that "
                "and start the run again."
            )
        self._dispatch()

    def _dispatch(self) -> None:
        for again, waiting in self._waiting.items():
            self._let_in(waiting, again)

    def _let_in(self, waiting: _Queue, again: bool) -> None:
        while waiting:
            place, asked = waiting[0]
            if place.done():  # cancelled while it waited
                waiting.popleft()
                continue
            if self.stopped is None and not self.budget.fits(asked) and self.budget.is_idle:
                self.stopped = CeilingReached(
                    f"The ceiling of this run is reached ({self._ceiling}): what was bought is kept, and the next run "
                    "goes on from here."
                )
            if self.stopped is not None:
                waiting.popleft()
                place.set_exception(self.stopped)
                continue
            if not self._may_begin(asked, again):
                return
            waiting.popleft()
            place.set_result(self._begin(asked, again))

    def _is_free_for(self, asked: Reservation, again: bool) -> bool:
        """Return true where nobody waits and nothing is in the way."""
        nobody_waits = not (self._waiting[True] or self._waiting[False])
        return nobody_waits and self.stopped is None and self._may_begin(asked, again)

    def _begin(self, asked: Reservation, again: bool) -> Ticket:
        self.budget.reserve(asked)
        self._in_flight += 1
        if not again:
            self._canary.begin()
        return Ticket(self, asked)

    def _may_begin(self, asked: Reservation, again: bool) -> bool:
        if self._in_flight >= self._slowness.limit or not self.budget.fits(asked):
            return False
        return again or self._canary.is_open
