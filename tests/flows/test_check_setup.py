"""The setup check against real servers: everything right, then one thing wrong at a time."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import DeploymentScheduleCreate, WorkPoolCreate
from prefect.client.schemas.schedules import CronSchedule
from prefect.exceptions import ObjectAlreadyExists
from pydantic import SecretStr

from deployments.bootstrap import set_up
from flows import check_setup
from flows.wiring.blocks import SummarizerEndpoint
from tasks.running.watch_sign import WatchSign
from tests.servers.qianfan import QianfanServer

pytestmark = pytest.mark.usefixtures("prefect_server")


@pytest.fixture
def ready(prefect_server):
    """A server with everything that the nightly needs; the pool, its worker and the deployment go afterwards."""

    async def make() -> Any:
        async with get_client() as client:
            await set_up(client)
            await client.send_worker_heartbeat("kefu", "one", heartbeat_interval_seconds=600)
            flow = await client.create_flow_from_name("summarize-day")
            schedule = DeploymentScheduleCreate(schedule=CronSchedule(cron="30 2 * * *"), active=True)
            await WatchSign().give()
            return await client.create_deployment(
                flow, "nightly", work_pool_name="kefu", parameter_openapi_schema={}, schedules=[schedule]
            )

    async def take_away(deployment: Any) -> None:
        async with get_client() as client:
            await client.delete_deployment(deployment)
            await client.delete_work_pool("kefu")

    deployment = asyncio.run(make())
    yield
    asyncio.run(take_away(deployment))


@pytest.fixture
def setup(accounts, bos, qianfan, tmp_path) -> dict[str, str]:
    """The flags of a setup in which everything is right."""
    for day in (datetime.now(UTC).date() - timedelta(days=past) for past in range(3)):
        bos.put(f"logs/{day}/a.jsonl", b'{"conversation_id": "1", "messages": []}\n')
    return {
        "source": f"bos://{bos.bucket}/logs/{{day}}",
        "warehouse": f"bos://{bos.bucket}/warehouse",
        "summarizer": "qianfan",
        "endpoint": "kefu_sft",
        "rpm": "600",
    }


def check(capsys, setup: dict[str, str], *arguments: str) -> tuple[int, dict[str, dict[str, str]], int]:
    """The exit code, the findings by what they are of, and the number of calls."""
    flags = [flag for name, value in setup.items() for flag in (f"--{name.replace('_', '-')}", value)]
    code = check_setup.main([*flags, "--json", *arguments])
    told = orjson.loads(capsys.readouterr().out)
    return code, {finding["what"]: finding for finding in told["findings"]}, told["calls"]


def failed(findings: dict[str, dict[str, str]]) -> set[str]:
    return {what for what, finding in findings.items() if finding["status"] == "failed"}


def test_everything_right(ready, setup, qianfan, bos, capsys):
    before = set(bos.keys())
    code, findings, calls = check(capsys, setup)
    assert (code, failed(findings), calls) == (0, set(), 2)
    expected = {"logs", "warehouse", "endpoint", "quota", "JSON schema", "clock", "workers", "nightly", "watch"}
    assert {findings[what]["status"] for what in expected | {"automations"}} == {"ok"}
    assert (sum(qianfan.delivered.values()), set(bos.keys())) == (2, before)


def test_a_wrong_key(ready, setup, capsys, monkeypatch):
    monkeypatch.setenv("QIANFAN_SECRET_KEY", "another")
    code, findings, _ = check(capsys, setup)
    assert (code, failed(findings)) == (1, {"endpoint"})
    assert "credentials" in findings["endpoint"]["seen"]


def test_no_permission_to_write(ready, setup, bos, capsys):
    bos.denied = {"put"}
    code, findings, _ = check(capsys, setup)
    assert (code, failed(findings)) == (1, {"warehouse"})
    assert "permission" in findings["warehouse"]["seen"]


def test_a_v1_address(ready, setup, capsys):
    code, findings, _ = check(capsys, setup | {"endpoint": "v1:old"})
    assert (code, failed(findings)) == (1, {"endpoint"})
    assert "2026-08-31" in findings["endpoint"]["seen"]


def test_a_model_that_thinks(ready, setup, qianfan, capsys):
    qianfan.behavior.thoughts = "用户想知道包裹在哪里。"
    code, findings, _ = check(capsys, setup)
    assert (code, failed(findings)) == (1, {"thinking"})
    assert "--thinking off" in findings["thinking"]["remedy"]
    assert check(capsys, setup | {"thinking": "off"})[0] == 0


def test_no_worker_no_nightly_and_no_watch(setup, capsys):
    async def pool_alone() -> None:
        async with get_client() as client:
            with suppress(ObjectAlreadyExists):
                await client.create_work_pool(WorkPoolCreate(name="kefu", type="process"))

    asyncio.run(pool_alone())
    code, findings, _ = check(capsys, setup)
    assert (code, failed(findings)) == (1, {"workers", "nightly"})
    assert "prefect worker start --pool kefu" in findings["workers"]["remedy"]


def test_a_clock_twenty_minutes_off(ready, setup, qianfan, capsys):
    qianfan.behavior.clock_skew_seconds = -1200
    code, findings, _ = check(capsys, setup)
    assert (code, failed(findings)) == (1, {"clock"})
    assert "20 min ahead of Qianfan" in findings["clock"]["seen"]


def test_a_second_model_and_the_blocks_for_two_calls(ready, setup, capsys):
    with QianfanServer() as spare:
        SummarizerEndpoint(
            summarizer="openai",
            endpoint="spare",
            rpm=60,
            openai_base_url=f"{spare.url}/v1",
            openai_api_key=SecretStr("wrong"),
        ).save("checked", overwrite=True)
        code, findings, calls = check(capsys, setup | {"fallback_block": "checked"})
    assert (code, failed(findings), calls) == (1, {"fallback endpoint"}, 2)
    assert findings["blocks"]["seen"] == "summarizer-endpoint/checked can be read"


def test_a_block_that_is_missing(ready, setup, capsys):
    code, findings, _ = check(capsys, setup | {"warehouse": "block://nowhere/tables"})
    assert (code, failed(findings)) == (1, {"warehouse", "block bos-bucket/nowhere"})
