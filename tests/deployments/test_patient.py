"""A worker waits for its server longer than Prefect has patience."""

import asyncio
from collections.abc import Iterator

import httpx
import pytest
from prefect.workers import base

from deployments.patient import patient_loop


def answers(*outcomes: Exception | None) -> tuple[Iterator[Exception | None], list[None]]:
    return iter(outcomes), []


def run(left: Iterator[Exception | None], done: list[None]) -> None:
    async def workload() -> None:
        outcome = next(left)
        if outcome is not None:
            raise outcome
        done.append(None)
        raise KeyboardInterrupt  # enough

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(patient_loop(workload, 0.0, consecutive=3, backoff=2, printer=lambda *_: None))


def test_server_that_comes_back_late_finds_its_worker():
    left, done = answers(*[httpx.ConnectError("away")] * 30, None)
    run(left, done)
    assert done == [None]


@pytest.mark.parametrize("error", [RuntimeError("something else"), ValueError("a bug")])
def test_another_error_ends_it(error):
    async def workload() -> None:
        raise error

    with pytest.raises(type(error), match=str(error)):
        asyncio.run(patient_loop(workload, 0.0))


def test_service_that_is_done_is_done():
    asked = []

    async def workload() -> None:
        asked.append(1)

    asyncio.run(patient_loop(workload, 0.0, run_once=True))
    assert asked == [1]


def test_prefects_worker_has_it():
    assert vars(base)["critical_service_loop"] is patient_loop
    assert "critical_service_loop" in base.BaseWorker.start.__code__.co_names, "Prefect has another one now"
