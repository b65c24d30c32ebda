"""Hand a stopped run on: another process continues it without anybody's help.

SIGTERM comes to a run in three ways: its worker is stopped, somebody cancels it, or a command is ended by hand. Only
the first is handed on. Whoever is cancelled ends, and a command's run is nobody's but the person's who started it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from prefect import get_run_logger
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun, State
from prefect.client.schemas.responses import SetStateStatus
from prefect.context import FlowRunContext
from prefect.exceptions import Pause
from prefect.states import Cancelled, Scheduled

from tasks.domain.errors import RunStopped

HANDED_ON: Final = "HandedOn"

# Longer than the worker that stops could still take it back.
_LATER_SECONDS: Final = 20.0

_POLL_SECONDS: Final = 15.0


@asynccontextmanager
async def handed_on_when_stopped() -> AsyncIterator[None]:
    """Let another process go on with this run when the block is stopped by its worker. Also a decorator.

    A run that somebody cancelled ends as Cancelled.

    Raises:
        RunStopped: the block was stopped otherwise, or the server is away; then the run is found dead later on.
    """
    try:
        yield
    except RunStopped:
        run = _run_of_a_deployment()
        if run is None:
            raise
        try:
            state = await _hand_on(run)
        except Exception as error:
            get_run_logger().warning("The run was not handed on (%s).", type(error).__name__)
            state = None
        if state is None:
            raise
        raise Pause(state=state) from None


async def was_cancelled() -> bool:
    """Return true if somebody has cancelled this run; False where the server does not answer."""
    run = _run_of_a_deployment()
    if run is None:
        return False
    with suppress(Exception):
        async with get_client() as client:
            return _is_cancelled((await client.read_flow_run(run.id)).state)
    return False


@asynccontextmanager
async def stopped_when_cancelled(stop: Callable[[str], None]) -> AsyncIterator[None]:
    """Call `stop` when somebody cancels this run, whether or not its worker notices.

    A worker that could not reach the server for a while does not listen for cancellations any more.
    """
    if _run_of_a_deployment() is None:
        yield
        return

    async def poll() -> None:
        while True:
            await asyncio.sleep(_POLL_SECONDS)
            if await was_cancelled():
                stop("Cancel")
                return

    polling = asyncio.create_task(poll())
    try:
        yield
    finally:
        polling.cancel()
        await asyncio.gather(polling, return_exceptions=True)


def _run_of_a_deployment() -> FlowRun | None:
    context = FlowRunContext.get()
    run = context.flow_run if context else None
    return run if run is not None and run.deployment_id is not None else None


def _is_cancelled(state: State[Any] | None) -> bool:
    return state is not None and (state.is_cancelling() or state.is_cancelled())


async def _hand_on(run: FlowRun) -> State[Any] | None:
    """Return the state that the server now has: HandedOn, or Cancelled if somebody asked for that.

    None if it took neither.
    """
    async with get_client() as client:
        if _is_cancelled((await client.read_flow_run(run.id)).state):
            ended: State[Any] = Cancelled(message="Stopped in good order; what was in flight is kept.")
            await client.set_flow_run_state(run.id, ended, force=True)
            return ended  # otherwise the run would end as failed by RunStopped
        later: State[Any] = Scheduled(
            name=HANDED_ON,
            scheduled_time=datetime.now(UTC) + timedelta(seconds=_LATER_SECONDS),
            message="Its worker was stopped. What was asked for is kept; another worker goes on.",
        )
        answer = await client.set_flow_run_state(run.id, later)
        return answer.state if answer.status == SetStateStatus.ACCEPT else None
