"""Golden conversations through the flow: hidden among the night's calls, kept apart, and a change is seen."""

import asyncio
from datetime import timedelta
from pathlib import Path

import orjson
import pyarrow.parquet as pq
import pytest

from flows.summarize_day import summarize_day
from tasks.domain.errors import AnswersChanged
from tests.builders.small_days import DAY, NUMBER

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
