"""Small charts of a report, as geometry: trends with their weekends, and a heat map of themes by outcome."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple

import pyarrow as pa

from tasks.reporting.rules.findings import Headline, headline, read_headline
from tasks.reporting.rules.statistics import DayFigures, DayStatistics, Group, Proportion
from tasks.reporting.rules.texts import Bilingual, translate

_TREND_DAYS = 28

_SATURDAY = 5

_FEWEST_DAYS = 3

_HEATS = (0.02, 0.08, 0.18, 0.35, 0.55)

WIDTH, HEIGHT = 280.0, 60.0


class Trend(NamedTuple):
    """One measure over the days: a line through points in a box of WIDTH x HEIGHT, weekends as bands."""

    label: Bilingual
    points: str
    dots: tuple[tuple[float, float], ...]
    weekends: tuple[tuple[float, float], ...]
    low: str
    high: str
    now: str
    warn: bool


class Heat(NamedTuple):
    """One theme of the heat map: its name, conversations, and for each outcome its share and how dark it is."""

    label: Bilingual
    total: int
    cells: tuple[tuple[Proportion, int], ...]


def trends(
    statistics: DayStatistics, history: Mapping[date, pa.Table], days: Sequence[DayFigures]
) -> tuple[tuple[Trend, ...], tuple[date, ...]]:
    """Return volume, acceptance and negative sentiment over a span's days, or over the four weeks up to a day."""
    if days and len(days) > 1:
        known = {day.day: headline(day) for day in days}
    else:
        first = statistics.start - timedelta(days=_TREND_DAYS - 1)
        known = {day: read_headline(table) for day, table in sorted(history.items()) if day >= first}
        known[statistics.start] = headline(statistics)
    if len(known) < _FEWEST_DAYS:
        return (), ()
    first, last = min(known), max(known)
    calendar = tuple(first + timedelta(days=number) for number in range((last - first).days + 1))
    measures: tuple[tuple[str, Callable[[Headline], float | None], str, bool], ...] = (
        ("per_day", lambda day: float(day.conversations), "{:,.0f}", False),
        ("accepted", lambda day: day.accepted.value, "{:.0%}", False),
        ("negative", lambda day: day.negative.value, "{:.0%}", True),
    )
    return tuple(_trend(translate(label), calendar, known, of, shown, warn) for label, of, shown, warn in measures), (
        calendar
    )


def _trend(
    label: Bilingual,
    calendar: Sequence[date],
    known: Mapping[date, Headline],
    of: Callable[[Headline], float | None],
    shown: str,
    warn: bool,
) -> Trend:
    step = WIDTH / max(1, len(calendar) - 1)
    asked = {day: of(known[day]) for day in calendar if day in known}
    values = {day: value for day, value in asked.items() if value is not None}
    low, high = min(values.values(), default=0.0), max(values.values(), default=1.0)
    room = (high - low) or 1.0
    dots = tuple(
        (round(number * step, 1), round(HEIGHT - 4 - (values[day] - low) / room * (HEIGHT - 8), 1))
        for number, day in enumerate(calendar)
        if day in values
    )
    weekends = tuple(
        _band((number - 0.5) * step, (number + 0.5) * step)
        for number, day in enumerate(calendar)
        if day.weekday() >= _SATURDAY
    )
    latest = values[max(values)] if values else 0.0
    return Trend(
        label,
        " ".join(f"{x},{y}" for x, y in dots),
        dots[-1:],
        weekends,
        shown.format(low),
        shown.format(high),
        shown.format(latest),
        warn,
    )


def heat_map(groups: Sequence[tuple[Bilingual, Group]]) -> tuple[Heat, ...]:
    """Return themes by outcome: accepted calmly, accepted in anger, refused calmly, refused in anger, not known."""
    found = []
    for label, group in groups:
        outcomes = group.outcomes
        counts = (
            outcomes.cell("yes", "no"),
            outcomes.cell("yes", "yes"),
            outcomes.cell("no", "no"),
            outcomes.cell("no", "yes"),
        )
        cells = [Proportion(count, outcomes.total) for count in (*counts, outcomes.total - sum(counts))]
        found.append(Heat(label, outcomes.total, tuple((cell, _darkness(cell)) for cell in cells)))
    return tuple(found)


def _darkness(share: Proportion) -> int:
    return sum((share.value or 0.0) >= limit for limit in _HEATS)


def _band(start: float, end: float) -> tuple[float, float]:
    """The place and width of a band, no wider than the chart."""
    start, end = max(0.0, start), min(WIDTH, end)
    return round(start, 1), round(end - start, 1)
