"""A caller's spending and its end, through a real client on a server that counts what it was paid for."""

import asyncio
import random
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from tasks.calling.caller import Caller, Stopping
from tasks.calling.rate_limiter import RateLimiter
from tasks.calling.response_cache import ResponseCache
from tasks.calling.rules.budget import Ceiling, PriceList, Prices
from tasks.calling.rules.call_policy import CallPolicy
from tasks.calling.rules.canary import CanaryRule
from tasks.calling.rules.pacing.limits import Limits
from tasks.calling.rules.retry_policy import RetryPolicy
from tasks.clients.folder_store import FolderStore
from tasks.clients.http_pool import ConnectionLimits
from tasks.clients.openai_chat import OpenAISummarizer
from tasks.domain.errors import AnswersUseless, CeilingReached, EndpointDown
from tasks.domain.records import Answer, GivenUp, Reason, Request
from tests.builders.asked import ask_all, requests
from tests.servers.qianfan import API_KEY, QianfanServer
from tests.servers.qianfan_behavior import Behavior

PRICES = Prices(prompt=0.8, completion=2.0)


@pytest.fixture(scope="module")
def running() -> Iterator[QianfanServer]:
    with QianfanServer() as server:
        yield server


@pytest.fixture
def server(running: QianfanServer) -> QianfanServer:
    running.reset()
    running.behavior, running.answers = Behavior(), None
    return running


def run(
    server: QianfanServer,
    folder: Path,
    policy: CallPolicy,
    asked: list[Request],
    run_id: str,
    limits: ConnectionLimits = ConnectionLimits(64),  # noqa: B008  frozen
) -> tuple[Caller, list[Answer | GivenUp | BaseException]]:
    async def ask() -> tuple[Caller, list[Answer | GivenUp | BaseException]]:
        scratch = folder / run_id
        scratch.mkdir()
        answers = ResponseCache(FolderStore(folder), date(2026, 11, 22), run_id, scratch, overwrite=False)
        summarizer = OpenAISummarizer("m", base_url=f"{server.url}/v1", api_key=API_KEY, limits=limits)
        caller = Caller(summarizer, RateLimiter(Limits(600_000, None, 64)), answers, policy, run_id)

        try:
            return caller, await ask_all(caller, asked)
        finally:
            await summarizer.aclose()
            answers.close()

    return asyncio.run(ask())


def test_useless_answers_stop_the_run_and_a_mended_model_is_asked_about_each_once(server, tmp_path):
    server.answers = lambda model, prompt: "好的。"
    policy = CallPolicy("v", canary=CanaryRule(first=20))
    _, outcomes = run(server, tmp_path, policy, requests(120), "first")
    stopped = [outcome for outcome in outcomes if isinstance(outcome, AnswersUseless)]
    assert stopped
    assert "unparseable" in str(stopped[0])
    assert sum(server.delivered.values()) <= 20
    server.reset()
    server.answers = None
    caller, outcomes = run(server, tmp_path, policy, requests(120), "second")
    assert all(isinstance(outcome, Answer) for outcome in outcomes)
    assert set(server.delivered.values()) == {1}
    assert (caller.usage.calls, caller.usage.reused) == (120, 0)
    caller, _ = run(server, tmp_path, policy, requests(120), "third")
    assert (caller.usage.calls, caller.usage.reused) == (0, 120)


def test_useless_answers_of_a_run_that_went_to_its_end_are_final_until_they_are_named(server, tmp_path):
    server.answers = lambda model, prompt: "好的。"
    run(server, tmp_path, CallPolicy("v"), requests(30), "first")
    server.answers = None
    assert run(server, tmp_path, CallPolicy("v"), requests(30), "second")[0].usage.reused == 30
    again = CallPolicy("v", ask_again=frozenset({Reason.UNPARSEABLE}))
    assert run(server, tmp_path, again, requests(30), "third")[0].usage.calls == 30
    assert run(server, tmp_path, again, requests(30), "fourth")[0].usage.reused == 30


def test_a_request_that_is_not_taken_is_asked_again_a_few_times_over_runs(server, tmp_path):
    server.behavior.status, server.behavior.error_type = 400, "invalid_parameter"
    policy = CallPolicy("v", retry=RetryPolicy(max_attempts=3))
    for name in ("first", "second", "third", "fourth"):
        run(server, tmp_path, policy, requests(5), name)
    assert len(server.arrivals) == 15


@pytest.mark.parametrize("seed", range(6))
def test_no_ceiling_is_exceeded_by_faults_and_calls_in_flight(server, tmp_path, seed):
    rolls = random.Random(seed)
    names = ("overloaded", "http_500", "reset_before", "reset_after", "broken_json")
    server.behavior.faults = {name: rolls.uniform(0, 0.06) for name in names}
    server.behavior.latency_median = 0.005
    ceiling = rolls.choice(
        [
            Ceiling(calls=rolls.randint(1, 60)),
            Ceiling(tokens=rolls.randint(1_500, 6_000)),
            Ceiling(cost=rolls.uniform(1.5, 6.0)),
        ]
    )
    policy = CallPolicy(
        "v",
        max_tokens=128,
        retry=RetryPolicy(first_seconds=0.001, cap_seconds=0.01),
        ceiling=ceiling,
        prices=PriceList(PRICES),
    )
    _, first = run(server, tmp_path, policy, requests(80), "run")
    paid = server.delivered + server.lost
    assert ceiling.calls is None or sum(paid.values()) <= ceiling.calls
    tokens = sum(tokens for _, tokens, why in server.arrivals if not why)
    assert ceiling.tokens is None or tokens <= ceiling.tokens
    assert ceiling.cost is None or server.cost(PRICES.prompt, PRICES.completion) <= ceiling.cost
    assert {type(outcome) for outcome in first} <= {Answer, GivenUp, CeilingReached, Stopping}
    later, outcomes = run(server, tmp_path, CallPolicy("v", retry=policy.retry), requests(80), "next")
    assert later.usage.reused >= sum(isinstance(outcome, Answer) for outcome in first)
    assert all(isinstance(outcome, Answer | GivenUp) for outcome in outcomes)


@pytest.mark.parametrize("shape", ["mad_headers", "endless_counts"])
def test_an_answer_whose_tokens_are_not_given_counts_as_all_that_it_can_have_been(server, tmp_path, shape):
    server.behavior = Behavior(odd=1.0, odd_shape=shape)
    ceiling = Ceiling(cost=PRICES.cost(20_000, 3000))
    policy = CallPolicy("v", ceiling=ceiling, prices=PriceList(PRICES), max_tokens=100)
    _, outcomes = run(server, tmp_path, policy, requests(200), "first")
    answered = sum(isinstance(outcome, Answer) for outcome in outcomes)
    assert answered > 0
    assert ceiling.cost is not None
    assert answered * PRICES.cost(0, policy.max_tokens) <= ceiling.cost


def test_a_reply_that_is_empty_time_after_time_is_paid_for_twice_and_no_more(server, tmp_path):
    server.answers = lambda model, prompt: ""
    caller, outcomes = run(server, tmp_path, CallPolicy("v"), requests(10), "first")
    assert [outcome.outcome for outcome in outcomes if isinstance(outcome, Answer)] == ["broken"] * 10
    assert caller.usage.calls == sum(server.delivered.values()) == 20


def test_a_slow_server_is_asked_by_fewer_at_once_and_loses_no_conversation(server, tmp_path):
    server.behavior.slots, server.behavior.latency_median, server.behavior.latency_sigma = 2, 0.05, 0.01
    policy = CallPolicy("v", call_seconds=0.6, retry=RetryPolicy(first_seconds=0.01, cap_seconds=0.1))
    _, outcomes = run(server, tmp_path, policy, requests(100), "run", ConnectionLimits(64, 0.6))
    assert all(isinstance(outcome, Answer) and outcome.outcome == "answered" for outcome in outcomes)


def test_an_endpoint_that_is_down_ends_the_run_though_the_canary_holds_the_rest_back(server, tmp_path):
    server.behavior.faults = {"html_502": 1.0}
    policy = CallPolicy(
        "v", give_up_seconds=0.5, canary=CanaryRule(first=25), retry=RetryPolicy(first_seconds=0.01, cap_seconds=0.1)
    )
    _, outcomes = run(server, tmp_path, policy, requests(60), "run")
    assert {type(outcome) for outcome in outcomes} <= {EndpointDown, Stopping}
