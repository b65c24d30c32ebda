"""A request and its answer become a row or a reject that may be stored."""

import json
from dataclasses import replace

import pytest

from tasks.domain.records import Conversation, Reject, Summarized, Turn
from tasks.parsing.rows import row_or_reject
from tasks.preparing.prompts import Prompt
from tasks.preparing.requests import prepare
from tests.builders.answers import ANSWER

PHONE, MAIL = "13912345678", "mei@example.com"


def row(text: str, *, masks: bool = True) -> Summarized | Reject:
    turns = (Turn("user", "一直没收到货"), Turn("agent", "马上补发"), Turn("user", "好"))
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
