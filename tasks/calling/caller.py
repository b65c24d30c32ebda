"""From a request to its answer: cached, paid for, tried again, or given up.

No Prefect here: the batch task is in `tasks/summarizing/summarize.py`. One `Caller` serves a run, in one event loop.
"""

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

from tasks.calling.admission import Admission, Ticket
from tasks.calling.keeping import Keeping
from tasks.calling.rate_limiter import RateLimiter
from tasks.calling.response_cache import ResponseCache
from tasks.calling.rules.call_policy import CallPolicy, is_settled
from tasks.calling.rules.retry_policy import OutageDetector
from tasks.calling.rules.tries import Tries
from tasks.calling.rules.usage import Usage
from tasks.calling.settled_count import SettledCount
from tasks.domain.errors import (
    AllowanceUsedUp,
    AnswersUseless,
    CallFault,
    CallTimedOut,
    ContentRefused,
    EndpointDown,
    InputTooLong,
    KefuError,
    QuotaRefused,
    ReplyUnreadable,
    RequestInvalid,
    TransientFault,
    Unreachable,
)
from tasks.domain.ports import Summarizer
from tasks.domain.records import Answer, GivenUp, Outcome, Reason, Reply, Request
from tasks.parsing.rows import reason_of
from tasks.warehouse.day_lease import DayLease

T = TypeVar("T")

# Answers that may still be in flight when the canary stops a run.
_WITHDRAWN_AT_MOST = 4096


class Stopping(Exception):
    """The run was asked to stop; this request was not sent."""


class Caller:
    """Answers requests through one summarizer, each paid for at most once.

    Args:
        summarizer: who answers.
        limiter: the quota; None for a summarizer that is not paid.
        answers: what is known, and where new answers are kept.
        policy: the rules of the run's calls.
        run_id: what the answers name as their run.
        lease: what has to be held for every call, so that no two runs buy one answer; None where nothing is.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        summarizer: Summarizer,
        limiter: RateLimiter | None,
        answers: ResponseCache,
        policy: CallPolicy,
        run_id: str,
        lease: DayLease | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.usage = Usage()
        self.settled = SettledCount()
        self.outage = OutageDetector(clock(), down_after_seconds=policy.give_up_seconds)
        self._summarizer = summarizer
        self._limiter = limiter
        self._answers = answers
        self._keeping = Keeping(answers, summarizer.model, policy.prompt_version, policy.max_tokens, run_id)
        self._policy = policy
        self._run_id = run_id
        self._lease = lease
        self._clock = clock
        self._admission = Admission(policy, summarizer.model, clock)
        self._count_billed_before()
        self._in_flight: dict[str, asyncio.Future[Answer | GivenUp]] = {}
        self._useless: deque[Answer] = deque(maxlen=_WITHDRAWN_AT_MOST)
        self._reading = asyncio.Lock()
        self._waiting: set[asyncio.Task[object]] = set()
        self._calling: set[asyncio.Task[object]] = set()
        self._stopping = False
        self._is_second = False
        self._is_down: KefuError | None = None
        self._is_warned = False
        self.notify: Callable[[str], object] = lambda text: None
        self._beside: list[Caller] = []  # whose end is this one's

    def join(self, first: "Caller") -> None:
        """Share another caller's budget and counts; its canary does not judge these answers."""
        self.usage = first.usage
        self._admission = first._admission
        self._is_second = True

    def _count_billed_before(self) -> None:
        billed = self._answers.billed_before
        tokens, cost = billed.prompt_tokens + billed.completion_tokens, billed.cost(self._policy.prices)
        self._admission.budget.spend(billed.calls, tokens, cost)

    @property
    def cost(self) -> float:
        """The cost of everything that its run paid for, before a restart and since, by the prices of who answered."""
        return self._answers.billed_before.cost(self._policy.prices) + self.usage.cost

    def stop(self, *, at_once: bool = False) -> None:
        """Send nothing more; what is in flight is waited for and kept, or given up if all has to end at once."""
        self._stopping = True
        for task in self._waiting | self._calling if at_once else self._waiting:
            task.cancel()
        for other in self._beside:
            other.stop(at_once=at_once)

    @property
    def stopping(self) -> bool:
        """Return true after `stop` was called."""
        return self._stopping

    def flush(self) -> None:
        """Return when every answer is stored. Blocking."""
        self._answers.flush()
        for other in self._beside:
            other.flush()

    def known(self, request: Request) -> Answer | None:
        """The known answer that settles a request without a call."""
        answer = self._answers.get(request, exact=self._is_second)
        if answer is None:
            return None
        return answer if is_settled(request, answer, self._answers.tries, self._run_id, self._policy) else None

    def to_send(self, request: Request) -> Request | None:
        """The request that would be sent for this one now, to whichever model; None where its answer is known."""
        return request if self.known(request) is None else None

    async def read_other_days(self, request: Request) -> None:
        """Let `known` be quick: read the logs of other days that may hold the request, beside the event loop."""
        while self._answers.must_read(request, exact=self._is_second):
            async with self._reading:
                if self._answers.must_read(request, exact=self._is_second):
                    await asyncio.to_thread(self._answers.read_other_days, request)

    async def answer(self, request: Request) -> Answer | GivenUp:
        """The answer to a request.

        Raises:
            Stopping: the run stops, and this request was not sent.
            CeilingReached: the run has spent what it may.
            EndpointUnusable: no request can be answered, or the answers are useless.
            LeaseLost: another run has the day, and asks instead.
        """
        try:
            if self._answers.must_read(request, exact=self._is_second):
                await self.read_other_days(request)
            return await self._answer(request)
        finally:
            self.settled.add()

    async def _answer(self, request: Request, again: bool = False) -> Answer | GivenUp:
        known = self.known(request)
        if known is not None:
            self.usage.reused += 1
            return known
        if self._stopping:
            raise Stopping
        if not self._summarizer.paid:
            return self._keeping.unpaid(request, await self._summarizer.summarize(request, _nothing))
        duplicate = self._in_flight.get(request.request_hash)
        if duplicate is not None:
            answer = await asyncio.shield(duplicate)
            self.usage.reused += isinstance(answer, Answer) and not self._leaves(answer)
            return answer
        mine = self._in_flight[request.request_hash] = asyncio.get_running_loop().create_future()
        try:
            answer = await self._call_until_settled(request, again)
            mine.set_result(answer)
        except asyncio.CancelledError:
            mine.cancel()
            raise
        except BaseException as error:
            mine.set_exception(error)  # the duplicates stop or fail for the same reason
            mine.exception()  # retrieved, should there be no duplicate
            raise
        finally:
            del self._in_flight[request.request_hash]
        if not self._is_second and not self._leaves(answer):
            self._judge(request, answer)
        return answer

    def _leaves(self, answer: Answer | GivenUp) -> bool:
        """Return true where another model is asked instead; here there is none."""
        return False

    async def _call_until_settled(self, request: Request, again: bool) -> Answer | GivenUp:
        tries = Tries(again=again)
        while True:
            try:
                return await self._call(request, tries)
            except QuotaRefused as refusal:
                tries.attempts -= 1
                self.usage.quota_refusals += 1
                self._failed(request, refusal)
            except ReplyUnreadable as fault:
                tries.unreadable += 1
                self.usage.retries += 1
                if tries.unreadable >= fault.tries:
                    return await self._keeping.keep(request, "broken", fault.reply.text, tries.attempts)
            except TransientFault as fault:
                self.usage.retries += 1
                self._failed(request, fault)
                if self._is_given_up(fault, tries):
                    return GivenUp(str(fault), tries.attempts)
                await self._stoppable(
                    asyncio.sleep(self._policy.retry.backoff_seconds(min(tries.attempts, 16), random.random()))
                )

    def _is_given_up(self, fault: TransientFault, tries: Tries) -> bool:
        if isinstance(fault, CallTimedOut):
            # A slow server answers in order; only the success of a later call is evidence against this one.
            healthy = self.outage.a_later_call_succeeded(tries.began)
        else:
            healthy = self.outage.another_succeeded_since(tries.began)
        # With no other calls there is nothing to compare with. Such a failure counts as a quarter of an attempt, so
        # that the last conversation of a day cannot retry forever.
        tries.failures += 1.0 if healthy else 0.25
        return tries.failures >= self._policy.retry.max_attempts

    async def _call(self, request: Request, tries: Tries) -> Answer:
        """One call: admitted, paced, paid for and kept. Raises what the summarizer does, counted."""
        assert self._limiter is not None
        asked = self._admission.budget.reservation(
            request.prompt,
            self._policy.prices.first,
            self._policy.max_tokens,
            self._policy.tokens_beside_the_prompt,
        )
        with await self._stoppable(self._admission.enter(asked, again=tries.attempts > 0 or tries.again)) as ticket:
            if self._is_down is not None:
                raise self._is_down  # while this one waited
            permit = await self._stoppable(self._limiter.acquire(request.estimated_tokens))
            tries.attempts += 1
            tries.began = began = self._clock()
            try:
                if self._lease is not None and self._lease.is_stale:
                    await asyncio.to_thread(self._lease.renew_if_stale)
                reply = await self._stoppable(self._summarizer.summarize(request, permit.sent), self._calling)
            except QuotaRefused as refusal:
                permit.refused(refusal)
                raise
            except ReplyUnreadable as fault:
                permit.failed(True)
                if fault.reply.prompt_tokens or fault.reply.completion_tokens:
                    self._paid(fault.reply, ticket)
                else:
                    ticket.maybe_paid()
                raise
            except TransientFault as fault:
                permit.failed(True)  # what the service accepted counts in its quota, however it ended
                if fault.maybe_paid:
                    ticket.maybe_paid()
                if isinstance(fault, CallTimedOut):
                    self._admission.timed_out(began)
                raise
            except (ContentRefused, InputTooLong, RequestInvalid) as fault:
                permit.failed(True)
                self.outage.succeeded(self._clock(), began)
                seconds = self._clock() - began
                return await self._keeping.keep(request, _OUTCOMES[type(fault)], str(fault), tries.attempts, seconds)
            except BaseException:
                permit.failed(True)
                ticket.maybe_paid()
                raise
            seconds = self._clock() - began
            self._paid(reply, ticket)
            try:  # kept before the permit is given back
                answer = await self._keeping.keep_reply(request, reply, tries.attempts, seconds)
            except BaseException:
                permit.failed(True)
                raise
            permit.done(reply.prompt_tokens + reply.completion_tokens, reply.limits, seconds)
            self.outage.succeeded(self._clock(), began)
            self._admission.answered()
            return answer

    def _paid(self, reply: Reply, ticket: Ticket) -> None:
        ticket.paid(reply)
        self.usage.paid(reply, self._policy.prices.first)

    def _judge(self, request: Request, answer: Answer | GivenUp) -> None:
        """Report to the canary. Useless answers are withdrawn when the run stops: a mended model is asked again."""
        if isinstance(answer, GivenUp):
            self._admission.judge(Reason.ENDPOINT_ERROR)
        else:
            useless = reason_of(answer)
            self._admission.judge(useless, answer.cut_off)
            if useless is not None:
                self._useless.append(answer)
        if isinstance(self._admission.stopped, AnswersUseless):
            while self._useless:
                self._answers.put(replace(self._useless.popleft(), withdrawn=True, answered_at=datetime.now(UTC)))
            raise self._admission.stopped

    def _failed(self, request: Request, fault: CallFault) -> None:
        now, patience = self._clock(), self._policy.unreached_seconds
        self.outage.failed(now, request.request_hash, reached=not isinstance(fault, Unreachable))
        if not self.usage.calls and not self._is_warned and not isinstance(fault, QuotaRefused):
            self._is_warned = True
            self.notify(f"The first call failed and is tried again: {fault}")
        if patience is not None and self.outage.was_never_there(now, patience):
            raise EndpointDown(f"{self._summarizer.model} was never there in {patience:g} s. {fault}") from fault
        if not self.outage.is_down(now, answered=self.usage.calls + self.usage.reused):
            return
        if isinstance(fault, QuotaRefused):
            raise AllowanceUsedUp(
                f"{self._summarizer.model} has refused every call for {self._policy.give_up_seconds:g} s and waiting "
                f"does not help: an allowance may be used up; see the account's console. {fault}"
            ) from fault
        raise EndpointDown(
            f"{self._summarizer.model} has answered nothing for {self._policy.give_up_seconds:g} s; the last fault: "
            f"{fault} What was answered is kept: start the run again when the endpoint is back."
        ) from fault

    async def unless_stopped(self, waiting: Coroutine[object, object, T]) -> T:
        """The result of a wait that leaves nothing half done; it is cancelled as soon as the run stops.

        Raises:
            Stopping: the run stops, or has done so before.
        """
        # A task of its own: whoever waits has work to end in good order, and is not cancelled.
        return await asyncio.create_task(self._stoppable(waiting))

    async def _stoppable(
        self, waiting: Coroutine[object, object, T], tasks: set[asyncio.Task[object]] | None = None
    ) -> T:
        """The result, unless the run stops; `tasks` are those that stop with this one (default: all that wait)."""
        if self._stopping:
            waiting.close()
            raise Stopping
        task = asyncio.current_task()
        assert task is not None
        tasks = self._waiting if tasks is None else tasks
        tasks.add(task)
        try:
            return await waiting
        except asyncio.CancelledError:
            if self._stopping:
                raise Stopping from None
            raise
        finally:
            tasks.discard(task)


_OUTCOMES: dict[type[Exception], Outcome] = {
    ContentRefused: "refused",
    InputTooLong: "too_long",
    RequestInvalid: "invalid_request",
}


def _nothing() -> None: ...
