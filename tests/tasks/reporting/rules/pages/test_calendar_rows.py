"""The rows of a span's table: days, or months of a long span."""

from datetime import date, timedelta

from tasks.reporting.rules.pages.calendar_rows import MOST_DAYS, calendar_rows
from tasks.reporting.rules.statistics import DayFigures, Outcomes

FIRST = date(2026, 1, 1)


def days(number: int, model: str = "m") -> list[DayFigures]:
    cells = (5, 0, 0, 0, 3, 0, 0, 0, 1)
    return [DayFigures(FIRST + timedelta(days=back), Outcomes(cells), 1, frozenset({model})) for back in range(number)]


def test_a_month_is_shown_by_days_with_its_weekends():
    rows = calendar_rows(days(31))
    assert len(rows) == 31
    assert (rows[0].label.zh, rows[0].label.en) == ("2026-01-01 四", "2026-01-01 Thu")
    assert [number for number, row in enumerate(rows[:8]) if row.weekend] == [2, 3]
    assert not any(row.changed for row in rows)


def test_a_year_is_shown_by_months_that_lose_nothing():
    rows = calendar_rows(days(365))
    assert [row.label.zh for row in rows] == [f"2026-{month:02}" for month in range(1, 13)]
    assert sum(row.conversations for row in rows) == 365 * 10
    assert [row.rejected.part for row in rows[:2]] == [31, 28]
    assert rows[1].outcomes == Outcomes((140, 0, 0, 0, 84, 0, 0, 0, 28))
    assert not any(row.weekend for row in rows)


def test_the_day_and_the_month_of_another_model_are_marked():
    before, after = days(40), days(80, "n")[40:]
    assert [row.label.zh[:10] for row in calendar_rows([*before, *after[:10]]) if row.changed] == ["2026-02-10"]
    assert len(before + after) > MOST_DAYS
    assert [row.label.zh for row in calendar_rows([*before, *after]) if row.changed] == ["2026-02"]
