"""A second model behind the first, both real clients on one server."""

import asyncio
from dataclasses import replace
from datetime import date
from pathlib import Path
from tempfile import mkdtemp

import pytest

from tasks.calling.fallback import Fallback, FallbackCaller
from tasks.calling.rate_limiter import RateLimiter
from tasks.calling.response_cache import ResponseCache
from tasks.calling.rules.budget import Ceiling, PriceList, Prices
from tasks.calling.rules.call_policy import CallPolicy
from tasks.calling.rules.canary import CanaryRule
from tasks.calling.rules.pacing.limits import Limits
from tasks.calling.rules.retry_policy import RetryPolicy
from tasks.clients.folder_store import FolderStore
from tasks.clients.openai_chat import OpenAISummarizer
from tasks.domain.errors import AnswersUseless, CeilingReached
from tasks.domain.records import Answer, GivenUp, Request
from tasks.preparing.prompts import Prompt
from tasks.preparing.requests import ask_again
from tests.builders.asked import requests
from tests.servers.qianfan import API_KEY, QianfanServer

DOWN = "http://127.0.0.1:9/v1"
PRICES = PriceList(Prices(prompt=0.8, completion=2.0), "second", Prices(prompt=8.0, completion=40.0))
SUMMARY = '{"用户问题":"漏水","客服方案":"换货","是否接受":"是","是否负面情绪":"否"}'


@pytest.fixture
def server():
    with QianfanServer() as running:
        yield running


def run(
    server: QianfanServer,
    folder: Path,
    run_id: str,
    number: int = 20,
    first_url: str = "",
    notices: list[str] | None = None,
    repeated: int = 1,
    **policy,
) -> tuple[FallbackCaller, list[Answer | GivenUp | BaseException]]:
    async def ask() -> tuple[FallbackCaller, list[Answer | GivenUp | BaseException]]:
        scratch = Path(mkdtemp(dir=folder))
        answers = ResponseCache(FolderStore(folder), date(2026, 11, 22), run_id, scratch, overwrite=False)
        first = OpenAISummarizer("first", base_url=first_url or f"{server.url}/v1", api_key=API_KEY)
        second = OpenAISummarizer("second", base_url=f"{server.url}/v1", api_key=API_KEY)

        def as_asked(request: Request) -> Request:
            return ask_again(request, prompt=Prompt("v", "{conversation}"), model="second")

        rules = CallPolicy("v", retry=RetryPolicy(first_seconds=0.01, cap_seconds=0.05), **policy)
        warnings = notices if notices is not None else []
        of_second = replace(rules, prices=PriceList(rules.prices.second))
        fallback = Fallback(second, RateLimiter(Limits(600_000, None, 16)), of_second, as_asked, warnings.append)
        caller = FallbackCaller(fallback, first, RateLimiter(Limits(600_000, None, 16)), answers, rules, run_id)
        try:
            asked = requests(number) * repeated
            return caller, await asyncio.gather(*map(caller.answer, asked), return_exceptions=True)
        finally:
            await first.aclose()
            await second.aclose()
            answers.close()

    return asyncio.run(ask())


def test_the_second_answers_what_the_first_refuses_and_both_are_known_afterwards(server, tmp_path):
    server.behavior.refuses = ("first",)
    _, outcomes = run(server, tmp_path, "one")
    assert {outcome.model for outcome in outcomes if isinstance(outcome, Answer)} == {"second"}
    assert {outcome.outcome for outcome in outcomes if isinstance(outcome, Answer)} == {"answered"}
    calls = len(server.arrivals)
    caller, outcomes = run(server, tmp_path, "two")
    assert len(server.arrivals) == calls
    assert (caller.usage.reused, caller.usage.calls) == (20, 0)


def test_the_first_answers_alone_where_it_can(server, tmp_path):
    _, outcomes = run(server, tmp_path, "one")
    assert {outcome.model for outcome in outcomes if isinstance(outcome, Answer)} == {"first"}


def test_what_both_refuse_is_refused(server, tmp_path):
    server.behavior.refuses = ("first", "second")
    _, outcomes = run(server, tmp_path, "one")
    assert {(outcome.model, outcome.outcome) for outcome in outcomes if isinstance(outcome, Answer)} == {
        ("first", "refused")
    }


def test_the_second_takes_over_while_the_first_is_down(server, tmp_path):
    notices: list[str] = []
    _, outcomes = run(server, tmp_path, "one", 40, DOWN, notices, give_up_seconds=0.3)
    assert [notice.endswith("From here on second is asked.") for notice in notices] == [True]
    assert {outcome.model for outcome in outcomes if isinstance(outcome, Answer)} == {"second"}
    assert len(outcomes) == len([outcome for outcome in outcomes if isinstance(outcome, Answer)]) == 40


def test_one_ceiling_holds_for_both(server, tmp_path):
    server.behavior.refuses = ("first",)
    _, outcomes = run(server, tmp_path, "one", ceiling=Ceiling(calls=7))
    assert sum(server.delivered.values()) <= 7
    assert {type(outcome) for outcome in outcomes} == {Answer, CeilingReached}


def test_each_model_costs_its_own_price_also_after_a_restart(server, tmp_path):
    before, _ = run(server, tmp_path, "one", 10, prices=PRICES)
    server.behavior.refuses = ("first",)
    caller, _ = run(server, tmp_path, "one", 20, prices=PRICES)
    assert (before.usage.calls, caller.usage.calls) == (10, 10)
    by_first = PRICES.first.cost(before.usage.prompt_tokens, before.usage.completion_tokens)
    by_second = PRICES.second.cost(caller.usage.prompt_tokens, caller.usage.completion_tokens)
    assert caller.usage.cost == pytest.approx(by_second)
    assert caller.cost == pytest.approx(by_first + by_second)


def test_a_ceiling_on_cost_counts_the_second_model_by_its_own_price(server, tmp_path):
    server.behavior.refuses = ("first",)
    caller, outcomes = run(server, tmp_path, "one", prices=PRICES, ceiling=Ceiling(cost=30.0))
    assert {type(outcome) for outcome in outcomes} == {Answer, CeilingReached}
    assert 0 < caller.cost <= 30.0


def test_the_second_takes_over_when_the_first_one_s_allowance_is_used_up(server, tmp_path):
    server.answers = lambda model, prompt: SUMMARY if model == "second" else None
    with QianfanServer(status=429, error_type="insufficient_quota") as unpaid:
        _, outcomes = run(server, tmp_path, "one", first_url=f"{unpaid.url}/v1")
    assert [outcome.model for outcome in outcomes if isinstance(outcome, Answer)] == ["second"] * 20


def test_the_second_answers_what_is_too_long_for_the_first(server, tmp_path):
    with QianfanServer(status=400, error_type="context_length_exceeded") as narrow:
        _, outcomes = run(server, tmp_path, "one", first_url=f"{narrow.url}/v1")
    assert [outcome.model for outcome in outcomes if isinstance(outcome, Answer)] == ["second"] * 20
    assert len(narrow.arrivals) == 20


def test_the_canary_judges_what_comes_of_a_conversation_in_the_end(server, tmp_path):
    server.behavior.refuses = ("first",)
    server.answers = lambda model, prompt: SUMMARY
    _, outcomes = run(server, tmp_path, "one", 120, canary=CanaryRule(20))
    assert [outcome.outcome for outcome in outcomes if isinstance(outcome, Answer)] == ["answered"] * 120


@pytest.mark.parametrize("first_url", ["", DOWN], ids=["refuses", "down"])
def test_the_canary_stops_a_run_whose_second_model_is_useless_and_both_are_asked_again(server, tmp_path, first_url):
    server.behavior.refuses = ("first",)
    server.answers = lambda model, prompt: "好的。"
    _, outcomes = run(server, tmp_path, "one", 120, first_url, canary=CanaryRule(20), give_up_seconds=0.3)
    assert {type(outcome) for outcome in outcomes} <= {Answer, AnswersUseless}
    useless = next(outcome for outcome in outcomes if isinstance(outcome, AnswersUseless))
    assert "unparseable" in str(useless)
    assert sum(server.delivered.values()) <= 20

    server.behavior.refuses = ()
    server.answers = lambda model, prompt: SUMMARY
    _, outcomes = run(server, tmp_path, "two", 120, canary=CanaryRule(20))
    assert [outcome.text for outcome in outcomes if isinstance(outcome, Answer)] == [SUMMARY] * 120


def test_duplicates_that_the_second_answers_are_reused_once(server, tmp_path):
    server.behavior.refuses = ("first",)
    caller, outcomes = run(server, tmp_path, "one", repeated=2)
    assert len(outcomes) == 40
    assert (caller.usage.calls, caller.usage.reused) == (20, 20)
