"""Waiting for hours without holding a worker.

A run of a deployment does not wait: it schedules the next run of its deployment, with the same parameters, and ends.
Prefect's own suspension was no choice: a suspended run goes on only when somebody else resumes it, and to the
automation that ends runs whose worker died it looks like one of those. A run of its own, started by hand, just sleeps.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from prefect import get_run_logger
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun
from prefect.context import FlowRunContext
from prefect.states import Scheduled


async def until_done(step: Callable[[], Awaitable[bool]], seconds: float) -> bool:
    """Whether the step is done, looked at again and again; otherwise a later run goes on with it.

    Args:
        step: one look, which says whether it is done.
        seconds: between two looks.
    """
    while not await step():
        if await go_on_later(seconds):
            return False
    return True


async def go_on_later(seconds: float) -> bool:
    """Whether this run is over because a later one goes on; otherwise the time has passed.

    The later run is scheduled once, however often a run that was interrupted here does it again.
    """
    context = FlowRunContext.get()
    run = context.flow_run if context else None  # Prefect's runtime.deployment asks the server and leaks connections
    if run is None or run.deployment_id is None:
        await asyncio.sleep(seconds)
        return False
    at = datetime.now(UTC) + timedelta(seconds=seconds)
    async with get_client() as client:
        later: FlowRun = await client.create_flow_run_from_deployment(
            run.deployment_id,
            parameters=run.parameters,
            state=Scheduled(scheduled_time=at),
            tags=run.tags,
            idempotency_key=f"after-{run.id}",
        )
    get_run_logger().info("Goes on at %s as run %s.", at.isoformat(timespec="seconds"), later.name)
    return True
