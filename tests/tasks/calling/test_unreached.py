"""A server that is not there is told at once and given up soon, where a person waits."""

import asyncio
import socket
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tasks.calling.caller import Caller
from tasks.calling.rate_limiter import RateLimiter
from tasks.calling.response_cache import ResponseCache
from tasks.calling.rules.call_policy import CallPolicy
from tasks.calling.rules.pacing.limits import Limits
from tasks.calling.rules.retry_policy import OutageDetector, RetryPolicy
from tasks.clients.folder_store import FolderStore
from tasks.clients.http_faults import endpoint_missing
from tasks.clients.openai_chat import OpenAISummarizer
from tasks.domain.errors import EndpointDown
from tasks.domain.records import Answer, GivenUp
from tests.builders.asked import ask_all, requests


@pytest.fixture
def nobody():
    """An address at which nobody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}/v1"


NEVER_THERE = CallPolicy("v", unreached_seconds=0.1)


async def ask(
    address: str, folder: Path, notices: list[str], policy: CallPolicy = NEVER_THERE, count: int = 4
) -> list[Answer | GivenUp | BaseException]:
    answers = ResponseCache(FolderStore(folder), date(2026, 11, 22), "run", folder, overwrite=False)
    summarizer = OpenAISummarizer("m", base_url=address)
    limiter = RateLimiter(Limits(600_000, None, 8))
    caller = Caller(summarizer, limiter, answers, policy, "run")
    caller.notify = notices.append

    try:
        return await ask_all(caller, requests(count))
    finally:
        limiter.close()
        await summarizer.aclose()
        answers.close()


def test_a_server_that_was_never_there_is_said_at_once_and_given_up(nobody, tmp_path):
    notices: list[str] = []
    outcomes = asyncio.run(ask(nobody, tmp_path, notices))
    down = [outcome for outcome in outcomes if isinstance(outcome, EndpointDown)]
    assert down
    assert f"m was never there in 0.1 s. {nobody}/chat/completions cannot be reached" in str(down[0])
    assert [notice.partition(":")[0] for notice in notices] == ["The first call failed and is tried again"]


def test_was_never_there_is_said_only_where_no_call_ever_reached_anybody():
    never = OutageDetector(0.0)
    for second in (10.0, 11.0, 24.0):
        assert not never.was_never_there(second, 15.0)
        never.failed(second, "a", reached=False)
    assert not never.was_never_there(24.9, 15.0)
    assert never.was_never_there(25.0, 15.0)


@pytest.mark.parametrize("how", ["answered", "failed"])
def test_one_call_that_reached_the_server_keeps_the_full_patience(how):
    seen = OutageDetector(0.0)
    if how == "answered":
        seen.succeeded(1.0)
    else:
        seen.failed(1.0, "a")  # a fault of the server's own, or its silence
    for second in (30.0, 40.0, 50.0, 60.0):
        seen.failed(second, "b", reached=False)
    assert not seen.was_never_there(99.0, 15.0)


def test_a_server_that_only_answers_with_faults_is_not_given_up_early(tmp_path):
    asked: list[str] = []

    class Overloaded(BaseHTTPRequestHandler):
        def do_POST(self):
            asked.append(self.path)
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(503)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_args): ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Overloaded) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/v1"
        policy = CallPolicy("v", unreached_seconds=0.0, give_up_seconds=0.2, retry=RetryPolicy(cap_seconds=0.02))
        outcomes = asyncio.run(ask(address, tmp_path, [], policy, count=8))
        server.shutdown()
    down = [str(outcome) for outcome in outcomes if isinstance(outcome, EndpointDown)]
    assert down
    assert "has answered nothing for 0.2 s" in down[0]
    assert len(asked) >= 20


@pytest.mark.parametrize(
    ("where", "hint"),
    [("http://h/chat/completions", True), ("https://h/v1/chat/completions", False), ("https://h/api/v3/chat", False)],
)
def test_an_address_without_a_version_is_named(where, hint):
    assert ("usually ends in /v1" in str(endpoint_missing(where, ""))) is hint
