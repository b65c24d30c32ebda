"""A day read and counted without a call, and without a trace in the warehouse."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass, field

from tasks.calling.rules.estimate import Estimator
from tasks.domain.records import Request
from tasks.reading.batches import Batch


@dataclass(slots=True)
class DryRun:
    """Counts of a day: conversations that can be summarized, those that are rejects already, and known answers."""

    requests: int = 0
    rejects: int = 0
    known: int = 0
    to_ask: Estimator = field(default_factory=Estimator)


async def count_day(batches: AsyncIterator[Batch], is_known: Callable[[Request], bool]) -> DryRun:
    """Count what reading gives.

    Args:
        batches: of the day.
        is_known: returns true if a request needs no call.

    Raises:
        NoLogs: there is nothing in the logs.
    """
    found = DryRun()

    def count(batch: Batch) -> None:
        found.requests += len(batch.requests)
        found.rejects += len(batch.rejects)
        for request in batch.requests:
            if is_known(request):
                found.known += 1
            else:
                found.to_ask.add(request)

    async for batch in batches:
        await asyncio.to_thread(count, batch)
    return found


async def first_conversations(batches: AsyncIterator[Batch], number: int) -> AsyncIterator[Batch]:
    """The batches up to the first so many conversations; lines that are none count as well."""
    left = number
    try:
        async for batch in batches:
            requests = batch.requests[:left]
            rejects = batch.rejects[: left - len(requests)]
            yield Batch(batch.number, requests, rejects)
            left -= len(requests) + len(rejects)
            if left <= 0:
                return
    finally:
        if isinstance(batches, AsyncGenerator):
            await batches.aclose()
