"""A day session: a day's lease, scratch folder, answers and caller, released at the end."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

from tasks.calling.caller import Caller
from tasks.calling.fallback import Fallback, FallbackCaller
from tasks.calling.rate_limiter import RateLimiter
from tasks.calling.response_cache import ResponseCache
from tasks.calling.rules.call_policy import CallPolicy
from tasks.domain.errors import LeaseLost
from tasks.domain.ports import ObjectStore, Summarizer
from tasks.domain.shards import Shard
from tasks.running.hand_on import stopped_when_cancelled
from tasks.running.scratch import scratch_folder
from tasks.running.signals import on_signals
from tasks.warehouse.day_lease import DayLease, DayWatch, Patience, acquire_day, acquire_shard

_Logger = logging.Logger | logging.LoggerAdapter[logging.Logger]

_POLL_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class DayResources:
    """Stores and models of a day's run.

    Args:
        warehouse: holds the lease and the answers.
        summarizer: the model.
        limiter: its quota; None for a summarizer that is not paid.
        scratch: the folder for a scratch folder of the run's own.
        fallback: a second model for what the first does not answer.
    """

    warehouse: ObjectStore
    summarizer: Summarizer
    limiter: RateLimiter | None
    scratch: Path
    fallback: Fallback | None = None


@dataclass(frozen=True, slots=True)
class DayOptions:
    """Rules of a day's run.

    Args:
        policy: of its calls.
        overwrite: know only answers to the very same requests, not those of older models.
        busy_wait_seconds: to wait for another run that holds the day.
    """

    policy: CallPolicy
    overwrite: bool
    busy_wait_seconds: float


@dataclass(frozen=True, slots=True)
class DaySession:
    """One run's hold on one day, or a worker's on a shard of it."""

    day: date
    run_id: str
    scratch: Path
    lease: DayLease
    answers: ResponseCache
    caller: Caller


@asynccontextmanager
async def open_day(
    day: date,
    run_id: str,
    resources: DayResources,
    options: DayOptions,
    *,
    logger: _Logger,
    shard: Shard | None = None,
) -> AsyncIterator[DaySession]:
    """Hold the day until the block ends, however it ends; SIGTERM and Ctrl-C stop it in good order.

    Args:
        day: the day to hold.
        run_id: of this process's flow run; names what it stores.
        resources: stores and models.
        options: rules of the run.
        logger: for waiting and stopping.
        shard: hold only this shard, for the run that holds its day and buys its answers, and stop when that run ends.

    Raises:
        DayBusy: another run holds the day (or another worker the shard) for longer than is waited for.
        LeaseLost: the shard's run does not hold the day any more.
        RunStopped: a signal came while it waited for the day.
    """
    warehouse, stopping = resources.warehouse, _Stopping(logger, options.policy.call_seconds)
    acquire = partial(acquire_shard, warehouse, shard) if shard else partial(acquire_day, warehouse, day, run_id)
    buyer = shard.run_id if shard else run_id
    with on_signals(stopping.stop):
        patience = Patience(options.busy_wait_seconds, logger.info, stopping.is_asked_for)
        lease = await asyncio.to_thread(acquire, patience)
        try:
            with scratch_folder(resources.scratch, run_id) as folder:
                name = f"{buyer}-{run_id}" if shard else run_id
                answers = await asyncio.to_thread(
                    ResponseCache, warehouse, day, buyer, folder, overwrite=options.overwrite, name=name
                )
                try:
                    if resources.summarizer.paid:
                        await asyncio.to_thread(answers.add_other_days)
                    caller = _caller(resources, answers, options.policy, buyer, lease)
                    caller.notify = logger.warning
                    stopping.hand_on(caller)
                    async with (
                        _stopped_with_its_day(shard, warehouse, caller, logger),
                        stopped_when_cancelled(stopping.stop),
                    ):
                        yield DaySession(day, buyer, folder, lease, answers, caller)
                finally:
                    await asyncio.to_thread(answers.close)
        finally:
            await asyncio.to_thread(lease.release)


def _caller(
    resources: DayResources, answers: ResponseCache, policy: CallPolicy, run_id: str, lease: DayLease
) -> Caller:
    arguments = resources.summarizer, resources.limiter, answers, policy, run_id, lease
    return FallbackCaller(resources.fallback, *arguments) if resources.fallback else Caller(*arguments)


class _Stopping:
    """A requested stop: passed to the caller, now or as soon as there is one.

    A second Ctrl-C is a person's; of other signals a second one comes from whoever stops a worker, and changes nothing.
    """

    def __init__(self, logger: _Logger, call_seconds: float) -> None:
        self._logger = logger
        self._call_seconds = call_seconds
        self._asked_for = False
        self._caller: Caller | None = None

    def stop(self, name: str) -> None:
        at_once, self._asked_for = self._asked_for and name == "SIGINT", True
        if at_once:
            self._logger.warning("%s again: what is in flight is given up, and may be billed all the same.", name)
        else:
            self._logger.warning(
                "%s: no new calls; what is in flight is waited for and kept, each call until it was silent for %g s.%s",
                name,
                self._call_seconds,
                " Ctrl-C once more ends it at once." if name == "SIGINT" else "",
            )
        if self._caller is not None:
            self._caller.stop(at_once=at_once)

    def is_asked_for(self) -> bool:
        return self._asked_for

    def hand_on(self, caller: Caller) -> None:
        self._caller = caller
        if self._asked_for:
            caller.stop()


@asynccontextmanager
async def _stopped_with_its_day(
    shard: Shard | None, warehouse: ObjectStore, caller: Caller, logger: _Logger
) -> AsyncIterator[None]:
    if shard is None:
        yield
        return
    watch = DayWatch(warehouse, shard.day, shard.run_id)
    if not await asyncio.to_thread(watch.is_held):
        raise LeaseLost(
            f"Run {shard.run_id} does not hold {shard.day} in {warehouse.uri}. It has ended, or this worker's "
            "warehouse is another one than that run's: shards need one that all workers see."
        )

    async def stop_with_it() -> None:
        held = True
        while held:
            await asyncio.sleep(_POLL_SECONDS)
            held = await asyncio.to_thread(watch.is_held)
        logger.warning("Run %s does not hold %s any more: no new calls.", shard.run_id, shard.day)
        caller.stop()

    watching = asyncio.create_task(stop_with_it())
    try:
        yield
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
