"""Golden conversations through the flow: hidden among the night's calls, kept apart, and a change is seen."""

import asyncio
import io
from datetime import timedelta
from pathlib import Path

import orjson
import pyarrow.parquet as pq
import pytest

from flows.backfill_days import backfill_days
from flows.summarize_day import summarize_day
from flows.summarize_shard import summarize_shard
from flows.wiring.commands.command_line import format_summary
from tasks.clients.folder_store import FolderStore
from tasks.domain.errors import AnswersChanged
from tasks.warehouse.day_lease import Patience, acquire_day
from tests.builders.small_days import DAY, NUMBER, write_logs
from tests.servers.batch_inference import BatchInferenceServer

pytestmark = pytest.mark.usefixtures("prefect_server")

GOLDEN = 20


def answer(accepted: str) -> str:
    return orjson.dumps(
        {"用户问题": "咨询退款到账时间", "客服方案": "三天内到账", "是否接受": accepted, "是否负面情绪": "否"}
    ).decode()


@pytest.fixture
def golden_nights(asked_day, qianfan, tmp_path):
    """The settings of nights that ask twenty conversations which people labeled, and a model that agrees with them."""
    qianfan.answers = lambda model, prompt: answer("是")
    rows = [
        [{"prompt": f"用户：第{number}笔退款什么时候到\n客服：三天内\n用户：好", "response": [[answer("是")]]}]
        for number in range(GOLDEN + 5)
    ]
    file = tmp_path / "golden.jsonl"
    file.write_bytes(b"\n".join(orjson.dumps(row) for row in rows))
    return asked_day | {"golden": GOLDEN, "golden_labels": str(file)}


def table(warehouse: Path, name: str, back: int = 0) -> list[dict]:
    file = warehouse / name / f"day={DAY + timedelta(days=back)}" / f"{name}.parquet"
    return list(pq.ParquetFile(file).read().to_pylist())


def test_golden_conversations_are_asked_every_night_and_stay_out_of_its_tables(golden_nights, qianfan, tmp_path):
    warehouse = tmp_path / "warehouse"
    tally = asyncio.run(summarize_day(DAY, golden_nights))
    assert (tally.summarized, tally.calls, tally.golden_calls) == (NUMBER, NUMBER + GOLDEN, GOLDEN)
    assert len(table(warehouse, "summaries")) == NUMBER
    first = table(warehouse, "golden")
    assert len(first) == GOLDEN
    assert all(row["accepted_right"] and row["issue_right"] and not row["changed"] for row in first)
    assert "20 段有标准答案的会话" in (warehouse / f"reports/day={DAY}/report.md").read_text(encoding="utf-8")

    again = asyncio.run(summarize_day(DAY, golden_nights))
    assert (again.calls, again.golden_calls) == (0, 0), "a day that is made again buys nothing twice"
    next_night = asyncio.run(summarize_day(DAY + timedelta(days=1), golden_nights))
    assert next_night.golden_calls == GOLDEN
    same = {row["content_hash"] for row in table(warehouse, "golden", back=1)}
    assert same == {row["content_hash"] for row in first}
    assert len(qianfan.arrivals) == NUMBER + 2 * GOLDEN


def test_a_model_that_answers_otherwise_holds_the_night_where_it_is_asked_to(golden_nights, qianfan, tmp_path):
    warehouse, tomorrow = tmp_path / "warehouse", DAY + timedelta(days=1)
    asyncio.run(summarize_day(DAY, golden_nights))
    qianfan.answers = lambda model, prompt: answer("否")
    with pytest.raises(AnswersChanged, match="--no-golden-hold"):
        asyncio.run(summarize_day(tomorrow, golden_nights | {"golden_hold": True}))
    assert not (warehouse / f"runs/day={tomorrow}").exists()
    tally = asyncio.run(summarize_day(tomorrow, golden_nights))
    assert tally.summarized == NUMBER
    assert {row["changed"] for row in table(warehouse, "golden", back=1)} == {True}
    report = (warehouse / f"reports/day={tomorrow}/report.md").read_text(encoding="utf-8")
    assert "模型的回答变了" in report
    assert "是否接受与人工一致的由 100% (20/20) 变为当夜 0% (0/20)" in report


def test_shards_ask_golden_conversations_once_among_their_own(golden_nights, qianfan, tmp_path):
    warehouse = tmp_path / "warehouse"
    warehouse.mkdir()
    lease = acquire_day(FolderStore(warehouse), DAY, "holder", Patience(0, lambda _: None))
    asked = []
    for number in range(3):
        before = len(qianfan.arrivals)
        asyncio.run(summarize_shard(DAY, number, 3, "holder", golden_nights))
        asked.append(len(qianfan.arrivals) - before)
    lease.release()
    assert sum(asked) == NUMBER + GOLDEN
    assert max(asked) < NUMBER + GOLDEN, "one shard has them all"
    tally = asyncio.run(summarize_day(DAY, golden_nights))
    assert (tally.summarized, tally.reused, tally.calls) == (NUMBER, NUMBER, 0)
    assert len(qianfan.arrivals) == NUMBER + GOLDEN
    assert len(table(warehouse, "golden")) == GOLDEN
    assert len(table(warehouse, "summaries")) == NUMBER


def test_a_backfill_asks_golden_conversations_with_each_of_its_days(golden_nights, qianfan, tmp_path):
    tomorrow = DAY + timedelta(days=1)
    for day in (DAY, tomorrow):
        write_logs(tmp_path / str(day), range(NUMBER))
    nights = golden_nights | {"source": str(tmp_path / "{day}")}
    done = asyncio.run(backfill_days(DAY, tomorrow, settings=nights))
    assert [day["status"] for day in done] == ["done", "done"]
    for back in (0, 1):
        rows = table(tmp_path / "warehouse", "golden", back)
        assert len(rows) == GOLDEN
        assert not any(row["changed"] for row in rows)
    assert len(qianfan.arrivals) == NUMBER + 2 * GOLDEN


def test_a_batch_job_answers_golden_conversations_too(golden_nights, bos, qianfan, tmp_path, monkeypatch):
    settings = golden_nights | {
        "warehouse": "bos://kefu-logs/warehouse",
        "summarizer": "qianfan-batch",
        "batch_model": "amv-g73j3faikzpz",
        "batch_look_seconds": 1,
    }
    with BatchInferenceServer(bos, qianfan.url) as server:
        monkeypatch.setenv("QIANFAN_CONSOLE_API_BASE_URL", server.url)
        tally = asyncio.run(summarize_day(DAY, settings))
        assert sum(server.paid.values()) == len(server.paid) == NUMBER + GOLDEN
    assert not qianfan.arrivals
    assert (tally.summarized, tally.calls, tally.golden_calls) == (NUMBER, NUMBER + GOLDEN, GOLDEN)
    file = io.BytesIO(bos.read(f"warehouse/golden/day={DAY}/golden.parquet"))
    assert pq.read_table(file).num_rows == GOLDEN


def test_a_dry_run_counts_golden_conversations_that_are_not_answered_yet(golden_nights, qianfan):
    prices = {"prompt_token_price": 1.0, "completion_token_price": 1.0}
    plain = asyncio.run(summarize_day(DAY, golden_nights | prices | {"dry_run": True, "golden": 0}))
    dry = asyncio.run(summarize_day(DAY, golden_nights | prices | {"dry_run": True}))
    assert (plain.golden_calls, dry.golden_calls) == (0, GOLDEN)
    assert dry.conversations == plain.conversations == NUMBER
    assert (dry.estimated_tokens or 0) > (plain.estimated_tokens or 0) > 0
    assert (dry.estimated_cost or 0) > (plain.estimated_cost or 0) > 0
    assert f"{GOLDEN} golden" in format_summary(dry)
    assert "golden" not in format_summary(plain)
    assert not qianfan.arrivals
    asyncio.run(summarize_day(DAY, golden_nights))
    assert asyncio.run(summarize_day(DAY, golden_nights | {"dry_run": True})).golden_calls == 0
