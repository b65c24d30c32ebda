"""A shop's own questions: answered about a published day, typed, versioned, and paid for once."""

import asyncio
from datetime import date

import orjson
import pyarrow.parquet as pq
import pytest

from flows.ask_questions import ask_questions
from flows.summarize_day import summarize_day
from tasks.domain.errors import NoTables, UsageError
from tasks.warehouse.rules.tables import QUESTION_ANSWERS
from tests.tasks.questions.test_typed_answers import FILE

pytestmark = pytest.mark.usefixtures("prefect_server")

DAY = date(2026, 11, 22)
HAPPY = '{"用户问题": "催单", "客服方案": "加急", "是否接受": "是", "是否负面情绪": "否"}'
ANGRY = HAPPY.replace('"是否负面情绪": "否"', '"是否负面情绪": "是"')
ANSWERS = '{"promised": "是", "channel_wanted": "电话", "politeness": 4, "lesson": null}'


@pytest.fixture
def settings(accounts, qianfan, tmp_path):
    """Forty conversations, ten of them angry; a model that answers questions, but to one conversation none."""
    lines = [
        {
            "conversation_id": f"c{number:03}",
            "messages": [
                {"role": "user", "text": f"第{number:02}件{'太气人了' if number % 4 == 0 else '商品'}什么时候发货？"},
                {"role": "agent", "text": "今天下午安排发货。"},
            ],
        }
        for number in range(40)
    ]
    (tmp_path / "logs.jsonl").write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
    (tmp_path / "questions.toml").write_text(FILE, encoding="utf-8")

    def answer(endpoint, prompt):
        if "promised" in prompt:
            return "我不知道。" if "第08件" in prompt else ANSWERS
        return ANGRY if "太气人了" in prompt else HAPPY

    qianfan.answers = answer
    settings = {
        "source": str(tmp_path / "logs.jsonl"),
        "warehouse": str(tmp_path / "w"),
        "summarizer": "qianfan",
        "endpoint": "sft",
    }
    asyncio.run(summarize_day(DAY, settings))
    return settings | {"questions": str(tmp_path / "questions.toml")}


def ask(settings, **args):
    return asyncio.run(ask_questions(DAY, settings=settings, **args))


def test_ask_questions_answers_a_stratum_into_a_table_and_pays_once(settings):
    made = ask(settings, of="negative")
    assert (made["chosen"], made["asked"], made["answered"], made["calls"]) == (10, 10, 9, 10)
    table = pq.ParquetFile(made["table"].removeprefix("file://")).read()
    assert table.schema.remove_metadata() == QUESTION_ANSWERS.remove_metadata()
    assert len(table) == 9 * 4
    rows = {(row["conversation_id"], row["question"]): row for row in table.to_pylist()}
    assert rows["c000", "promised"]["yes"] is True
    assert rows["c000", "politeness"]["score"] == 4
    assert rows["c000", "lesson"]["text"] is None

    assert ask(settings, of="negative")["calls"] == 0
    everybody = ask(settings)
    assert (everybody["asked"], everybody["calls"]) == (40, 30)
    assert 0 < ask(settings, share=0.5)["asked"] < 40


def test_ask_questions_refuses_what_cannot_be_asked(settings):
    for wrong, args in (
        ({"questions": ""}, {}),
        ({"questions": "none.toml"}, {}),
        ({"summarizer": "offline"}, {}),
        ({}, {"of": "some"}),
        ({}, {"share": 0.0}),
    ):
        with pytest.raises(UsageError):
            ask(settings | wrong, **args)
    with pytest.raises(NoTables, match="summarize that day first"):
        asyncio.run(ask_questions(date(2020, 1, 1), settings=settings))
