"""A second model for what the first one refuses, is too long for, or is down for. It has a quota of its own."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tasks.calling.caller import Caller
from tasks.calling.rate_limiter import RateLimiter
from tasks.calling.rules.call_policy import CallPolicy
from tasks.domain.errors import AllowanceUsedUp, EndpointDown
from tasks.domain.ports import Summarizer
from tasks.domain.records import Answer, GivenUp, Request

_NOT_BY_THE_FIRST = frozenset({"refused", "too_long"})


@dataclass(frozen=True, slots=True)
class Fallback:
    """The second model.

    Args:
        summarizer: asks it.
        limiter: its quota.
        policy: the rules of its calls; canary and ceiling are those of the first.
        as_asked: makes a request to the first model one to the second.
        notify: takes the sentence that the first is down, once.
    """

    summarizer: Summarizer
    limiter: RateLimiter | None
    policy: CallPolicy
    as_asked: Callable[[Request], Request]
    notify: Callable[[str], None]


class FallbackCaller(Caller):
    """Answers requests through the first model, and through the second what the first one does not answer.

    The canary judges what comes of a conversation in the end, whoever answered.

    Args:
        fallback: the second model.
        arguments: as for a caller.
    """

    def __init__(self, fallback: Fallback, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._fallback = fallback
        second = Caller(
            fallback.summarizer,
            fallback.limiter,
            self._answers,
            fallback.policy,
            self._run_id,
            self._lease,
            self._clock,
        )
        second.join(self)
        self._second = second
        self._admission.model = f"{self._summarizer.model} (with {fallback.summarizer.model})"

    def stop(self, *, at_once: bool = False) -> None:
        """Stop both."""
        super().stop(at_once=at_once)
        self._second.stop(at_once=at_once)

    def to_send(self, request: Request) -> Request | None:
        """The request that would be sent for this one now, to whichever model; None where its answer is known."""
        first = self.known(request)
        if first is None or not self._leaves(first):
            return super().to_send(request)
        return self._second.to_send(self._fallback.as_asked(request))

    def _leaves(self, answer: Answer | GivenUp) -> bool:
        return isinstance(answer, Answer) and answer.outcome in _NOT_BY_THE_FIRST

    async def _answer(self, request: Request, again: bool = False) -> Answer | GivenUp:
        first: Answer | GivenUp | None = self.known(request)
        is_new = first is None and self._is_down is None
        if is_new:
            try:
                first = await super()._answer(request, again)
            except (EndpointDown, AllowanceUsedUp) as error:
                self._leave_all(error)
        elif first is not None and not self._leaves(first):
            self.usage.reused += 1
        if first is not None and not self._leaves(first):
            return first
        return await self._by_the_second(request, first, again=is_new)

    async def _by_the_second(self, request: Request, first: Answer | GivenUp | None, again: bool) -> Answer | GivenUp:
        asked = self._fallback.as_asked(request)
        is_new = again or self._second.known(asked) is None
        second = await self._second._answer(asked, again)
        answered = isinstance(second, Answer) and second.outcome == "answered"
        final = second if first is None or answered else first
        if is_new:
            if final is not second and isinstance(second, Answer):
                self._useless.append(second)
            self._judge(request, final)
        return final

    def _leave_all(self, error: EndpointDown | AllowanceUsedUp) -> None:
        """Let the second answer everything from here on."""
        if self._is_down is None:
            self._is_down = error
            self._fallback.notify(f"{error} From here on {self._fallback.summarizer.model} is asked.")
