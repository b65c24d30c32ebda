"""Waiting for a day's logs until they are all there, or until it is late."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.domain.errors import BucketMissing, NoLogs, StoreError
from tasks.domain.ports import ObjectStore, StoredObject
from tasks.reading.log_objects import all_logs, list_logs
from tasks.reading.rules.arrival import MARKER, ArrivedLogs, have_grown, judge_arrival

Logger = logging.Logger | logging.LoggerAdapter[logging.Logger]

_SECONDS_BETWEEN = 300.0


@task(name="find-logs", cache_policy=NO_CACHE)
async def find_logs(
    store: ObjectStore,
    name: str,
    *,
    day: date,
    due: datetime,
    wait_seconds: float,
    quiet_seconds: float,
    logger: Logger,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> ArrivedLogs | float:
    """Return the day's log objects when they are complete or the deadline has come; else the seconds until the next
    check.

    Args:
        store: of the source.
        name: of the object or folder that is the day's.
        day: for what is said of it.
        due: when the run was to begin, aware, in the zone that people read.
        wait_seconds: how long from then on logs are waited for.
        quiet_seconds: logs that have not changed for so long are complete without a marker.
        logger: of the run.
        now: the timestamps, aware.

    Raises:
        NoLogs: there is none.
        StoreError: the store failed.
    """
    deadline = due + timedelta(seconds=wait_seconds)
    logs, marked = await asyncio.to_thread(_look, store, name)
    looked_at = now()
    verdict = judge_arrival(logs, marked=marked, now=looked_at, deadline=deadline, quiet_seconds=quiet_seconds)
    if verdict == "wait":
        logger.info(
            "%s: %s in %s, without %s and not quiet for %.0f s; waiting until %s at the latest.",
            day,
            f"{len(logs)} log objects" if logs else "no logs",
            store.uri_of(name),
            MARKER,
            quiet_seconds,
            deadline.isoformat(timespec="seconds"),
        )
        return min(_SECONDS_BETWEEN, (deadline - looked_at).total_seconds())

    waited = f" by {deadline.isoformat(timespec='seconds')}" if wait_seconds else ""
    if not logs:
        raise NoLogs(
            f"There are no logs of {day} in {store.uri_of(name)}{waited}. Check the source and the day, and whether "
            "the export has run; nothing was changed."
        )
    if verdict == "late" and wait_seconds:
        logger.warning(
            "%s: going on with %d log objects%s, though more may come. If they do, run the day again: only what is "
            "new will be paid for.",
            day,
            len(logs),
            waited,
        )
    waited_in_vain = verdict == "late"
    return ArrivedLogs(logs, not waited_in_vain if wait_seconds else None)


def look_again(store: ObjectStore, name: str, logs: ArrivedLogs, logger: Logger) -> ArrivedLogs:
    """Return the logs that a run began with, marked incomplete where there are more by the end of its calls. Blocking.

    A store that can't be listed now changes nothing: a later night compares the logs again.
    """
    try:
        now = ArrivedLogs(all_logs(store, name))
    except StoreError as error:
        logger.info("The logs were not compared again with what the run began with: %s", error)
        return logs
    if not have_grown(now, logs.fingerprint, logs.size):
        return logs
    logger.warning(
        "The logs in %s changed while the run read them. Run the day again when they are complete: only what is new "
        "will be paid for.",
        store.uri_of(name),
    )
    return replace(logs, complete=False)


def _look(store: ObjectStore, name: str) -> tuple[list[StoredObject], bool]:
    try:
        return list_logs(store, name), store.stat(f"{name}/{MARKER}" if name else MARKER) is not None
    except NoLogs:
        return [], False
    except BucketMissing:
        if "://" in store.uri:
            raise
        return [], False  # a folder for the month, say, that comes with its first day
