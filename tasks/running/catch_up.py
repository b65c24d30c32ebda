"""Catch up: start one run of the nightly deployment for each recent day that has logs but no tables, oldest first."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any, Final

from prefect import runtime
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import FlowFilter, FlowFilterName, FlowRunFilter
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.deployments import arun_deployment

from tasks.domain.days import days_before, previous_day
from tasks.running.backfill_runs import in_states

# A run holds its day within seconds, once it has its logs; a busy machine may take minutes.
_HOLDS_WITHIN: Final = timedelta(minutes=15)

Logger = logging.Logger | logging.LoggerAdapter[logging.Logger]


async def catch_up(
    day: date,
    number: int,
    *,
    is_missing: Callable[[date], bool],
    is_held: Callable[[date, str], bool],
    settings: Mapping[str, Any],
    zone: tzinfo,
    logger: Logger,
) -> list[date]:
    """Start runs for the missing of the `number` days before `day` that have no run yet; return those days.

    Args:
        day: of the run that catches up.
        number: of days to look back.
        is_missing: whether a day could be done and is not; blocking, cheap.
        is_held: whether a run, by its id, holds the day in the warehouse; blocking. A run that Prefect calls Running
            may be dead.
        settings: of this run; the runs that it starts have the same, but wait for no logs: theirs are old.
        zone: of the days.
        logger: of the run.
    """
    missing = [earlier for earlier in days_before(day, number) if await asyncio.to_thread(is_missing, earlier)]
    if not missing:
        return []
    async with get_client() as client:
        coming = await days_coming(client, runtime.flow_run.flow_name, zone, is_held)
        asked_for = [earlier for earlier in missing if str(earlier) not in coming]
        now = datetime.now(UTC)
        for later, missed in enumerate(asked_for):
            run = await arun_deployment(
                runtime.deployment.id,
                client=client,
                parameters={
                    "day": missed.isoformat(),
                    "catch_up_days": 0,
                    "settings": {**settings, "logs_wait_seconds": 0},
                },
                flow_run_name=f"summarize-{missed}",
                idempotency_key=f"catch-up/{missed}/{day}",
                as_subflow=False,
                scheduled_time=now + timedelta(seconds=later),  # a queue takes what is due first: the oldest day
                timeout=0,
            )
            logger.warning("%s has logs, and no tables or older ones: asked for as run %s.", missed, run.id)
    return asked_for


async def days_coming(client: PrefectClient, flow: str, zone: tzinfo, is_held: Callable[[date, str], bool]) -> set[str]:
    """The days of a flow's waiting and running runs, as given: a mistyped day is skipped, not an error."""
    runs = await client.read_flow_runs(
        flow_filter=FlowFilter(name=FlowFilterName(any_=[flow])),
        flow_run_filter=FlowRunFilter(
            state=in_states(StateType.SCHEDULED, StateType.PENDING, StateType.RUNNING, StateType.PAUSED)
        ),
    )
    coming: set[str] = set()
    for run in runs:
        due = run.expected_start_time
        day = str(run.parameters.get("day") or (previous_day(due, zone) if due else ""))
        if not _seems_dead(run) or await asyncio.to_thread(_is_held, is_held, day, str(run.id)):
            coming.add(day)
    return coming


def _seems_dead(run: FlowRun) -> bool:
    """Return true if a run has been under way so long that it should hold its day by now."""
    began = run.state.timestamp if run.state else None
    at_work = run.state_type in {StateType.PENDING, StateType.RUNNING}
    return at_work and began is not None and datetime.now(UTC) - began > _HOLDS_WITHIN


def _is_held(is_held: Callable[[date, str], bool], day: str, run_id: str) -> bool:
    try:
        return is_held(date.fromisoformat(day), run_id)
    except ValueError:  # mistyped
        return False
