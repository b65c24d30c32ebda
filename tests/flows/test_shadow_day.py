"""A candidate beside the night: asked about the same few, kept apart, and never the night's problem."""

import asyncio
from datetime import date
from pathlib import Path

import orjson
import pyarrow.parquet as pq
import pytest

from flows.shadow_day import shadow_day
from flows.summarize_day import summarize_day
from tasks.domain.errors import NoTables, UsageError
from tasks.warehouse.rules.tables import SHADOWS

pytestmark = pytest.mark.usefixtures("prefect_server")

DAY = date(2026, 11, 22)
YES = '{"用户问题": "催单", "客服方案": "加急", "是否接受": "是", "是否负面情绪": "否"}'
NO = YES.replace('"是否接受": "是"', '"是否接受": "否"')


@pytest.fixture
def settings(accounts, qianfan, tmp_path):
    """Eighty conversations; the serving model says yes to all but refuses some, the candidate says no."""
    lines = [
        {
            "conversation_id": f"c{number:03}",
            "messages": [
                {"role": "user", "text": f"第{number}件商品什么时候发货？"},
                {"role": "agent", "text": "今天下午安排发货。"},
            ],
        }
        for number in range(80)
    ]
    (tmp_path / "logs.jsonl").write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in [*lines, lines[0]]))
    refused = "抱歉，我无法回答这个问题。"
    qianfan.answers = lambda endpoint, prompt: NO if endpoint == "new" else refused if "第7" in prompt else YES
    return {
        "source": str(tmp_path / "logs.jsonl"),
        "warehouse": str(tmp_path / "w"),
        "summarizer": "qianfan",
        "endpoint": "old",
        "shadow_endpoint": "new",
        "shadow_share": 0.4,
    }


def night(settings):
    return asyncio.run(summarize_day(DAY, settings))


def files(settings, *tables):
    root = Path(settings["warehouse"])
    return {str(path): path.read_bytes() for table in tables for path in root.glob(f"{table}/day={DAY}/*.parquet")}


def test_summarize_day_asks_the_candidate_about_the_same_few_into_a_table_of_its_own(settings, qianfan):
    tally = night(settings)
    assert tally.calls == 80
    table = pq.ParquetFile(f"{settings['warehouse']}/shadows/day={DAY}/new.parquet").read()
    assert table.schema.remove_metadata() == SHADOWS.remove_metadata()
    assert 15 < len(table) < 50
    assert set(table["accepted"].to_pylist()) == {False}
    summaries = pq.ParquetFile(f"{settings['warehouse']}/summaries/day={DAY}/summaries.parquet").read()
    assert set(summaries["accepted"].to_pylist()) == {True}
    assert sum(qianfan.delivered.values()) == 80 + len(table)

    published = files(settings, "summaries")
    again = night(settings)
    assert (again.calls, again.reused) == (0, 80)
    assert sum(qianfan.delivered.values()) == 80 + len(table)
    assert files(settings, "summaries") == published

    made = asyncio.run(shadow_day(DAY, settings))
    assert (made["asked"], made["summarized"], made["calls"]) == (len(table), len(table), 0)
    assert made["both"] == made["summarized_by_serving"] < made["asked"]
    assert (made["same_accepted"], made["same_negative_sentiment"]) == (0, made["both"])
    assert f"<td>{made['both']}</td>" in Path(made["page"]).read_text(encoding="utf-8")
    assert asyncio.run(shadow_day(DAY, settings | {"shadow_share": 0.1}))["asked"] < made["asked"]


@pytest.mark.parametrize("trouble", ["down", "misnamed"])
def test_summarize_day_does_not_care_how_the_candidate_fails(settings, qianfan, trouble):
    right = qianfan.answers
    if trouble == "misnamed":
        settings |= {"shadow_endpoint": "not an endpoint"}
    else:

        def broken(endpoint, prompt):
            if endpoint == "new":
                qianfan.behavior.faults = {"http_500": 1.0}
            return right(endpoint, prompt)

        qianfan.answers = broken
        settings |= {"give_up_seconds": 1.0, "max_attempts": 2}
    tally = night(settings)
    assert tally.summarized + tally.rejected == 81
    assert files(settings, "summaries", "runs")
    assert trouble == "down" or not files(settings, "shadows")


def test_shadow_day_needs_a_candidate_and_a_published_day(settings):
    with pytest.raises(UsageError, match="--shadow-endpoint"):
        asyncio.run(shadow_day(DAY, settings | {"shadow_endpoint": ""}))
    Path(settings["warehouse"]).mkdir()
    with pytest.raises(NoTables, match="summarize that day first"):
        asyncio.run(shadow_day(DAY, settings))
