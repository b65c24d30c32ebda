"""Runs whose endpoint, store or worker is away: the last rows of the table of what dies, in deployments/README.md."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.objects import FlowRun, WorkerStatus
from prefect.exceptions import ObjectAlreadyExists
from prefect.flow_engine import run_flow_async
from prefect.states import Scheduled

from deployments.automations import TAG
from deployments.watch import Watch, make_watch
from flows.summarize_day import summarize_day
from flows.wiring.commands.own_server import free_port
from tasks.clients.bos import connection as bos_connection
from tasks.running.repair import Repairer
from tasks.running.rules.repair import BEGUN_AGAIN, MOST_TIMES, SETTLED_SECONDS
from tests.builders.small_days import DAY, NUMBER, rows
from tests.servers.receiver import Receiver, receiver

pytestmark = pytest.mark.usefixtures("prefect_server")


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


class Night:
    """A deployment's run, carried out in this process, and the watch over it.

    Args:
        client: of the server.
        hook: takes the notifications.
    """

    def __init__(self, client: PrefectClient, hook: Receiver) -> None:
        self._client, self._hook, self._clock = client, hook, Clock()
        self._watch: Watch = make_watch(hook.url, "", [])
        self._watch.repairer = Repairer(self._watch.repairer.lease_of, self._clock)

    async def begin(self, due: datetime, pool: str, **parameters: Any) -> FlowRun:
        await self._watch.look(self._client)  # from now on
        with suppress(ObjectAlreadyExists):
            await self._client.create_work_pool(WorkPoolCreate(name=pool, type="process"))
        flow = await self._client.create_flow_from_name("summarize-day")
        made = await self._client.create_deployment(
            flow, uuid4().hex, work_pool_name=pool, parameter_openapi_schema={}, tags=[TAG]
        )
        return await self._client.create_flow_run_from_deployment(
            made, parameters=parameters, state=Scheduled(scheduled_time=due)
        )

    async def carry_out(self, run: FlowRun) -> str:
        """Do the run as a worker does, whenever it is due; return the name of the state it ends in."""
        await self._client.set_flow_run_state(run.id, Scheduled(), force=True)
        there = await self._client.read_flow_run(run.id)
        await run_flow_async(summarize_day, flow_run=there, parameters=run.parameters, return_type="state")
        return str((await self._client.read_flow_run(run.id)).state_name)

    async def watch(self, run: FlowRun) -> tuple[str, int]:
        """Look until it is settled; return the run's state, and the minutes until it is due."""
        await self._watch.look(self._client)
        self._clock.now += SETTLED_SECONDS
        await self._watch.look(self._client)
        state = (await self._client.read_flow_run(run.id)).state
        assert state is not None
        due = state.state_details.scheduled_time or datetime.now(UTC)
        return str(state.name), round((due - datetime.now(UTC)).total_seconds() / 60)

    def told(self, run: FlowRun) -> list[str]:
        return [post["level"] for post in list(self._hook.posted.queue) if post.get("about") == str(run.id)]


def test_an_endpoint_that_is_away_is_waited_for_three_times_and_paid_once(asked_day, qianfan, tmp_path):
    async def night(hook: Receiver) -> list[Any]:
        async with get_client() as client:
            here = Night(client, hook)
            run = await here.begin(datetime.now(UTC), "nobody", day=str(DAY), settings=asked_day)
            qianfan.behavior.status, qianfan.behavior.error_type = 502, "bad_gateway"
            seen: list[Any] = []
            for _ in range(MOST_TIMES):
                seen += [await here.carry_out(run), await here.watch(run)]
            qianfan.behavior.status = 0
            return [*seen, await here.carry_out(run), await here.watch(run), here.told(run)]

    with receiver() as hook:
        *before, name, (_, due), told = asyncio.run(night(hook))
    assert before == ["Failed", (BEGUN_AGAIN, 5), "Failed", (BEGUN_AGAIN, 30), "Failed", (BEGUN_AGAIN, 60)]
    assert (name, due) == ("Completed", 0)
    assert told == ["warning"] * MOST_TIMES + ["good"]
    assert sum(qianfan.delivered.values()) == len(qianfan.delivered) == NUMBER
    assert len(rows(tmp_path / "warehouse", "summaries")) == NUMBER


def test_a_store_that_is_away_is_waited_for_and_after_three_times_told_as_a_failure(small_day, accounts, monkeypatch):
    monkeypatch.setattr(bos_connection, "time", SimpleNamespace(sleep=lambda seconds: None))  # between the attempts
    monkeypatch.setenv("BOS_ENDPOINT", f"http://127.0.0.1:{free_port()}")
    in_bos = small_day | {"warehouse": "bos://kefu-logs/warehouse"}

    async def night(hook: Receiver) -> list[Any]:
        async with get_client() as client:
            here = Night(client, hook)
            run = await here.begin(datetime.now(UTC), "nobody", day=str(DAY), settings=in_bos)
            seen = [(await here.carry_out(run), await here.watch(run)) for _ in range(MOST_TIMES + 1)]
            return [*seen, here.told(run)]

    with receiver() as hook:
        *seen, told = asyncio.run(night(hook))
    assert seen == [*(("Failed", (BEGUN_AGAIN, minutes)) for minutes in (5, 30, 60)), ("Failed", ("Failed", 0))]
    assert told == ["warning"] * MOST_TIMES + ["failure"]


async def is_silent(client: PrefectClient, pool: str) -> bool:
    return {worker.status for worker in await client.read_workers_for_work_pool(pool)} == {WorkerStatus.OFFLINE}


def test_a_worker_that_hangs_is_told_as_none(small_day):
    async def night(hook: Receiver) -> list[Any]:
        async with get_client() as client:
            here, due = Night(client, hook), datetime.now(UTC) - timedelta(minutes=16)
            run = await here.begin(due, "hung", day=str(DAY), settings=small_day)
            await client.set_flow_run_state(run.id, Scheduled(scheduled_time=due, name="Late"), force=True)
            await client.send_worker_heartbeat("hung", "hangs", heartbeat_interval_seconds=1)
            async with asyncio.timeout(120):
                while not await is_silent(client, "hung"):  # noqa: ASYNC110 (the server tells nobody)
                    await asyncio.sleep(0.2)
            return [await here.watch(run), here.told(run)]

    with receiver() as hook:
        (name, _), told = asyncio.run(night(hook))
    assert (name, told) == ("Late", ["failure"])


def test_a_run_that_no_worker_takes_is_told_after_a_quarter_of_an_hour_and_waits(small_day):
    async def night(hook: Receiver) -> list[Any]:
        async with get_client() as client:
            here, told = Night(client, hook), []
            for minutes in (14, 16):
                due = datetime.now(UTC) - timedelta(minutes=minutes)
                run = await here.begin(due, f"nobody-{minutes}", day=str(DAY), settings=small_day)
                await client.set_flow_run_state(run.id, Scheduled(scheduled_time=due, name="Late"), force=True)
                told += [await here.watch(run), here.told(run)]
            await client.send_worker_heartbeat("nobody-16", "back", heartbeat_interval_seconds=30)
            other = await here.begin(due, "nobody-16", day=str(DAY), settings=small_day)
            await client.set_flow_run_state(other.id, Scheduled(scheduled_time=due, name="Late"), force=True)
            return [*told, await here.watch(other), here.told(other), await here.carry_out(run)]

    with receiver() as hook:
        early, nothing, late, told, _, nothing_either, done = asyncio.run(night(hook))
    assert (early[0], late[0], done) == ("Late", "Late", "Completed")
    assert (nothing, told, nothing_either) == ([], ["failure"], [])
