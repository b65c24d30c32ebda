import pytest

from tasks.running.rules.backfill_lines import format_outcomes
from tasks.warehouse.rules.day_tally import DRY_RUN
from tests.builders.tallies import tally


@pytest.mark.parametrize(("currency", "cost"), [("¥", "¥1.83"), ("CNY", "1.83 CNY"), ("", "1.83")])
def test_a_dry_run_estimates_in_the_currency(currency, cost):
    found = tally(5, 0, status=DRY_RUN, estimated_tokens=900, estimated_cost=1.83, currency=currency).as_json()
    assert f"about 900 tokens, cost {cost}; nothing was called" in format_outcomes([found])


def test_a_dry_run_without_prices_calls_nothing_free():
    found = tally(5, 0, status=DRY_RUN, estimated_tokens=900, estimated_cost=0.0, currency="¥").as_json()
    told = format_outcomes([found, found])
    assert "¥" not in told
    assert told.count("cost unknown (--prompt-million-price sets a price)") == 3
    nothing_left = tally(5, 0, status=DRY_RUN, estimated_tokens=0, estimated_cost=0.0, currency="¥").as_json()
    assert "cost ¥0.00" in format_outcomes([nothing_left])


def test_a_backfill_ends_with_the_sum_of_its_days():
    days = [tally(5, 1, calls=4, warehouse="w").as_json(), {"day": "2026-11-23", "status": "failed"}]
    assert "days:" not in format_outcomes(days)
    *_, total, reports = format_outcomes([*days, tally(1200, 0, calls=1200, warehouse="w").as_json()]).splitlines()
    assert total == "2 days: 1,206 conversations = 1,205 summarized + 1 rejected; 1,204 calls"
    assert reports == "all reports: w/reports/index.html"
    dry = [tally(5, 0, status=DRY_RUN, estimated_tokens=900, estimated_cost=0.4, currency="¥").as_json()] * 2
    assert format_outcomes(dry).splitlines()[-1] == "2 days: 10 conversations; about 1,800 tokens, cost ¥0.80"
