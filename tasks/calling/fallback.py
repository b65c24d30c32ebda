"""A second model for what the first one refuses, is too long for, or is down for. It has a quota of its own."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from tasks.calling.caller import Caller
from tasks.calling.rate_limiter import RateLimiter
from tasks.calling.rules.call_policy import NO_CANARY
from tasks.domain.errors import EndpointDown
from tasks.domain.ports import Summarizer
from tasks.domain.records import Answer, GivenUp, Request

_NOT_BY_THE_FIRST = frozenset({"refused", "too_long"})


@dataclass(frozen=True, slots=True)
class Fallback:
    """The second model.

    Args:
        summarizer: asks it.
        limiter: its quota.
        as_asked: makes a request to the first model one to the second.
    """

    summarizer: Summarizer
    limiter: RateLimiter | None
    as_asked: Callable[[Request], Request]


class FallbackCaller(Caller):
    """Answers requests through the first model, and through the second what the first one does not answer.

    Args:
        fallback: the second model.
        arguments: as for a caller.
    """

    def __init__(self, fallback: Fallback, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._fallback = fallback
        self._is_down = False
        second = Caller(
            fallback.summarizer,
            fallback.limiter,
            self._answers,
            replace(self._policy, canary=NO_CANARY),
            self._run_id,
            self._lease,
            self._clock,
        )
        second.join(self)
        self._second = second

    def stop(self) -> None:
        """Send nothing more to either; what is in flight is waited for and kept."""
        super().stop()
        self._second.stop()

    async def _answer(self, request: Request) -> Answer | GivenUp:
        first = self.known(request)
        if first is None and not self._is_down:
            try:
                first_or_none: Answer | GivenUp | None = await super()._answer(request)
            except EndpointDown:
                self._is_down = True  # everybody else goes to the second at once
                first_or_none = None
        elif first is not None and first.outcome not in _NOT_BY_THE_FIRST:
            self.usage.reused += 1
            return first
        else:
            first_or_none = first
        if isinstance(first_or_none, Answer) and first_or_none.outcome not in _NOT_BY_THE_FIRST:
            return first_or_none
        second = await self._second._answer(self._fallback.as_asked(request))
        if first_or_none is None or (isinstance(second, Answer) and second.outcome == "answered"):
            return second
        return first_or_none
