"""Runs of a deployment that wait, end early or come late: what the table in deployments/README.md promises."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import sysconfig
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.objects import FlowRun
from prefect.exceptions import ObjectAlreadyExists, Pause
from prefect.flow_engine import run_flow_async
from prefect.states import Completed, Pending, Running, Scheduled

from flows.publish_edition import publish_edition
from flows.summarize_day import summarize_day
from tasks.clients.folder_store import FolderStore
from tasks.running import hand_on
from tasks.summarizing import shards
from tasks.summarizing.rules import shard_watch
from tasks.warehouse.parquet import read_runs
from tests.builders.small_days import DAY, NUMBER, rows, write_logs
from tests.conftest import ROOT

pytestmark = pytest.mark.usefixtures("prefect_server")


async def deployed(name: str, **options: Any) -> Any:
    """A deployment of a flow's, by which no worker looks."""
    async with get_client() as client:
        with_pool = WorkPoolCreate(name="nobody", type="process")
        with suppress(ObjectAlreadyExists):
            await client.create_work_pool(with_pool)
        flow = await client.create_flow_from_name(name)
        made = options.pop("called", uuid4().hex)
        return await client.create_deployment(
            flow, made, work_pool_name="nobody", parameter_openapi_schema={}, **options
        )


async def asked_for(deployment: Any, due: datetime, **parameters: Any) -> FlowRun:
    async with get_client() as client:
        return await client.create_flow_run_from_deployment(
            deployment, parameters=parameters, state=Scheduled(scheduled_time=due)
        )


async def carried_out(run: FlowRun, flow: Any = summarize_day) -> str:
    """Do a deployment's run in this process, as a worker does in its own; return the name of the state it ends in."""
    async with get_client() as client:
        there = await client.read_flow_run(run.id)
        with suppress(Pause):
            await run_flow_async(flow, flow_run=there, parameters=run.parameters, return_type="state")
        return str((await client.read_flow_run(run.id)).state_name)


def test_logs_that_are_late(small_day, tmp_path):
    async def night() -> list[str]:
        now = datetime.now(UTC)
        deployment = await deployed("summarize-day")
        waiting = await asked_for(deployment, now, day=str(DAY), settings=small_day | {"logs_wait_seconds": 3600})
        names = [await carried_out(waiting)]
        late = {"logs_wait_seconds": 60, "logs_quiet_seconds": 600}
        over = await asked_for(deployment, now - timedelta(minutes=2), day=str(DAY), settings=small_day | late)
        return [*names, await carried_out(over)]

    assert asyncio.run(night()) == ["AwaitingLogs", "Incomplete"]
    assert len(rows(tmp_path / "warehouse", "summaries")) == NUMBER


def test_logs_that_still_changed_at_the_deadline(asked_day, tmp_path, qianfan):
    async def night() -> str:
        due = datetime.now(UTC) - timedelta(minutes=2)
        late = asked_day | {"logs_wait_seconds": 60, "logs_quiet_seconds": 600}
        return await carried_out(await asked_for(await deployed("summarize-day"), due, day=str(DAY), settings=late))

    assert asyncio.run(night()) == "Incomplete"
    write_logs(tmp_path / "logs", range(NUMBER, NUMBER + 3))
    again = asyncio.run(summarize_day(DAY, asked_day))
    assert (again.calls, sum(qianfan.delivered.values())) == (3, NUMBER + 3)


def test_a_weekly_report_whose_last_day_is_still_to_be_done(small_day, tmp_path):
    async def monday() -> list[str]:
        now = datetime.now(UTC)
        night = await asked_for(await deployed("summarize-day"), now, day=str(DAY), settings=small_day)
        week = {"day": str(DAY + timedelta(days=1)), "settings": {"warehouse": small_day["warehouse"]}}
        report = await asked_for(await deployed("publish-edition"), now, **week)
        names = [await carried_out(report, publish_edition), await carried_out(night)]
        async with get_client() as client:
            await client.set_flow_run_state(report.id, Scheduled(), force=True)
        return [*names, await carried_out(report, publish_edition)]

    assert asyncio.run(monday()) == ["AwaitingDays", "Completed", "Completed"]
    assert list((tmp_path / "warehouse" / "reports").glob("*2026-11-16*"))


def test_a_run_whose_worker_is_stopped(asked_day, qianfan, tmp_path):
    qianfan.behavior.latency_median = 0.2

    def answer(endpoint: str, prompt: str) -> str:
        if len(qianfan.arrivals) == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        return '{"用户问题":"漏水","客服方案":"换","是否接受":"是","是否负面情绪":"否"}'

    async def night() -> list[str]:
        settings = asked_day | {"concurrency": 2}
        asked = await asked_for(await deployed("summarize-day"), datetime.now(UTC), day=str(DAY), settings=settings)
        qianfan.answers = answer
        names = [await carried_out(asked)]
        qianfan.answers = None
        async with get_client() as client:
            await client.set_flow_run_state(asked.id, Scheduled(), force=True)
        return [*names, await carried_out(asked)]

    assert asyncio.run(night()) == ["HandedOn", "Completed"]
    assert sum(qianfan.delivered.values()) == len(qianfan.delivered) == NUMBER
    assert len(rows(tmp_path / "warehouse", "summaries")) == NUMBER


def test_a_run_that_is_cancelled_while_its_worker_does_not_listen(asked_day, qianfan, prefect_api, monkeypatch):
    monkeypatch.setattr(hand_on, "_POLL_SECONDS", 0.05)
    qianfan.behavior.latency_median = 0.2

    async def night() -> str:
        settings = asked_day | {"concurrency": 1}
        asked = await asked_for(await deployed("summarize-day"), datetime.now(UTC), day=str(DAY), settings=settings)

        def answer(endpoint: str, prompt: str) -> str:
            if len(qianfan.arrivals) == 2:
                with prefect_api.client() as api:
                    api.post(f"/flow_runs/{asked.id}/set_state", json={"state": {"type": "CANCELLING"}, "force": True})
            return '{"用户问题":"漏水","客服方案":"换","是否接受":"是","是否负面情绪":"否"}'

        qianfan.answers = answer
        return await carried_out(asked)

    assert asyncio.run(night()) == "Cancelled"
    assert len(qianfan.arrivals) == sum(qianfan.delivered.values()) < NUMBER


def test_shards_that_no_worker_takes(asked_day, qianfan, monkeypatch, caplog):
    monkeypatch.setattr(shards, "_POLL_SECONDS", 0.05)
    monkeypatch.setattr(shard_watch, "STALLED_SECONDS", 0.2)
    asyncio.run(deployed("summarize-shard", called="shard"))
    assert asyncio.run(summarize_day(DAY, asked_day | {"shards": 2})).calls == NUMBER
    assert caplog.text.count("No worker took") == 2


def test_a_late_run(small_day, tmp_path):
    async def night() -> str:
        meant_for = datetime(2026, 11, 23, 2, 30, tzinfo=UTC)
        return await carried_out(await asked_for(await deployed("summarize-day"), meant_for, settings=small_day))

    assert asyncio.run(night()) == "Completed"
    assert read_runs(FolderStore(tmp_path / "warehouse"), DAY)[-1]["summarized"] == NUMBER


def test_two_runs_of_one_deployment():
    async def states() -> list[str]:
        deployment = await deployed(
            "check-setup", concurrency_limit=1, concurrency_options={"collision_strategy": "ENQUEUE"}
        )
        first, second = [await asked_for(deployment, datetime.now(UTC)) for _ in range(2)]
        async with get_client() as client:

            async def seen(run: FlowRun, state: Any) -> str:
                await client.set_flow_run_state(run.id, state)
                return str((await client.read_flow_run(run.id)).state_name)

            names = [await seen(first, Pending()), await seen(second, Pending())]
            await seen(first, Running())
            await seen(first, Completed())
            return [*names, await seen(second, Pending())]

    assert asyncio.run(states()) == ["Pending", "AwaitingConcurrencySlot", "Pending"]


def test_a_worker_without_the_project_s_folder(tmp_path):
    pulled = re.search(
        r"set_working_directory:\n\s+directory: \"(.*)\"", (ROOT / "deployments/prefect.yaml").read_text()
    )
    assert pulled
    assert pulled[1] == "{{ $KEFU_HOME }}"
    # Without `site`, as where the project is not installed: a worker finds it in the folder or not at all.
    code = "import os, sys; os.chdir(os.environ['KEFU_HOME']); sys.path[0] = ''; import flows"
    for home, words in ((tmp_path, "No module named 'flows'"), (ROOT, "")):
        done = subprocess.run(
            [sys.executable, "-S", "-c", code],
            env={**os.environ, "KEFU_HOME": str(home), "PYTHONPATH": sysconfig.get_path("purelib")},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert words in done.stderr
        assert (done.returncode == 0) is (not words)
