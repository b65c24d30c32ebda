"""Costs stand with the currency that was set, wherever a command prints them."""

import pytest

from flows.backfill_days import _format_summary
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


def test_try_model_prices_one_conversation_in_the_currency():
    assert format_summary(TRIED).endswith("12 ms, price $0.00042")
    assert "price not known; --prompt-token-price" in format_summary(TRIED | {"price": 0.0})
