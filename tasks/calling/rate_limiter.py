"""Calls wait here until the quota has room for them: `rules.pacing.pacer` on an event loop."""

import asyncio
import math
import time
from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self

from tasks.calling.rules.pacing.limits import LimiterSnapshot, Limits
from tasks.calling.rules.pacing.pacer import Pacer
from tasks.calling.rules.pacing.waiting_line import WaitingLine
from tasks.calling.rules.pacing.windows.sliding_window import Entry
from tasks.domain.errors import QuotaRefused
from tasks.domain.records import QuotaHeaders


class QuotaLease(Protocol):
    """A part of a quota that several processes use: seconds of the whole quota, leased ahead and spent."""

    def attach(self, dispatch: Callable[[], None]) -> None:
        """Call `dispatch` whenever there is more to spend."""

    def covers(self) -> bool:
        """Return true if one more call may be spent now; if not, ask for more, which arrives later."""

    def spend(self, calls_seconds: float, tokens_seconds: float) -> None:
        """Take what one call costs: how long each quota takes to make good for it."""


class Permit:
    """Permission for one call; it ends with exactly one of `done`, `refused`, `failed`, and later ones change nothing.

    As a context manager it ends as failed whatever was not ended inside.
    """

    __slots__ = ("_entry", "_limiter")

    def __init__(self, limiter: "RateLimiter", entry: Entry) -> None:
        self._limiter = limiter
        self._entry = entry

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.failed(maybe_counted=self._entry.sent_at is not None)

    def sent(self) -> None:
        """The request's bytes are being written now."""
        limiter = self._limiter
        limiter.pacer.sent(self._entry, limiter.clock())
        limiter.dispatch()

    def done(self, tokens_used: int, limits: QuotaHeaders | None, latency_seconds: float) -> None:
        """The reply is here in full; 0 tokens when it gave no count."""
        limiter = self._limiter
        limiter.pacer.answered(self._entry, limiter.clock(), tokens_used, limits, latency_seconds)
        limiter.dispatch()

    def refused(self, error: QuotaRefused) -> None:
        """A limit turned the call away; it costs nothing."""
        limiter = self._limiter
        limiter.pacer.refused(self._entry, limiter.clock(), error.scope, error.retry_after_seconds, error.limits)
        limiter.dispatch()

    def failed(self, maybe_counted: bool) -> None:
        """The call ended otherwise; pass on whether the service may have counted it."""
        limiter = self._limiter
        limiter.pacer.failed(self._entry, limiter.clock(), maybe_counted)
        limiter.dispatch()


class RateLimiter:
    """First come, first served, at the pace of one endpoint's quota. Belongs to one event loop.

    Args:
        limits: the configured quota.
        clock: seconds that never go back.
        share: this process's part, where others use the quota too. What this process sends alone stays
            within the whole quota in any case.
    """

    def __init__(
        self, limits: Limits, clock: Callable[[], float] = time.monotonic, share: QuotaLease | None = None
    ) -> None:
        self.pacer = Pacer(limits, shared=share is not None)
        self._share = share
        if share is not None:
            share.attach(self.dispatch)
        self.clock = clock
        self._waiting = WaitingLine[asyncio.Future[Permit]](asyncio.Future.done)  # cancelled while it waited
        self._timer: asyncio.TimerHandle | None = None
        self._due = math.inf
        self._is_scheduled = False

    async def acquire(self, estimated_tokens: int) -> Permit:
        """Wait for permission to make one call. A cancelled wait leaves nothing behind."""
        waiting = self._waiting
        if not waiting:
            now = self.clock()
            if self.pacer.ready_at(now, estimated_tokens) <= now and self._covered():
                return self._grant(now, estimated_tokens)
        place: asyncio.Future[Permit] = asyncio.get_running_loop().create_future()
        waiting.append(place, estimated_tokens)
        self.dispatch()
        try:
            return await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                place.result().failed(maybe_counted=False)
            else:
                place.cancel()
                self.dispatch()
            raise

    def dispatch(self) -> None:
        """Grant every waiting call that may go, once all that happens in this turn of the event loop is known."""
        if self._waiting and not self._is_scheduled:
            self._is_scheduled = True
            asyncio.get_running_loop().call_soon(self._dispatch)

    def _dispatch(self) -> None:
        """Grant every waiting call that may go now, and set a timer for the next."""
        waiting, pacer = self._waiting, self.pacer
        self._is_scheduled = False
        now = self.clock()
        while (found := waiting.next_ready(pacer, now)) is not None:
            place, at = found
            if at > now:
                self._set_timer(now, at)
                return
            if not self._covered():  # the share dispatches again when it has more
                return
            waiter, estimated_tokens = waiting.take(place)
            waiter.set_result(self._grant(now, estimated_tokens))

    def snapshot(self) -> LimiterSnapshot:
        """A snapshot of the limits in force and the calls in flight and waiting."""
        return self.pacer.snapshot(self.clock(), len(self._waiting))

    def close(self) -> None:
        """Cancel all waiting calls. Closing twice is harmless."""
        self._cancel_timer()
        for waiter in self._waiting.clear():
            waiter.cancel()

    def _covered(self) -> bool:
        return self._share is None or self._share.covers()

    def _grant(self, now: float, estimated_tokens: int) -> Permit:
        if self._share is not None:
            self._share.spend(*self.pacer.cost_seconds(now, estimated_tokens))
        return Permit(self, self.pacer.grant(now, estimated_tokens))

    def _set_timer(self, now: float, at: float) -> None:
        if self._timer is not None:
            if self._due <= at < math.inf:  # early is harmless: it sets the timer again
                return
            self._cancel_timer()
        if at < math.inf:
            self._due = at
            self._timer = asyncio.get_running_loop().call_later(at - now, self._on_timer)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _on_timer(self) -> None:
        self._timer = None
        self._dispatch()
