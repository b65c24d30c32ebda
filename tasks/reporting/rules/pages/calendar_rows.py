"""The days of a span as the rows of its table; of a long span, its months."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import groupby, pairwise
from typing import NamedTuple

from tasks.reporting.rules.statistics import DayFigures, Outcomes, Proportion
from tasks.reporting.rules.texts import Bilingual

MOST_DAYS = 62
"""Of a longer span single days say nothing: it is shown by months."""

WEEKDAYS = (("一", "Mon"), ("二", "Tue"), ("三", "Wed"), ("四", "Thu"), ("五", "Fri"), ("六", "Sat"), ("日", "Sun"))

_SATURDAY = 5


class CalendarRow(NamedTuple):
    """A day or a month: `changed` where another model or prompt than before made summaries of it."""

    label: Bilingual
    outcomes: Outcomes
    rejected: Proportion
    weekend: bool
    changed: bool

    @property
    def conversations(self) -> int:
        """Everything that was read."""
        return self.rejected.whole


def weekday(day: date) -> Bilingual:
    """Return a day's weekday in one character or three letters."""
    return Bilingual(*WEEKDAYS[day.weekday()])


def calendar_rows(days: Sequence[DayFigures]) -> tuple[CalendarRow, ...]:
    """Return a row a day, or a month of a long span."""
    changed = frozenset(_changed_days(days))
    if len(days) > MOST_DAYS:
        return tuple(_months(days, changed))
    return tuple(
        CalendarRow(
            Bilingual(*(f"{day.day} {name}" for name in weekday(day.day))),
            day.outcomes,
            Proportion(day.rejected, day.conversations),
            day.day.weekday() >= _SATURDAY,
            day.day in changed,
        )
        for day in days
    )


def _months(days: Sequence[DayFigures], changed: frozenset[date]) -> Iterator[CalendarRow]:
    for month, of_month in groupby(days, key=lambda day: f"{day.day:%Y-%m}"):
        found = list(of_month)
        cells = zip(*(day.outcomes.cells for day in found), strict=True)
        outcomes = Outcomes(tuple(map(sum, cells)))
        rejected = sum(day.rejected for day in found)
        yield CalendarRow(
            Bilingual(month, month),
            outcomes,
            Proportion(rejected, outcomes.total + rejected),
            weekend=False,
            changed=any(day.day in changed for day in found),
        )


def _changed_days(days: Sequence[DayFigures]) -> Iterable[date]:
    """Yield the days whose summaries were made by another model or prompt than those of the day before."""
    made = [(day.day, day.made_by) for day in days if day.made_by]
    yield from (day for (_, before), (day, now) in pairwise(made) if now != before)
