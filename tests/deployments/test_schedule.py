"""A cron on a real server makes scheduled runs: the one thing that newer FastAPI and SQLAlchemy break, one silently."""

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from tests.servers.prefect import PrefectServer

SHANGHAI = ZoneInfo("Asia/Shanghai")
PATIENCE_SECONDS = 180.0

FLOW = '''
from prefect import flow


@flow(name="tick")
def tick() -> None:
    """Nothing."""
'''
PREFECT_YAML = """
name: tick
deployments:
  - name: nightly
    entrypoint: tick.py:tick
    work_pool: {name: ticks}
    pull: []
    schedules:
      - {cron: "0 3 * * *", timezone: "Asia/Shanghai", slug: at-three}
"""


@pytest.fixture
def api(prefect_api: PrefectServer) -> Iterator[httpx.Client]:
    with prefect_api.client() as client:
        yield client


def scheduled_runs(api: httpx.Client, deployment_id: str) -> list[dict[str, Any]]:
    wanted = {
        "deployments": {"id": {"any_": [deployment_id]}},
        "flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}},
        "sort": "EXPECTED_START_TIME_ASC",
    }
    return list(api.post("/flow_runs/filter", json=wanted).raise_for_status().json())


def test_cron_deployment_gets_its_scheduled_runs(prefect_api: PrefectServer, api: httpx.Client, tmp_path: Path):
    (tmp_path / "tick.py").write_text(FLOW, encoding="utf-8")
    (tmp_path / "prefect.yaml").write_text(PREFECT_YAML, encoding="utf-8")
    api.post("/work_pools/", json={"name": "ticks", "type": "process"}).raise_for_status()
    before = datetime.now(SHANGHAI)

    prefect_api.prefect("deploy", "--all", folder=tmp_path)

    deployment = api.get("/deployments/name/tick/nightly").raise_for_status().json()
    until = time.monotonic() + PATIENCE_SECONDS
    while not (runs := scheduled_runs(api, deployment["id"])) and time.monotonic() < until:
        time.sleep(0.5)
    log = prefect_api.log.read_text(encoding="utf-8", errors="replace")
    assert runs, f"no scheduled run in {PATIENCE_SECONDS:.0f} s; the server says:\n{log[-2000:]}"

    starts = [datetime.fromisoformat(run["expected_start_time"]).astimezone(SHANGHAI) for run in runs]
    first = before.replace(hour=3, minute=0, second=0, microsecond=0)
    first += timedelta(days=0 if first > before else 1)
    assert starts == [first + timedelta(days=number) for number in range(len(starts))]
    assert len(starts) >= 2
