"""A second model through the flow: who answers what, by whose quota, options and prompt."""

import asyncio

import pytest
from pydantic import SecretStr

from flows.summarize_day import summarize_day
from flows.wiring.blocks import SummarizerEndpoint
from tests.builders.small_days import DAY, NUMBER, rows
from tests.servers.qianfan import API_KEY, QianfanServer

pytestmark = pytest.mark.usefixtures("prefect_server")


@pytest.fixture
def spare():
    """Another service, where the second model lives; its block says so."""
    with QianfanServer(rpm=600, window_seconds=1) as server:
        SummarizerEndpoint(
            summarizer="openai",
            endpoint="spare",
            rpm=600,
            prompt_token_price=2.0,
            completion_token_price=6.0,
            system_prompt="简短",
            max_output_tokens=700,
            openai_base_url=f"{server.url}/v1",
            openai_api_key=SecretStr(API_KEY),
        ).save("spare", overwrite=True)
        yield server


def models(warehouse) -> set[tuple[str, str]]:
    return {(row["model"], row["prompt_version"]) for row in rows(warehouse, "summaries")}


def test_what_the_first_model_refuses_is_answered_by_the_second_and_by_nobody_again(
    asked_day, qianfan, spare, tmp_path
):
    qianfan.behavior.refuses = ("sft_v1",)
    both = asked_day | {"fallback_block": "spare", "temperature": 0.9, "prompt_token_price": 1.0}
    tally = asyncio.run(summarize_day(DAY, both))
    assert (tally.summarized, tally.rejected, tally.calls) == (NUMBER, 0, NUMBER)
    assert tally.cost == pytest.approx(spare.cost(2.0, 6.0))
    assert models(tmp_path / "warehouse") == {("spare", "general-v1")}
    assert (spare.last_body["max_tokens"], spare.last_body["temperature"]) == (700, 0.01)
    assert spare.last_body["messages"][0] == {"role": "system", "content": "简短"}

    arrivals = len(qianfan.arrivals) + len(spare.arrivals)
    again = asyncio.run(summarize_day(DAY, both))
    assert (again.summarized, again.calls, again.reused) == (NUMBER, 0, NUMBER)
    assert len(qianfan.arrivals) + len(spare.arrivals) == arrivals


def test_a_dry_run_counts_known_refusals_as_calls_of_the_second_model(asked_day, qianfan, spare):
    qianfan.behavior.refuses = ("sft_v1",)
    asyncio.run(summarize_day(DAY, asked_day | {"max_reject_ratio": 1.0, "canary_calls": 0}))
    alone = asyncio.run(summarize_day(DAY, asked_day | {"dry_run": True}))
    assert (alone.reused, alone.estimated_tokens) == (NUMBER, 0)
    both = asyncio.run(summarize_day(DAY, asked_day | {"fallback_block": "spare", "dry_run": True}))
    assert (both.reused, both.calls, len(spare.arrivals)) == (0, 0, 0)
    assert (both.estimated_tokens or 0) > 100 * NUMBER
    assert (both.estimated_cost or 0) > 0


def test_the_second_model_takes_over_from_one_that_is_down_and_the_log_says_so(
    asked_day, qianfan, spare, tmp_path, caplog
):
    qianfan.behavior.status, qianfan.behavior.error_type = 502, "bad_gateway"
    tally = asyncio.run(summarize_day(DAY, asked_day | {"fallback_block": "spare"}))
    assert (tally.summarized, tally.calls) == (NUMBER, NUMBER)
    assert models(tmp_path / "warehouse") == {("spare", "general-v1")}
    assert caplog.text.count("From here on spare is asked.") == 1
