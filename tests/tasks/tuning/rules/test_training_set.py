"""Training sets: nothing held out gets in, nothing nearly held out either, nothing personal, the wire's shape."""

from datetime import date
from hashlib import sha256

import orjson
import pytest

from tasks.domain.records import Conversation, Request
from tasks.preparing.prompts import load_prompt
from tasks.reviewing.rules.holdout import HELD_OUT_SHARE, is_held_out
from tasks.reviewing.rules.labels import Label, LabeledExample
from tasks.tuning.rules.training_set import build_training_set, training_line
from tests.tasks.tuning.rules.test_near_duplicates import dialogue, edited

PROMPT = load_prompt("sft-v1")


def labeled(text, issue="退货", content_hash=None):
    content_hash = content_hash or sha256(text.encode()).hexdigest()[:32]
    request = Request(Conversation(content_hash[:6], (), "logs", 1), (), text, "", False, content_hash, "", 0)
    return LabeledExample(date(2026, 11, 22), request, Label(issue, "上门取件", True, None))


ROWS = [labeled(f"用户：{dialogue(seed)}\n客服：好的") for seed in range(400)]


def texts(built):
    return {orjson.loads(line)[0]["prompt"] for line in built.lines}


def test_build_training_set_holds_out_the_same_conversations_whatever_else_is_there():
    built = build_training_set(ROWS, PROMPT)
    held_out = [row for row in ROWS if is_held_out(row.content_hash)]
    assert built.held_out == len(held_out) == pytest.approx(400 * HELD_OUT_SHARE, rel=0.25)
    assert built.rows == 400 - len(held_out)
    assert not texts(built) & {PROMPT.render(row.text) for row in held_out}
    assert texts(build_training_set(ROWS[:200], PROMPT)) <= texts(built)


def test_build_training_set_leaves_out_what_is_nearly_held_out():
    held_out = [row for row in ROWS if is_held_out(row.content_hash)]
    leaks = [labeled(edited(row.text, 3, seed), content_hash="f" * 32) for seed, row in enumerate(held_out)]
    for number, leak in enumerate(leaks):
        built = build_training_set([*held_out[number : number + 1], leak], PROMPT)
        assert (built.rows, built.near_held_out) == (0, 1)


def test_build_training_set_keeps_one_of_near_duplicates():
    text = f"用户：{dialogue(7)}"
    copies = [text, edited(text, 4, 1), edited(text, 5, 2)]
    built = build_training_set(
        [labeled(copy, content_hash=f"{n}" + "f" * 31) for n, copy in enumerate(copies, 4)], PROMPT
    )
    assert (built.rows, built.near_duplicates) == (1, 2)


def test_build_training_set_is_the_same_in_any_order():
    assert build_training_set(ROWS[::-1], PROMPT).content == build_training_set(ROWS, PROMPT).content


def test_build_training_set_counts_every_conversation_once():
    built = build_training_set([*ROWS, *ROWS[:50]], PROMPT)
    assert built.labeled == 400 == built.rows + built.held_out + built.near_held_out + built.near_duplicates


def test_training_line_is_the_nightlys_message_and_the_answer_it_should_get():
    (row,) = orjson.loads(training_line(labeled("用户：想退货\n客服：好的"), PROMPT))
    assert row["prompt"] == PROMPT.render("用户：想退货\n客服：好的")
    assert orjson.loads(row["response"][0][0]) == {
        "用户问题": "退货",
        "客服方案": "上门取件",
        "是否接受": "是",
        "是否负面情绪": "未明确",
    }


def test_training_line_masks_what_a_person_typed():
    line = training_line(labeled("用户：想退货", issue="联系 13812345678 退货"), PROMPT).decode()
    assert "13812345678" not in line
