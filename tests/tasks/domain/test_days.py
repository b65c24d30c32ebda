from datetime import date

import pytest

from tasks.domain.days import period_of, span_before


@pytest.mark.parametrize(
    ("day", "period", "expected"),
    [
        (date(2026, 11, 30), "week", (date(2026, 11, 23), date(2026, 11, 29))),
        (date(2026, 11, 29), "week", (date(2026, 11, 16), date(2026, 11, 22))),
        (date(2026, 12, 1), "month", (date(2026, 11, 1), date(2026, 11, 30))),
        (date(2027, 1, 31), "month", (date(2026, 12, 1), date(2026, 12, 31))),
    ],
)
def test_span_before_is_the_last_whole_week_or_month(day, period, expected):
    assert span_before(day, period) == expected


@pytest.mark.parametrize(
    ("first", "last", "period"),
    [
        (date(2026, 11, 30), date(2026, 11, 30), "day"),
        (date(2026, 11, 23), date(2026, 11, 29), "week"),
        (date(2026, 11, 22), date(2026, 11, 28), "span"),
        (date(2026, 11, 1), date(2026, 11, 30), "month"),
        (date(2026, 11, 1), date(2026, 11, 29), "span"),
        (date(2026, 11, 16), date(2026, 11, 29), "span"),
    ],
)
def test_period_of_names_whole_weeks_and_months(first, last, period):
    assert period_of(first, last) == period
