"""A day under work: held, with its scratch folder, its answers and its caller, all given back at the end."""

import asyncio
import logging
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from tasks.answer_log import AnswerLog
from tasks.calling import Caller
from tasks.domain.ports import ObjectStore, Summarizer
from tasks.domain.retrying import EndpointHealth, Patience
from tasks.gate import Gate
from tasks.lease import DayLease, acquire_day
from tasks.scratch import scratch_folder

_Logger = logging.Logger | logging.LoggerAdapter[logging.Logger]


@dataclass(frozen=True, slots=True)
class DayRun:
    """One run's hold on one day."""

    day: date
    run_id: str
    started_at: datetime
    scratch: Path
    lease: DayLease
    answers: AnswerLog
    caller: Caller


@asynccontextmanager
async def hold_day(
    day: date,
    run_id: str,
    *,
    warehouse: ObjectStore,
    summarizer: Summarizer,
    gate: Gate | None,
    scratch: Path,
    prompt_version: str,
    overwrite: bool,
    patience: Patience,
    give_up_seconds: float,
    busy_wait_seconds: float,
    logger: _Logger,
) -> AsyncIterator[DayRun]:
    """Hold the day until the block ends, however it ends; SIGTERM and Ctrl-C stop it in good order.

    Raises:
        DayBusy: another run holds the day for longer than is waited for.
    """
    started_at = datetime.now(UTC)
    lease = await asyncio.to_thread(
        acquire_day, warehouse, day, run_id, wait_seconds=busy_wait_seconds, tell=logger.info
    )
    try:
        with scratch_folder(scratch, run_id) as folder:
            answers = await asyncio.to_thread(AnswerLog, warehouse, day, run_id, folder, overwrite=overwrite)
            try:
                caller = Caller(
                    summarizer,
                    gate,
                    answers,
                    prompt_version=prompt_version,
                    run_id=run_id,
                    patience=patience,
                    health=EndpointHealth(time.monotonic(), down_after_seconds=give_up_seconds),
                )
                with _stopped_by_signals(caller, logger):
                    yield DayRun(day, run_id, started_at, folder, lease, answers, caller)
            finally:
                await asyncio.to_thread(answers.close)
    finally:
        await asyncio.to_thread(lease.release)


@contextmanager
def _stopped_by_signals(caller: Caller, logger: _Logger) -> Iterator[None]:
    loop = asyncio.get_running_loop()

    def stop(name: str) -> None:
        logger.warning("%s: no new calls; what is in flight is waited for and kept.", name)
        caller.stop()

    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        for number in before:
            loop.add_signal_handler(number, stop, signal.Signals(number).name)
    except (RuntimeError, ValueError, NotImplementedError):
        yield  # not the main thread: whoever runs us stops us by cancelling
        return
    try:
        yield
    finally:
        for number, handler in before.items():
            loop.remove_signal_handler(number)
            signal.signal(number, handler)
