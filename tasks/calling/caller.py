"""From a request to its answer: what is known already, what is paid for, what is tried again, what is given up.

No Prefect here: the batch task is in `tasks/summarize.py`. One `Caller` serves a whole run, in one event loop.
"""

import asyncio
import random
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from tasks.calling.rate_limiter import RateLimiter
from tasks.calling.response_cache import ResponseCache
from tasks.calling.rules.retry_policy import OutageDetector, RetryPolicy
from tasks.domain.errors import ContentRefused, EndpointDown, InputTooLong, QuotaRefused, RequestInvalid, TransientFault
from tasks.domain.ports import Summarizer
from tasks.domain.records import Answer, GivenUp, Outcome, Reply, Request
from tasks.preparing.masking import mask
from tasks.warehouse.day_lease import DayLease

T = TypeVar("T")


@dataclass(slots=True)
class Usage:
    """What a run has asked for so far. `calls` were answered and paid; `retries` were not."""

    reused: int = 0
    calls: int = 0
    retries: int = 0
    quota_refusals: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0


class Stopping(Exception):
    """The run was asked to stop; this request was not sent."""


class Caller:
    """Answers requests through one summarizer, each paid for at most once.

    Args:
        summarizer: who answers.
        gate: the quota; None for a summarizer that is not paid.
        answers: what is known, and where new answers are kept.
        prompt_version: what the answers name as their prompt.
        run_id: what the answers name as their run.
        patience: how often and after which waits a failed call is tried again.
        health: when the endpoint counts as down for good.
        lease: what has to be held for every call, so that no two runs buy one answer; None where nothing is.
        clock: monotonic seconds.
        now: the wall clock, aware.
    """

    def __init__(
        self,
        summarizer: Summarizer,
        limiter: RateLimiter | None,
        answers: ResponseCache,
        *,
        prompt_version: str,
        run_id: str,
        retry_policy: RetryPolicy,
        outage: OutageDetector,
        lease: DayLease | None = None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.usage = Usage()
        self._summarizer = summarizer
        self._limiter = limiter
        self._answers = answers
        self._prompt_version = prompt_version
        self._run_id = run_id
        self._retry_policy = retry_policy
        self._outage = outage
        self._lease = lease
        self._clock = clock
        self._now = now
        self._twins: dict[str, asyncio.Future[Answer | GivenUp]] = {}
        self._waiting: set[asyncio.Task[object]] = set()
        self._settled = 0
        self._settled_is_enough: tuple[int, asyncio.Event] | None = None
        self._stopping = False

    def stop(self) -> None:
        """Send nothing more; what is in flight is waited for and kept."""
        self._stopping = True
        for task in self._waiting:
            task.cancel()

    @property
    def stopping(self) -> bool:
        """Whether `stop` was called."""
        return self._stopping

    def flush(self) -> None:
        """Return when every answer is stored. Blocking."""
        self._answers.flush()

    async def until_settled(self, number: int) -> None:
        """Return when so many requests have been asked and are settled, with an answer or without. For one waiter."""
        if self._settled < number:
            enough = asyncio.Event()
            self._settled_is_enough = number, enough
            await enough.wait()

    async def answer(self, request: Request) -> Answer | GivenUp:
        """The answer to a request.

        Raises:
            Stopping: the run stops, and this request was not sent.
            EndpointUnusable: no request can be answered.
            LeaseLost: another run has the day, and asks instead.
        """
        try:
            return await self._answer(request)
        finally:
            self._settled += 1
            if self._settled_is_enough is not None and self._settled >= self._settled_is_enough[0]:
                self._settled_is_enough[1].set()

    async def _answer(self, request: Request) -> Answer | GivenUp:
        known = self._answers.get(request)
        if known is not None:
            self.usage.reused += 1
            return known
        if self._stopping:
            raise Stopping
        if not self._summarizer.paid:
            return self._answered(request, await self._summarizer.summarize(request, _nothing), 1, 0.0)
        twin = self._twins.get(request.request_hash)
        if twin is not None:
            answer = await asyncio.shield(twin)
            self.usage.reused += isinstance(answer, Answer)
            return answer
        mine = self._twins[request.request_hash] = asyncio.get_running_loop().create_future()
        try:
            answer = await self._call_until_settled(request)
            mine.set_result(answer)
            return answer
        except asyncio.CancelledError:
            mine.cancel()
            raise
        except BaseException as error:
            mine.set_exception(error)  # the twins stop or fail for the same reason
            mine.exception()  # looked at, should there be no twin
            raise
        finally:
            del self._twins[request.request_hash]

    async def _call_until_settled(self, request: Request) -> Answer | GivenUp:
        assert self._limiter is not None
        attempts, quarters = 0, 0
        while True:
            permit = await self._stoppable(self._limiter.acquire(request.estimated_tokens))
            attempts += 1
            began = self._clock()
            try:
                if self._lease is not None and self._lease.is_stale:
                    await asyncio.to_thread(self._lease.renew_if_stale)
                reply = await self._summarizer.summarize(request, permit.sent)
            except QuotaRefused as refusal:
                permit.refused(refusal)
                attempts -= 1
                self.usage.quota_refusals += 1
                self._failed(request, refusal)
            except TransientFault as fault:
                permit.failed(True)  # what the service accepted counts in its quota, however it ended
                self.usage.retries += 1
                self._failed(request, fault)
                # Where nothing else is asked, nothing else can succeed: that counts for a quarter, and so ends, too.
                quarters += 4 if self._outage.another_succeeded_since(began) else 1
                if quarters >= 4 * self._retry_policy.max_attempts:
                    return GivenUp(str(fault), attempts)
                await self._stoppable(
                    asyncio.sleep(self._retry_policy.backoff_seconds(min(attempts, 16), random.random()))
                )
            except (ContentRefused, InputTooLong, RequestInvalid) as fault:
                permit.failed(True)
                self._succeeded()
                return self._kept(request, _OUTCOMES[type(fault)], str(fault), attempts, self._clock() - began)
            except BaseException:
                permit.failed(True)
                raise
            else:
                seconds = self._clock() - began
                answer = self._answered(request, reply, attempts, seconds)
                permit.done(reply.prompt_tokens + reply.completion_tokens, reply.limits, seconds)
                self._succeeded()
                return answer

    def _answered(self, request: Request, reply: Reply, attempts: int, seconds: float) -> Answer:
        outcome: Outcome = "refused" if reply.refused else "answered"
        return self._kept(request, outcome, reply.text, attempts, seconds, reply)

    def _kept(
        self,
        request: Request,
        outcome: Outcome,
        text: str,
        attempts: int,
        seconds: float,
        reply: Reply | None = None,
    ) -> Answer:
        answer = Answer(
            request_hash=request.request_hash,
            content_hash=request.content_hash,
            outcome=outcome,
            text=text if request.replacements is None else mask(text),
            model=self._summarizer.model,
            prompt_version=self._prompt_version,
            prompt_tokens=reply.prompt_tokens if reply else 0,
            completion_tokens=reply.completion_tokens if reply else 0,
            latency_ms=round(seconds * 1000),
            attempts=attempts,
            answered_at=self._now(),
            run_id=self._run_id,
            cut_off=reply.cut_off if reply else False,
        )
        if self._summarizer.paid:
            self._answers.put(answer)  # before the permit is given back: no new call while this one is not kept
            self.usage.calls += reply is not None
            self.usage.prompt_tokens += answer.prompt_tokens
            self.usage.completion_tokens += answer.completion_tokens
        return answer

    def _succeeded(self) -> None:
        self._outage.succeeded(self._clock())

    def _failed(self, request: Request, fault: Exception) -> None:
        self._outage.failed(self._clock(), request.request_hash)
        if self._outage.is_down(self._clock(), answered=self.usage.calls + self.usage.reused):
            raise EndpointDown(
                f"{self._summarizer.model} has answered nothing for minutes; the last fault: {fault} "
                "What was answered is kept: start the run again when the endpoint is back."
            ) from fault

    async def _stoppable(self, waiting: Coroutine[object, object, T]) -> T:
        if self._stopping:
            waiting.close()
            raise Stopping
        task = asyncio.current_task()
        assert task is not None
        self._waiting.add(task)
        try:
            return await waiting
        except asyncio.CancelledError:
            if self._stopping:
                raise Stopping from None
            raise
        finally:
            self._waiting.discard(task)


_OUTCOMES: dict[type[Exception], Outcome] = {
    ContentRefused: "refused",
    InputTooLong: "too_long",
    RequestInvalid: "invalid_request",
}


def _nothing() -> None: ...
