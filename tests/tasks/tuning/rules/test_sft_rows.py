"""SFT rows as dialogues and labels, and who has not been trained on."""

from datetime import date

import orjson
import pytest

from tasks.domain.errors import UsageError
from tasks.domain.records import Conversation, Request
from tasks.preparing.prompts import Prompt, load_prompt
from tasks.reviewing.rules.labels import Label, LabeledExample
from tasks.tuning.rules.sft_rows import dialogue_in, is_sft_line, read_sft_rows
from tasks.tuning.rules.unseen import unseen
from tests.tasks.tuning.rules.test_near_duplicates import dialogue, edited

PROMPT = load_prompt("sft-v1")
TALK = "用户：想换大一码\n客服：好的，给您换\n用户：可以"
ANSWER = '{"用户问题": "换码", "客服方案": "换大一码", "是否接受": "是", "是否负面情绪": "否"}'


def line(prompt, answer=ANSWER):
    return orjson.dumps([{"prompt": prompt, "response": [[answer]]}])


def test_read_sft_rows_takes_the_dialogue_out_of_the_prompt_and_reads_the_answer():
    (row,) = read_sft_rows([b"", line(PROMPT.render(TALK))], "f", PROMPT)
    assert row.dialogue == TALK
    assert row.label() == Label("换码", "换大一码", True, False)
    (row,) = read_sft_rows([line(TALK, "抱歉")], "f", PROMPT)
    assert row.label() is None


@pytest.mark.parametrize("asked", [f"请概括下面的对话。\n\n{TALK}", TALK, f"对话：{TALK}"])
def test_dialogue_in_finds_the_dialogue_behind_another_prompt(asked):
    assert dialogue_in(asked, Prompt("x", "另一个提示词：{conversation}")) == TALK


@pytest.mark.parametrize("wrong", [b"{", b"[]", b'{"prompt": 1}', b"3", b'[{"prompt": "x", "response": []}]'])
def test_read_sft_rows_names_the_line_that_is_none(wrong):
    with pytest.raises(UsageError, match="f, line 2: no SFT row"):
        list(read_sft_rows([line(TALK), wrong], "f", PROMPT))


def test_is_sft_line_tells_rows_from_labels():
    assert is_sft_line(line(TALK))
    assert is_sft_line(b'{"prompt": "x", "response": [["y"]]}')
    assert not is_sft_line(b'{"conversation_id": "c1", "issue": null}')


def labeled(text):
    request = Request(Conversation("c", (), "", 1), (), text, "", False, "0" * 32, "", 0)
    return LabeledExample(date(2026, 11, 22), request, Label(None, None, None, None))


def test_unseen_leaves_out_what_was_trained_on_and_what_nearly_was():
    """No examination on what was trained on."""
    texts = [dialogue(seed) for seed in range(60)]
    trained = [*texts[:20], *(edited(text, 3, seed) for seed, text in enumerate(texts[20:40]))]
    found = unseen([labeled(text) for text in texts], trained)
    assert [example.text for example in found] == texts[40:]
    assert unseen([labeled(text) for text in texts], []) == [labeled(text) for text in texts]
