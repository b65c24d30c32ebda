"""Small charts of a report, as geometry: trends with their weekends, and a heat map of themes by outcome."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple

import pyarrow as pa

from tasks.reporting.rules.findings import Headline, headline, read_headline, together
from tasks.reporting.rules.pages.calendar_rows import MOST_DAYS
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
    weekends: tuple[tuple[float, float], ...]
    low: str
    high: str
    now: str
    first: str
    last: str
    warn: bool


class Heat(NamedTuple):
    """One theme of the heat map: its name, conversations, and for each outcome its share and how dark it is."""

    label: Bilingual
    total: int
    cells: tuple[tuple[Proportion, int], ...]


def trends(
    statistics: DayStatistics, history: Mapping[date, pa.Table], days: Sequence[DayFigures]
) -> tuple[tuple[Trend, ...], Bilingual]:
    """Return volume, acceptance and negative sentiment, and a note of what is drawn.

    Four weeks up to the end of a day or a week, so that the weekly rhythm shows; a longer span's days; of a very long
    one its weeks, the last of which may be cut.
    """
    last = statistics.end
    first = min(statistics.start, last - timedelta(days=_TREND_DAYS - 1))
    known = {day: read_headline(table) for day, table in history.items() if first <= day < statistics.start}
    known |= {day.day: headline(day) for day in days} if days else {last: headline(statistics)}
    if len(known) < _FEWEST_DAYS:
        return (), translate("trend_note", days=len(known))
    first, last = min(known), max(known)
    number = (last - first).days + 1
    if number > MOST_DAYS:
        weeks = _by_week(known)
        drawn = [
            _trend(translate(label), weeks, known_of, shown, warn, 7)
            for label, known_of, shown, warn in _measures("per_week")
        ]
        return tuple(drawn), translate("trend_weeks", weeks=len(weeks))
    drawn = [
        _trend(translate(label), known, known_of, shown, warn, 1)
        for label, known_of, shown, warn in _measures("per_day")
    ]
    return tuple(drawn), translate("trend_note", days=number)


def _measures(volume: str) -> tuple[tuple[str, Callable[[Headline], float | None], str, bool], ...]:
    return (
        (volume, lambda found: float(found.conversations), "{:,.0f}", False),
        ("accepted", lambda found: found.accepted.value, "{:.0%}", False),
        ("negative", lambda found: found.negative.value, "{:.0%}", True),
    )


def _by_week(known: Mapping[date, Headline]) -> dict[date, Headline]:
    """Add days up by their weeks, each named by its Monday."""
    weeks: dict[date, list[Headline]] = {}
    for day in sorted(known):
        weeks.setdefault(day - timedelta(days=day.weekday()), []).append(known[day])
    return {monday: together(found) for monday, found in weeks.items()}


def _trend(
    label: Bilingual,
    known: Mapping[date, Headline],
    of: Callable[[Headline], float | None],
    shown: str,
    warn: bool,
    days: int,
) -> Trend:
    """Draw one measure at points that are so many days apart; only single days have weekends."""
    first, last = min(known), max(known)
    calendar = [first + timedelta(days=number) for number in range(0, (last - first).days + 1, days)]
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
        if day.weekday() >= _SATURDAY and days == 1
    )
    latest = values[max(values)] if values else 0.0
    return Trend(
        label,
        " ".join(f"{x},{y}" for x, y in dots),
        weekends,
        shown.format(low),
        shown.format(high),
        shown.format(latest),
        f"{first:%m-%d}",
        f"{last:%m-%d}",
        warn,
    )


def heat_map(groups: Sequence[tuple[Bilingual, Group]]) -> tuple[Heat, ...]:
    """Return themes by outcome: accepted without and with anger, refused without and with it, acceptance unknown."""
    found = []
    for label, group in groups:
        outcomes = group.outcomes
        accepted, refused = outcomes.accepted("yes").part, outcomes.accepted("no").part
        in_anger = outcomes.cell("yes", "yes"), outcomes.cell("no", "yes")
        counts = (
            accepted - in_anger[0],
            in_anger[0],
            refused - in_anger[1],
            in_anger[1],
            outcomes.accepted("unknown").part,
        )
        cells = [Proportion(count, outcomes.total) for count in counts]
        found.append(Heat(label, outcomes.total, tuple((cell, _darkness(cell)) for cell in cells)))
    return tuple(found)


def _darkness(share: Proportion) -> int:
    return sum((share.value or 0.0) >= limit for limit in _HEATS)


def _band(start: float, end: float) -> tuple[float, float]:
    """The place and width of a band, no wider than the chart."""
    start, end = max(0.0, start), min(WIDTH, end)
    return round(start, 1), round(end - start, 1)
