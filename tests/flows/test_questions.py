"""A shop's own questions: answered about a published day, typed, versioned, and paid for once."""

import asyncio
import os
import time
from datetime import date
from pathlib import Path

import orjson
import pyarrow.parquet as pq
import pytest
from openpyxl import load_workbook

from flows.ask_questions import ask_questions, main
from flows.erase_customer import erase_customer
from flows.summarize_day import summarize_day
from tasks.clients.folder_store import FolderStore
from tasks.domain.errors import NoTables, UsageError
from tasks.warehouse.rules.tables import QUESTION_ANSWERS
from tests.chaos import forked
from tests.tasks.questions.test_typed_answers import FILE

pytestmark = pytest.mark.usefixtures("prefect_server")

DAY = date(2026, 11, 22)
HAPPY = '{"用户问题": "催单", "客服方案": "加急", "是否接受": "是", "是否负面情绪": "否"}'
ANGRY = HAPPY.replace('"是否负面情绪": "否"', '"是否负面情绪": "是"')
ANSWERS = '{"promised": "是", "channel_wanted": "电话", "politeness": 4, "lesson": null}'


@pytest.fixture
def unpublished(accounts, qianfan, tmp_path):
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
    return {
        "source": str(tmp_path / "logs.jsonl"),
        "warehouse": str(tmp_path / "w"),
        "summarizer": "qianfan",
        "endpoint": "sft",
        "questions": str(tmp_path / "questions.toml"),
    }


@pytest.fixture
def settings(unpublished):
    """The day, published."""
    asyncio.run(summarize_day(DAY, unpublished))
    return unpublished


def test_ask_questions_judges_the_answers_by_people_s(settings, tmp_path):
    labels = [{"conversation_id": f"c{number:03}", "promised": number % 2 == 0, "politeness": 5} for number in range(8)]
    (tmp_path / "labels.jsonl").write_bytes(b"\n".join(map(orjson.dumps, labels)))
    judged = ask(settings, labels=str(tmp_path / "labels.jsonl"))["judged"]
    assert (judged["promised"]["labeled"], judged["promised"]["accuracy"]) == (8, 0.5)
    assert (judged["politeness"]["accuracy"], judged["politeness"]["mean_distance"]) == (0.0, 1.0)
    with pytest.raises(UsageError, match="can't be read"):
        ask(settings, labels="none.jsonl")


def test_people_answer_in_a_sheet_that_judges_the_model(settings, tmp_path):
    made = ask(settings, of="negative", sheet=str(tmp_path / "sheet.xlsx"))
    assert made["sheet"] == str(tmp_path / "sheet.xlsx")
    book = load_workbook(tmp_path / "sheet.xlsx")
    sheet = book.worksheets[0]
    assert sheet.max_row == 1 + 9  # of the conversation without an answer there is nothing to judge
    assert "太气人了" in str(sheet.cell(2, 2).value)
    for row in range(2, 11):
        for place, said in enumerate(("是", "短信" if row == 2 else "电话", 6 if row == 3 else 4)):
            sheet.cell(row, 3 + place).value = said
    book.save(tmp_path / "sheet.xlsx")
    judged = ask(settings, of="negative", labels=str(tmp_path / "sheet.xlsx"))
    assert judged["calls"] == 0
    assert {name: (figures["labeled"], figures["accuracy"]) for name, figures in judged["judged"].items()} == {
        "promised": (9, 1.0),
        "channel_wanted": (9, round(8 / 9, 4)),
        "politeness": (8, 1.0),
    }
    assert [message.partition("：")[0] for message in judged["refused"]] == ["第 3 行，“politeness"]


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
        ({}, {"sheet": "review.ods"}),
    ):
        with pytest.raises(UsageError):
            ask(settings | wrong, **args)
    with pytest.raises(NoTables, match="summarize that day first"):
        asyncio.run(ask_questions(date(2020, 1, 1), settings=settings))


def night(settings, **more):
    return asyncio.run(summarize_day(DAY, settings | {"questions_same_call": True} | more))


def answers_of(settings):
    folder = Path(settings["warehouse"]) / "question_answers" / f"day={DAY}"
    return {path.stem: pq.ParquetFile(path).read() for path in folder.iterdir()}


def test_questions_in_the_same_call_are_answered_and_published_with_the_day(unpublished, qianfan):
    def answer(endpoint, prompt):
        assert prompt.index("第") < prompt.index("promised")  # behind the conversation
        if "第08件" in prompt:
            return HAPPY
        return "我不知道。" if "第09件" in prompt else HAPPY[:-1] + ", " + ANSWERS[1:]

    qianfan.answers = answer
    tally = night(unpublished)
    assert (tally.summarized, tally.rejected, tally.calls) == (39, 1, 40)
    ((version, table),) = answers_of(unpublished).items()
    assert version == tally.prompt_version
    assert table.schema.remove_metadata() == QUESTION_ANSWERS.remove_metadata()
    rows = {(row["conversation_id"], row["question"]): row for row in table.to_pylist()}
    assert len(rows) == len(table) == 38 * 4
    assert rows["c000", "promised"]["yes"] is True
    assert rows["c000", "politeness"]["score"] == 4
    assert {row["questions_version"] for row in rows.values()} == {version}
    assert not {"c008", "c009"} & {conversation for conversation, _ in rows}

    again = night(unpublished)
    assert again.calls == 0
    assert len(answers_of(unpublished)[version]) == 38 * 4


def test_other_questions_are_another_version_and_are_asked_anew(unpublished, tmp_path, qianfan):
    qianfan.answers = lambda endpoint, prompt: HAPPY[:-1] + ", " + ANSWERS[1:]
    first = night(unpublished)
    (tmp_path / "questions.toml").write_text(FILE.replace("电话", "来电"), encoding="utf-8")
    assert night(unpublished).calls == 0  # a summary is not bought again for a new question
    assert {name: len(table) for name, table in answers_of(unpublished).items()}.pop(first.prompt_version) == 160
    second = night(unpublished, overwrite=True)
    assert first.prompt_version != second.prompt_version
    assert second.calls == 40
    assert set(answers_of(unpublished)) == {first.prompt_version, second.prompt_version}


def test_questions_in_the_same_call_need_a_model_that_may_answer_them(unpublished):
    for wrong in ({"summarizer": "offline"}, {"response_format": "json_schema"}, {"questions": ""}):
        with pytest.raises(UsageError):
            night(unpublished, **wrong)


def test_an_erasure_waits_for_questions_under_way(settings, qianfan, tmp_path):
    qianfan.behavior.latency_median = 0.3
    asked = forked(lambda: os._exit(asked_about(settings)))
    before = len(qianfan.delivered)
    wait_until(lambda: len(qianfan.delivered) > before)
    FolderStore(tmp_path / "w").write_path("_private/erase/asked.txt", b"conversation c000\n")
    erased = asyncio.run(erase_customer("asked.txt", True, {"warehouse": settings["warehouse"]}))
    assert os.waitstatus_to_exitcode(os.waitpid(asked, 0)[1]) == 0
    assert (erased["touched"]["question_answers"], erased["left"]) == (1, [])
    (table,) = (tmp_path / "w" / "question_answers").rglob("*.parquet")
    assert len(set(pq.ParquetFile(table).read()["conversation_id"].to_pylist())) == 38


def asked_about(settings) -> int:
    flags = [f"--{name}={value}" for name, value in settings.items()]
    return main(["--day", DAY.isoformat(), "--concurrency=2", *flags])


def wait_until(true, seconds=180.0) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it did not come to that"
        time.sleep(0.01)
