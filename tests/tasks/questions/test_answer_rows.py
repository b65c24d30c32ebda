from dataclasses import replace

import pyarrow.parquet as pq
import pytest

from tasks.domain.records import Answer, Conversation, GivenUp, Request, Turn
from tasks.questions import answer_rows
from tasks.questions.answer_rows import SameCallAnswers
from tests.builders.answers import ANSWER
from tests.tasks.questions.test_typed_answers import QUESTIONS

VERSION = f"general-v1.{QUESTIONS.version}"
ANSWERED = '{"用户问题": "催单", "promised": "是"}'


def answered(number: int, prompt_version: str = VERSION, text: str = ANSWERED) -> tuple[Request, Answer]:
    conversation = Conversation(f"c{number}", (Turn("user", "在吗"),), "logs", number)
    request = Request(conversation, conversation.turns, "在吗", "", False, f"h{number}", "", 0)
    return request, replace(ANSWER, prompt_version=prompt_version, text=text)


@pytest.fixture
def gathered(tmp_path, monkeypatch):
    """Everything a run gathers, a few rows in memory at a time."""
    monkeypatch.setattr(answer_rows, "_ROWS_AT_A_TIME", 3)
    return SameCallAnswers(QUESTIONS, VERSION, tmp_path / "answers.parquet")


def test_every_conversation_has_a_row_for_each_question(gathered):
    for number in range(5):
        gathered.add(*answered(number))
    table = pq.read_table(gathered.finish())
    assert (gathered.conversations, len(table)) == (5, 5 * len(QUESTIONS.questions))
    assert {row["conversation_id"] for row in table.to_pylist() if row["yes"]} == {f"c{number}" for number in range(5)}


@pytest.mark.parametrize("version", ["general-v1", f"general-v1.{QUESTIONS.version}x", "general-v1.questions-00000000"])
def test_an_answer_to_another_prompt_says_nothing_of_these_questions(gathered, version):
    gathered.add(*answered(1, version))
    assert len(pq.read_table(gathered.finish())) == 0


def test_another_model_s_prompt_with_the_same_questions_counts_under_its_own_version(gathered):
    gathered.add(*answered(1, f"sft-v1.{QUESTIONS.version}"))
    assert set(pq.read_table(gathered.finish())["questions_version"].to_pylist()) == {f"sft-v1.{QUESTIONS.version}"}


def test_a_reject_and_an_answer_without_the_questions_have_no_rows(gathered):
    gathered.add(*answered(1, text='{"用户问题": "催单"}'))
    gathered.add(*answered(2, text='{"promised": "是"}'))
    gathered.add(answered(3)[0], GivenUp("no answer", 5))
    assert len(pq.read_table(gathered.finish())) == 0
