"""The days of a backfill as runs of their own, done by whatever workers there are.

The backfill asks for runs, watches them and keeps the account. A Prefect server that is away for a while costs it
nothing; where no worker has room beside the backfill itself, it does the days in its own process.
"""

import asyncio
import logging
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from prefect import Flow, runtime
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterId,
    FlowRunFilter,
    FlowRunFilterId,
    FlowRunFilterParentFlowRunId,
    FlowRunFilterState,
    FlowRunFilterStateType,
    FlowRunFilterTags,
)
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.client.schemas.responses import DeploymentResponse, SetStateStatus
from prefect.deployments import arun_deployment
from prefect.exceptions import ObjectNotFound
from prefect.states import Cancelled, Cancelling

from tasks.domain.errors import RunError, UsageError
from tasks.running.rules.backfills import CEILINGS, NOT_BEGUN, Outcome, outcome
from tasks.running.rules.repair import MOST_TIMES, is_passing

Logger = logging.Logger | logging.LoggerAdapter[logging.Logger]

NIGHTLY_TAG = "nightly"

_POLL_SECONDS = 3.0

_OUTAGE_SECONDS = 900.0

# Not those that wait for something else: a slot of their deployment, or an answer that takes hours.
_WAITING_STATES = frozenset({"Scheduled", "Late"})

_UNSTARTED = [StateType.SCHEDULED, StateType.PENDING]


async def read_deployment(name: str) -> DeploymentResponse:
    """The deployment of that name; a server that is away is waited for, up to a quarter of an hour.

    Raises:
        UsageError: there is none.
    """
    until = time.monotonic() + _OUTAGE_SECONDS
    while True:
        try:
            async with get_client() as client:
                return await client.read_deployment_by_name(name)
        except ObjectNotFound:
            raise UsageError(f"This Prefect server has no deployment {name}: deploy it, then run this again.") from None
        except Exception as error:
            if time.monotonic() > until or not is_passing(f"{type(error).__name__}: {error}"):
                raise
        await asyncio.sleep(_POLL_SECONDS)


async def runs_begun_by(backfill: UUID | str | None) -> list[FlowRun]:
    """The runs that a backfill asked for, or did itself."""
    if backfill is None:
        return []
    begun_by_it = FlowRunFilterParentFlowRunId(any_=[UUID(str(backfill))])
    async with get_client() as client:
        return await client.read_flow_runs(flow_run_filter=FlowRunFilter(parent_flow_run_id=begun_by_it))


async def _no_limits() -> dict[str, Any]:
    return {}


@dataclass(slots=True)
class BackfillRuns:
    """Runs of a deployment for a backfill's days, oldest first.

    Args:
        deployment: does one day.
        settings: the days' settings.
        at_once: how many days may be under way.
        ended: what became of a day whose run has ended.
        here: does a day in this process.
        logger: of the backfill.
        limits: the settings of what the next day may still spend; None where nothing is left, and no day begins.
        worker_wait_seconds: a day's longest wait for a worker while no other day is under way.
    """

    deployment: DeploymentResponse
    settings: dict[str, Any]
    at_once: int
    ended: Callable[[date, FlowRun], Awaitable[Outcome]]
    here: Callable[[date], Awaitable[Outcome]]
    logger: Logger
    limits: Callable[[], Awaitable[dict[str, Any] | None]] = _no_limits
    worker_wait_seconds: float = 120.0
    _waiting: deque[date] = field(default_factory=deque)
    _not_begun: deque[date] = field(default_factory=deque)
    _under_way: dict[date, UUID] = field(default_factory=dict)
    _lost: Counter[date] = field(default_factory=Counter)
    _idle_since: float = 0.0
    _yields: bool = False

    async def of(self, days: Sequence[date]) -> AsyncIterator[Outcome]:
        """Run the days and yield the outcome of each as it ends.

        Raises:
            RunError: the Prefect server has not answered for a quarter of an hour.
        """
        self._waiting.extend(days)
        self._idle_since = answered_at = time.monotonic()
        while self._waiting or self._under_way:
            try:
                async with get_client() as client:
                    await self._ask_for_days(client)
                    ended = await self._ended_runs(client)
                    stuck = None if ended else await self._day_without_worker(client)
                answered_at = time.monotonic()
            except Exception as error:  # whatever it is: the days go on without us
                if time.monotonic() - answered_at > _OUTAGE_SECONDS:
                    raise RunError(
                        "The Prefect server has not answered for a quarter of an hour. The days that were begun go "
                        "on; run the same again when it is back."
                    ) from error
                self.logger.warning("The Prefect server does not answer (%s); asking again.", type(error).__name__)
            else:
                for day, run in ended:
                    del self._under_way[day]
                    yield await self.ended(day, run)
                if stuck:
                    yield await self.here(stuck)
                while self._not_begun:
                    yield outcome(self._not_begun.popleft(), NOT_BEGUN)
            await asyncio.sleep(_POLL_SECONDS)

    async def _ask_for_days(self, client: PrefectClient) -> None:
        if not self._waiting or len(self._under_way) >= self.at_once or await self._gives_way(client):
            return
        while self._waiting and len(self._under_way) < self.at_once:
            day = self._waiting[0]
            run_id = await self._known_run(client, day)
            if run_id is None:
                limits = await self.limits()
                if limits is None:
                    self._not_begun, self._waiting = self._waiting, deque()
                    return
                run_id = await self._new_run(client, day, limits)
            self._under_way[day] = run_id
            self._waiting.popleft()

    async def _gives_way(self, client: PrefectClient) -> bool:
        nightly = await client.read_flow_runs(
            flow_run_filter=FlowRunFilter(
                tags=FlowRunFilterTags(all_=[NIGHTLY_TAG]), state=in_states(StateType.PENDING, StateType.RUNNING)
            )
        )
        if nightly and not self._yields:
            self.logger.info("%s is under way: no new day begins until it has ended.", nightly[0].name)
        self._yields = bool(nightly)
        return self._yields

    async def _known_run(self, client: PrefectClient, day: date) -> UUID | None:
        """A run that does the day already, or that this very backfill had do it before it was begun again."""
        at_it = await client.read_flow_runs(
            flow_run_filter=FlowRunFilter(state=in_states(*_UNSTARTED, StateType.RUNNING)),
            deployment_filter=DeploymentFilter(id=DeploymentFilterId(any_=[self.deployment.id])),
        )
        done = []
        if backfill := runtime.flow_run.id:
            done = await client.read_flow_runs(
                flow_run_filter=FlowRunFilter(
                    parent_flow_run_id=FlowRunFilterParentFlowRunId(any_=[UUID(backfill)]),
                    state=in_states(StateType.COMPLETED),
                )
            )
        wanted = _without_limits(self._parameters(day, {}))
        return next((run.id for run in (*at_it, *done) if _without_limits(run.parameters) == wanted), None)

    async def _new_run(self, client: PrefectClient, day: date, limits: Mapping[str, Any]) -> UUID:
        run = await arun_deployment(
            self.deployment.id,
            client=client,
            parameters=self._parameters(day, limits),
            flow_run_name=f"summarize-{day}",
            idempotency_key=f"{runtime.flow_run.id}/{runtime.flow_run.run_count}/{day}/{self._lost[day]}",
            timeout=0,
        )
        self.logger.info("%s: asked for as run %s", day, run.id)
        return run.id

    def _parameters(self, day: date, limits: Mapping[str, Any]) -> dict[str, Any]:
        return {"day": day.isoformat(), "settings": {**self.settings, **limits}}

    async def _ended_runs(self, client: PrefectClient) -> list[tuple[date, FlowRun]]:
        runs = await self._runs(client)
        ended = [(day, run) for day, run in runs if run.state is not None and run.state.is_final()]
        for day, run in [(day, run) for day, run in ended if self._was_lost(day, run)]:
            ended.remove((day, run))
            self.logger.warning("%s was lost (%s); it is asked for again.", day, run.state_name)
            del self._under_way[day]
            self._waiting.appendleft(day)
        if ended or not runs or not all(run.state_name in _WAITING_STATES for _, run in runs):
            self._idle_since = time.monotonic()
        return ended

    def _was_lost(self, day: date, run: FlowRun) -> bool:
        """Return true if a day's run was lost through no fault of its own, and not too often yet."""
        assert run.state is not None
        lost = run.state.is_crashed() or (run.state.is_failed() and is_passing(run.state.message or ""))
        self._lost[day] += lost
        return lost and self._lost[day] <= MOST_TIMES

    async def _runs(self, client: PrefectClient) -> list[tuple[date, FlowRun]]:
        if not self._under_way:
            return []
        found = await client.read_flow_runs(
            flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=list(self._under_way.values())))
        )
        by_id = {run.id: run for run in found}
        gone = FlowRun(flow_id=self.deployment.flow_id, state=Cancelled(message="The run was deleted."))
        return [(day, by_id.get(run_id, gone)) for day, run_id in self._under_way.items()]

    async def _day_without_worker(self, client: PrefectClient) -> date | None:
        """The oldest day, taken back from the queue, when no worker has begun any for too long."""
        if not self._under_way or self._yields or time.monotonic() - self._idle_since < self.worker_wait_seconds:
            return None
        self._idle_since = time.monotonic()
        if await self._paused(client):
            return None
        day, run_id = next(iter(self._under_way.items()))
        done_here: State[Any] = Cancelled(message="No worker was free: the backfill does it.")
        taken = await client.set_flow_run_state(run_id, done_here)
        if taken.status is not SetStateStatus.ACCEPT:
            return None
        del self._under_way[day]
        self.worker_wait_seconds = min(self.worker_wait_seconds, 20.0)  # a worker polls every 15 s
        self.logger.warning(
            "%s: no worker was free, so this run does it itself. Days go faster when a worker may run more "
            "than one run at a time.",
            day,
        )
        return day

    async def _paused(self, client: PrefectClient) -> bool:
        queue = self.deployment.work_queue_id and await client.read_work_queue(self.deployment.work_queue_id)
        pool = self.deployment.work_pool_name and await client.read_work_pool(self.deployment.work_pool_name)
        return bool((queue and queue.is_paused) or (pool and pool.is_paused))


def _without_limits(parameters: Mapping[str, Any]) -> dict[str, Any]:
    settings = {name: value for name, value in parameters.get("settings", {}).items() if name not in CEILINGS}
    return {**parameters, "settings": settings}


async def cancel_days(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:
    """Cancel the runs that a cancelled backfill asked for and that have not ended."""
    await cancel_days_of(flow_run.id, flow_run.name)


async def cancel_days_of(backfill: UUID | str | None, name: str | None) -> None:
    """Cancel the runs that a backfill asked for and that have not ended."""
    async with get_client() as client:
        for run in await client.read_flow_runs(
            flow_run_filter=FlowRunFilter(
                parent_flow_run_id=FlowRunFilterParentFlowRunId(any_=[UUID(str(backfill))]),
                state=in_states(*_UNSTARTED, StateType.RUNNING, StateType.PAUSED),
            )
        ):
            await client.set_flow_run_state(run.id, Cancelling(message=f"{name} was cancelled."))


def in_states(*types: StateType) -> FlowRunFilterState:
    """A filter for runs in states of these types."""
    return FlowRunFilterState(type=FlowRunFilterStateType(any_=list(types)))
