"""A whole run's calls through real clients to a strict server on loopback."""

import asyncio
import errno
import os
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from tasks.calling.caller import Caller
from tasks.calling.rate_limiter import RateLimiter
from tasks.calling.response_cache import ResponseCache
from tasks.calling.rules.call_policy import CallPolicy
from tasks.calling.rules.pacing.limits import Limits
from tasks.calling.rules.retry_policy import OutageDetector, RetryPolicy
from tasks.clients.folder_store import FolderStore
from tasks.clients.http_pool import ConnectionLimits
from tasks.clients.openai_chat import OpenAISummarizer
from tasks.clients.qianfan.chat import QianfanAddresses, QianfanSummarizer
from tasks.clients.qianfan.credentials import QianfanCredentials
from tasks.domain.errors import StoreFull, TransientFault
from tasks.domain.ports import Summarizer
from tasks.domain.records import Answer, Conversation, GivenUp, Reply, Request
from tests.servers.qianfan import ACCESS_KEY, API_KEY, SECRET_KEY, QianfanServer

CONCURRENCY = 16


@pytest.fixture
def server() -> Iterator[QianfanServer]:
    with QianfanServer(rpm=6000, window_seconds=1.0, latency_median=0.05) as running:
        yield running


def connected(kind: str, url: str) -> Summarizer:
    if kind == "openai":
        return OpenAISummarizer("m", base_url=f"{url}/v1", api_key=API_KEY, limits=ConnectionLimits(CONCURRENCY))
    credentials, addresses = QianfanCredentials(ACCESS_KEY, SECRET_KEY), QianfanAddresses(v2=url, iam=url)
    return QianfanSummarizer("sft", credentials, addresses, limits=ConnectionLimits(CONCURRENCY))


async def answer(summarizer: Summarizer, requests: list[Request], folder: Path) -> list[Answer]:
    answers = ResponseCache(FolderStore(folder), date(2026, 11, 22), "run", folder, overwrite=False)
    caller = Caller(
        summarizer,
        RateLimiter(Limits(6000, None, CONCURRENCY, window_seconds=1.0)),
        answers,
        CallPolicy("test", retry=RetryPolicy(first_seconds=0.01, cap_seconds=0.1)),
        "run",
    )
    try:
        outcomes = await asyncio.gather(*(caller.answer(request) for request in requests))
    finally:
        answers.close()
        await summarizer.aclose()
    return [outcome for outcome in outcomes if isinstance(outcome, Answer)]


@pytest.mark.parametrize("kind", ["openai", "qianfan"])
def test_answer_opens_few_connections_in_a_whole_run(server, tmp_path, kind):
    server.behavior.faults = {"internal": 0.02, "http_500": 0.02, "html_502": 0.02, "broken_json": 0.02}
    requests = [
        Request(Conversation(f"c{n}", (), "a", n), (), "", f"用户：第{n}单", False, f"c{n}", f"c{n}", 20)
        for n in range(250)
    ]
    answers = asyncio.run(answer(connected(kind, server.url), requests, tmp_path))
    assert len(answers) == 250
    assert sum(server.delivered.values()) == 250
    assert server.stats()["connections"] <= 1.5 * CONCURRENCY


def test_what_an_answer_held_is_given_back_though_it_can_not_be_kept(server, tmp_path, monkeypatch):
    requests = [
        Request(Conversation("c", (), "a", n), (), "", f"用户：第{n}单", False, "", f"r{n}", 20) for n in range(8)
    ]
    limiter = RateLimiter(Limits(6000, None, CONCURRENCY, window_seconds=1.0))

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    async def ask() -> list[Answer | GivenUp | BaseException]:
        summarizer = connected("openai", server.url)
        answers = ResponseCache(FolderStore(tmp_path), date(2026, 11, 22), "run", tmp_path, overwrite=False)
        caller = Caller(summarizer, limiter, answers, CallPolicy("test"), "run")
        try:
            with monkeypatch.context() as disk:
                disk.setattr(os, "write", full)
                return await asyncio.gather(*map(caller.answer, requests), return_exceptions=True)
        finally:
            answers.close()
            await summarizer.aclose()

    assert {type(outcome) for outcome in asyncio.run(ask())} == {StoreFull}
    assert limiter.snapshot().in_flight == 0


class Poisoned:
    """Breaks at every call; while it breaks, other calls succeed as often as told."""

    model, paid = "m", True

    def __init__(self, others: int) -> None:
        self.others = others
        self.outage: OutageDetector | None = None

    async def summarize(self, request: Request, on_sent: Callable[[], None]) -> Reply:
        on_sent()
        if self.others and self.outage:
            self.others -= 1
            await asyncio.sleep(0.001)
            self.outage.succeeded(time.monotonic())
        raise TransientFault("error 336000")

    async def aclose(self) -> None: ...


@pytest.mark.parametrize(("others", "attempts"), [(9, 3), (2, 6), (0, 12)])
def test_answer_gives_up_the_sooner_the_more_others_succeeded_meanwhile(tmp_path, others, attempts):
    async def ask() -> Answer | GivenUp:
        answers = ResponseCache(FolderStore(tmp_path), date(2026, 11, 22), "run", tmp_path, overwrite=False)
        summarizer = Poisoned(others)
        caller = Caller(
            summarizer,
            RateLimiter(Limits(600_000, None, CONCURRENCY)),
            answers,
            CallPolicy("test", retry=RetryPolicy(max_attempts=3, first_seconds=0.001, cap_seconds=0.001)),
            "run",
        )
        summarizer.outage = caller.outage
        try:
            return await caller.answer(Request(Conversation("c", (), "a", 1), (), "", "用户", False, "c", "c", 20))
        finally:
            answers.close()

    given_up = asyncio.run(ask())
    assert isinstance(given_up, GivenUp)
    assert given_up.attempts == attempts
