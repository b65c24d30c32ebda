"""Runs as people see them in the Prefect UI, and the figures that a report compares with."""

import asyncio
import json
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pytest
from prefect.client.orchestration import get_client

from flows.summarize_day import summarize_day

pytestmark = pytest.mark.usefixtures("prefect_server")

DAY = date(2026, 11, 22)


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    messages = [{"role": "user", "text": "什么时候发货？"}, {"role": "agent", "text": "今天下午安排发货。"}]
    folder = tmp_path / "logs"
    folder.mkdir()
    rows = ({"conversation_id": f"c{number}", "messages": messages} for number in range(60))
    (folder / "a.jsonl").write_bytes(b"\n".join(map(orjson.dumps, rows)))
    return folder


def test_a_run_shows_its_counts_its_progress_its_report_and_its_rejects(tmp_path, logs):
    (logs / "b.jsonl").write_text('{"他说：打13800138000\n', encoding="utf-8")
    settings = {"source": str(logs), "warehouse": str(tmp_path / "shown"), "reports_url": "http://shown.example/r/"}

    async def run_id_of() -> Any:
        state: Any = await summarize_day(DAY, settings, return_state=True)
        return state.state_details.flow_run_id

    run_id = asyncio.run(run_id_of())
    with get_client(sync_client=True) as client:
        assert client.read_flow_run(run_id).name == f"summarize-{DAY} · 61 = 60 + 1"
        wanted = {"artifacts": {"flow_run_id": {"any_": [str(run_id)]}}}
        found = client.request("POST", "/artifacts/filter", json=wanted).json()
    shown = {artifact["key"]: artifact["data"] for artifact in found}
    assert set(shown) == {f"progress-{DAY}", f"report-{DAY}", f"rejects-{DAY}"}
    assert "61 = 60 + 1 rejected" in shown[f"progress-{DAY}"]
    assert f"(http://shown.example/r/day%3D{DAY}/report.html)" in shown[f"report-{DAY}"]
    (row,) = json.loads(shown[f"rejects-{DAY}"])
    assert row["例 file:line"].endswith("b.jsonl:1")
    assert "13800138000" not in str(row)


def test_a_report_compares_with_the_days_before(tmp_path, logs):
    settings = {"source": str(logs), "warehouse": str(tmp_path / "w")}
    for day in (date(2026, 11, 20), date(2026, 11, 21), DAY):
        asyncio.run(summarize_day(day, settings))
    reports = [(tmp_path / f"w/reports/day=2026-11-{day}/report.md").read_text(encoding="utf-8") for day in (20, 22)]
    assert "前 2 天" not in reports[0]
    assert "前 2 天" in reports[1]
