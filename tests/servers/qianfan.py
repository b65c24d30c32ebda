"""A strict Qianfan on loopback: V2, OpenAI's wire and the token services, with quota and faults; V1 on request.

Quota is a sliding window over arrival times; refused calls are free. The same prompt always gets the same
answer, faults are drawn per call. `python -m tests.servers.qianfan --port P` runs it and prints its address;
`GET /_stats` tells what happened, `POST /_control` changes any Behavior while it runs.
"""

import argparse
import asyncio
import gc
import hashlib
import math
import random
import threading
import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import orjson
from aiohttp import web

from tests.builders.quotas import Quota, Style
from tests.servers.bce_auth import verify
from tests.servers.odd_replies import ODD_REPLIES, PAID_FOR_NOTHING, REFUSED, WHOLE
from tests.servers.threaded import ThreadedServer

V1_PREFIX = "/rpc/2.0/ai_custom/v1/wenxinworkshop/chat/"
ACCESS_KEY = "test-access-key"
SECRET_KEY = "test-secret-key"
API_KEY = "test-api-key"
POISON = "毒药标记"

FAULTS = (
    "overloaded",  # 336100
    "internal",  # 336000
    "http_500",
    "html_502",
    "reset_before",  # no work was done
    "reset_after",  # half a body: the work was done
    "hang",
    "broken_json",  # the work was done
    "expired",  # 111
)


@dataclass
class Behavior:
    """Everything that can be changed at run time. Quotas are per minute, 0 for none."""

    rpm: float = 0
    tpm: float = 0
    window_seconds: float = 60.0
    style: Style = "sliding"  # the way of counting; a bucket holds what a window would
    qps: int = 0
    concurrency: int = 0
    slots: int = 0  # calls worked on at once; the others wait their turn, as at a small server of one's own
    headers: str = "on"  # on, off, wrong: twice the truth
    latency_median: float = 0.0
    latency_sigma: float = 0.4
    mode: str = "clean"  # clean, mixed
    faults: dict[str, float] = field(default_factory=dict)  # name in FAULTS -> probability
    v1: bool = False  # answer V1's interface, too, which otherwise is gone
    error_code: int = 0  # every V1 call gets this error
    error_message: str = "error"
    status: int = 0  # every V2 and OpenAI call gets this status
    error_type: str = "error"
    body: Any = None  # the whole body of such a reply
    retry_after: str = ""
    hang_seconds: float = 30.0
    poison: str = POISON
    extra: dict[str, Any] = field(default_factory=dict)  # merged into every good V1 body
    finish_reason: str = "stop"
    odd: float = 0.0  # the share of V2 and OpenAI replies that have an odd shape
    odd_shape: str = ""  # one of ODD_REPLIES; any but a refusal when empty
    refuses: tuple[str, ...] = ()  # models whose content filter refuses everything
    thoughts: str = ""  # of a model that thinks unless it is told not to; its tokens end before the answer begins
    clock_skew_seconds: float = 0.0  # of the time that it tells to whoever asks for nothing


def count_tokens(text: str) -> int:
    """The server's own rule."""
    return math.ceil(len(text) * 0.6)


class QianfanServer(ThreadedServer):
    """The server in its own thread: `with QianfanServer(rpm=600, window_seconds=1) as server: server.url`."""

    def __init__(self, port: int = 0, seed: int = 7, **behavior: Any) -> None:
        super().__init__(port)
        self.behavior = Behavior(**behavior)
        self.token_fetches = 0
        # Who answers what, where it matters: (endpoint or model, prompt) -> answer, None for no such endpoint.
        self.answers: Callable[[str, str], str | None] | None = None
        self._random = random.Random(seed)
        self._tokens: set[str] = set()
        self.reset()

    def reset(self) -> None:
        """Forget every call; connections and tokens stay."""
        self._requests, self._token_quota, self._queries = Quota(0, 60), Quota(0, 60), Quota(0, 1)
        self._running = 0
        self._slots: asyncio.Semaphore | None = None
        self.paid_tokens = [0, 0]  # of prompts and of answers
        self.arrivals: list[tuple[float, int, str]] = []  # monotonic time, tokens, "" or why refused
        self.requests: Counter[str] = Counter()
        self.delivered: Counter[str] = Counter()  # prompt hash -> replies that were paid and sent whole
        self.lost: Counter[str] = Counter()  # prompt hash -> paid, the reply broke
        self.peers: set[Any] = set()
        self.last_body: dict[str, Any] = {}
        self.last_headers: dict[str, str] = {}

    def stats(self) -> dict[str, Any]:
        """Totals since the last reset."""
        refused = Counter(why for _, _, why in self.arrivals if why)
        accepted = [(at, tokens) for at, tokens, why in self.arrivals if not why]
        paid = self.delivered + self.lost
        return {
            "calls": len(self.arrivals),
            "accepted": len(accepted),
            "refused": dict(refused),
            "refused_total": sum(refused.values()),
            "delivered": sum(self.delivered.values()),
            "paid_and_lost": sum(self.lost.values()),
            "prompts": len(paid),
            "delivered_twice": sum(n - 1 for n in self.delivered.values()),
            "paid_twice": sum(n - 1 for n in paid.values()),
            "connections": len(self.peers),
            "token_fetches": self.token_fetches,
            "tokens": sum(tokens for _, tokens in accepted),
            "window_seconds": self.behavior.window_seconds,
            "window_fills": window_fills(accepted, self.behavior.window_seconds),
            "max_in_window": max_in_window([at for at, _ in accepted], self.behavior.window_seconds),
            "requests": dict(self.requests),
        }

    async def _handle(  # noqa: PLR0911 (one line a path)
        self, request: web.BaseRequest
    ) -> web.StreamResponse:
        now = time.monotonic()
        path = request.path
        raw = await request.read()
        if path.startswith("/_"):
            return self._inspect(path, raw)
        self.peers.add(request.transport.get_extra_info("peername") if request.transport else None)
        if path.startswith("/rpc/"):
            if path.startswith(V1_PREFIX) and self.behavior.v1:
                return await self._chat(request, raw, now, "v1")
            self.requests["v1 is gone"] += 1
            return _json({"error_code": 3, "error_msg": "Unsupported openapi method"})
        if path == "/v2/chat/completions":
            return await self._chat(request, raw, now, "v2")
        if path == "/v1/chat/completions":
            return await self._chat(request, raw, now, "openai")
        if path in {"/v2/embeddings", "/v1/embeddings"}:
            return self._embeddings(request, raw, "v2" if path.startswith("/v2") else "openai")
        self.requests[path] += 1
        if path == "/":
            told = format_datetime(datetime.now(UTC) + timedelta(seconds=self.behavior.clock_skew_seconds), usegmt=True)
            return web.Response(status=404, headers={"Date": told})
        if path == "/v1/BCE-BEARER/token":
            return self._bearer_token(request)
        if path == "/oauth/2.0/token":
            return self._access_token(request)
        return _json({"error": {"code": "not_found", "message": "no such path"}}, 404)

    def _inspect(self, path: str, raw: bytes) -> web.Response:
        if path == "/_stats":
            return _json(self.stats())
        if path == "/_reset":
            self.reset()
            return _json({})
        if path == "/_control":
            changes = orjson.loads(raw)
            unknown = changes.keys() - {item.name for item in fields(Behavior)}
            if unknown:
                return _json({"unknown": sorted(unknown)}, 400)
            for name, value in changes.items():
                setattr(self.behavior, name, value)
            return _json({})
        return _json({}, 404)

    def _signature_error(self, request: web.BaseRequest) -> str | None:
        url = request.rel_url
        return verify(request.method, url.raw_path, url.raw_query_string, request.headers, ACCESS_KEY, SECRET_KEY)

    def _bearer_token(self, request: web.BaseRequest) -> web.Response:
        self.token_fetches += 1
        error = self._signature_error(request)
        if error:
            return _json({"code": "SignatureDoesNotMatch", "message": error}, 403)
        token = f"bce-v3/TOKEN-{self.token_fetches}"
        self._tokens.add(token)
        return _json({"token": token, "createTime": "2026-01-01T00:00:00Z", "expireTime": "2030-01-01T00:00:00Z"})

    def _access_token(self, request: web.BaseRequest) -> web.Response:
        self.token_fetches += 1
        query = request.query
        if (query.get("client_id"), query.get("client_secret")) != (ACCESS_KEY, SECRET_KEY):
            return _json({"error": "invalid_client", "error_description": "Client authentication failed"}, 401)
        token = f"24.token-{self.token_fetches}"
        self._tokens.add(token)
        return _json({"access_token": token, "expires_in": 2592000})

    def expire_tokens(self) -> None:
        """Every token given out so far is refused from now on."""
        self._tokens.clear()

    def grant(self, token: str) -> None:
        """Accept this token as if it had been given out."""
        self._tokens.add(token)

    def _embeddings(self, request: web.BaseRequest, raw: bytes, wire: str) -> web.StreamResponse:
        """Counts of characters: texts that share none are as far apart as can be. Answered out of order."""
        self.requests["embeddings"] += 1
        fault = self._draw_fault()
        if fault == "http_500":
            return web.Response(status=500)
        if fault == "overloaded":
            return _error(wire, 336100, "overloaded", 429)
        denied = self._denied(request, wire)
        if denied:
            return denied
        if self.behavior.status:
            error = {"code": self.behavior.error_type, "message": self.behavior.error_message}
            return _json({"error": error}, self.behavior.status)
        texts = orjson.loads(raw)["input"]
        if not 0 < len(texts) <= 16 or not all(texts):
            return _error(wire, 336003, "input: 1 to 16 texts", 400)
        made = [{"object": "embedding", "index": at, "embedding": embedding_of(text)} for at, text in enumerate(texts)]
        return _json({"object": "list", "data": made[::-1], "usage": {"prompt_tokens": 1, "total_tokens": 1}})

    def _denied(self, request: web.BaseRequest, wire: str) -> web.Response | None:
        bearer = request.headers.get("Authorization", "")
        if wire == "openai":
            known = bearer == f"Bearer {API_KEY}"
        elif wire == "v2" or bearer.startswith("Bearer "):
            known = bearer.removeprefix("Bearer ") in self._tokens
            if not known and wire == "v1":
                return _json({"error_code": 111, "error_msg": "Access token expired"})
        elif "access_token" in request.query:
            known = request.query["access_token"] in self._tokens
            if not known:
                return _json({"error_code": 111, "error_msg": "Access token expired"})
        else:
            error = self._signature_error(request)
            if error:
                return _json({"error_code": 14, "error_msg": f"IAM Certification failed: {error}"})
            return None
        if known:
            return None
        return _json({"error": {"code": "invalid_iam_token", "message": "bad token", "type": "auth"}}, 401)

    def _refusal(self, now: float, tokens: int) -> tuple[str, int] | None:
        """Return the limit that this arrival exceeds: a reason and V1's code."""
        behavior = self.behavior
        for quota, per_minute in ((self._requests, behavior.rpm), (self._token_quota, behavior.tpm)):
            quota.size, quota.seconds, quota.style = (
                per_minute * behavior.window_seconds / 60,
                behavior.window_seconds,
                behavior.style,
            )
        self._queries.size = behavior.qps
        if behavior.concurrency and self._running >= behavior.concurrency:
            return "concurrency", 336100
        if self._queries.is_full(now, 1):
            return "qps", 18
        if self._requests.is_full(now, 1):
            return "requests", 336501
        if self._token_quota.is_full(now, tokens):
            return "tokens", 336502
        return None

    def _take(self, now: float, tokens: int) -> None:
        self._queries.take(now, 1)
        self._requests.take(now, 1)
        self._token_quota.take(now, tokens)

    def _limit_headers(self) -> dict[str, str]:
        behavior = self.behavior
        if behavior.headers == "off":
            return {}
        told = 2 if behavior.headers == "wrong" else 1
        headers = {}
        if behavior.rpm:
            left = max(0, int(self._requests.size - self._requests.held))
            headers["X-Ratelimit-Limit-Requests"] = str(int(behavior.rpm * told))
            headers["X-Ratelimit-Remaining-Requests"] = str(left * told)
        if behavior.tpm:
            left = max(0, int(self._token_quota.size - self._token_quota.held))
            headers["X-Ratelimit-Limit-Tokens"] = str(int(behavior.tpm * told))
            headers["X-Ratelimit-Remaining-Tokens"] = str(left * told)
        return headers

    def _draw_fault(self) -> str:
        faults = self.behavior.faults
        if not faults:
            return ""
        roll = self._random.random()
        for name, probability in faults.items():
            roll -= probability
            if roll < 0:
                return name
        return ""

    async def _chat(  # noqa: PLR0911 (one line a reply)
        self, request: web.BaseRequest, raw: bytes, now: float, wire: str
    ) -> web.StreamResponse:
        behavior = self.behavior
        denied = self._denied(request, wire)
        if denied:
            self.arrivals.append((now, 0, "credentials"))
            return denied
        try:
            body = orjson.loads(raw)
            prompt = body["messages"][-1]["content"]
        except (orjson.JSONDecodeError, KeyError, IndexError, TypeError):
            return _error(wire, 336002, "invalid json", 400)
        self.last_body, self.last_headers = body, dict(request.headers)
        endpoint = request.path.removeprefix(V1_PREFIX) if wire == "v1" else str(body.get("model"))
        answer = self.answers(endpoint, prompt) if self.answers else answer_for(prompt, behavior.mode)
        if answer is None:
            return _error(wire, 336005, "no such endpoint", 404)
        prompt_tokens, answer_tokens = count_tokens(prompt), count_tokens(answer)
        tokens = prompt_tokens + answer_tokens
        refusal = self._refusal(now, tokens)
        if refusal:
            why, code = refusal
            self.arrivals.append((now, tokens, why))
            return _error(wire, code, f"{why} limit reached", 429, self._limit_headers())
        self.paid_tokens[0] += prompt_tokens
        self.paid_tokens[1] += answer_tokens
        self._take(now, tokens)
        self.arrivals.append((now, tokens, ""))
        headers = self._limit_headers()
        self._running += 1
        try:
            async with self._slot():
                await self._work()
            if body.get("model") in behavior.refuses:
                error = {"code": "content_filter", "message": "inappropriate content", "type": "content_filter"}
                return _json({"error": error}, 400, headers)
            failed = await self._fail(request, wire, prompt, headers)
        finally:
            self._running -= 1
        if failed is not None:
            return failed
        if wire != "v1" and behavior.odd and self._random.random() < behavior.odd:
            return self._odd(prompt, answer, prompt_tokens, answer_tokens)
        self.delivered[_hash(prompt)] += 1
        if behavior.thoughts and body.get("enable_thinking") is not False:
            message = {"role": "assistant", "content": "", "reasoning_content": behavior.thoughts}
            usage = {"prompt_tokens": prompt_tokens, "completion_tokens": answer_tokens}
            return _json({"choices": [{"index": 0, "message": message, "finish_reason": "length"}], "usage": usage})
        return _json(_good_body(wire, answer, prompt_tokens, answer_tokens, behavior), headers=headers)

    def _odd(self, prompt: str, answer: str, prompt_tokens: int, answer_tokens: int) -> web.StreamResponse:
        shape = self.behavior.odd_shape or self._random.choice(sorted(ODD_REPLIES.keys() - REFUSED.keys()))
        self.requests[f"odd:{shape}"] += 1
        if shape in WHOLE:
            self.delivered[_hash(prompt)] += 1
        elif shape in PAID_FOR_NOTHING:
            self.lost[_hash(prompt)] += 1
        return ODD_REPLIES[shape](answer, {"prompt_tokens": prompt_tokens, "completion_tokens": answer_tokens})

    def cost(self, prompt_price: float, completion_price: float) -> float:
        """Return the cost of everything accepted, at prices per 1,000 tokens."""
        return (self.paid_tokens[0] * prompt_price + self.paid_tokens[1] * completion_price) / 1000

    def _slot(self) -> AbstractAsyncContextManager[None]:
        if not self.behavior.slots:
            return nullcontext()
        if self._slots is None:
            self._slots = asyncio.Semaphore(self.behavior.slots)
        return self._slots

    async def _work(self) -> None:
        behavior = self.behavior
        if behavior.latency_median:
            seconds = self._random.lognormvariate(math.log(behavior.latency_median), behavior.latency_sigma)
            await asyncio.sleep(seconds)

    async def _fail(  # noqa: PLR0911, PLR0912 (one line a fault)
        self, request: web.BaseRequest, wire: str, prompt: str, headers: dict[str, str]
    ) -> web.StreamResponse | None:
        behavior = self.behavior
        if wire == "v1" and behavior.error_code:
            return _error(wire, behavior.error_code, behavior.error_message, 400, headers)
        if wire != "v1" and behavior.status:
            more = {"Retry-After": behavior.retry_after} if behavior.retry_after else {}
            if behavior.body is not None:
                return _json(behavior.body, behavior.status, {**headers, **more})
            error = {
                "code": behavior.error_type,
                "message": behavior.error_message,
                "type": behavior.error_type,
            }
            return _json({"error": error}, behavior.status, {**headers, **more})
        if behavior.poison and behavior.poison in prompt:
            return _error(wire, 336000, "internal error", 500, headers)
        fault = self._draw_fault()
        if not fault:
            return None
        self.requests[f"fault:{fault}"] += 1
        if fault == "overloaded":
            return _error(wire, 336100, "the server is overloaded, busy", 429, headers)
        if fault == "internal":
            return _error(wire, 336000, "internal error", 500, headers)
        if fault == "expired":
            return _error(wire, 111, "Access token expired", 401, headers)
        if fault == "http_500":
            return web.Response(status=500, text="oops")
        if fault == "html_502":
            return web.Response(status=502, text="<html><h1>502 Bad Gateway</h1></html>", content_type="text/html")
        if fault == "hang":
            self.lost[_hash(prompt)] += 1
            await asyncio.sleep(behavior.hang_seconds)
            return web.Response(status=504)
        if fault == "reset_before":
            return _reset(request)
        self.lost[_hash(prompt)] += 1
        if fault == "broken_json":
            return web.Response(text='{"id": "as-1", "result": "{\\"用户问', content_type="application/json")
        half = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": "400"})
        await half.prepare(request)
        await half.write(b'{"id": "as-1", "result": "')
        await asyncio.sleep(0.005)
        return _reset(request)


def _reset(request: web.BaseRequest) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _json(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
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


def _error(wire: str, code: int, message: str, status: int, headers: dict[str, str] | None = None) -> web.Response:
    if wire == "v1":
        return _json({"error_code": code, "error_msg": message, "id": "as-0"}, 200, headers)
    name = _V2_CODES.get(code, "error")
    return _json({"error": {"code": name, "message": message, "type": name}}, status, headers)


def _good_body(wire: str, answer: str, prompt_tokens: int, tokens: int, behavior: Behavior) -> dict[str, Any]:
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


def embedding_of(text: str) -> list[int]:
    """A vector for a text, the same one every time."""
    counts = [0] * 256
    for character in text:
        counts[ord(character) % 256] += 1
    return counts


def _hash(prompt: str) -> str:
    return hashlib.blake2b(prompt.encode(), digest_size=8).hexdigest()


def max_in_window(times: list[float], window: float) -> int:
    """The most arrivals in any half-open window of that length."""
    return max((bisect_right(times, at + window - 1e-9) - i for i, at in enumerate(times)), default=0)


def window_fills(accepted: list[tuple[float, int]], window: float) -> list[tuple[int, int]]:
    """Calls and tokens in each whole window since the first arrival."""
    if not accepted:
        return []
    start = accepted[0][0]
    calls: Counter[int] = Counter()
    tokens: Counter[int] = Counter()
    for at, amount in accepted:
        calls[int((at - start) / window)] += 1
        tokens[int((at - start) / window)] += amount
    return [(calls[i], tokens[i]) for i in range(max(calls) + 1)]


def answer_for(prompt: str, mode: str) -> str:
    """The answer to a prompt: the same one every time, from the dialogue in it."""
    digest = hashlib.blake2b(prompt.encode(), digest_size=8).digest()
    # The template speaks of the sides too, but no line of it begins with their labels.
    lines = prompt.splitlines()
    user = next((line[3:] for line in lines if line.startswith("用户：")), "询问商品情况")
    agent = max((line[3:] for line in lines if line.startswith("客服：")), key=len, default="说明了处理办法")
    values = [
        user[:30] or "询问商品情况",
        agent[:40] or "说明了处理办法",
        ("是", "是", "否", "未明确")[digest[0] % 4],
        ("否", "否", "否", "是")[digest[1] % 4],
    ]
    if mode == "clean":
        return _clean(values)
    return _mixed(values, digest)


_KEYS = ("用户问题", "客服方案", "是否接受", "是否负面情绪")


def _clean(values: list[str]) -> str:
    return orjson.dumps(dict(zip(_KEYS, values, strict=True))).decode()


def _mixed(values: list[str], digest: bytes) -> str:
    """About half plain, as a base model answers; the rest in every ugly shape, 3 % refusals and junk."""
    roll = digest[2] * 256 + digest[3]
    if roll < 31_000:
        return _clean(values)
    if roll > 64_500:
        return "抱歉，我无法就这段对话提供帮助。"
    if roll > 63_500:
        return "好的。"
    sentences = [
        *values[:2],
        {"是": "用户接受了客服提供的方案。", "否": "用户没有接受该方案。"}.get(values[2], "对话中未明确。"),
        {"是": "用户表现出不满情绪。", "否": "用户没有表现出负面情绪。"}[values[3]],
    ]
    pairs = list(zip(_KEYS, values, strict=True))
    clean, spoken = _clean(values), _clean(sentences)
    echo = '{"用户问题":xxx\n"客服方案":xxx\n"是否接受":xxx\n"是否负面情绪":xxx}'
    shapes = (
        f"```json\n{clean}\n```",
        f"```\n{spoken}\n```",
        "{" + "\n".join(f'"{key}":{value}' for key, value in pairs) + "}",
        clean.replace('"', "”").replace(":", "："),
        "\n".join(f"{key}：{value}" for key, value in pairs),
        "| 项目 | 内容 |\n| --- | --- |\n" + "\n".join(f"| {key} | {value} |" for key, value in pairs),
        spoken,
        clean[:-1] + ",}",
        f"根据对话内容，摘要如下：\n{clean}\n希望对您有帮助。",
        clean[: len(clean) * 2 // 3],
        f"{clean}\n{clean}",
        f"{echo}\n{clean}",
    )
    return shapes[digest[4] % len(shapes)]


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--behavior", default="{}", help="JSON of Behavior's fields")
    options = parser.parse_args()
    with QianfanServer(options.port, options.seed, **orjson.loads(options.behavior)) as server:
        server.grant(API_KEY)
        # A collection among what was imported stops it for 50 ms: the calls of that time would arrive at once.
        gc.freeze()
        print(server.url, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
