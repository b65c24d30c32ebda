import asyncio
import random
from collections.abc import Callable

import pytest

from tasks.calling.rate_limiter import QuotaLease, RateLimiter
from tasks.calling.rules.pacing.limits import Limits
from tasks.domain.errors import QuotaRefused
from tasks.domain.records import QuotaHeaders
from tests.builders.simulated_time import in_simulated_time


def now() -> float:
    return asyncio.get_running_loop().time()


def gate_of(limits: Limits, share: QuotaLease | None = None) -> RateLimiter:
    return RateLimiter(limits, now, share)


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@in_simulated_time
async def test_acquire_lets_calls_go_in_the_order_they_came():
    limiter = gate_of(Limits(60_000, None, 4, window_seconds=1.0))
    order: list[int] = []

    async def call(number: int) -> None:
        permit = await limiter.acquire(10)
        order.append(number)
        permit.sent()
        await asyncio.sleep(0.001)
        permit.done(10, None, 0.001)

    await asyncio.gather(*(call(number) for number in range(60)))
    assert order == list(range(60))
    stand = limiter.snapshot()
    assert (stand.in_flight, stand.waiting, stand.sent_last_window) == (0, 0, 60)


@in_simulated_time
async def test_calls_that_end_together_let_as_many_in_of_those_that_wait_the_longest():
    limiter = gate_of(Limits(60_000, None, 4))
    permits = [await limiter.acquire(10) for _ in range(4)]
    waiting = [asyncio.ensure_future(limiter.acquire(10)) for _ in range(6)]
    await settle()
    waiting[1].cancel()
    permits[0].done(10, None, 0.001)
    permits[1].done(10, None, 0.001)
    permits[2].failed(maybe_counted=False)
    late = asyncio.ensure_future(limiter.acquire(10))
    await asyncio.sleep(1.0)
    assert [place.done() for place in waiting] == [True] * 4 + [False] * 2
    assert waiting[1].cancelled()
    assert not late.done()
    assert limiter.snapshot().in_flight == 4


async def departures(limiter: RateLimiter, calls: int) -> list[float]:
    """Send calls that all want to go at once; return the time of each."""
    sent: list[float] = []

    async def call() -> None:
        with await limiter.acquire(10) as permit:
            await asyncio.sleep(random.uniform(0, 0.002))
            sent.append(now())
            permit.sent()
            await asyncio.sleep(0.01)
            permit.done(10, None, 0.01)

    await asyncio.gather(*(call() for _ in range(calls)))
    return sent


@in_simulated_time
async def test_acquire_lets_as_many_into_a_window_as_the_quota_and_never_more():
    sent = await departures(gate_of(Limits(6000, None, 64, window_seconds=0.3)), 100)  # 30 in 0.3 s
    assert all(later - earlier > 0.3 for earlier, later in zip(sent, sent[30:], strict=False))
    assert sent[-1] - sent[0] < 1.5


@in_simulated_time
async def test_acquire_keeps_its_own_window_whatever_a_share_gives():
    class Generous:
        def attach(self, look: Callable[[], None]) -> None: ...

        def covers(self) -> bool:
            return True

        def spend(self, calls_seconds: float, tokens_seconds: float) -> None: ...

    sent = await departures(gate_of(Limits(6000, None, 50, window_seconds=0.5), Generous()), 200)  # 50 in 0.5 s
    assert all(later - earlier > 0.5 for earlier, later in zip(sent, sent[50:], strict=False))


@in_simulated_time
async def test_acquire_cancelled_while_waiting_leaves_nothing_behind():
    limiter = gate_of(Limits(None, None, 1))
    permit = await limiter.acquire(10)
    waiters = [asyncio.create_task(limiter.acquire(10)) for _ in range(3)]
    await settle()
    waiters[0].cancel()
    await settle()
    assert limiter.snapshot().waiting == 2
    permit.sent()
    permit.done(10, None, 0.1)
    second = await waiters[1]
    assert not waiters[2].done()
    second.failed(maybe_counted=False)
    (await waiters[2]).failed(maybe_counted=False)
    assert limiter.snapshot().in_flight == 0


@in_simulated_time
async def test_acquire_cancelled_as_its_turn_comes_gives_the_permit_back():
    limiter = gate_of(Limits(None, None, 1))
    permit = await limiter.acquire(10)
    waiter = asyncio.create_task(limiter.acquire(10))
    next_one = asyncio.create_task(limiter.acquire(10))
    await asyncio.sleep(0.05)
    permit.failed(maybe_counted=False)  # the waiter's turn, which it has not noticed yet
    waiter.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiter
    (await next_one).failed(maybe_counted=False)
    assert limiter.snapshot().in_flight == 0


@in_simulated_time
async def test_permit_left_without_an_end_counts_as_failed():
    limiter = gate_of(Limits(60))
    with await limiter.acquire(10) as permit:
        permit.sent()
    with await limiter.acquire(10):
        pass
    stand = limiter.snapshot()
    assert (stand.in_flight, stand.sent_last_window) == (0, 1)


@in_simulated_time
async def test_permit_refused_waits_as_asked_and_takes_the_limit():
    limiter = gate_of(Limits(600))
    permit = await limiter.acquire(10)
    permit.sent()
    permit.refused(QuotaRefused("slow down", "requests", 0.2, QuotaHeaders(120)))
    began = now()
    (await limiter.acquire(10)).failed(maybe_counted=False)
    assert now() - began == pytest.approx(0.2)
    assert limiter.snapshot().limit_requests == 1  # nothing was held when it was refused
    assert limiter.snapshot().refusals == 1


@in_simulated_time
async def test_close_cancels_whoever_waits():
    limiter = gate_of(Limits(None, None, 1))
    await limiter.acquire(10)
    waiter = asyncio.create_task(limiter.acquire(10))
    await settle()
    limiter.close()
    limiter.close()
    with pytest.raises(asyncio.CancelledError):
        await waiter


@in_simulated_time
async def test_limiter_dispatches_a_few_times_a_call_with_thousands_waiting():
    limiter = gate_of(Limits(60_000_000, None, 64))
    looks = 0
    really_ready_at = limiter.pacer.ready_at

    def ready_at(at: float, estimated_tokens: int) -> float:
        nonlocal looks
        looks += 1
        return really_ready_at(at, estimated_tokens)

    limiter.pacer.ready_at = ready_at  # type: ignore[method-assign,assignment]

    async def call() -> None:
        permit = await limiter.acquire(500)
        permit.sent()
        await asyncio.sleep(0)
        permit.done(500, None, 0.1)

    await asyncio.gather(*(call() for _ in range(10_000)))
    assert looks < 10 * 10_000
