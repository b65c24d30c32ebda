"""Missing days are asked for on a real server: once each, and only those that nobody is about to do."""

import asyncio
import logging
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterId
from prefect.exceptions import ObjectAlreadyExists
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.states import Failed, Pending, Running, Scheduled

from tasks.running import catch_up as catching_up
from tasks.running.catch_up import catch_up

# Prefect's own client leaves its connections to the garbage collector.
pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning", "ignore:unclosed:ResourceWarning"
)

DAY = date(2026, 11, 22)
SHANGHAI = ZoneInfo("Asia/Shanghai")
FAILED: Any = Failed()
RUNNING: Any = Running()
PENDING: Any = Pending()


def test_catch_up_asks_once_for_what_is_missing_and_not_coming(prefect_api, monkeypatch):
    missing = {DAY - timedelta(days=back) for back in (1, 2, 3, 5)}
    looked_at: list[date] = []

    def is_missing(day: date) -> bool:
        looked_at.append(day)
        return day in missing

    async def look(day: date = DAY) -> list[date]:
        looked_at.clear()
        return await catch_up(
            day,
            4,
            is_missing=is_missing,
            is_held=lambda day, run_id: False,
            settings={"source": "logs/{day}", "logs_wait_seconds": 7200},
            zone=SHANGHAI,
            logger=logging.getLogger("test"),
        )

    async def test() -> None:
        async with get_client() as client:
            flow_name = f"summarize-day-{uuid4().hex[:8]}"
            flow_id = await client.create_flow_from_name(flow_name)
            with suppress(ObjectAlreadyExists):
                await client.create_work_pool(WorkPoolCreate(name="nights", type="process"))
            deployment = await client.create_deployment(
                flow_id,
                "nightly",
                work_pool_name="nights",
                parameters={"catch_up_days": 7},
                parameter_openapi_schema={},
            )
            monkeypatch.setenv("PREFECT__RUNTIME__DEPLOYMENT__ID", str(deployment))
            monkeypatch.setenv("PREFECT__RUNTIME__FLOW_RUN__FLOW_NAME", flow_name)

            # A late run of the schedule, which does the day before its own: the 20th, in Shanghai.
            late: Any = Scheduled(scheduled_time=datetime(2026, 11, 20, 18, 30, tzinfo=UTC))
            await client.create_flow_run_from_deployment(deployment, state=late)
            await client.create_flow_run_from_deployment(deployment, parameters={"day": "22 November"}, state=late)

            assert await look() == [date(2026, 11, 19), date(2026, 11, 21)]
            assert looked_at == [date(2026, 11, day) for day in (18, 19, 20, 21)]
            assert await look() == []

            made = {str(run.parameters.get("day")): run for run in await runs_of(client, deployment)}
            assert set(made) == {"None", "22 November", "2026-11-19", "2026-11-21"}
            assert made["2026-11-19"].name == "summarize-2026-11-19"
            assert made["2026-11-19"].parameters["catch_up_days"] == 0
            assert made["2026-11-19"].parameters["settings"] == {"source": "logs/{day}", "logs_wait_seconds": 0}

            await client.set_flow_run_state(made["2026-11-19"].id, FAILED, force=True)
            assert await look(DAY + timedelta(days=1)) == [date(2026, 11, 19)], "the next night tries again"

    with temporary_settings({PREFECT_API_URL: prefect_api.url}):
        asyncio.run(test())


def test_catch_up_asks_the_server_nothing_when_nothing_is_missing():
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}):
        looked = catch_up(
            DAY,
            7,
            is_missing=lambda day: False,
            is_held=lambda *_: False,
            settings={},
            zone=SHANGHAI,
            logger=logging.getLogger("test"),
        )
        assert asyncio.run(looked) == []


async def runs_of(client: PrefectClient, deployment: Any) -> list[Any]:
    return await client.read_flow_runs(deployment_filter=DeploymentFilter(id=DeploymentFilterId(any_=[deployment])))


def test_catch_up_takes_no_dead_run_for_one_that_is_coming(prefect_api, monkeypatch):
    monkeypatch.setattr(catching_up, "_HOLDS_WITHIN", timedelta(0))
    days = [DAY - timedelta(days=back) for back in (3, 2, 1)]

    async def test() -> None:
        async with get_client() as client:
            flow_name = f"summarize-day-{uuid4().hex[:8]}"
            flow_id = await client.create_flow_from_name(flow_name)
            deployment = await client.create_deployment(flow_id, "nightly", parameter_openapi_schema={})
            monkeypatch.setenv("PREFECT__RUNTIME__DEPLOYMENT__ID", str(deployment))
            monkeypatch.setenv("PREFECT__RUNTIME__FLOW_RUN__FLOW_NAME", flow_name)
            runs = [
                await client.create_flow_run_from_deployment(
                    deployment, parameters={"day": day.isoformat()}, state=state
                )
                for day, state in zip(days, (RUNNING, PENDING, RUNNING), strict=True)
            ]
            asked = await catch_up(
                DAY,
                3,
                is_missing=lambda day: True,
                is_held=lambda day, run_id: run_id == str(runs[2].id),
                settings={},
                zone=SHANGHAI,
                logger=logging.getLogger("test"),
            )
            assert asked == days[:2]
            new = [run for run in await runs_of(client, deployment) if run.id not in {run.id for run in runs}]
            due = {run.parameters["day"]: run.expected_start_time for run in new}
            assert due[days[0].isoformat()] < due[days[1].isoformat()], "oldest first"

    with temporary_settings({PREFECT_API_URL: prefect_api.url}):
        asyncio.run(test())
