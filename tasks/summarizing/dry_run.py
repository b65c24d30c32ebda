"""A day read and counted without a call, and without a trace in the warehouse."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from tasks.calling.rules.estimate import Estimator
from tasks.domain.records import Request
from tasks.reading.batches import Batch, closing_batches


@dataclass(slots=True)
class DryRun:
    """Counts of a day: conversations that can be summarized, those that are rejects already, and known answers.

    `to_ask` is for the first model, `to_ask_the_second` for what it is known not to answer.
    """

    requests: int = 0
    rejects: int = 0
    known: int = 0
    to_ask: Estimator = field(default_factory=Estimator)
    to_ask_the_second: Estimator = field(default_factory=Estimator)


async def count_day(batches: AsyncIterator[Batch], to_send: Callable[[Request], Request | None]) -> DryRun:
    """Count what reading gives.

    Args:
        batches: of the day.
        to_send: returns the request itself, the one to the second model in its place, or None if no call is needed.

    Raises:
        NoLogs: there is nothing in the logs.
    """
    found = DryRun()

    def count(batch: Batch) -> None:
        found.requests += len(batch.requests)
        found.rejects += len(batch.rejects)
        for request in batch.requests:
            sent = to_send(request)
            if sent is None:
                found.known += 1
            else:
                (found.to_ask if sent is request else found.to_ask_the_second).add(sent)

    async with closing_batches(batches):
        async for batch in batches:
            await asyncio.to_thread(count, batch)
    return found


async def first_conversations(batches: AsyncIterator[Batch], number: int) -> AsyncIterator[Batch]:
    """The batches up to the first so many conversations; lines that are none count as well."""
    left = number
    async with closing_batches(batches):
        async for batch in batches:
            requests = batch.requests[:left]
            rejects = batch.rejects[: left - len(requests)]
            yield Batch(batch.number, requests, rejects)
            left -= len(requests) + len(rejects)
            if left <= 0:
                return
