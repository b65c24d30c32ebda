"""Days and what a run did to one."""

from datetime import date, datetime, timedelta, tzinfo
from typing import Literal

from tasks.domain.errors import UsageError


def previous_day(moment: datetime, zone: tzinfo) -> date:
    """The day before the day that `moment` (aware) falls into, in `zone`."""
    return moment.astimezone(zone).date() - timedelta(days=1)


def span_before(day: date, period: Literal["week", "month"]) -> tuple[date, date]:
    """The last whole week, Monday to Sunday, or the last whole month before a day."""
    if period == "week":
        last = day - timedelta(days=day.weekday() + 1)
        return last - timedelta(days=6), last
    last = day.replace(day=1) - timedelta(days=1)
    return last.replace(day=1), last


def period_of(first: date, last: date) -> Literal["day", "week", "month", "span"]:
    """Return what a span of days is: a day, a week from Monday to Sunday, a calendar month, or none of these."""
    if first == last:
        return "day"
    after = last + timedelta(days=1)
    whole: tuple[Literal["week", "month"], ...] = ("week", "month")
    return next((period for period in whole if span_before(after, period) == (first, last)), "span")


def days_between(start: date, end: date) -> list[date]:
    """Every day from `start` to `end`, both included.

    Raises:
        UsageError: the range is empty.
    """
    if end < start:
        raise UsageError(f"The last day, {end}, is before the first, {start}.")
    return [start + timedelta(days=number) for number in range((end - start).days + 1)]


def days_before(day: date, number: int) -> list[date]:
    """The `number` days before a day, oldest first."""
    return [day - timedelta(days=back) for back in range(number, 0, -1)]
