"""Geometry of the report's charts, and which days they show."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from tasks.reporting.rules.context import Context
from tasks.reporting.rules.pages.charts import WIDTH, _band, trends
from tasks.reporting.rules.pages.page import make_page
from tasks.reporting.rules.statistics import DayFigures, DayStatistics, Outcomes
from tests.builders.day_statistics import DAY, statistics_of
from tests.builders.summary_days import summaries


@pytest.mark.parametrize(
    ("start", "end", "band"), [(10, 20, (10, 10)), (-5, 5, (0, 5)), (WIDTH - 5, WIDTH + 5, (WIDTH - 5, 5))]
)
def test_a_band_ends_with_its_chart(start, end, band):
    assert _band(start, end) == band


@pytest.fixture(scope="module")
def day() -> DayStatistics:
    return statistics_of(summaries(20))


def figures(first: date, number: int) -> list[DayFigures]:
    """As many conversations each day as days have passed, and one more."""
    return [
        DayFigures(first + timedelta(days=back), Outcomes((back + 1, 0, 0, 0, 0, 0, 0, 0, 0)), 0, frozenset())
        for back in range(number)
    ]


def test_a_week_stands_among_the_three_weeks_before_it(day):
    history = {DAY - timedelta(days=back): day.metrics for back in range(7, 60)}
    week = replace(day, start=DAY - timedelta(days=6), end=DAY)
    drawn, note = trends(week, history, figures(week.start, 7))
    assert "28 天" in note.zh
    assert {len(line.points.split()) for line in drawn} == {28}
    assert (drawn[0].first, drawn[0].last, drawn[0].now) == ("10-26", "11-22", "7")
    assert len(drawn[0].weekends) == 8


def test_a_month_shows_its_own_days(day):
    month = replace(day, start=date(2026, 10, 1), end=date(2026, 10, 31))
    drawn, _ = trends(month, {date(2026, 9, 30): day.metrics}, figures(month.start, 31))
    assert {len(line.points.split()) for line in drawn} == {31}
    assert (drawn[0].low, drawn[0].high) == ("1", "31")


def test_a_year_is_drawn_by_weeks_without_weekends(day):
    year = replace(day, start=date(2026, 1, 5), end=date(2026, 12, 27))  # 51 weeks from a Monday to a Sunday
    drawn, note = trends(year, {}, figures(year.start, 357))
    assert "51 周" in note.zh
    assert {len(line.points.split()) for line in drawn} == {51}
    assert (drawn[0].low, drawn[0].now) == ("28", f"{sum(range(351, 358)):,}")
    assert not any(line.weekends for line in drawn)
    assert drawn[0].label.en == "Conversations a week"


def test_two_days_are_no_trend(day):
    drawn, _ = trends(day, {DAY - timedelta(days=1): day.metrics}, ())
    assert drawn == ()


def test_a_map_of_themes_agrees_with_the_table_on_what_was_accepted():
    page = make_page(statistics_of(summaries(700)), Context())
    table = {driver.row.label: driver.row.outcomes for driver in page.drivers}
    agreed = 0
    for line in page.heat:
        if line.label in table:
            accepted, accepted_in_anger, _, _, unknown = (cell.part for cell, _ in line.cells)
            assert accepted + accepted_in_anger == table[line.label].accepted("yes").part
            assert unknown == table[line.label].accepted("unknown").part
            agreed += 1
    assert agreed > 1
