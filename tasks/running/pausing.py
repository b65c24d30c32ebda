"""Waiting for hours without holding a worker.

A run of a deployment does not wait: it reschedules itself and ends its process, and a worker begins it anew later.
Prefect's own suspension was no choice: a suspended run goes on only when somebody else resumes it, and to the
automation that ends runs whose worker died it looks like one of those. A run of its own, started by hand, just sleeps.
"""

import asyncio
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final

from prefect import get_run_logger
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.client.schemas.responses import SetStateStatus
from prefect.context import FlowRunContext
from prefect.events.worker import EventsWorker
from prefect.exceptions import Pause
from prefect.states import Scheduled

from tasks.running.signals import cancel_on_signals

# Automations that watch over runs know them by these names.
AWAITING_BATCH: Final = "AwaitingBatch"

AWAITING_DAYS: Final = "AwaitingDays"

AWAITING_LOGS: Final = "AwaitingLogs"

AWAITING_PLATFORM: Final = "AwaitingPlatform"

_EVENTS_SECONDS: Final = 30.0


async def reschedule(seconds: float, awaiting: str, why: str) -> None:
    """Let time pass. A run of a deployment ends its process, and a worker begins it anew; others sleep.

    Whoever calls this must find its way from the beginning again. The run stays the same one: its scheduled time, its
    parameters and its name.

    Args:
        seconds: how long.
        awaiting: the state's name, one of those above.
        why: what people read there.

    Raises:
        RunStopped: SIGTERM or Ctrl-C came while it slept.
    """
    context = FlowRunContext.get()
    run = context.flow_run if context else None
    if run is not None and run.deployment_id:
        state: State[None] = Scheduled(
            name=awaiting,
            scheduled_time=datetime.now(UTC) + timedelta(seconds=seconds),
            message=f"{why} Nothing is held meanwhile.",
        )
        await _tell_events()
        async with get_client() as client:
            answer = await client.set_flow_run_state(run.id, state)
            if answer.status == SetStateStatus.ACCEPT:
                # A run with a process of its past would be Cancelling for ever: there is nobody left to end.
                with suppress(Exception):
                    path = {"id": str(run.id)}
                    await client.request("PATCH", "/flow_runs/{id}", path_params=path, json={"infrastructure_pid": ""})
        if answer.status == SetStateStatus.ACCEPT:
            raise Pause(state=answer.state)
    with cancel_on_signals("waited"):
        get_run_logger().info("%s Stop this run if you like, and start it again later.", why)
        await asyncio.sleep(seconds)


async def _tell_events() -> None:
    # A heartbeat that reached the server after this state would have it wait for the next one, and end the run.
    telling = threading.Thread(target=EventsWorker.instance().wait_until_empty, daemon=True)
    telling.start()
    await asyncio.to_thread(telling.join, _EVENTS_SECONDS)
