"""A request and its answer become a row or a reject that may be stored."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.domain.records import Answer, Conversation, GivenUp, Outcome, Reject, Summarized, Turn
from tasks.parsing.rows import row_or_reject, rows_or_rejects
from tasks.preparing.masking import forget
from tasks.preparing.prompts import Prompt
from tasks.preparing.requests import prepare
from tests.builders.answers import ANSWER

PHONE, MAIL = "13912345678", "mei@example.com"


TURNS = (Turn("user", "一直没收到货"), Turn("agent", "马上补发"), Turn("user", "好"))


def row(text: str, turns: tuple[Turn, ...] = TURNS, *, masks: bool = True) -> Summarized | Reject:
    logged = Conversation("c-1", turns, "log.jsonl", 1)
    request = prepare(logged, prompt=Prompt("t", "{conversation}"), model="m", max_input_tokens=4000)
    return row_or_reject(request if masks else replace(request, replacements=None), replace(ANSWER, text=text))


def test_what_a_model_writes_is_masked_before_it_is_stored():
    said = {
        "用户问题": f"没收到货，电话{PHONE}",
        "客服方案": f"补发，发到{MAIL}",
        "是否接受": "是",
        "是否负面情绪": "否",
    }
    found = row(json.dumps(said, ensure_ascii=False))
    assert isinstance(found, Summarized)
    assert (found.fields.issue, found.fields.plan) == ("没收到货，电话[手机号]", "补发，发到[邮箱]")


def test_a_quote_of_the_conversation_says_what_the_conversation_does():
    turns = (Turn("user", "商品编号：123456789012坏了，怎么办"), Turn("agent", f"打{PHONE}"), Turn("agent", "马上补发"))
    said = {"用户问题": "123456789012坏了", "客服方案": "打[手机号]；马上补发", "是否接受": "马上补发；987654321098"}
    found = row(json.dumps(said, ensure_ascii=False), turns)
    assert isinstance(found, Summarized)
    assert (found.fields.issue, found.fields.plan) == ("123456789012坏了", "打[手机号]；马上补发")
    assert found.fields.accepted_text == "马上补发；[订单号]"


@pytest.mark.parametrize("text", [f"没法概括：{PHONE}", f"\x1b[31m{MAIL}\u202e"])
def test_an_answer_that_nobody_can_read_is_kept_masked_and_inert(text):
    found = row(text)
    assert isinstance(found, Reject)
    assert not any(sign in found.raw_output for sign in (PHONE, MAIL, "\x1b", "\u202e"))


def test_where_nothing_is_masked_the_answer_stays():
    said = {"用户问题": f"电话{PHONE}", "客服方案": "补发", "是否接受": "是", "是否负面情绪": "否"}
    found = row(json.dumps(said, ensure_ascii=False), masks=False)
    assert isinstance(found, Summarized)
    assert found.fields.issue == f"电话{PHONE}"


KEYS = ("用户问题", "客服方案", "是否接受", "是否负面情绪")

UNUSABLE: tuple[Outcome, ...] = ("refused", "too_long", "broken")

SAID = st.lists(
    st.sampled_from(["一直没收到货", "马上补发", "；", PHONE, MAIL, "收货人王小明", "订单", "。", "是", "否", "1"])
).map("".join)

ANSWERS = st.one_of(
    st.builds(GivenUp, SAID, st.just(5)),
    st.builds(
        lambda texts: replace(ANSWER, text=json.dumps(dict(zip(KEYS, texts, strict=False)), ensure_ascii=False)),
        st.lists(SAID, max_size=4),
    ),
    SAID.map(lambda text: replace(ANSWER, text=text)),
    st.sampled_from(UNUSABLE).map(lambda outcome: replace(ANSWER, outcome=outcome)),
)


@given(st.lists(st.tuples(SAID, st.booleans(), ANSWERS), max_size=8))
def test_rows_of_many_are_those_of_each(rows):
    requests = []
    answers: list[Answer | GivenUp] = []
    for words, masks, answer in rows:
        logged = Conversation("c-1", (*TURNS, Turn("user", words or "好")), "log.jsonl", 1)
        request = prepare(logged, prompt=Prompt("t", "{conversation}"), model="m", max_input_tokens=4000)
        requests.append(request if masks else replace(request, replacements=None))
        answers.append(answer)
    forget()
    together = rows_or_rejects(requests, answers)
    forget()
    assert together == [row_or_reject(request, answer) for request, answer in zip(requests, answers, strict=True)]
