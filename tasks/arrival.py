"""Waiting for a day's logs until they are all there, or until it is late."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.domain.arrival import MARKER, judge_arrival
from tasks.domain.errors import BucketMissing, NoLogs
from tasks.domain.ports import ObjectStore, StoredObject
from tasks.extract import list_logs
from tasks.stopping import ended_by_signals

Logger = logging.Logger | logging.LoggerAdapter[logging.Logger]

_SECONDS_BETWEEN = 60.0


@task(name="find-logs", cache_policy=NO_CACHE)
async def find_logs(
    store: ObjectStore,
    name: str,
    *,
    day: date,
    deadline: datetime,
    quiet_seconds: float,
    waiting: Callable[[], Awaitable[None]],
    logger: Logger,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> list[StoredObject]:
    """The day's log objects, when they are all there or the deadline has come.

    Args:
        store: of the source.
        name: of the object or folder that is the day's.
        day: for what is said of it.
        deadline: aware; in the past, nothing is waited for.
        quiet_seconds: logs that have not changed for so long are complete without a marker.
        waiting: told once, when there is something to wait for.
        logger: of the run.
        now: the clock, aware.
        sleep: waits so many seconds.

    Raises:
        NoLogs: there is none.
        RunStopped: SIGTERM or Ctrl-C came first.
        StoreError: the store failed.
    """
    began = now()
    told = False
    with ended_by_signals(f"waited for the logs of {day}"):
        while True:
            logs, marked = await asyncio.to_thread(_look, store, name)
            verdict = judge_arrival(logs, marked=marked, now=now(), deadline=deadline, quiet_seconds=quiet_seconds)
            if verdict != "wait":
                break
            if not told:
                told = True
                logger.info(
                    "%s: %s in %s, without %s and not quiet for %.0f s; waiting until %s at the latest.",
                    day,
                    f"{len(logs)} log objects" if logs else "no logs",
                    store.uri_of(name),
                    MARKER,
                    quiet_seconds,
                    deadline.isoformat(timespec="seconds"),
                )
                await waiting()
            await sleep(min(_SECONDS_BETWEEN, max((deadline - now()).total_seconds(), 0.0)))

    waited = f" after {(now() - began).total_seconds() / 60:.0f} minutes of waiting" if told else ""
    if not logs:
        raise NoLogs(
            f"There are no logs of {day} in {store.uri_of(name)}{waited}. Check the source and the day, and whether "
            "the export has run; nothing was changed."
        )
    if told and verdict == "late":
        logger.warning(
            "%s: going on with %d log objects%s, though more may come. If they do, run the day again: only what is "
            "new will be paid for.",
            day,
            len(logs),
            waited,
        )
    return logs


def _look(store: ObjectStore, name: str) -> tuple[list[StoredObject], bool]:
    try:
        return list_logs(store, name), store.stat(f"{name}/{MARKER}" if name else MARKER) is not None
    except NoLogs:
        return [], False
    except BucketMissing:
        if "://" in store.uri:
            raise
        return [], False  # a folder for the month, say, that comes with its first day
