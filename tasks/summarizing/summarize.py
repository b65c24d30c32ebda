"""Batches through the caller into rows and rejects: one Prefect task a batch, several batches in flight."""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, Protocol, TypeVar

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.calling.caller import Caller, Stopping
from tasks.domain.errors import KefuError, RunStopped
from tasks.domain.records import Answer, GivenUp, Request
from tasks.golden.hidden_calls import HiddenCalls
from tasks.reading.batches import Batch, LoggedBatch, closing_batches
from tasks.warehouse.parts import BatchFiles

T = TypeVar("T")


class Asking(Protocol):
    """A batch of any kind."""

    @property
    def asked(self) -> int:
        """The number of conversations in it that will be settled."""


B = TypeVar("B", bound=Asking)

# Gets each request when its answer is there.
Settled = Callable[[Request, Answer | GivenUp], None]

# Puts a batch's rows into scratch, given the answer to each of its requests.
Write = Callable[[Batch, Sequence[Answer | GivenUp]], Coroutine[Any, Any, BatchFiles]]

_DRAIN_SECONDS = 20.0

_OBJECTS_BETWEEN_COLLECTIONS = 15_000


@task(name="summarize-batch", task_run_name="batch-{batch.number}", cache_policy=NO_CACHE)
async def summarize_batch(
    batch: Batch, caller: Caller, write: Write, settled: Settled, golden: HiddenCalls | None = None
) -> BatchFiles:
    """Answer a batch's requests and put its rows into scratch; every conversation of it is in exactly one place.

    Raises:
        Stopping: the run was asked to stop first; nothing is put into scratch, answers are kept.
        EndpointUnusable: no request can be answered.
    """
    return await write(batch, await _answers(batch, caller, settled, golden))


@task(name="summarize-batch", task_run_name="batch-{batch.number}", cache_policy=NO_CACHE)
async def summarize_unasked(
    batch: LoggedBatch, caller: Caller, summarize: Callable[[LoggedBatch], Awaitable[BatchFiles]]
) -> BatchFiles:
    """Put the rows of a batch into scratch for which nobody has to be asked; the caller counts it as settled.

    Raises:
        Stopping: the run was asked to stop meanwhile.
    """
    if caller.stopping:
        raise Stopping
    files = await summarize(batch)
    if caller.stopping:
        raise Stopping
    caller.settled.add(batch.asked)
    return files


@task(name="answer-batch", task_run_name="batch-{batch.number}", cache_policy=NO_CACHE)
async def answer_batch(batch: Batch, caller: Caller, settled: Settled, golden: HiddenCalls | None = None) -> None:
    """Have a batch's requests answered, and the answers kept.

    Raises:
        Stopping: the run was asked to stop first; answers are kept.
        EndpointUnusable: no request can be answered.
    """
    await _answers(batch, caller, settled, golden)


async def _answers(
    batch: Batch, caller: Caller, settled: Settled, golden: HiddenCalls | None
) -> list[Answer | GivenUp]:
    """Return the answer to each of a batch's requests, in their order."""

    async def settle(request: Request) -> Answer | GivenUp:
        answer = await caller.answer(request)
        settled(request, answer)
        return answer

    settling = [settle(request) for request in batch.requests]
    found = await _all_or_first_error(golden.hide(batch, settling) if golden else settling, caller.stop)
    return [answer for answer in found if answer is not None]  # golden ones settle to None


async def summarize_all(
    batches: AsyncIterator[B],
    caller: Caller,
    summarize: Callable[[B], Coroutine[object, object, T]],
    ahead: int,
) -> list[T]:
    """Summarize all batches; return each one's result once all that was paid for is stored.

    New batches begin while older ones wait for their last answers.

    Args:
        batches: what to summarize, read as it is needed.
        caller: stopped at the first error, so that what is in flight is kept and nothing more is sent.
        summarize: one batch to its part, or to whatever comes of it.
        ahead: how many requests may be under way before the next batch is read.

    Raises:
        RunStopped: the run was asked to stop.
        RunError: the first thing that went wrong.
    """
    async with closing_batches(batches):
        with _rare_collections():
            return await _summarize_all(batches, caller, summarize, ahead)


async def _next(batches: AsyncIterator[B]) -> B | None:
    return await anext(batches, None)


async def _summarize_all(
    batches: AsyncIterator[B],
    caller: Caller,
    summarize: Callable[[B], Coroutine[object, object, T]],
    ahead: int,
) -> list[T]:
    under_way: set[asyncio.Task[T]] = set()
    parts: list[T] = []
    requests = 0

    async def gather(*others: asyncio.Task[None]) -> None:
        await asyncio.wait([*under_way, *others], return_when=asyncio.FIRST_COMPLETED)
        for finished in [batch for batch in under_way if batch.done()]:
            under_way.remove(finished)
            parts.append(finished.result())

    async def room() -> None:
        # Counted by the request: a batch that waits for a last one, again and again, must not keep others waiting.
        enough = asyncio.ensure_future(caller.settled.until(requests - ahead))
        try:
            while not enough.done():
                await gather(enough)
        finally:
            enough.cancel()

    try:
        while (batch := await caller.unless_stopped(_next(batches))) is not None:
            if caller.stopping:
                raise Stopping
            under_way.add(asyncio.ensure_future(summarize(batch)))
            requests += batch.asked
            await room()
        while under_way:
            await gather()
        await asyncio.to_thread(caller.flush)
    except BaseException as error:
        caller.stop()
        if under_way:
            # Asked to stop, each ends with its calls in flight, which have a time limit of their own.
            is_asked_to = isinstance(error, Stopping)
            _, late = await asyncio.wait(under_way, timeout=None if is_asked_to else _DRAIN_SECONDS)
            for unfinished in late:
                unfinished.cancel()
        ended = await asyncio.gather(*under_way, return_exceptions=True)
        if isinstance(error, Stopping):
            # A batch that failed stops the others, and may end after them: it still has calls in flight.
            for end in ended:
                if isinstance(end, KefuError):
                    raise end from None
            raise RunStopped(
                "The run was asked to stop. What was in flight is kept and the tables are as they were; "
                "start it again to go on from here."
            ) from None
        raise
    return parts


async def _all_or_first_error(coroutines: Sequence[Coroutine[object, object, T]], stop: Callable[[], None]) -> list[T]:
    """The results in order; after a first error the rest still ends, so that nothing in flight is thrown away."""
    tasks = [asyncio.ensure_future(coroutine) for coroutine in coroutines]
    try:
        if tasks:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            for finished in done:
                finished.result()
    except asyncio.CancelledError:
        for unfinished in tasks:
            unfinished.cancel()
        raise
    except Exception:
        stop()
        raise
    finally:
        # Of a day's tasks nearly all are done by now: to wait for those costs a turn of the loop each.
        await asyncio.gather(*(late for late in tasks if not late.done()), return_exceptions=True)
        for ended in tasks:
            _ = ended.cancelled() or ended.exception()  # heard of
    return [finished.result() for finished in tasks]


@cache
def _imports_are_set_aside() -> bool:
    return gc.get_freeze_count() > 0  # counts them one by one: 15 ms, and a command does it before its first run


@contextmanager
def _rare_collections() -> Iterator[None]:
    """Look for garbage seldom, and never among what was there before: a third of a day's CPU otherwise."""
    thresholds, is_frozen = gc.get_threshold(), _imports_are_set_aside()
    if not is_frozen:  # a command has set its imports aside; more would keep the garbage of the day before
        gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS, *thresholds[1:])
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        if not is_frozen:
            gc.unfreeze()
