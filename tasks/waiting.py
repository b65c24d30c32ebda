"""Waiting for hours without a process, a slot or anything else that is held."""

import asyncio
from datetime import UTC, datetime, timedelta

from prefect import get_run_logger
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.client.schemas.responses import SetStateStatus
from prefect.context import FlowRunContext
from prefect.exceptions import Pause
from prefect.states import Scheduled

from tasks.stopping import ended_by_signals

# Automations that watch over runs know it by this name.
AWAITING = "AwaitingBatch"


async def come_back(seconds: float) -> None:
    """Let time pass. A run of a deployment ends its process, and a worker begins it anew; others sleep.

    Whoever calls this must find its way from the beginning again.

    Raises:
        RunStopped: SIGTERM or Ctrl-C came while it slept.
    """
    context = FlowRunContext.get()
    run = context.flow_run if context else None
    if run is not None and run.deployment_id:
        state: State[None] = Scheduled(
            name=AWAITING,
            scheduled_time=datetime.now(UTC) + timedelta(seconds=seconds),
            message="Waits for the platform; nothing is held meanwhile.",
        )
        async with get_client() as client:
            answer = await client.set_flow_run_state(run.id, state)
        if answer.status == SetStateStatus.ACCEPT:
            raise Pause(state=answer.state)
    get_run_logger().info("Waiting %.0f s; stop this run if you like, and start it again later.", seconds)
    with ended_by_signals("waited for the platform"):
        await asyncio.sleep(seconds)
