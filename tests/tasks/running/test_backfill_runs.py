"""A backfill's day runs on a real server; the test is the worker that begins and ends them."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from prefect import flow
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterDeploymentId
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.client.schemas.responses import DeploymentResponse
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.states import Cancelled, Completed, Crashed, Failed, Pending, Running

from flows.wiring.commands.own_server import free_port
from tasks.domain.errors import RunError, UsageError
from tasks.running import backfill_runs as day_runs
from tasks.running.backfill_runs import NIGHTLY_TAG, BackfillRuns, cancel_days, read_deployment
from tasks.running.rules.backfills import FAILED, NOT_BEGUN, Outcome, failed, outcome
from tasks.running.rules.repair import MOST_TIMES
from tasks.warehouse.rules.day_tally import DONE

# Prefect's own client leaves its connections to the garbage collector.
pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning", "ignore:unclosed:ResourceWarning"
)

PENDING: State[Any] = Pending()
RUNNING: State[Any] = Running()
DAYS = [date(2026, 11, 1) + timedelta(days=number) for number in range(4)]


@pytest.fixture
def on_server(prefect_api, monkeypatch) -> Callable[[Callable[[], Awaitable[None]]], None]:
    """Run a coroutine function with a real Prefect server, looked at often."""
    monkeypatch.setattr(day_runs, "_POLL_SECONDS", 0.05)

    def run(test: Callable[[], Awaitable[None]]) -> None:
        async def with_timeout() -> None:
            async with asyncio.timeout(300):
                await test()

        with temporary_settings({PREFECT_API_URL: prefect_api.url}):
            asyncio.run(with_timeout())

    return run


def nothing() -> None: ...


async def deployed(client: PrefectClient) -> DeploymentResponse:
    with suppress(Exception):
        await client.create_work_pool(WorkPoolCreate(name="days", type="process"))
    flow_name = f"one-day-{uuid4().hex[:8]}"  # keys that keep a run from being made twice hold for a flow
    flow_id = await client.create_flow_from_name(flow_name)
    await client.create_deployment(flow_id, "manual", work_pool_name="days", parameter_openapi_schema={})
    return await read_deployment(f"{flow_name}/manual")


def test_read_deployment_waits_for_a_server_that_is_away(on_server, monkeypatch):
    tries: list[bool] = []

    def get_client_at_the_third_try() -> PrefectClient:
        tries.append(True)
        return PrefectClient(api=f"http://127.0.0.1:{free_port()}/api") if len(tries) < 3 else get_client()

    async def test() -> None:
        async with get_client() as client:
            name = (await deployed(client)).name
            flow_name = (await client.read_flow((await deployed(client)).flow_id)).name
        monkeypatch.setattr(day_runs, "get_client", get_client_at_the_third_try)
        assert (await read_deployment(f"{flow_name}/{name}")).name == name
        with pytest.raises(UsageError, match="nothing/like-it"):
            await read_deployment("nothing/like-it")

    on_server(test)
    assert len(tries) == 4


@dataclass
class Worker:
    """Begins runs of a deployment and ends each as `end` says; `together`: only while so many are under way."""

    client: PrefectClient
    deployment: UUID
    end: Callable[[FlowRun], Any]
    together: int = 1
    most: int = 0
    begun: list[str] = field(default_factory=list)

    async def work(self) -> None:
        while True:
            runs = await self.runs()
            under_way = sum(not run.state.is_final() for run in runs if run.state)
            self.most = max(self.most, under_way)
            for run in runs:
                if run.state_type == StateType.SCHEDULED:
                    self.begun.append(run.parameters["day"])
                    await self.client.set_flow_run_state(run.id, PENDING)
                    await self.client.set_flow_run_state(run.id, RUNNING)
                elif run.state_type == StateType.RUNNING and (under_way >= self.together or len(runs) == len(DAYS)):
                    await self.client.set_flow_run_state(run.id, self.end(run))
            await asyncio.sleep(0.1)

    async def runs(self) -> list[FlowRun]:
        found = await self.client.read_flow_runs(
            flow_run_filter=FlowRunFilter(deployment_id=FlowRunFilterDeploymentId(any_=[self.deployment]))
        )
        return sorted(found, key=lambda run: run.parameters["day"])


async def ended(day: date, run: FlowRun) -> Outcome:
    assert run.state is not None
    return outcome(day, DONE) if run.state.is_completed() else failed(day, run.state.message or "")


async def not_here(day: date) -> Outcome:
    raise AssertionError(f"{day} was done by the backfill itself")


def runs_of(deployment: DeploymentResponse, **changes: Any) -> BackfillRuns:
    given: dict[str, Any] = {"settings": {}, "at_once": 2, "ended": ended, "here": not_here} | changes
    return BackfillRuns(deployment, logger=logging.getLogger("test"), **given)


def test_day_that_is_lost_is_asked_for_again_a_few_times(on_server):
    lost, poor = DAYS[0].isoformat(), DAYS[1].isoformat()

    async def test() -> None:
        async with get_client() as client:
            deployment = await deployed(client)
            begun: Counter[str] = Counter()

            def end(run: FlowRun) -> Any:
                day = run.parameters["day"]
                begun[day] += 1
                if day == lost or (day == poor and begun[day] == 1):
                    return Crashed(message="Its worker is gone.")
                return Completed()

            working = asyncio.create_task(Worker(client, deployment.id, end).work())
            outcomes = [outcome async for outcome in runs_of(deployment).of(DAYS[:2])]
            working.cancel()
        assert {outcome["day"]: outcome["status"] for outcome in outcomes} == {lost: FAILED, poor: DONE}
        assert begun == {lost: 1 + MOST_TIMES, poor: 2}

    on_server(test)


def test_day_that_somebody_is_at_already_is_not_asked_for_again(on_server):
    async def test() -> None:
        async with get_client() as client:
            deployment = await deployed(client)
            parameters = {"day": DAYS[0].isoformat(), "settings": {}}
            there = await client.create_flow_run_from_deployment(deployment.id, parameters=parameters, state=PENDING)
            await client.set_flow_run_state(there.id, RUNNING)
            worker = Worker(client, deployment.id, lambda run: Completed())
            runs = runs_of(deployment)

            async def work_once_it_is_known() -> None:
                # Ended before the backfill looks, it would be a day that nobody is at.
                while not runs._under_way:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
                await worker.work()

            working = asyncio.create_task(work_once_it_is_known())
            outcomes = [outcome async for outcome in runs.of(DAYS[:1])]
            working.cancel()
            assert [run.id for run in await worker.runs()] == [there.id]
        assert [outcome["status"] for outcome in outcomes] == [DONE]

    on_server(test)


def test_day_runs_are_done_oldest_first_two_at_once_and_one_that_fails_stops_no_other(on_server):
    async def test() -> None:
        async with get_client() as client:
            deployment = await deployed(client)
            bad = DAYS[1].isoformat()
            worker = Worker(
                client,
                deployment.id,
                lambda run: Failed(message="no logs") if run.parameters["day"] == bad else Completed(),
                together=2,
            )
            working = asyncio.create_task(worker.work())
            outcomes = [outcome async for outcome in runs_of(deployment, settings={"rpm": 60}).of(DAYS)]
            working.cancel()
            runs = await worker.runs()
        assert sorted(outcomes, key=lambda outcome: outcome["day"]) == [
            failed(day, "no logs") if day == DAYS[1] else outcome(day, DONE) for day in DAYS
        ]
        assert worker.begun == [day.isoformat() for day in DAYS]
        assert worker.most == 2
        assert [run.parameters for run in runs] == [{"day": day.isoformat(), "settings": {"rpm": 60}} for day in DAYS]

    on_server(test)


def test_day_runs_get_what_the_days_before_left_and_none_begins_when_nothing_is(on_server):
    async def test() -> None:
        left = iter([{"max_calls": 9}, {"max_calls": 4}, None])

        async def limits() -> dict[str, Any] | None:
            return next(left)

        async with get_client() as client:
            deployment = await deployed(client)
            worker = Worker(client, deployment.id, lambda run: Completed())
            working = asyncio.create_task(worker.work())
            shared = {"settings": {"rpm": 60, "max_calls": 9}, "at_once": 1, "limits": limits}
            outcomes = await all_of(runs_of(deployment, **shared))
            working.cancel()
            runs = await worker.runs()
        assert [run.parameters["settings"] for run in runs] == [{"rpm": 60, "max_calls": calls} for calls in (9, 4)]
        assert outcomes == [
            outcome(day, status) for day, status in zip(DAYS, [DONE] * 2 + [NOT_BEGUN] * 2, strict=True)
        ]

    on_server(test)


def test_day_that_is_under_way_with_what_was_left_then_is_not_asked_for_again(on_server):
    async def test() -> None:
        async def nothing_left() -> dict[str, Any] | None:
            return None

        async with get_client() as client:
            deployment = await deployed(client)
            parameters = {"day": DAYS[0].isoformat(), "settings": {"max_calls": 4}}
            there = await client.create_flow_run_from_deployment(deployment.id, parameters=parameters)
            worker = Worker(client, deployment.id, lambda run: Completed())
            runs = runs_of(deployment, settings={"max_calls": 9}, at_once=1, limits=nothing_left)
            going = asyncio.create_task(all_of(runs, DAYS[:2]))
            while not runs._under_way:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            working = asyncio.create_task(worker.work())
            assert await going == [outcome(DAYS[0], DONE), outcome(DAYS[1], NOT_BEGUN)]
            working.cancel()
            assert [run.id for run in await worker.runs()] == [there.id]

    on_server(test)


def test_day_runs_begin_no_new_day_while_the_nightly_is_under_way(on_server):
    async def test() -> None:
        async with get_client() as client:
            deployment = await deployed(client)
            nightly = await client.create_flow_run(flow(name="nightly")(nothing), tags=[NIGHTLY_TAG], state=Running())
            worker = Worker(client, deployment.id, lambda run: Completed())
            days = runs_of(deployment)
            going = asyncio.create_task(all_of(days))
            await asyncio.sleep(1.5)
            assert not await worker.runs()
            days._idle_since -= days.worker_wait_seconds  # a long night: that no day was begun is no worker's fault
            await asyncio.sleep(1.0)
            await client.set_flow_run_state(nightly.id, Completed(), force=True)
            await asyncio.sleep(1.0)
            working = asyncio.create_task(worker.work())
            assert len(await going) == len(DAYS)
            working.cancel()

    on_server(test)


def test_day_runs_are_done_here_when_no_worker_is_free(on_server):
    async def test() -> None:
        here: list[date] = []

        async def do_here(day: date) -> Outcome:
            here.append(day)
            return outcome(day, DONE)

        async with get_client() as client:
            deployment = await deployed(client)
            outcomes = await all_of(runs_of(deployment, here=do_here, worker_wait_seconds=0.3), DAYS[:3])
            runs = await Worker(client, deployment.id, lambda run: None).runs()
        assert here == DAYS[:3]
        assert len(outcomes) == 3
        assert {run.state_type for run in runs} == {StateType.CANCELLED}, "no worker may do them once more"

    on_server(test)


def test_day_runs_stay_in_a_queue_that_is_paused(on_server):
    async def test() -> None:
        async def do_here(day: date) -> Outcome:
            return outcome(day, DONE)

        async with get_client() as client:
            deployment = await deployed(client)
            assert deployment.work_queue_id is not None
            await client.update_work_queue(deployment.work_queue_id, is_paused=True)
            going = asyncio.create_task(all_of(runs_of(deployment, here=do_here, worker_wait_seconds=0.2), DAYS[:1]))
            await asyncio.sleep(1.5)
            assert not going.done(), "it was taken out of the queue"
            await client.update_work_queue(deployment.work_queue_id, is_paused=False)
            assert await going == [outcome(DAYS[0], DONE)]

    on_server(test)


def test_day_runs_take_over_what_an_earlier_backfill_left_waiting(on_server):
    async def test() -> None:
        async with get_client() as client:
            deployment = await deployed(client)
            earlier = asyncio.create_task(all_of(runs_of(deployment, at_once=4)))
            worker = Worker(client, deployment.id, lambda run: Completed())
            while len(await worker.runs()) < len(DAYS):  # noqa: ASYNC110  the server can only be asked
                await asyncio.sleep(0.1)
            earlier.cancel()
            working = asyncio.create_task(worker.work())
            assert len(await all_of(runs_of(deployment))) == len(DAYS)
            working.cancel()
            assert len(await worker.runs()) == len(DAYS)

    on_server(test)


def test_day_runs_outlast_a_server_that_is_away(on_server, monkeypatch):
    outages = iter([True, False, True, False, True, True, False])

    def sometimes() -> PrefectClient:
        if next(outages, False):
            raise ConnectionRefusedError("the server is being started again")
        return get_client()

    def never() -> PrefectClient:
        raise ConnectionRefusedError("the server is gone")

    async def test() -> None:
        async with get_client() as client:
            deployment = await deployed(client)
            working = asyncio.create_task(Worker(client, deployment.id, lambda run: Completed()).work())
            monkeypatch.setattr(day_runs, "get_client", sometimes)
            assert await all_of(runs_of(deployment), DAYS[:1]) == [outcome(DAYS[0], DONE)]
            working.cancel()

            monkeypatch.setattr(day_runs, "_OUTAGE_SECONDS", 0.0)
            monkeypatch.setattr(day_runs, "get_client", never)
            with pytest.raises(RunError, match="run the same again"):
                await all_of(runs_of(deployment), DAYS[:1])

    on_server(test)


def test_cancel_days_cancels_what_has_not_ended(on_server):
    async def test() -> None:
        @flow(name="parent")
        async def parent(deployment: UUID) -> None:
            async with get_client() as client:
                going = asyncio.create_task(all_of(runs_of(await client.read_deployment(deployment)), DAYS))
                worker = Worker(client, deployment, lambda run: None)
                while len(await worker.runs()) < 2:  # noqa: ASYNC110  the server can only be asked
                    await asyncio.sleep(0.1)
                going.cancel()
                await asyncio.wait({going})
                raise RuntimeError("given up")

        async with get_client() as client:
            deployment = await deployed(client)
            state = await parent(deployment.id, return_state=True)
            worker = Worker(client, deployment.id, lambda run: None)
            assert len(await worker.runs()) == 2
            assert state.state_details.flow_run_id is not None
            parent_run = await client.read_flow_run(state.state_details.flow_run_id)
            await cancel_days(parent, parent_run, Cancelled())
            assert {run.state_type for run in await worker.runs()} <= {StateType.CANCELLED, StateType.CANCELLING}

    on_server(test)


def test_read_deployment_says_what_is_missing(on_server):
    async def test() -> None:
        with pytest.raises(UsageError, match="one-day/none: deploy it"):
            await read_deployment("one-day/none")

    on_server(test)


async def all_of(runs: BackfillRuns, days: list[date] = DAYS) -> list[Outcome]:
    return [outcome async for outcome in runs.of(days)]
