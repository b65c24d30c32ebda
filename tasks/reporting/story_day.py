"""Stories out of the warehouse: the days reported on, and the past they are compared with."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa

from tasks.domain.days import days_between
from tasks.domain.ports import ObjectStore
from tasks.reporting.queries import Warehouse, open_days
from tasks.reporting.rules.statistics import DayStatistics, Example
from tasks.reporting.rules.stories.search import VOLUME
from tasks.reporting.rules.stories.segments import Conversations, segments_of
from tasks.reporting.rules.stories.story import Aspect, Stories, Story, find_stories
from tasks.themes.assigner import load_taxonomy, open_assigner

_PAST_DAYS = 28

_MAX_PAST_DAYS = 62

_MOST_CONVERSATIONS = 60_000

_FEWEST_OF_A_DAY = 300

_MIN_DAYS = 6

_MAX_ATTRIBUTES = 20

_BEHIND_A_BAR = 3


def past_of(first: date, last: date) -> list[date]:
    """Return the days that a span is compared with: four weeks, and the span of equal length before a longer one."""
    number = min(_MAX_PAST_DAYS, max(_PAST_DAYS, (last - first).days + 1))
    return days_between(first - timedelta(days=number), first - timedelta(days=1))


@contextmanager
def open_past(
    store: ObjectStore, first: date, last: date, own: Mapping[date, Path]
) -> Iterator[tuple[Warehouse, list[date]]]:
    """Open the summaries of a span and of the days it is compared with.

    Args:
        store: the warehouse.
        first: the first day reported on.
        last: the last one.
        own: summaries that are not published yet, as local files by day.
    """
    days = [*past_of(first, last), *days_between(first, last)]
    with open_days(store, days, own={("summaries", day): path for day, path in own.items()}) as warehouse:
        yield warehouse, days


def read_stories(store: ObjectStore, first: date, last: date, themes: str = "") -> Stories:
    """Find the stories of published days."""
    with open_past(store, first, last, {}) as (warehouse, days):
        return ask_for_stories(warehouse, days, first, last, themes)


def theme_names(themes: str = "") -> dict[str, tuple[str, str]]:
    """Return the names of a taxonomy's themes in Chinese and English, by id."""
    return {theme.id: (theme.name_zh, theme.name_en) for theme in load_taxonomy(themes).themes}


def ask_behind_the_bars(warehouse: Warehouse, statistics: DayStatistics) -> dict[tuple[str, str], tuple[Example, ...]]:
    """Return a few conversations for every value that a report draws a bar for, the unhappiest first."""
    rows = warehouse.ask(
        "conversations_by_value",
        first=statistics.start,
        last=statistics.end,
        most=_BEHIND_A_BAR,
        issue_words=[group.key for group in statistics.issues.groups],
        plan_words=[group.key for group in statistics.plans.groups],
        attributes=list(statistics.attributes),
    )
    found: dict[tuple[str, str], list[Example]] = {}
    for row in rows.to_pylist():
        found.setdefault((row.pop("dimension"), row.pop("key")), []).append(Example(**row))
    return {bar: tuple(examples) for bar, examples in found.items()}


def ask_for_stories(warehouse: Warehouse, days: Sequence[date], first: date, last: date, themes: str = "") -> Stories:
    """Find the stories of the days `first` to `last` among tables that hold `days`."""
    most = max(_FEWEST_OF_A_DAY, _MOST_CONVERSATIONS // len(days))
    rows = warehouse.ask("story_conversations", first=days[0], last=days[-1], most=most)
    conversations = as_conversations(rows, days)
    if np.count_nonzero(conversations.totals) < _MIN_DAYS or not conversations.totals[days.index(first) :].any():
        return Stories()
    told, over = find_stories(conversations, segments_of(conversations), first, last)
    named = [name for story in told for name in story.examples]
    found = warehouse.ask("conversations_by_id", ids=named, first=days[0], last=days[-1]) if named else None
    return Stories(
        told=tuple(_finished(story, conversations, themes) for story in told),
        over=tuple(_finished(story, conversations, themes) for story in over),
        examples={row["conversation_id"]: Example(**row) for row in found.to_pylist()} if found is not None else {},
        enough_past=True,
    )


def as_conversations(rows: pa.Table, days: Sequence[date]) -> Conversations:
    """Turn rows of `story_conversations.sql` into columns; days without rows stay empty."""
    place = {day: number for number, day in enumerate(days)}
    day = np.array([place[value] for value in rows["day"].to_pylist()], dtype=np.int64)
    totals = np.zeros(len(days), dtype=np.int64)
    totals[day] = rows["total"].to_numpy()
    labels = {name: rows[name].to_pylist() for name in ("channel", "theme", "plan_theme")}
    labels |= _attributes(rows["attributes"])
    return Conversations(
        days=tuple(days),
        ids=[name or "" for name in rows["conversation_id"].to_pylist()],
        day=day,
        accepted=rows["accepted"].to_numpy().astype(np.int64),
        negative=rows["negative"].to_numpy().astype(np.int64),
        issues=rows["issue"].to_pylist(),
        plans=rows["plan"].to_pylist(),
        labels=labels,
        totals=totals,
    )


def _attributes(column: pa.ChunkedArray) -> dict[str, list[str]]:
    """Return the attributes that most often have a value, as columns."""
    pairs = [dict(pairs or ()) for pairs in column.to_pylist()]
    counts = Counter(key for found in pairs for key, value in found.items() if value)
    keys = [key for key, _ in counts.most_common(_MAX_ATTRIBUTES)]
    return {key: [found.get(key) or "" for found in pairs] for key in keys}


def _finished(story: Story, conversations: Conversations, themes: str) -> Story:
    """Return a story with its theme, and with all its conversations where it was found in a sample."""
    sampled = np.bincount(conversations.day[story.rows], minlength=len(conversations.days))
    kept = np.bincount(conversations.day, minlength=len(conversations.days))
    factor = conversations.totals / np.maximum(kept, 1)
    count = round(float((sampled * factor).sum()))
    part = count / max(1, len(story.rows))
    of_day = dict(zip(conversations.days, factor.tolist(), strict=True))
    daily = story.daily
    if story.aspects[0].measure == VOLUME:
        daily = tuple((day, None if value is None else value * of_day[day]) for day, value in daily)
    return replace(
        story,
        aspects=tuple(_of_all(aspect, part) for aspect in story.aspects),
        conversations=count,
        unhappy=round(story.unhappy * part),
        excess_unhappy=story.excess_unhappy * part,
        daily=daily,
        estimated=bool((factor > 1).any()),
        theme=story.theme or _theme([conversations.issues[row] for row in story.rows.tolist()], themes),
    )


def _of_all(aspect: Aspect, part: float) -> Aspect:
    """Return what was counted in a sample as it is in all conversations; a share is the same in both."""
    if aspect.measure != VOLUME:
        return aspect
    return aspect._replace(value=aspect.value * part, usual=aspect.usual * part)


def _theme(issues: Sequence[str], themes: str) -> str:
    texts = [text for text in issues if text][:500]
    if not texts:
        return ""
    assigned = Counter(
        theme for theme in open_assigner(themes).assign(pa.array(texts, pa.string())).to_pylist() if theme
    )
    return min(assigned, key=lambda theme: (-assigned[theme], theme), default="")
