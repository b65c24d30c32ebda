"""Replies of the Qianfan server in the shape of each wire."""

from typing import Any

import orjson
from aiohttp import web

from tests.servers.qianfan_behavior import Behavior


def reset_connection(request: web.BaseRequest) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def json_reply(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(body=orjson.dumps(body), status=status, headers=headers, content_type="application/json")


_V2_CODES = {
    18: "qps_rate_limit_exceeded",
    336501: "rpm_rate_limit_exceeded",
    336502: "tpm_rate_limit_exceeded",
    336100: "server_overloaded",
    336000: "internal_error",
    336002: "malformed_json",
    111: "invalid_iam_token",
}


def error_reply(wire: str, code: int, message: str, status: int, headers: dict[str, str] | None = None) -> web.Response:
    if wire == "v1":
        return json_reply({"error_code": code, "error_msg": message, "id": "as-0"}, 200, headers)
    name = _V2_CODES.get(code, "error")
    return json_reply({"error": {"code": name, "message": message, "type": name}}, status, headers)


def good_body(wire: str, answer: str, prompt_tokens: int, tokens: int, behavior: Behavior) -> dict[str, Any]:
    usage = {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": tokens,
        "total_tokens": prompt_tokens + tokens,
    }
    if wire == "v1":
        return {
            "id": "as-1",
            "object": "chat.completion",
            "created": 1,
            "result": answer,
            "is_truncated": False,
            "need_clear_history": False,
            "usage": usage,
            **behavior.extra,
        }
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": answer},
        "finish_reason": behavior.finish_reason,
    }
    return {"id": "as-1", "object": "chat.completion", "created": 1, "choices": [choice], "usage": usage}
