"""Costs stand with the currency that was set, wherever a command prints them; a backfill sums its days."""

import pytest

from flows.backfill_days import _format_result, _format_summary
from flows.try_model import format_summary
from tasks.warehouse.rules.day_tally import DRY_RUN
from tests.builders.tallies import tally

TRIED = {
    "model": "m",
    "prompt_version": "general-v1",
    "prompt": "p",
    "answer": "{}",
    "fields": {},
    "prompt_tokens": 300,
    "completion_tokens": 60,
    "latency_ms": 12,
    "price": 0.00042,
    "currency": "$",
}


@pytest.mark.parametrize(("currency", "cost"), [("¥", "¥1.83"), ("CNY", "1.83 CNY"), ("", "1.83")])
def test_a_backfills_dry_run_estimates_in_the_currency(currency, cost):
    found = tally(5, 0, status=DRY_RUN, estimated_tokens=900, estimated_cost=1.83, currency=currency).as_json()
    assert f"a cost of {cost}; nothing was called" in _format_summary(found)


def test_a_backfill_ends_with_the_sum_of_its_days():
    days = [tally(5, 1, calls=4, warehouse="w").as_json(), {"day": "2026-11-23", "status": "failed"}]
    assert "days:" not in _format_result(days)
    *_, total, reports = _format_result([*days, tally(1200, 0, calls=1200, warehouse="w").as_json()]).splitlines()
    assert total == "2 days: 1,206 conversations = 1,205 summarized + 1 rejected; 1,204 calls"
    assert reports == "all reports: w/reports/index.html"
    dry = [tally(5, 0, status=DRY_RUN, estimated_tokens=900, estimated_cost=0.4, currency="¥").as_json()] * 2
    assert _format_result(dry).splitlines()[-1] == "2 days: 10 conversations; about 1,800 tokens, a cost of ¥0.80"


def test_try_model_prices_one_conversation_in_the_currency():
    assert format_summary(TRIED).endswith("12 ms, price $0.00042")
    assert "price not known; --prompt-token-price" in format_summary(TRIED | {"price": 0.0})
