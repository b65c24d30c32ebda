"""The OpenAI-compatible summarizer against a server that speaks the wire."""

import asyncio
import time
from collections.abc import Iterator

import pytest

from tasks.clients.http_faults import read_limits, read_retry_after
from tasks.clients.http_pool import ConnectionLimits, address
from tasks.clients.openai_chat import OpenAISummarizer, completions_url
from tasks.domain.errors import (
    AllowanceUsedUp,
    ContentRefused,
    CredentialsRefused,
    EndpointMissing,
    InputTooLong,
    KefuError,
    QuotaRefused,
    ReplyUnreadable,
    RequestInvalid,
    TransientFault,
)
from tasks.domain.records import Conversation, QuotaHeaders, Reply, Request
from tests.servers.odd_replies import WHOLE
from tests.servers.qianfan import API_KEY, QianfanServer
from tests.servers.qianfan_behavior import Behavior

PROMPT = "请总结：\n用户：发票抬头写错了\n客服：已为您重新开具"
REQUEST = Request(Conversation("c1", (), "a", 1), (), "", PROMPT, False, "", "", 0)


@pytest.fixture(scope="module")
def running() -> Iterator[QianfanServer]:
    with QianfanServer() as server:
        yield server


@pytest.fixture
def server(running: QianfanServer) -> QianfanServer:
    running.reset()
    running.behavior = Behavior()
    return running


async def call(
    server: QianfanServer,
    api_key: str = API_KEY,
    times: int = 1,
    path: str = "/v1",
    timeout_seconds: float = 90,
) -> Reply:
    summarizer = OpenAISummarizer(
        "local", base_url=server.url + path, api_key=api_key, limits=ConnectionLimits(4, timeout_seconds)
    )
    try:
        for _ in range(times):
            reply = await summarizer.summarize(REQUEST, lambda: None)
        return reply
    finally:
        await summarizer.aclose()


def fault_of(server: QianfanServer, **options) -> KefuError:
    with pytest.raises(KefuError) as caught:
        asyncio.run(call(server, **options))
    assert API_KEY not in str(caught.value)
    assert "发票" not in str(caught.value)
    return caught.value


def test_summarize_gives_the_reply_over_one_connection(server):
    reply = asyncio.run(call(server, times=10))
    assert "发票抬头写错了" in reply.text
    assert reply.completion_tokens > 10
    assert server.last_body["model"] == "local"
    assert server.last_body["messages"] == [{"role": "user", "content": PROMPT}]
    assert server.stats()["connections"] == 1


def test_summarize_keeps_its_connection_until_the_next_minute_of_the_quota(server, monkeypatch):
    async def minutes() -> None:
        summarizer = OpenAISummarizer("local", base_url=f"{server.url}/v1", api_key=API_KEY)
        try:
            for minute in range(3):
                monkeypatch.setattr("aiohttp.connector.monotonic", lambda minute=minute: time.monotonic() + 60 * minute)
                await summarizer.summarize(REQUEST, lambda: None)
        finally:
            await summarizer.aclose()

    asyncio.run(minutes())
    assert server.stats()["connections"] == 1


@pytest.mark.parametrize(
    ("finish", "cut_off", "refused"),
    [("stop", False, False), ("length", True, False), ("content_filter", False, True)],
)
def test_summarize_reads_the_finish_reason(server, finish, cut_off, refused):
    server.behavior.finish_reason = finish
    reply = asyncio.run(call(server))
    assert (reply.cut_off, reply.refused) == (cut_off, refused)


@pytest.mark.parametrize(
    ("status", "error_type", "kind"),
    [
        (400, "context_length_exceeded", InputTooLong),
        (413, "x", InputTooLong),
        (400, "content_policy_violation", ContentRefused),
        (400, "invalid_request_error", RequestInvalid),
        (422, "validation", RequestInvalid),
        (401, "invalid_api_key", CredentialsRefused),
        (403, "permission_denied", CredentialsRefused),
        (404, "model_not_found", EndpointMissing),
        (405, "x", EndpointMissing),
        (308, "x", EndpointMissing),
        (429, "rate_limit_exceeded", QuotaRefused),
        (429, "insufficient_quota", AllowanceUsedUp),
        (408, "x", TransientFault),
        (500, "x", TransientFault),
        (503, "x", TransientFault),
    ],
)
def test_summarize_raises_what_a_status_means(server, status, error_type, kind):
    server.behavior.status, server.behavior.error_type = status, error_type
    assert type(fault_of(server)) is kind


def test_summarize_passes_on_how_long_to_wait(server):
    server.behavior.status, server.behavior.retry_after, server.behavior.rpm = 429, "7", 60
    error = fault_of(server)
    assert isinstance(error, QuotaRefused)
    assert error.retry_after_seconds == 7.0
    assert isinstance(error.limits, QuotaHeaders)
    assert error.limits.limit_requests == 60


@pytest.mark.parametrize(
    ("name", "maybe_paid"),
    [
        ("http_500", False),
        ("html_502", False),
        ("reset_before", True),
        ("reset_after", True),
        ("broken_json", True),
        ("hang", True),
    ],
)
def test_summarize_says_of_a_fault_whether_it_may_be_paid(server, name, maybe_paid):
    server.behavior.faults, server.behavior.hang_seconds = {name: 1.0}, 90
    error = fault_of(server, timeout_seconds=0.5 if name == "hang" else 90)
    assert isinstance(error, TransientFault)
    assert error.maybe_paid is maybe_paid


def test_summarize_with_a_wrong_key_or_path_says_so(server):
    assert isinstance(fault_of(server, api_key="wrong"), CredentialsRefused)
    assert isinstance(fault_of(server, path="/nowhere"), EndpointMissing)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "2.5"}, 2.5),
        ({"Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT"}, 0.0),
        # By the clock of whoever answered, decades before or after this machine's.
        ({"Retry-After": "Mon, 30 Nov 1970 00:00:07 GMT", "Date": "Mon, 30 Nov 1970 00:00:00 GMT"}, 7.0),
        ({"Retry-After": "Fri, 30 Nov 2096 00:00:07 GMT", "Date": "Fri, 30 Nov 2096 00:00:00 GMT"}, 7.0),
        ({"Retry-After": "Thu, 01 Jan 1970 00:00:07 GMT", "Date": "nonsense"}, 0.0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-1"}, None),
        ({"Retry-After": "999999"}, 3600.0),
        ({"retry-after-ms": "1500", "Retry-After": "9"}, 1.5),
    ],
)
def test_read_retry_after_reads_seconds_dates_and_milliseconds(headers, seconds):
    assert read_retry_after(headers) == seconds


@pytest.mark.parametrize("value", ["", "abc", "-5", "1.5", "５", "nan"])
def test_read_limits_ignores_what_is_no_number(value):
    assert read_limits({"X-Ratelimit-Limit-Requests": value}) is None


@pytest.mark.parametrize("shape", sorted(WHOLE))
def test_summarize_reads_a_whole_answer_in_whatever_shape_it_comes(server, shape):
    server.behavior.odd, server.behavior.odd_shape = 1.0, shape
    reply = asyncio.run(call(server))
    assert "发票抬头写错了" in reply.text
    assert "先看" not in reply.text or shape == "thought_before"
    assert 0 <= reply.completion_tokens < 2**31
    assert not reply.cut_off
    assert not reply.refused
    assert len(server.arrivals) == 1


@pytest.mark.parametrize(
    ("shape", "kind"),
    [
        ("empty", ReplyUnreadable),
        ("broken_off", ReplyUnreadable),
        ("billing_page", QuotaRefused),
        ("under_200", QuotaRefused),
    ],
)
def test_summarize_says_of_what_is_no_answer_what_it_is(server, shape, kind):
    server.behavior.odd, server.behavior.odd_shape = 1.0, shape
    error = fault_of(server)
    assert type(error) is kind
    if isinstance(error, QuotaRefused) and shape == "billing_page":
        assert error.retry_after_seconds == 1.0
        assert "billing page" in str(error)


@pytest.mark.parametrize(
    ("status", "code", "message", "kind"),
    [
        (402, "x", "", AllowanceUsedUp),
        (403, "x", "Your account is overdue", AllowanceUsedUp),
        (403, "x", "no such permission", CredentialsRefused),
        (400, "data_inspection_failed", "", ContentRefused),
        (400, "invalid_request_error", "Content Exists Risk", ContentRefused),
        (400, "invalid_request_error", "parameter check failed, top_p range is [0, 1]", RequestInvalid),
        (429, "RESOURCE_EXHAUSTED", "Quota exceeded for the minute. Please retry in 1.2s.", QuotaRefused),
    ],
)
def test_summarize_goes_by_codes_and_shows_the_services_own_sentence(server, status, code, message, kind):
    server.behavior.status, server.behavior.error_type, server.behavior.error_message = status, code, message
    error = fault_of(server)
    assert type(error) is kind
    assert message in str(error)
    if isinstance(error, QuotaRefused):
        assert error.retry_after_seconds == 1.2


def test_summarize_shows_neither_keys_nor_numbers_of_people_that_a_service_repeats(server):
    server.behavior.status, server.behavior.error_type = 400, f"Bearer {API_KEY}"
    server.behavior.error_message = (
        f"key {API_KEY}, phone 13800138000, token sk-made-up-0123456789abcdef\x1b[31m" + "长" * 500
    )
    text = str(fault_of(server))
    assert "13800138000" not in text
    assert "made-up" not in text
    assert "\x1b" not in text
    assert len(text) < 500


@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("http://h/v1", "http://h/v1/chat/completions"),
        ("http://h/v1/", "http://h/v1/chat/completions"),
        ("http://h/v1/chat/completions", "http://h/v1/chat/completions"),
        ("http://h/openai?api-version=1", "http://h/openai/chat/completions?api-version=1"),
    ],
)
def test_completions_url_takes_what_people_paste(base, url):
    assert completions_url(base) == url


def test_address_shows_neither_query_nor_password():
    assert address("https://me:secret@h:8443/v1?key=k") == "https://h:8443/v1"
