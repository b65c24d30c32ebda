import asyncio
import functools
import random
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from tasks.domain.errors import QuotaRefused
from tasks.domain.pacing import Limits
from tasks.domain.records import QuotaHeaders
from tasks.gate import Gate


def on_a_loop(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    @functools.wraps(test)
    def run() -> None:
        asyncio.run(test())

    return run


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@on_a_loop
async def test_acquire_lets_calls_go_in_the_order_they_came():
    gate = Gate(Limits(60_000, None, 4, window_seconds=1.0))
    order: list[int] = []

    async def call(number: int) -> None:
        permit = await gate.acquire(10)
        order.append(number)
        permit.sent()
        await asyncio.sleep(0.001)
        permit.done(10, None, 0.001)

    await asyncio.gather(*(call(number) for number in range(60)))
    assert order == list(range(60))
    stand = gate.snapshot()
    assert (stand.in_flight, stand.waiting, stand.sent_last_window) == (0, 0, 60)


@on_a_loop
async def test_acquire_never_lets_more_into_a_window_than_the_quota():
    gate = Gate(Limits(6000, None, 64, window_seconds=0.3))  # 30 in 0.3 s
    sent: list[float] = []

    async def call() -> None:
        with await gate.acquire(10) as permit:
            await asyncio.sleep(random.uniform(0, 0.002))
            sent.append(time.monotonic())
            permit.sent()
            await asyncio.sleep(0.01)
            permit.done(10, None, 0.01)

    await asyncio.gather(*(call() for _ in range(100)))
    assert all(later - earlier > 0.3 for earlier, later in zip(sent, sent[30:], strict=False))
    assert sent[-1] - sent[0] < 2.5


@on_a_loop
async def test_acquire_cancelled_while_waiting_leaves_nothing_behind():
    gate = Gate(Limits(None, None, 1))
    permit = await gate.acquire(10)
    waiters = [asyncio.create_task(gate.acquire(10)) for _ in range(3)]
    await settle()
    waiters[0].cancel()
    await settle()
    assert gate.snapshot().waiting == 2
    permit.sent()
    permit.done(10, None, 0.1)
    second = await waiters[1]
    assert not waiters[2].done()
    second.failed(maybe_counted=False)
    (await waiters[2]).failed(maybe_counted=False)
    assert gate.snapshot().in_flight == 0


@on_a_loop
async def test_acquire_cancelled_as_its_turn_comes_gives_the_permit_back():
    gate = Gate(Limits(None, None, 1))
    permit = await gate.acquire(10)
    waiter = asyncio.create_task(gate.acquire(10))
    next_one = asyncio.create_task(gate.acquire(10))
    await asyncio.sleep(0.05)
    permit.failed(maybe_counted=False)  # the waiter's turn, which it has not noticed yet
    waiter.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiter
    (await asyncio.wait_for(next_one, 1)).failed(maybe_counted=False)
    assert gate.snapshot().in_flight == 0


@on_a_loop
async def test_permit_left_without_an_end_counts_as_failed():
    gate = Gate(Limits(60))
    with await gate.acquire(10) as permit:
        permit.sent()
    with await gate.acquire(10):
        pass
    stand = gate.snapshot()
    assert (stand.in_flight, stand.sent_last_window) == (0, 1)


@on_a_loop
async def test_permit_refused_waits_as_asked_and_takes_the_limit():
    gate = Gate(Limits(600))
    permit = await gate.acquire(10)
    permit.sent()
    permit.refused(QuotaRefused("slow down", "requests", 0.2, QuotaHeaders(120)))
    began = time.monotonic()
    (await gate.acquire(10)).failed(maybe_counted=False)
    assert time.monotonic() - began >= 0.19
    assert gate.snapshot().limit_requests == 1  # nothing was held when it was refused
    assert gate.snapshot().refusals == 1


@on_a_loop
async def test_close_cancels_whoever_waits():
    gate = Gate(Limits(None, None, 1))
    await gate.acquire(10)
    waiter = asyncio.create_task(gate.acquire(10))
    await settle()
    gate.close()
    gate.close()
    with pytest.raises(asyncio.CancelledError):
        await waiter


@on_a_loop
async def test_gate_costs_little_with_thousands_waiting():
    gate = Gate(Limits(60_000_000, None, 64))
    gate.pacer._rate = 1e6  # the ramp is not what is measured

    async def call() -> None:
        permit = await gate.acquire(500)
        permit.sent()
        await asyncio.sleep(0)
        permit.done(500, None, 0.1)

    began = time.process_time()
    await asyncio.gather(*(call() for _ in range(10_000)))
    microseconds = (time.process_time() - began) / 10_000 * 1e6
    assert microseconds < 300  # 30 to 60 on a quiet machine, the tasks themselves included
