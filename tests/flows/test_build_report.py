"""Reports anew from the tables, beside whatever else works on the same days."""

import asyncio
import json
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import orjson
import pyarrow.parquet as pq
import pytest
from prefect import flow

from flows.build_report import build_report, main
from flows.summarize_day import summarize_day
from tasks.clients.folder_store import FolderStore
from tasks.reporting.report import aggregate_published, publish_reports
from tasks.reporting.rules.context import NO_CONTEXT
from tasks.warehouse.day_lease import Patience, acquire_day
from tests.benchmarks.months import simulate_month, write_month

pytestmark = pytest.mark.usefixtures("prefect_server")

FIRST, LAST = date(2026, 11, 21), date(2026, 11, 22)


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    """Of a warehouse with two days."""
    messages = [{"role": "user", "text": "什么时候发货？"}, {"role": "agent", "text": "今天下午安排发货。"}]
    rows = [orjson.dumps({"conversation_id": f"c{number}", "messages": messages}) for number in range(7)]
    (tmp_path / "a.jsonl").write_bytes(b"\n".join(rows))
    settings = {"source": str(tmp_path / "a.jsonl"), "warehouse": str(tmp_path / "w")}
    for day in (FIRST, LAST):
        asyncio.run(summarize_day(day, settings))
    return settings


def files(settings: dict[str, str], day: date) -> list[Path]:
    """List the files that are rebuilt for a day."""
    warehouse = Path(settings["warehouse"])
    return [warehouse / f"metrics/day={day}/metrics.parquet", *sorted(warehouse.glob(f"reports/day={day}/*"))]


def spoil(settings: dict[str, str], day: date) -> None:
    for file in files(settings, day):
        file.write_bytes(b"old")


def test_a_range_of_one_day_is_that_day_s_report(settings):
    made = asyncio.run(build_report(LAST, LAST, settings))
    assert Path(made["report"]).parent.name == f"day={LAST}"
    assert [path.name for path in Path(settings["warehouse"]).glob("reports/days=*")] == []


def test_build_report_makes_every_file_as_it_was(settings):
    before = {file: file.read_bytes() for day in (FIRST, LAST) for file in files(settings, day)}
    assert len(before) == 6
    for day in (FIRST, LAST):
        spoil(settings, day)
    made = asyncio.run(build_report(FIRST, LAST, settings))
    assert (made["days"], made["conversations"]) == (2, 14)
    assert "14" in Path(made["report"]).with_suffix(".md").read_text(encoding="utf-8")
    assert {file: file.read_bytes() for file in before} == before


def test_build_report_tells_its_stories_of_tables_without_theme_columns(tmp_path, capsys):
    warehouse = tmp_path / "w"
    month = simulate_month(1, planted=True)
    write_month(month, warehouse)
    for path in (warehouse / "summaries").rglob("*.parquet"):
        pq.write_table(pq.ParquetFile(path).read().drop_columns(["theme", "plan_theme"]), path)
    longest = max(month.planted, key=lambda story: story.last_day - story.first_day)
    day = (longest.first_day + timedelta(days=2)).isoformat()
    assert main(["--start", day, "--end", day, "--warehouse", str(warehouse), "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert {"start", "end", "days", "conversations", "report", "stories"} == set(made)
    assert made["stories"]
    for story in made["stories"]:
        assert {"headline", "theme", "first_day", "last_day", "conversations", "examples"} == set(story)
        assert story["first_day"] <= story["last_day"]
        assert story["conversations"] > 0
        assert all(isinstance(name, str) for name in story["examples"])


def test_build_report_leaves_a_day_to_the_run_that_works_on_it(settings, caplog):
    spoil(settings, FIRST)
    spoil(settings, LAST)
    lease = acquire_day(FolderStore(Path(settings["warehouse"])), LAST, "another", Patience(0, print))
    try:
        made = asyncio.run(build_report(FIRST, LAST, settings))
    finally:
        lease.release()
    assert made["conversations"] == 14
    assert all(file.read_bytes() != b"old" for file in files(settings, FIRST))
    assert all(file.read_bytes() == b"old" for file in files(settings, LAST))
    assert f"The report of {LAST} is left to the run that works on it" in caplog.text


def test_build_report_overwrites_nothing_that_was_published_meanwhile(settings):
    store = FolderStore(Path(settings["warehouse"]))
    published = aggregate_published.fn(store, [FIRST, LAST], ZoneInfo("Asia/Shanghai"))
    asyncio.run(summarize_day(LAST, settings))
    spoil(settings, FIRST)
    spoil(settings, LAST)

    @flow
    def late() -> None:
        publish_reports(store, published, NO_CONTEXT, "late")

    late()
    assert all(file.read_bytes() != b"old" for file in files(settings, FIRST))
    assert all(file.read_bytes() == b"old" for file in files(settings, LAST))
