"""Qianfan's summarizers against a server that checks tokens and signatures and injects faults."""

import asyncio
import gc
import logging
import warnings

import pytest

from tasks.clients.http_pool import ConnectionLimits
from tasks.clients.qianfan.chat import QianfanAddresses, QianfanSummarizer, open_qianfan
from tasks.domain.errors import (
    AllowanceUsedUp,
    ContentRefused,
    CredentialsRefused,
    EndpointMissing,
    InputTooLong,
    QuotaRefused,
    RequestInvalid,
    TransientFault,
    UsageError,
)
from tasks.domain.model_options import ModelOptions
from tasks.domain.records import QuotaHeaders
from tests.builders.qianfan_calls import PAIR, PROMPT, call, connect, fault_of, make_request
from tests.servers.qianfan_behavior import POISON


@pytest.mark.parametrize("endpoint", ["v1:sft-1", "sft-1", "v2:ernie-speed-8k"])
def test_summarize_gives_text_tokens_and_limits(server, endpoint):
    server.behavior.rpm, server.behavior.tpm = 600, 90_000
    reply = asyncio.run(call(server, endpoint=endpoint))
    assert "包裹三天没动了" in reply.text
    assert reply.prompt_tokens > 10
    assert reply.completion_tokens > 10
    assert reply.limits is not None
    assert (reply.limits.limit_requests, reply.limits.limit_tokens) == (600, 90_000)
    assert reply.limits.remaining_requests == 599
    assert not reply.cut_off
    assert not reply.refused


def test_summarize_sends_the_prompt_as_one_user_message_and_fetches_one_token(server):
    asyncio.run(call(server))
    assert server.last_body == {
        "model": "sft-1",
        "messages": [{"role": "user", "content": PROMPT}],
        "max_tokens": 512,
        "temperature": 0.01,
    }
    assert server.stats()["requests"] == {"/v1/BCE-BEARER/token": 1}


def test_summarize_reads_the_flags_of_a_v1_reply(server):
    server.behavior.extra = {"is_truncated": True, "need_clear_history": True}
    reply = asyncio.run(call(server, endpoint="v1:sft-1"))
    assert reply.cut_off
    assert reply.refused


def test_summarize_tells_of_no_limits_when_the_service_does_not(server):
    assert asyncio.run(call(server)).limits is None


@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        (4, "", QuotaRefused),
        (18, "", QuotaRefused),
        (336100, "", QuotaRefused),
        (336501, "", QuotaRefused),
        (336502, "", QuotaRefused),
        (6, "", CredentialsRefused),
        (13, "", CredentialsRefused),
        (14, "", CredentialsRefused),
        (336004, "", CredentialsRefused),
        (3, "Unsupported openapi method", EndpointMissing),
        (15, "", EndpointMissing),
        (336005, "", EndpointMissing),
        (17, "", AllowanceUsedUp),
        (19, "", AllowanceUsedUp),
        (336003, "the max length of current question is 4800", InputTooLong),
        (336002, "输入内容过长", InputTooLong),
        (336001, "temperature must be a number", RequestInvalid),
        (336003, "messages must alternate", RequestInvalid),
        (100, "Invalid parameter", RequestInvalid),
        (336003, "输入包含敏感内容", ContentRefused),
        (336000, "", TransientFault),
        (2, "", TransientFault),
        (987654, "", TransientFault),
    ],
)
def test_summarize_raises_what_a_v1_code_means_after_one_call(server, code, message, kind):
    server.behavior.error_code, server.behavior.error_message = code, message
    error = fault_of(server, endpoint="v1:sft-1")
    assert type(error) is kind
    assert len(server.arrivals) == 1


@pytest.mark.parametrize(
    ("quota", "scope"),
    [
        ({"rpm": 1}, "requests"),
        ({"tpm": 1}, "tokens"),
        ({"qps": 1}, "queries_per_second"),
    ],
)
@pytest.mark.parametrize("endpoint", ["v1:sft-1", "m"])
def test_summarize_names_the_limit_that_refused_and_its_headers(server, endpoint, quota, scope):
    for name, value in quota.items():
        setattr(server.behavior, name, value)

    async def calls() -> None:
        async with connect(server, endpoint) as summarizer:
            while True:  # a slow machine may need more than two calls for two in one second
                await summarizer.summarize(make_request(), lambda: None)

    with pytest.raises(QuotaRefused) as caught:
        asyncio.run(calls())
    assert caught.value.scope == scope
    if "rpm" in quota:
        assert caught.value.limits == QuotaHeaders(limit_requests=1, remaining_requests=0)


@pytest.mark.parametrize(
    ("status", "error_type", "message", "kind"),
    [
        (401, "invalid_iam_token", "", TransientFault),
        (400, "context_length_exceeded", "", InputTooLong),
        (400, "malformed", "x", RequestInvalid),
        (404, "invalid_model", "", EndpointMissing),
        (429, "tpm_rate_limit_exceeded", "", QuotaRefused),
        (429, "insufficient_quota", "", AllowanceUsedUp),
        (400, "system_unsafe", "", ContentRefused),
        (500, "internal_error", "", TransientFault),
        (503, "server_overloaded", "", QuotaRefused),
    ],
)
def test_summarize_raises_what_a_v2_status_means(server, status, error_type, message, kind):
    server.behavior.status, server.behavior.error_type = status, error_type
    server.behavior.error_message = message
    assert type(fault_of(server, endpoint="m")) is kind
    assert len(server.arrivals) == 1


@pytest.mark.parametrize(
    ("name", "maybe_paid"),
    [
        ("http_500", False),
        ("html_502", False),
        ("internal", False),
        ("reset_before", True),
        ("reset_after", True),
        ("broken_json", True),
        ("hang", True),
    ],
)
@pytest.mark.parametrize("endpoint", ["v1:sft-1", "m"])
def test_summarize_says_of_a_fault_whether_it_may_be_paid(server, endpoint, name, maybe_paid):
    server.behavior.faults, server.behavior.hang_seconds = {name: 1.0}, 90
    error = fault_of(server, endpoint=endpoint, timeout_seconds=0.5 if name == "hang" else 90)
    assert isinstance(error, TransientFault)
    assert error.maybe_paid is maybe_paid
    assert len(server.arrivals) == 1


def test_summarize_gives_up_at_its_timeout(server):
    server.behavior.faults, server.behavior.hang_seconds = {"hang": 1.0}, 90
    assert "0.2 s" in str(fault_of(server, timeout_seconds=0.2))


def test_summarize_takes_an_unreachable_address_for_a_fault_that_costs_nothing():
    async def unreachable() -> None:
        nowhere = QianfanAddresses(v2="http://127.0.0.1:9", iam="http://127.0.0.1:9")
        summarizer = QianfanSummarizer("x", PAIR, nowhere)
        try:
            await summarizer.summarize(make_request(), lambda: pytest.fail("nothing was sent"))
        finally:
            await summarizer.aclose()

    with pytest.raises(TransientFault, match="cannot be reached") as caught:
        asyncio.run(unreachable())
    assert not caught.value.maybe_paid


def test_summarize_reuses_its_connections(server):
    async def calls() -> None:
        async with connect(server) as summarizer:
            for _ in range(10):
                await asyncio.gather(*(summarizer.summarize(make_request(), lambda: None) for _ in range(8)))

    asyncio.run(calls())
    stats = server.stats()
    assert stats["delivered"] == 80
    assert stats["connections"] <= 8


def test_summarize_keeps_no_connection_busy_after_faults(server):
    server.behavior.faults = {"html_502": 0.3, "broken_json": 0.3, "internal": 0.2}

    async def calls() -> None:
        async with connect(server) as summarizer:
            for _ in range(10):
                await asyncio.gather(
                    *(summarizer.summarize(make_request(), lambda: None) for _ in range(8)),
                    return_exceptions=True,
                )

    asyncio.run(calls())
    assert len(server.arrivals) == 80
    assert server.stats()["connections"] <= 8


def test_summarize_calls_on_sent_once_as_the_request_leaves_whether_or_not_an_answer_comes(server):
    server.behavior.faults, server.behavior.hang_seconds = {"hang": 1.0}, 90
    sent: list[str] = []

    async def one() -> None:
        async with connect(server, timeout_seconds=1) as summarizer:
            await summarizer.summarize(make_request(PROMPT * 2000), lambda: sent.append("sent"))

    with pytest.raises(TransientFault):
        asyncio.run(one())
    assert sent == ["sent"]


def test_summarize_logs_nothing(server, caplog):
    caplog.set_level(logging.INFO)
    server.behavior.poison = POISON
    fault_of(server, prompt=PROMPT + POISON)
    assert not caplog.records


def test_summarizer_leaves_nothing_open(server):
    server.behavior.faults = {"reset_after": 0.5}

    async def calls() -> None:
        async with connect(server) as summarizer:
            await asyncio.gather(
                *(summarizer.summarize(make_request(), lambda: None) for _ in range(8)),
                return_exceptions=True,
            )

    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        asyncio.run(calls())
        gc.collect()
    assert not [str(warning.message) for warning in seen if warning.category is ResourceWarning]


@pytest.mark.parametrize("endpoint", ["", "v1:", "v2:", "a b", "x?y=1", "../../etc", "中文"])
def test_summarizer_refuses_what_cannot_be_an_endpoint(endpoint):
    with pytest.raises(UsageError, match="--endpoint"):
        open_qianfan(endpoint, PAIR, QianfanAddresses(), ModelOptions(), ConnectionLimits())


def test_summarize_names_v1_as_switched_off_where_it_is(server):
    server.behavior.v1 = False
    error = fault_of(server, endpoint="v1:sft-1")
    assert isinstance(error, EndpointMissing)
    assert "switched off by Baidu on 2026-08-31" in str(error)
    assert "interface version V2" in str(error)


def test_summarize_says_of_a_missing_service_that_v2_knows_it_by_its_name(server):
    server.behavior.status, server.behavior.error_type = 404, "invalid_model"
    error = fault_of(server, endpoint="sft-1")
    assert isinstance(error, EndpointMissing)
    assert "deployed again with V2" in str(error)


@pytest.mark.parametrize("code", ["rpm_rate_limit_exceeded", "tpm_rate_limit_exceeded"])
def test_summarize_takes_a_refusal_under_http_200_for_one(server, code):
    server.behavior.status, server.behavior.body = 200, {"code": code, "msg": "over the limit", "id": "as-1"}
    error = fault_of(server, endpoint="m")
    assert isinstance(error, QuotaRefused)
    assert error.scope == ("tokens" if code.startswith("tpm") else "requests")


def test_summarize_sends_the_options(server):
    options = ModelOptions(
        max_tokens=700,
        system_prompt="只输出 JSON",
        response_format="json_schema",
        thinking="off",
        seed=7,
        extra_fields={"top_p": 0.5, "temperature": None},
        headers={"appid": "app-made-up"},
    )
    asyncio.run(call(server, options=options))
    body = server.last_body
    assert body["messages"][0] == {"role": "system", "content": "只输出 JSON"}
    assert (body["max_tokens"], body["seed"], body["top_p"], body["enable_thinking"]) == (700, 7, 0.5, False)
    assert "temperature" not in body
    schema = body["response_format"]["json_schema"]["schema"]
    assert list(schema["properties"]) == ["用户问题", "客服方案", "是否接受", "是否负面情绪"]
    assert schema["properties"]["是否接受"]["enum"] == ["是", "否", "未明确"]
    assert server.last_headers["appid"] == "app-made-up"
