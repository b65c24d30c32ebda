"""What was missed while nobody ran is asked for again: one run of the nightly's own deployment for each missing day."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import date, tzinfo
from typing import Any

from prefect import runtime
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import FlowFilter, FlowFilterName, FlowRunFilter
from prefect.client.schemas.objects import StateType
from prefect.deployments import arun_deployment

from tasks.domain.days import days_before, previous_day
from tasks.running.backfill_runs import in_states

Logger = logging.Logger | logging.LoggerAdapter[logging.Logger]


async def catch_up(
    day: date,
    number: int,
    *,
    is_missing: Callable[[date], bool],
    settings: Mapping[str, Any],
    zone: tzinfo,
    logger: Logger,
) -> list[date]:
    """Ask for those of the `number` days before `day` that are missing and that no run is there for; return them.

    Args:
        day: the day of the run that looks.
        number: how many days to look back.
        is_missing: whether a day could be done and is not; blocking, cheap.
        settings: of the run that looks; those it asks for have the same, but wait for no logs: theirs are old.
        zone: of the days.
        logger: of the run.
    """
    missing = [one for one in days_before(day, number) if await asyncio.to_thread(is_missing, one)]
    if not missing:
        return []
    async with get_client() as client:
        coming = await _days_of_runs(client, zone)
        asked_for = [one for one in missing if str(one) not in coming]
        for one in asked_for:
            run = await arun_deployment(
                runtime.deployment.id,
                client=client,
                parameters={
                    "day": one.isoformat(),
                    "catch_up_days": 0,
                    "settings": {**settings, "logs_wait_seconds": 0},
                },
                flow_run_name=f"summarize-{one}",
                idempotency_key=f"catch-up/{one}/{day}",
                as_subflow=False,
                timeout=0,
            )
            logger.warning("%s is missing in the warehouse and has logs: asked for as run %s.", one, run.id)
    return asked_for


async def _days_of_runs(client: PrefectClient, zone: tzinfo) -> set[str]:
    """The days that runs are there for, as they are given: what somebody mistyped must not end the run that looks."""
    runs = await client.read_flow_runs(
        flow_filter=FlowFilter(name=FlowFilterName(any_=[runtime.flow_run.flow_name])),
        flow_run_filter=FlowRunFilter(
            state=in_states(StateType.SCHEDULED, StateType.PENDING, StateType.RUNNING, StateType.PAUSED)
        ),
    )
    given = {str(run.parameters["day"]) for run in runs if run.parameters.get("day")}
    by_schedule = {run.expected_start_time for run in runs if not run.parameters.get("day")}
    return given | {str(previous_day(moment, zone)) for moment in by_schedule if moment}
