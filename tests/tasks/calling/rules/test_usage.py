from datetime import UTC, datetime

import pytest

from tasks.calling.rules.budget import PriceList, Prices
from tasks.calling.rules.usage import Usage, UsageTotals
from tasks.domain.records import Answer, Reply

FIRST, SECOND = Prices(prompt=1.0, completion=2.0), Prices(prompt=10.0, completion=30.0, cached=5.0)


def answer(model: str, cached_tokens: int = 0) -> Answer:
    at = datetime(2026, 11, 22, tzinfo=UTC)
    return Answer("r", "c", "answered", "", model, "v", 1000, 100, 5, 1, at, "run", cached_tokens=cached_tokens)


def test_the_totals_of_two_models_cost_what_each_of_them_takes():
    totals = UsageTotals()
    for answered in (answer("sft"), answer("spare", cached_tokens=400), answer("sft")):
        totals.add(answered)
    assert (totals.calls, totals.prompt_tokens, totals.completion_tokens, totals.cached_tokens) == (3, 3000, 300, 400)
    assert totals.cost(PriceList(FIRST, "spare", SECOND)) == pytest.approx(2 * 1.2 + (6.0 + 2.0 + 3.0))
    assert totals.cost(PriceList(FIRST)) == pytest.approx(3 * 1.2)


def test_a_paid_call_costs_what_its_model_takes():
    usage = Usage()
    usage.paid(Reply("", prompt_tokens=1000, completion_tokens=100), FIRST)
    usage.paid(Reply("", prompt_tokens=1000, completion_tokens=100, cached_tokens=400), SECOND)
    assert (usage.calls, usage.prompt_tokens, usage.cached_tokens) == (2, 2000, 400)
    assert usage.cost == pytest.approx(1.2 + 11.0)
