"""Replies as servers send them when they don't send the documented one. Each holds a whole answer, or says why not."""

from collections.abc import Callable
from typing import Any, Final

import orjson
from aiohttp import web


def _json(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(body=orjson.dumps(body), status=status, headers=headers, content_type="application/json")


def _message(message: dict[str, Any], usage: Any, finish: str = "stop") -> web.Response:
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}
    return _json({"id": "as-1", "choices": [choice], "usage": usage})


def _parts(answer: str, usage: Any) -> web.Response:
    thought = {"type": "thinking", "thinking": [{"type": "text", "text": "先看用户说了什么"}]}
    return _message({"content": [thought, {"type": "text", "text": answer}]}, usage)


def _tool_call(answer: str, usage: Any) -> web.Response:
    call = {"id": "c1", "type": "function", "function": {"name": "summary", "arguments": answer}}
    return _message({"content": None, "tool_calls": [call]}, usage, "tool_calls")


def _thought_before(answer: str, usage: Any) -> web.Response:
    return _message({"content": f"<think>先看用户说了什么</think>\n{answer}"}, usage)


def _beside_thoughts(answer: str, usage: Any) -> web.Response:
    return _message({"content": answer, "reasoning_content": "先看用户说了什么"}, usage)


def _event_stream(answer: str, usage: Any) -> web.Response:
    half = len(answer) // 2
    chunks = [
        {"choices": [{"index": 0, "delta": {"role": "assistant", "content": answer[:half]}}]},
        {"choices": [{"index": 0, "delta": {"content": answer[half:]}, "finish_reason": "stop"}]},
        {"choices": [], "usage": usage},
    ]
    text = "".join(f"data: {orjson.dumps(chunk).decode()}\n\n" for chunk in chunks) + "data: [DONE]\n\n"
    return web.Response(text=text, content_type="text/event-stream")


def _listed(answer: str, usage: Any) -> web.Response:
    choice = {"index": 0, "message": {"role": "assistant", "content": answer}, "finish_reason": "stop"}
    return _json([{"choices": [choice], "usage": {name: str(count) for name, count in usage.items()}}])


def _half_an_emoji(answer: str, usage: Any) -> web.Response:
    body = {"choices": [{"message": {"content": f"{answer}½"}, "finish_reason": "stop"}], "usage": usage}
    text = orjson.dumps(body).decode().replace("½", "\\ud83d")  # as a gateway writes it that cuts UTF-16
    return web.Response(text=text, content_type="application/json")


def _blank_lines(answer: str, usage: Any) -> web.Response:
    choice = {"index": 0, "message": {"role": "assistant", "content": answer}, "finish_reason": "stop"}
    body = b"\n" * 50 + orjson.dumps({"choices": [choice], "usage": usage})
    return web.Response(body=body, status=201, content_type="application/json")


def _empty(_answer: str, usage: Any) -> web.Response:
    return _message({"content": " "}, usage)


def _broken_off(answer: str, usage: Any) -> web.Response:
    return _message({"content": answer[: len(answer) // 2]}, usage, "insufficient_system_resource")


def _limit_that_names_the_billing_page(_answer: str, _usage: Any) -> web.Response:
    message = "Rate limit reached. Visit the billing page to raise your quota."
    error = {"code": "rate_limit_exceeded", "message": message, "type": "requests"}
    return _json({"error": error}, 429, {"Retry-After": "1"})


def _refusal_under_200(_answer: str, _usage: Any) -> web.Response:
    return _json({"code": "rpm_rate_limit_exceeded", "msg": "over the limit", "id": "as-1"})


def _mad_headers(answer: str, usage: Any) -> web.Response:
    reply = _message({"content": answer}, {**usage, "completion_tokens": 3_000_000_000})
    reply.headers["X-Ratelimit-Limit-Requests"] = "9" * 5000
    return reply


def _counts_of_thousands_of_digits(answer: str, usage: Any) -> web.Response:
    body = {"choices": [{"message": {"content": answer}, "finish_reason": "stop"}], "usage": {"prompt_tokens": "many"}}
    text = orjson.dumps(body).decode().replace('"many"', "9" * 5000)
    return web.Response(text=text, content_type="application/json")


WHOLE: Final[dict[str, Callable[[str, Any], web.Response]]] = {
    "parts": _parts,
    "tool_call": _tool_call,
    "thought_before": _thought_before,
    "beside_thoughts": _beside_thoughts,
    "event_stream": _event_stream,
    "listed": _listed,
    "half_an_emoji": _half_an_emoji,
    "blank_lines": _blank_lines,
    "mad_headers": _mad_headers,
    "endless_counts": _counts_of_thousands_of_digits,
}

PAID_FOR_NOTHING: Final = {"empty": _empty, "broken_off": _broken_off}

REFUSED: Final = {"billing_page": _limit_that_names_the_billing_page, "under_200": _refusal_under_200}

ODD_REPLIES: Final = {**WHOLE, **PAID_FOR_NOTHING, **REFUSED}
