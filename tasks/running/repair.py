"""Repair: end the runs that have died, begin them again, and ask for nights that the schedule missed.

It looks at a Prefect server from outside of any run, so that neither a worker nor a server that was away has a say in
it. See `rules/repair.py` for what counts as dead.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterTags,
    FlowRunFilter,
    FlowRunFilterEndTime,
    FlowRunFilterTags,
)
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.states import Cancelled, Crashed, Scheduled

from tasks.running.backfill_runs import NIGHTLY_TAG, in_states
from tasks.running.rules.backfills import why_of
from tasks.running.rules.repair import (
    BEGUN_AGAIN,
    MOST_TIMES,
    SETTLED_SECONDS,
    Sighting,
    judge_pending,
    judge_running,
    pause_seconds,
    times_begun_again,
    what_to_do,
)

_log = logging.getLogger(__name__)

TAG: Final = "kefu"

_HEARTBEAT: Final = "prefect.flow-run.heartbeat"

# A night that the schedule missed is still worth doing; what is older is caught up by the night itself.
_MISSED: Final = timedelta(hours=25)

_PAGE: Final = 200

What = Literal["ended", "begun again", "given up"]


@dataclass(frozen=True, slots=True)
class Repaired:
    """One thing that was done; `why` is a sentence."""

    what: What
    run: FlowRun
    why: str


@dataclass(frozen=True, slots=True)
class LeaseSign:
    """A run's lease in the warehouse: `etag` changes while it holds its day, empty where it holds none."""

    etag: str = ""
    process_is_gone: bool = False


@dataclass(slots=True)
class Repairer:
    """Checks runs at intervals; it keeps only the signs of the checks before.

    Args:
        lease_of: reads a run's lease from the warehouse; blocking, raises nothing.
        clock: seconds that never go back.
    """

    lease_of: Callable[[FlowRun], LeaseSign]
    clock: Callable[[], float] = time.monotonic
    _seen: dict[UUID, Sighting] = field(default_factory=dict)
    _given_up: set[UUID] = field(default_factory=set)
    _ended: dict[UUID, float] = field(default_factory=dict)

    def forget(self) -> None:
        """Begin to watch anew: the server was away, and nobody could show a sign of life."""
        self._seen.clear()

    async def look(self, client: PrefectClient, since: datetime) -> list[Repaired]:
        """End what has died and begin again what may be, if it ended after `since`; return what was done."""
        done = await self._end_the_dead(client)
        return [*done, *await self._begin_again(client, since)]

    async def ask_for_missed_nights(self, client: PrefectClient, now: datetime) -> None:
        """Have the server make the runs that its schedules should have made while it was down; never one twice."""
        nightlies = await client.read_deployments(
            deployment_filter=DeploymentFilter(tags=DeploymentFilterTags(all_=[NIGHTLY_TAG, TAG]))
        )
        for deployment in nightlies:
            active = [schedule for schedule in deployment.schedules if schedule.active]
            if deployment.paused or not active:
                continue
            # What was due before it was switched on is nobody's.
            known = [moment for run in active for moment in (run.created, run.updated) if moment]
            start = max([now - _MISSED, *([deployment.created] if deployment.created else []), *known])
            asked = {"start_time": start.isoformat(), "end_time": now.isoformat(), "min_runs": _PAGE}
            response = await client._client.post(f"/deployments/{deployment.id}/schedule", json=asked)
            response.raise_for_status()

    async def _end_the_dead(self, client: PrefectClient) -> list[Repaired]:
        runs = await read_runs(client, StateType.RUNNING, StateType.PENDING, StateType.CANCELLING)
        beats = await _last_beats(client, [run for run in runs if run.state_type != StateType.PENDING])
        self._seen = {run.id: self._seen[run.id] for run in runs if run.id in self._seen}
        return [done for run in runs if (done := await self._end_if_dead(client, run, beats.get(run.id, "")))]

    async def _end_if_dead(self, client: PrefectClient, run: FlowRun, beat: str) -> Repaired | None:
        assert run.state is not None
        pending = run.state_type == StateType.PENDING
        lease = LeaseSign() if pending else await asyncio.to_thread(self.lease_of, run)
        signs, now = (str(run.state.id), beat, lease.etag), self.clock()
        sighting = self._seen.setdefault(run.id, Sighting(signs, now))
        sighting.see(signs, now)
        if pending:
            age = (datetime.now(UTC) - run.state.timestamp).total_seconds()
            verdict, why = judge_pending(sighting, now, state_age_seconds=age), "A worker took it and never began it."
        else:
            verdict = judge_running(sighting, now, process_is_gone=lease.process_is_gone)
            why = "Its worker is gone: no sign of life in the last minutes."
        if verdict == "lives":
            return None
        state: State[Any] = (
            Cancelled(message=f"{why} It was being cancelled.")
            if run.state_type == StateType.CANCELLING
            else Crashed(message=f"{why} What was paid for is kept.")
        )
        await client.set_flow_run_state(run.id, state, force=True)
        self._seen.pop(run.id, None)
        return Repaired("ended", run, why)

    async def _begin_again(self, client: PrefectClient, since: datetime) -> list[Repaired]:
        ended = await read_runs(client, StateType.CRASHED, StateType.FAILED, ended_since=since)
        return [done for run in ended if may_be_begun_again(run) and (done := await self._begin_if_few(client, run))]

    async def _begin_if_few(self, client: PrefectClient, run: FlowRun) -> Repaired | None:
        assert run.state is not None
        kind, message = run.state.type.value, run.state.message or ""
        if what_to_do(kind, message, ()) == "leave":
            return None
        if run.state.id in self._given_up:
            return Repaired("given up", run, why_of(message))
        now = self.clock()
        if now - self._ended.setdefault(run.state.id, now) < SETTLED_SECONDS:
            return None
        states = [state.name or "" for state in await client.read_flow_run_states(run.id)]
        if what_to_do(kind, message, states) == "enough":
            self._given_up.add(run.state.id)
            return Repaired("given up", run, why_of(message))
        times, why = times_begun_again(states), why_of(message)
        state: State[Any] = Scheduled(
            name=BEGUN_AGAIN,
            scheduled_time=datetime.now(UTC) + timedelta(seconds=pause_seconds(kind, times)),
            message=f"Begun again by itself ({times + 1} of {MOST_TIMES} times). It had ended: {why}",
        )
        await client.set_flow_run_state(run.id, state, force=True)
        return Repaired("begun again", run, f"{why} ({times + 1} of {MOST_TIMES} times)")


def may_be_begun_again(run: FlowRun) -> bool:
    """Return true if nobody else restarts the run: it is a deployment's, and no part of another run."""
    return run.deployment_id is not None and run.parent_task_run_id is None


async def read_runs(
    client: PrefectClient,
    *types: StateType,
    ended_since: datetime | None = None,
    tags: Sequence[str] = (TAG,),
) -> list[FlowRun]:
    """The runs of ours in states of these types, those that ended last first, up to a page of them."""
    return await client.read_flow_runs(
        flow_run_filter=FlowRunFilter(
            tags=FlowRunFilterTags(all_=list(tags)),
            state=in_states(*types),
            end_time=FlowRunFilterEndTime.model_validate({"after_": ended_since}) if ended_since else None,
        ),
        sort=FlowRunSort.END_TIME_DESC if ended_since else FlowRunSort.EXPECTED_START_TIME_ASC,
        limit=_PAGE,
    )


async def _last_beats(client: PrefectClient, runs: Sequence[FlowRun]) -> Mapping[UUID, str]:
    """The id of each run's last heartbeat, as far as there is one lately."""
    beats: dict[UUID, str] = {}
    for run in runs:
        asked = {
            "filter": {
                "event": {"name": [_HEARTBEAT]},
                "resource": {"id": [f"prefect.flow-run.{run.id}"]},
                "occurred": {"since": (datetime.now(UTC) - timedelta(hours=1)).isoformat()},
                "order": "DESC",
            },
            "limit": 1,
        }
        response = await client._client.post("/events/filter", json=asked)
        found = response.raise_for_status().json()["events"]
        if found:
            beats[run.id] = str(found[0]["id"])
    return beats
