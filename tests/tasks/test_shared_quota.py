import asyncio
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import pytest
from prefect.client.orchestration import PrefectClient, get_client
from prefect.exceptions import ObjectNotFound
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from tasks.domain.pacing import Limits, Pacer
from tasks.gate import Gate
from tasks.shared_quota import QuotaShare


@pytest.fixture
def on_server(prefect_api) -> Callable[[Callable[[], Coroutine[Any, Any, None]]], None]:
    """Run a coroutine function with a real Prefect server."""

    def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
        with temporary_settings({PREFECT_API_URL: prefect_api.url}):
            asyncio.run(test())

    return run


async def spend(gate: Gate, seconds: float) -> int:
    """Make calls as fast as they are let through; return how many."""
    calls, until = 0, time.monotonic() + seconds

    async def call() -> None:
        nonlocal calls
        while time.monotonic() < until:
            with await gate.acquire(10) as permit:
                permit.sent()
                await asyncio.sleep(0.005)
                permit.done(10, None, 0.005)
                calls += time.monotonic() < until

    callers = [asyncio.ensure_future(call()) for _ in range(20)]
    try:
        await asyncio.wait(callers, timeout=seconds + 0.2)
    finally:
        gate.close()
    await asyncio.gather(*callers, return_exceptions=True)
    return calls


async def there(client: PrefectClient, name: str) -> None:
    """Wait until the limit exists."""
    async with asyncio.timeout(20):
        while True:
            with suppress(ObjectNotFound):
                await client.read_global_concurrency_limit_by_name(name)
                return
            await asyncio.sleep(0.1)


def test_quota_share_divides_one_quota_fairly(on_server):
    async def run() -> None:
        async with QuotaShare("fair") as one, QuotaShare("fair") as two:
            gates = [Gate(Limits(6000, None, 50), share=share) for share in (one, two)]  # 100 a second between them
            first, second = await asyncio.gather(*(spend(gate, 6.0) for gate in gates))
        # 0.6 s ahead of time at most, and the first answer of the server comes late.
        assert first + second <= 600 + 60 + 35
        assert min(first, second) > 0

    on_server(run)


def test_quota_share_gives_all_to_one_that_is_alone(on_server):
    async def run() -> None:
        async with QuotaShare("alone") as share:
            assert 0 < await spend(Gate(Limits(6000, None, 50), share=share), 4.0) <= 400 + 60 + 35

    on_server(run)


def test_quota_share_makes_its_limit_again_when_it_is_deleted(on_server):
    async def run() -> None:
        async with QuotaShare("deleted") as share:
            spending = asyncio.ensure_future(spend(Gate(Limits(6000, None, 50), share=share), 60.0))
            async with get_client() as client:
                await there(client, "deleted")
                await client.delete_global_concurrency_limit_by_name("deleted")
                await there(client, "deleted")
            spending.cancel()

    on_server(run)


def test_quota_share_goes_on_with_its_fair_share_when_the_server_is_gone():
    async def run() -> None:
        async with QuotaShare("gone") as share:
            share.fair = 0.5
            calls = await spend(Gate(Limits(6000, None, 50), share=share), 4.0)
        assert 0 < calls <= 0.5 * 400 + 50

    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api", PREFECT_CLIENT_MAX_RETRIES: 0}):
        asyncio.run(run())


def test_gate_keeps_its_own_window_whatever_the_share_gives():
    class Generous:
        def attach(self, look: Callable[[], None]) -> None: ...

        def covers(self) -> bool:
            return True

        def spend(self, calls_seconds: float, tokens_seconds: float) -> None: ...

    async def run() -> None:
        gate = Gate(Limits(6000, None, 50, window_seconds=0.5), share=Generous())  # 50 in half a second
        assert await spend(gate, 1.4) <= 150

    asyncio.run(run())


def test_gate_claims_less_of_a_shared_quota_after_refusals():
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
