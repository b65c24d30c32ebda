"""One quota for several processes, on a real Prefect server.

Nothing here asks how much was done in a given time, which a busy machine decides. What holds on every machine is how
much time it takes at least, and what comes true sooner or later.
"""

import asyncio
import gc
import re
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, closing, suppress
from typing import Any
from urllib.parse import urlsplit

import pytest
from prefect.client.orchestration import PrefectClient, get_client
from prefect.exceptions import ObjectNotFound
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from tasks.calling import shared_quota
from tasks.calling.rate_limiter import RateLimiter
from tasks.calling.rules.pacing.limits import Limits
from tasks.calling.rules.pacing.pacer import Pacer
from tasks.calling.shared_quota import SLOTS_PER_SECOND, SharedQuota

LIMITS = Limits(6000, None, 50)
CALLS_PER_SECOND = 100


@pytest.fixture
def on_server(prefect_api, monkeypatch) -> Callable[[Callable[[], Coroutine[Any, Any, None]]], None]:
    """Run a coroutine function with a real Prefect server, which is waited for however slow it is."""
    monkeypatch.setattr(shared_quota, "_PATIENCE_SECONDS", 60.0)
    monkeypatch.setattr(shared_quota, "_TIMEOUT_SECONDS", 60.0)

    def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
        with temporary_settings({PREFECT_API_URL: prefect_api.url}):
            asyncio.run(test())

    return run


class Spending:
    """The calls of all that share a quota; each is held to what the quota has made good for by then.

    Args:
        part: how much of the quota they may use together.
        ahead_seconds: how much of it they may use ahead of its time.
    """

    def __init__(self, part: float, ahead_seconds: Callable[[], float]) -> None:
        self._began = time.monotonic()
        self._part = part
        self._ahead_seconds = ahead_seconds
        self.calls = 0

    async def through(self, limiter: RateLimiter, enough: Callable[[], bool]) -> None:
        """Call as fast as it is let through."""

        async def call() -> None:
            while not enough():
                with await limiter.acquire(10) as permit:
                    self._count()
                    permit.sent()
                    await asyncio.sleep(0.005)
                    permit.done(10, None, 0.005)

        async with asyncio.TaskGroup() as callers:
            for _ in range(20):
                callers.create_task(call())

    def _count(self) -> None:
        self.calls += 1
        good_for = self._part * (time.monotonic() - self._began) + self._ahead_seconds()
        assert self.calls / CALLS_PER_SECOND <= good_for, f"{self.calls} calls after {good_for:.2f} s of quota"


async def there(client: PrefectClient, name: str) -> None:
    """Wait until the limit exists."""
    while True:
        with suppress(ObjectNotFound):
            await client.read_global_concurrency_limit_by_name(name)
            return
        await asyncio.sleep(0.1)


@pytest.mark.parametrize("processes", [1, 2])
def test_quota_share_gives_each_its_fair_part_and_all_of_them_one_quota(on_server, processes: int):
    async def run() -> None:
        shares = [SharedQuota(f"fair-{processes}") for _ in range(processes)]
        largest_block = 0.0

        def ahead_seconds() -> float:
            nonlocal largest_block
            largest_block = max([largest_block, *(share._block for share in shares)])
            return 2 * largest_block + 0.1 + processes / CALLS_PER_SECOND  # and a call that a rest was enough for

        def enough() -> bool:
            fair = all(abs(share.fair - 1 / processes) < 0.2 for share in shares)
            return fair and spending.calls >= processes * 2.5 * CALLS_PER_SECOND

        async with AsyncExitStack() as stack:
            spending = Spending(1.0, ahead_seconds)
            for share in shares:
                await stack.enter_async_context(share)
            await asyncio.gather(*(spending.through(RateLimiter(LIMITS, share=share), enough) for share in shares))

    on_server(run)


def test_quota_share_makes_its_limit_again_when_it_is_deleted(on_server):
    async def run() -> None:
        async with SharedQuota("deleted") as share:
            limiter = RateLimiter(LIMITS, share=share)
            spending = asyncio.ensure_future(Spending(1.0, lambda: 3.0).through(limiter, lambda: False))
            async with get_client() as client:
                await there(client, "deleted")
                await client.delete_global_concurrency_limit_by_name("deleted")
                await there(client, "deleted")
            spending.cancel()
            with suppress(asyncio.CancelledError):
                await spending

    on_server(run)


class SlowRoad:
    """A way to a server on which what is sent takes its time; `slots` is what was asked for on it."""

    def __init__(self, url: str, seconds: float) -> None:
        self._to = urlsplit(url)
        self._seconds = seconds
        self.slots: list[int] = []

    @asynccontextmanager
    async def open(self) -> AsyncIterator[str]:
        """Gives the address to send to."""
        async with await asyncio.start_server(self._travel, "127.0.0.1", 0) as road:
            yield f"http://127.0.0.1:{road.sockets[0].getsockname()[1]}{self._to.path}"

    async def _travel(self, there: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        answers, requests = await asyncio.open_connection(self._to.hostname, self._to.port)
        passing = asyncio.ensure_future(self._pass(answers, back, 0.0))
        with closing(requests), closing(back), suppress(asyncio.CancelledError):  # by the end of the loop
            await self._pass(there, requests, self._seconds)
            await passing

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                self.slots += [int(number) for number in re.findall(rb'"slots": ?([0-9]+)', data)]
                await asyncio.sleep(seconds)
                writer.write(data)
                await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()


def test_quota_share_queues_what_it_spent_while_the_server_was_slow(prefect_api, monkeypatch):
    monkeypatch.setattr(shared_quota, "_PATIENCE_SECONDS", 0.1)
    monkeypatch.setattr(shared_quota, "_TIMEOUT_SECONDS", 60.0)
    monkeypatch.setattr(shared_quota, "_SLOW_SECONDS", 60.0)
    monkeypatch.setattr(shared_quota, "_LARGEST_BLOCK_SECONDS", shared_quota._SMALLEST_BLOCK_SECONDS)
    block = round(shared_quota._SMALLEST_BLOCK_SECONDS * SLOTS_PER_SECOND)
    road = SlowRoad(prefect_api.url, 0.5)

    async def run() -> None:
        async with road.open() as url:
            with temporary_settings({PREFECT_API_URL: url}):
                async with SharedQuota("slow") as share:
                    spending = Spending(1.0, lambda: 60.0)
                    await spending.through(RateLimiter(LIMITS, share=share), lambda: len(road.slots) > 3)
                    queued = sum(road.slots) / SLOTS_PER_SECOND
                    assert spending.calls / CALLS_PER_SECOND <= queued + share._debt + 1 / CALLS_PER_SECOND

    asyncio.run(run())
    assert min(road.slots) >= block
    assert max(road.slots) > block


def test_quota_share_goes_on_with_its_fair_share_when_the_server_is_gone(caplog):
    async def run() -> None:
        async with SharedQuota("gone") as share:
            share.fair = 0.5
            spending = Spending(0.5, lambda: 1 / CALLS_PER_SECOND)
            await spending.through(RateLimiter(LIMITS, share=share), lambda: spending.calls >= 125)

    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api", PREFECT_CLIENT_MAX_RETRIES: 0}):
        asyncio.run(run())
    gc.collect()  # an error that nobody looked at is told now
    assert [record.name for record in caplog.records] == ["tasks.calling.shared_quota"]


def test_quota_share_gives_its_fair_share_of_all_of_an_outage():
    async def run() -> None:
        share = SharedQuota("gone")
        share.fair = 0.5
        # Not a whole number of ticks: what is after the last one counts as well.
        await share._go_on_during(asyncio.ensure_future(asyncio.sleep(0.37)), 0.0)
        assert share._debt >= 0.37 * share.fair

    asyncio.run(run())


def test_limiter_claims_less_of_a_shared_quota_after_refusals():
    pacer = Pacer(Limits(600), shared=True)
    entry = pacer.grant(0.0, 10)
    pacer.sent(entry, 0.0)
    pacer.refused(entry, 0.05, "requests", None, None)
    assert pacer.snapshot(0.05).limit_requests == 600
    assert pacer.claim(0.05) == pytest.approx(0.99)
    assert pacer.claim(60.0) == 1.0
    calls, tokens = pacer.cost_seconds(60.0, 10)
    assert calls == pytest.approx(0.1)
    assert tokens == 0.0
