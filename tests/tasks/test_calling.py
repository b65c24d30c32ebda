"""A whole run's calls through real clients to a strict server on loopback."""

import asyncio
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from tasks.answer_log import AnswerLog
from tasks.calling import Caller
from tasks.clients.folder import FolderStore
from tasks.clients.openai import OpenAISummarizer
from tasks.clients.qianfan import QianfanCredentials, QianfanSummarizer
from tasks.domain.pacing import Limits
from tasks.domain.ports import Summarizer
from tasks.domain.records import Answer, Conversation, Request
from tasks.domain.retrying import EndpointHealth, Patience
from tasks.gate import Gate
from tests.servers.qianfan import ACCESS_KEY, API_KEY, SECRET_KEY, QianfanServer

CONCURRENCY = 16


@pytest.fixture
def server() -> Iterator[QianfanServer]:
    with QianfanServer(rpm=6000, window_seconds=1.0, latency_median=0.05) as running:
        yield running


def connected(kind: str, url: str) -> Summarizer:
    if kind == "openai":
        return OpenAISummarizer("m", base_url=f"{url}/v1", api_key=API_KEY, connections=CONCURRENCY)
    credentials = QianfanCredentials(ACCESS_KEY, SECRET_KEY)
    return QianfanSummarizer("sft", credentials=credentials, base_url=url, connections=CONCURRENCY)


async def answer(summarizer: Summarizer, requests: list[Request], folder: Path) -> list[Answer]:
    answers = AnswerLog(FolderStore(folder), date(2026, 11, 22), "run", folder, overwrite=False)
    caller = Caller(
        summarizer,
        Gate(Limits(6000, None, CONCURRENCY, window_seconds=1.0)),
        answers,
        prompt_version="test",
        run_id="run",
        patience=Patience(first_seconds=0.01, cap_seconds=0.1),
        health=EndpointHealth(time.monotonic()),
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
