"""The calendar of all reports, reports/index.html: days by month, weeks and months, each with its headline figures."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date, timedelta
from typing import Any, NamedTuple

from tasks.reporting.rules.statistics import DayStatistics
from tasks.reporting.rules.stories.alerts import Fired
from tasks.reporting.rules.stories.story import Stories
from tasks.reporting.rules.stories.texts import story_headline

_WEEK = 7

_SHADES = (0.08, 0.14, 0.2, 0.28)


@dataclass(frozen=True, slots=True)
class Entry:
    """One report: a day's where `first` is `last`; shares are of all conversations, None of nothing."""

    first: str
    last: str
    href: str
    conversations: int
    accepted: float | None
    negative: float | None
    stories: tuple[tuple[str, str], ...]
    alerts: tuple[Fired, ...] = ()  # that were fired on that day

    def as_json(self) -> dict[str, Any]:
        """Return it as reports/index.json has it."""
        return asdict(self)


class Cell(NamedTuple):
    """One day of the calendar: its number, its report if there is one, and how dark it is."""

    number: int
    entry: Entry | None
    shade: int


class Month(NamedTuple):
    """One month, week by week from Monday; None stands for days of other months."""

    name: str
    weeks: tuple[tuple[Cell | None, ...], ...]


def entry_of(statistics: DayStatistics, stories: Stories, fired: Iterable[Fired] = ()) -> Entry:
    """Return a report's entry."""
    first, last = statistics.start.isoformat(), statistics.end.isoformat()
    folder = f"day={first}" if first == last else f"days={first}_{last}"
    return Entry(
        first,
        last,
        f"{folder}/report.html",
        statistics.conversations,
        statistics.outcomes.accepted("yes").value,
        statistics.outcomes.negative("yes").value,
        tuple((headline.zh, headline.en) for headline in map(story_headline, stories.told)),
        tuple(fired),
    )


def entry_from(row: Mapping[str, Any]) -> Entry:
    """Return an entry out of reports/index.json; what a newer version wrote besides is left out."""
    stories = tuple((zh, en) for zh, en in row["stories"])
    alerts = tuple(Fired(fired["alert"], fired["key"]) for fired in row.get("alerts", ()))
    known = {field.name: row[field.name] for field in fields(Entry) if field.name in row}
    return Entry(**{**known, "stories": stories, "alerts": alerts})


def months_of(entries: Iterable[Entry]) -> list[Month]:
    """Return the days' reports as a calendar, the latest month first."""
    days = {date.fromisoformat(entry.first): entry for entry in entries if entry.first == entry.last}
    found = []
    for first in sorted({day.replace(day=1) for day in days}, reverse=True):
        start = first - timedelta(days=first.weekday())
        weeks = []
        while start < first or start.month == first.month:
            week = [start + timedelta(days=number) for number in range(_WEEK)]
            weeks.append(tuple(_cell(day, days) if day.month == first.month else None for day in week))
            start += timedelta(days=_WEEK)
        found.append(Month(f"{first:%Y-%m}", tuple(weeks)))
    return found


def spans_of(entries: Iterable[Entry]) -> list[Entry]:
    """Return the reports of more than a day, the latest first."""
    spans = [entry for entry in entries if entry.first != entry.last]
    return sorted(spans, key=lambda entry: (entry.last, entry.first))[::-1]


def _cell(day: date, days: Mapping[date, Entry]) -> Cell:
    entry = days.get(day)
    return Cell(day.day, entry, sum((entry.negative or 0) >= limit for limit in _SHADES) if entry else 0)
