import json
from typing import Any

import pytest

from tasks.clients.chat_replies import completion_reply
from tasks.clients.http_faults import status_fault
from tasks.domain.errors import ContentRefused, QuotaRefused, ReplyUnreadable, TransientFault
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


def completion(**more: object) -> dict[str, object]:
    return {
        "choices": [{"index": 0, "message": {"role": "assistant", "content": ANSWER}, "finish_reason": "stop", **more}]
    }


def read(body: object) -> Reply:
    return completion_reply(body if isinstance(body, bytes) else json.dumps(body).encode(), {}, "http://localhost")


PIECE = {"choices": [{"index": 0, "delta": {"content": ANSWER}, "finish_reason": None}]}
END = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
STREAM = f"data: {json.dumps(PIECE)}\n\ndata: {json.dumps(END)}\n\ndata: [DONE]\n\n"
SHAPES: dict[str, Any] = {
    "comments that keep the connection open": b": PROCESSING\n\n: PROCESSING\n\n" + json.dumps(completion()).encode(),
    "blank lines that keep it open": b"\n\n\n" + json.dumps(completion()).encode(),
    "a proxy's remark behind it": json.dumps(completion()).encode() + b"\n<!-- proxy -->",
    "the reply twice": json.dumps(completion()).encode() * 2,
    "a stream in lines of Windows": STREAM.replace("\n", "\r\n").encode(),
    "a stream of objects": f"{json.dumps(PIECE)}\n{json.dumps(END)}\n".encode(),
    "a stream of Ollama's": b"\n".join(
        json.dumps({"message": {"content": words}, "done": False}).encode() for words in (ANSWER[:9], ANSWER[9:])
    ) + b'\n{"done": true, "choices": [{"delta": {}, "finish_reason": "stop"}]}',
    "data over several lines": ("data: " + json.dumps(PIECE, indent=1).replace("\n", "\ndata: ") + "\n\ndata: " + json.dumps(END)).encode(),
    "an envelope": {"code": 0, "msg": "ok", "data": completion()},
    "JSON in a string": json.dumps(completion()),
    "GBK": json.dumps(completion(), ensure_ascii=False).encode("gbk"),
    "an error that is none": {**completion(), "error": {}},
    "a text completion": {"choices": [{"text": ANSWER, "finish_reason": "stop"}]},
    "a delta for a message": {"choices": [{"delta": {"content": ANSWER}, "finish_reason": "stop"}]},
    "an empty choice before it": {"choices": [{"message": {"content": ""}}, {"message": {"content": ANSWER}, "finish_reason": "stop"}]},
    "Responses": {"output": [{"type": "reasoning"}, {"type": "message", "content": [{"type": "output_text", "text": ANSWER}]}]},
    "Ollama": {"message": {"role": "assistant", "content": ANSWER}, "done": True, "done_reason": "stop"},
    "Anthropic": {"content": [{"type": "text", "text": ANSWER}], "stop_reason": "end_turn"},
    "Gemini": {"candidates": [{"content": {"parts": [{"text": "想", "thought": True}, {"text": ANSWER}]}, "finishReason": "STOP"}]},
    "DashScope": {"output": {"choices": [{"message": {"content": ANSWER}, "finish_reason": "stop"}]}},
    "DashScope's text": {"output": {"text": ANSWER, "finish_reason": "stop"}},
    "Qianfan's first interface": {"id": "as-1", "result": ANSWER, "is_truncated": False},
    "a text in an object": completion(message={"content": [{"type": "text", "text": {"value": ANSWER}}]}),
    "the answer as an object": completion(message={"content": json.loads(ANSWER)}),
    "a custom tool's input": completion(message={"content": "好的", "tool_calls": [{"custom": {"input": ANSWER}}]}),
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
def test_a_paid_answer_is_read_in_whatever_shape_a_gateway_sends_it(shape):
    reply = read(SHAPES[shape])
    assert json.loads(reply.text) == json.loads(ANSWER)
    assert (reply.cut_off, reply.refused, reply.lost_to_thinking) == (False, False, False)


TOLD: dict[str, Any] = {
    "Responses": {"usage": {"input_tokens": 70, "output_tokens": 9}},
    "Ollama": {"prompt_eval_count": 70, "eval_count": 9},
    "Anthropic": {"usage": {"input_tokens": 20, "cache_read_input_tokens": 50, "output_tokens": 9}},
    "Gemini": {"usageMetadata": {"promptTokenCount": 70, "candidatesTokenCount": 5, "thoughtsTokenCount": 4}},
    "DashScope": {"usage": {"input_tokens": 70, "output_tokens": 9}},
    "DashScope's text": {"usage": {"input_tokens": 70, "output_tokens": 9}},
    "Qianfan's first interface": {"usage": {"prompt_tokens": 70, "completion_tokens": 9}},
    "an envelope": {"usage": {"prompt_tokens": 70, "completion_tokens": 9}},
    "a text completion": {"usage": {"input_tokens": 70, "output_tokens": 9}},
}


@pytest.mark.parametrize("shape", TOLD)
def test_what_a_paid_answer_took_is_counted_in_whatever_shape_it_comes(shape):
    told = SHAPES[shape] | TOLD[shape]
    if shape == "an envelope":
        told["data"] = {name: value for name, value in told["data"].items() if name != "usage"}
    reply = read(told)
    assert (reply.prompt_tokens, reply.completion_tokens) == (70, 9)


@pytest.mark.parametrize(
    "usage", [None, [], "9", {"input_tokens": "many", "output_tokens": True}, {"input_tokens": -1}]
)
def test_a_usage_that_is_none_counts_nothing(usage):
    assert read({**completion(), "usage": usage}).prompt_tokens == 0


def test_a_separator_in_the_words_parts_no_stream():
    piece = {"choices": [{"delta": {"content": "漏\u2028水"}, "finish_reason": "stop"}]}
    assert read(f"data: {json.dumps(piece, ensure_ascii=False)}\n\n".encode()).text == "漏\u2028水"


@pytest.mark.parametrize("finish", ["length", "MAX_TOKENS", "max_output_tokens", "model_context_window_exceeded"])
def test_an_answer_at_its_length_limit_is_cut_off(finish):
    assert replied({"content": ANSWER[:30]}, finish).cut_off


@pytest.mark.parametrize("finish", ["content-filter", "SAFETY", "RECITATION", "guardrail_intervened"])
def test_a_filter_that_ends_the_answer_refuses(finish):
    assert replied({"content": ""}, finish).refused


@pytest.mark.parametrize("finish", ["server_error", "failed", "incomplete", "OTHER", "preempted"])
def test_an_answer_that_the_service_broke_off_is_asked_for_again(finish):
    with pytest.raises(ReplyUnreadable, match="broke the answer off"):
        replied({"content": ANSWER[:30]}, finish)


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        ({"code": 429, "message": "rate limit exceeded"}, QuotaRefused),
        ({"message": "Rate limit exceeded, retry later"}, QuotaRefused),
        ({"code": 502, "message": "upstream"}, TransientFault),
        ({"code": 500, "message": "upstream", "text": "busy"}, TransientFault),
        ({"code": 403, "message": "Input was flagged by moderation"}, ContentRefused),
    ],
)
def test_an_error_in_a_successful_reply_means_what_its_own_code_says(error, fault):
    with pytest.raises(fault):
        read({"error": error})


ENDS = {
    "refused": "content_filter SAFETY IMAGE_SAFETY sensitive guardrails violation unsafe risk_control ERROR_TOXIC",
    "cut": "length MAX_TOKENS FINISH_REASON_MAX_TOKENS max_tokens_reached context_length_exceeded ERROR_LIMIT repetition",
    "broken": "error abort overloaded engine_error stream_error unexpected_eof time_limit insufficient_system_resource",
    "whole": "stop STOP eos end_turn COMPLETE normal tool_calls FINISH_REASON_STOP unknown null",
}


@pytest.mark.parametrize("ending", ENDS)
def test_an_ending_counts_by_whichever_word_a_service_has_for_it(ending):
    for word in ENDS[ending].split():
        body = {"choices": [{"message": {"content": ANSWER}, "finish_reason": word}]}
        if ending == "broken":
            with pytest.raises(ReplyUnreadable):
                read(body)
            continue
        reply = read(body)
        assert (reply.refused, reply.cut_off) == (ending == "refused", ending == "cut"), word


def streamed(*events: object) -> bytes:
    return "".join(f"data: {json.dumps(event)}\n\n" for event in events).encode()


def called(arguments: str) -> dict[str, object]:
    return {"delta": {"tool_calls": [{"index": 0, "function": {"arguments": arguments}}]}}


@pytest.mark.parametrize(
    "body",
    [
        streamed({"choices": [called(ANSWER[:30])]}, {"choices": [{**called(ANSWER[30:]), "finish_reason": "stop"}]}),
        streamed(
            {"message": {"content": []}},
            {"delta": {"type": "text_delta", "text": ANSWER}},
            {"delta": {"stop_reason": "end_turn"}},
        ),
        "\n".join(
            json.dumps({"message": {"content": part}, "done": not part}) for part in (ANSWER[:30], ANSWER[30:], "")
        ).encode(),
        [{"generated_text": ANSWER}],
        {"data": json.dumps(completion())},
        {**completion(), "code": 200, "message": "ok"},
    ],
    ids=["calls", "anthropic", "ollama", "generated", "within a text", "well"],
)
def test_an_answer_in_pieces_or_an_envelope_is_paid_once(body):
    assert read(body).text == ANSWER


@pytest.mark.parametrize(
    "body",
    [
        {"promptFeedback": {"blockReason": "SAFETY"}},
        {"choices": [{"message": {"content": [{"type": "refusal", "refusal": "no"}]}, "finish_reason": "stop"}]},
    ],
)
def test_a_refusal_without_an_answer_is_one(body):
    assert read(body).refused


def test_an_answer_that_a_limit_left_incomplete_is_cut():
    part = {"type": "message", "content": [{"type": "output_text", "text": ANSWER[:30]}]}
    reply = read({"output": [part], "status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}})
    assert (reply.text, reply.cut_off) == (ANSWER[:30], True)


@pytest.mark.parametrize("levels", [40, 480, 700, 1010, 100_000])
@pytest.mark.parametrize(("opened", "closed"), [("[", "]"), ('{"content":', "}"), ('[{"text":', "}]")])
@pytest.mark.parametrize(
    "place",
    [
        '{"choices":[{"message":{"content":%s}}]}',
        '{"choices":[{"message":{"content":"","reasoning":%s}}]}',
        '{"choices":[{"message":{"content":"a"},"finish_reason":%s}]}',
        '{"choices":[{"message":{"tool_calls":[{"function":{"arguments":%s}}]}}]}',
        '{"choices":[{"delta":{"content":%s}}]}',
        '{"candidates":[{"content":{"parts":%s}}]}',
        'data: {"choices":[{"delta":{"content":%s}}]}\n\n',
        '{"error":{"message":%s}}',
        '{"message":%s,"code":1}',
        "%s",
    ],
)
def test_a_reply_that_is_nested_without_end_is_not_readable(place, opened, closed, levels):
    body = (place % (opened * levels + '"x"' + closed * levels)).encode()
    with pytest.raises(ReplyUnreadable):
        completion_reply(body, {}, "http://localhost")
    assert isinstance(status_fault(500, {}, body, "http://localhost", (), "asked"), TransientFault)


def test_a_nested_reply_within_a_text_is_not_readable():
    inner = '{"choices":' + "[" * 900 + "]" * 900 + "}"
    for body in (json.dumps(inner), json.dumps(inner).replace("[", "\\u005b"), json.dumps({"data": inner})):
        with pytest.raises(ReplyUnreadable):
            completion_reply(body.encode(), {}, "http://localhost")
