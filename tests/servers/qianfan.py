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
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import orjson
from aiohttp import web

from tests.servers.bce_auth import verify
from tests.servers.odd_replies import ODD_REPLIES, PAID_FOR_NOTHING, REFUSED, WHOLE
from tests.servers.qianfan_answers import answer_for, count_tokens, embedding_of
from tests.servers.qianfan_behavior import Behavior
from tests.servers.qianfan_quota import CallQuota, max_in_window, window_fills
from tests.servers.qianfan_replies import error_reply, good_body, json_reply, reset_connection
from tests.servers.threaded import ThreadedServer

V1_PREFIX = "/rpc/2.0/ai_custom/v1/wenxinworkshop/chat/"
ACCESS_KEY = "test-access-key"
SECRET_KEY = "test-secret-key"
API_KEY = "test-api-key"


class QianfanServer(ThreadedServer):
    """The server in its own thread: `with QianfanServer(rpm=600, window_seconds=1) as server: server.url`."""

    def __init__(self, port: int = 0, seed: int = 7, **behavior: Any) -> None:
        super().__init__(port)
        self.keys = ACCESS_KEY, SECRET_KEY
        self.authorizations = {f"Bearer {API_KEY}"}  # of OpenAI's wire
        self.behavior = Behavior(**behavior)
        self.token_fetches = 0
        # Who answers what, where it matters: (endpoint or model, prompt) -> answer, None for no such endpoint.
        self.answers: Callable[[str, str], str | None] | None = None
        self._random = random.Random(seed)
        self._tokens: set[str] = set()
        self.reset()

    def reset(self) -> None:
        """Forget every call; connections and tokens stay."""
        self._quota = CallQuota()
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
            return json_reply({"error_code": 3, "error_msg": "Unsupported openapi method"})
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
        return json_reply({"error": {"code": "not_found", "message": "no such path"}}, 404)

    def _inspect(self, path: str, raw: bytes) -> web.Response:
        if path == "/_stats":
            return json_reply(self.stats())
        if path == "/reset_connection":
            self.reset()
            return json_reply({})
        if path == "/_control":
            changes = orjson.loads(raw)
            unknown = changes.keys() - {item.name for item in fields(Behavior)}
            if unknown:
                return json_reply({"unknown": sorted(unknown)}, 400)
            for name, value in changes.items():
                setattr(self.behavior, name, value)
            return json_reply({})
        return json_reply({}, 404)

    def _signature_error(self, request: web.BaseRequest) -> str | None:
        url = request.rel_url
        return verify(request.method, url.raw_path, url.raw_query_string, request.headers, *self.keys)

    def _bearer_token(self, request: web.BaseRequest) -> web.Response:
        self.token_fetches += 1
        error = self._signature_error(request)
        if error:
            return json_reply({"code": "SignatureDoesNotMatch", "message": error}, 403)
        token = f"bce-v3/TOKEN-{self.token_fetches}"
        self._tokens.add(token)
        return json_reply({"token": token, "createTime": "2026-01-01T00:00:00Z", "expireTime": "2030-01-01T00:00:00Z"})

    def _access_token(self, request: web.BaseRequest) -> web.Response:
        self.token_fetches += 1
        query = request.query
        if (query.get("client_id"), query.get("client_secret")) != self.keys:
            return json_reply({"error": "invalid_client", "error_description": "Client authentication failed"}, 401)
        token = f"24.token-{self.token_fetches}"
        self._tokens.add(token)
        return json_reply({"access_token": token, "expires_in": 2592000})

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
            return error_reply(wire, 336100, "overloaded", 429)
        denied = self._denied(request, wire)
        if denied:
            return denied
        if self.behavior.status:
            error = {"code": self.behavior.error_type, "message": self.behavior.error_message}
            return json_reply({"error": error}, self.behavior.status)
        texts = orjson.loads(raw)["input"]
        if not 0 < len(texts) <= 16 or not all(texts):
            return error_reply(wire, 336003, "input: 1 to 16 texts", 400)
        made = [{"object": "embedding", "index": at, "embedding": embedding_of(text)} for at, text in enumerate(texts)]
        return json_reply({"object": "list", "data": made[::-1], "usage": {"prompt_tokens": 1, "total_tokens": 1}})

    def _denied(self, request: web.BaseRequest, wire: str) -> web.Response | None:
        bearer = request.headers.get("Authorization", "")
        if wire == "openai":
            known = bearer in self.authorizations
        elif wire == "v2" or bearer.startswith("Bearer "):
            known = bearer.removeprefix("Bearer ") in self._tokens
            if not known and wire == "v1":
                return json_reply({"error_code": 111, "error_msg": "Access token expired"})
        elif "access_token" in request.query:
            known = request.query["access_token"] in self._tokens
            if not known:
                return json_reply({"error_code": 111, "error_msg": "Access token expired"})
        else:
            error = self._signature_error(request)
            if error:
                return json_reply({"error_code": 14, "error_msg": f"IAM Certification failed: {error}"})
            return None
        if known:
            return None
        return json_reply({"error": {"code": "invalid_iam_token", "message": "bad token", "type": "auth"}}, 401)

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
            return error_reply(wire, 336002, "invalid json", 400)
        self.last_body, self.last_headers = body, dict(request.headers)
        endpoint = request.path.removeprefix(V1_PREFIX) if wire == "v1" else str(body.get("model"))
        answer = self.answers(endpoint, prompt) if self.answers else answer_for(prompt, behavior.mode)
        if answer is None:
            return error_reply(wire, 336005, "no such endpoint", 404)
        prompt_tokens, answer_tokens = count_tokens(prompt), count_tokens(answer)
        tokens = prompt_tokens + answer_tokens
        refusal = self._quota.refusal(behavior, now, tokens)
        if refusal:
            why, code = refusal
            self.arrivals.append((now, tokens, why))
            return error_reply(wire, code, f"{why} limit reached", 429, self._quota.headers(behavior))
        self.paid_tokens[0] += prompt_tokens
        self.paid_tokens[1] += answer_tokens
        self._quota.take(now, tokens)
        self.arrivals.append((now, tokens, ""))
        headers = self._quota.headers(behavior)
        self._quota.running += 1
        try:
            async with self._slot():
                await self._work()
            if body.get("model") in behavior.refuses:
                error = {"code": "content_filter", "message": "inappropriate content", "type": "content_filter"}
                return json_reply({"error": error}, 400, headers)
            failed = await self._fail(request, wire, prompt, headers)
        finally:
            self._quota.running -= 1
        if failed is not None:
            return failed
        if wire != "v1" and behavior.odd and self._random.random() < behavior.odd:
            return self._odd(prompt, answer, prompt_tokens, answer_tokens)
        self.delivered[_hash(prompt)] += 1
        if behavior.thoughts and body.get("enable_thinking") is not False:
            message = {"role": "assistant", "content": "", "reasoning_content": behavior.thoughts}
            usage = {"prompt_tokens": prompt_tokens, "completion_tokens": answer_tokens}
            return json_reply(
                {"choices": [{"index": 0, "message": message, "finish_reason": "length"}], "usage": usage}
            )
        return json_reply(good_body(wire, answer, prompt_tokens, answer_tokens, behavior), headers=headers)

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
        message = behavior.error_message.replace("{prompt}", prompt[-150:])
        if wire == "v1" and behavior.error_code:
            return error_reply(wire, behavior.error_code, message, 400, headers)
        if wire != "v1" and behavior.status:
            more = {"Retry-After": behavior.retry_after} if behavior.retry_after else {}
            if behavior.body is not None:
                return json_reply(behavior.body, behavior.status, {**headers, **more})
            error = {
                "code": behavior.error_type,
                "message": message,
                "type": behavior.error_type,
            }
            return json_reply({"error": error}, behavior.status, {**headers, **more})
        if behavior.poison and behavior.poison in prompt:
            return error_reply(wire, 336000, "internal error", 500, headers)
        fault = self._draw_fault()
        if not fault:
            return None
        self.requests[f"fault:{fault}"] += 1
        if fault == "overloaded":
            return error_reply(wire, 336100, "the server is overloaded, busy", 429, headers)
        if fault == "internal":
            return error_reply(wire, 336000, "internal error", 500, headers)
        if fault == "expired":
            return error_reply(wire, 111, "Access token expired", 401, headers)
        if fault == "http_500":
            return web.Response(status=500, text="oops")
        if fault == "html_502":
            return web.Response(status=502, text="<html><h1>502 Bad Gateway</h1></html>", content_type="text/html")
        if fault == "hang":
            self.lost[_hash(prompt)] += 1
            await asyncio.sleep(behavior.hang_seconds)
            return web.Response(status=504)
        if fault == "reset_before":
            return reset_connection(request)
        self.lost[_hash(prompt)] += 1
        if fault == "broken_json":
            return web.Response(text='{"id": "as-1", "result": "{\\"用户问', content_type="application/json")
        half = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": "400"})
        await half.prepare(request)
        await half.write(b'{"id": "as-1", "result": "')
        await asyncio.sleep(0.005)
        return reset_connection(request)


def _hash(prompt: str) -> str:
    return hashlib.blake2b(prompt.encode(), digest_size=8).hexdigest()


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
