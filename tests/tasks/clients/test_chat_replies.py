import json

import pytest

from tasks.clients.chat_replies import completion_reply
from tasks.domain.records import Reply

ANSWER = json.dumps(
    {"用户问题": "发票抬头写错", "客服方案": "重新开具", "是否接受": "是", "是否负面情绪": "否"}, ensure_ascii=False
)
THOUGHTS = "先看用户说了什么。{这是花括号}\n客服答应重开，所以："


def replied(message: dict[str, object], finish: str = "stop") -> Reply:
    body = {"choices": [{"index": 0, "message": message, "finish_reason": finish}]}
    return completion_reply(json.dumps(body).encode(), {}, "http://localhost")


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
@pytest.mark.parametrize("form", ["{}", "```json\n{}\n```", "{}\n\n"])
def test_an_object_that_ends_the_thoughts_is_the_answer(name, form):
    reply = replied({"content": None, name: THOUGHTS + form.format(ANSWER)})
    assert (reply.text, reply.lost_to_thinking, reply.thought) == (ANSWER, False, True)


@pytest.mark.parametrize(
    ("thoughts", "finish"),
    [
        (THOUGHTS + ANSWER, "length"),
        (THOUGHTS + ANSWER + "不对，再想想", "stop"),
        (THOUGHTS + '{"用户问题": "发票抬头写错", "是否接受": "是"}', "stop"),
        (THOUGHTS + ANSWER[:-1], "stop"),
        (THOUGHTS, "stop"),
    ],
    ids=["cut off", "thinks on", "half a record", "no end", "no record"],
)
def test_thoughts_without_such_an_end_are_no_answer(thoughts, finish):
    assert replied({"content": "", "reasoning_content": thoughts}, finish).lost_to_thinking


def test_an_answer_of_its_own_goes_before_what_the_thoughts_end_with():
    other = ANSWER.replace("是", "否")
    assert replied({"content": ANSWER, "reasoning_content": THOUGHTS + other}).text == ANSWER


def test_half_an_emoji_in_a_reply_costs_no_second_call():
    body = b'{"choices": [{"message": {"content": "\\u597d\\ud83d"}, "finish_reason": "stop"}]}'
    assert completion_reply(body, {}, "http://localhost").text == "好\ufffd"
