from datetime import date

import pytest

from tasks.domain.days import span_before


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
