"""Findings about a day or a span as a whole: how complete it is, how it compares with days before, how sure it is.

What happened in a part of it is a story's business (see stories.py). A day's traffic is compared with the same weekday
of the four weeks before, its shares with the week before and with that weekday; a span with the span of equal length
before it.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from tasks.reporting.rules.formatting import share_text, whole_percent
from tasks.reporting.rules.statistics import DayFigures, DayStatistics, Group, Outcomes, Proportion
from tasks.reporting.rules.texts import Bilingual, reason_label, translate

_STANDARD_ERRORS = 2.58

_WEEK = 7

_WEEKS_OF_WEEKDAYS = 4

_FEWEST_WEEKDAYS = 2

_VOLUME_CHANGE = 0.3

_MANY_REJECTED = 0.05

_MANY_UNKNOWN = 0.3

_MANY_TRUNCATED = 0.05

_TOPIC_CONVERSATIONS = 3

_TOPIC_SHARE = 0.02


@dataclass(frozen=True, slots=True)
class Headline:
    """The figures that days are compared by."""

    conversations: int
    rejected: Proportion
    accepted: Proportion
    negative: Proportion


class Comparison(NamedTuple):
    """The past that a day or a span is compared with.

    Args:
        yesterday: the day before a single day, where it is known.
        before: the week before a single day, or the span of equal length before a span, added up.
        before_days: how many of its days are known.
        span: how many days it has.
        usual: a single day's weekday in the weeks before: conversations of each, the latest first.
        weekdays: those days added up, where at least two are known.
    """

    yesterday: Headline | None = None
    before: Headline | None = None
    before_days: int = 0
    span: int = _WEEK
    usual: tuple[int, ...] = ()
    weekdays: Headline | None = None

    @property
    def mean(self) -> float:
        """Conversations a day in the days before."""
        return self.before.conversations / self.before_days if self.before and self.before_days else 0.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence; `warning` when it is bad news."""

    text: Bilingual
    warning: bool


def headline(statistics: DayStatistics | DayFigures) -> Headline:
    """A statistics's own headline."""
    return Headline(
        conversations=statistics.conversations,
        rejected=Proportion(statistics.rejected, statistics.conversations),
        accepted=statistics.outcomes.accepted("yes"),
        negative=statistics.outcomes.negative("yes"),
    )


def read_headline(metrics: pa.Table) -> Headline:
    """The headline of a day from its METRICS table; nothing of nothing where a metric is missing."""
    whole_day = metrics.filter(pc.equal(metrics["dimension"], "all"))
    shares = {
        metric: Proportion(part or 0, whole or 0)
        for metric, part, whole in zip(
            whole_day["metric"].to_pylist(),
            whole_day["numerator"].to_pylist(),
            whole_day["denominator"].to_pylist(),
            strict=True,
        )
    }
    nothing = Proportion(0, 0)
    return Headline(
        conversations=shares.get("conversations", nothing).part,
        rejected=shares.get("rejected_share", nothing),
        accepted=shares.get("accepted_share", nothing),
        negative=shares.get("negative_share", nothing),
    )


def past_days(first: date, last: date) -> int:
    """Return the number of days before a span that its comparison uses."""
    return max(_WEEK * _WEEKS_OF_WEEKDAYS, (last - first).days + 1)


def compare(first: date, last: date, history: Mapping[date, pa.Table]) -> Comparison:
    """Return the figures of the days before, from METRICS; days that don't matter to the comparison are left out."""
    length = (last - first).days + 1
    span = _WEEK if length == 1 else length
    known = {
        day: read_headline(history[day])
        for day in (first - timedelta(days=back) for back in range(1, past_days(first, last) + 1))
        if day in history
    }
    days = [headline for day, headline in known.items() if (first - day).days <= span]
    if len(days) * 2 < span and length > 1:
        days = []
    same = [first - timedelta(days=_WEEK * back) for back in range(1, _WEEKS_OF_WEEKDAYS + 1)] if length == 1 else []
    alike = [known[day] for day in same if day in known]
    return Comparison(
        yesterday=known.get(first - timedelta(days=1)) if length == 1 else None,
        before=together(days) if days else None,
        before_days=len(days),
        span=span,
        usual=tuple(day.conversations for day in alike),
        weekdays=together(alike) if len(alike) >= _FEWEST_WEEKDAYS else None,
    )


def differs(now: Proportion, before: Proportion, standard_errors: float = _STANDARD_ERRORS) -> bool:
    """Return true where two shares differ by more than chance (two-proportion z-test); false where a share is
    undefined.
    """
    whole = now.whole + before.whole
    if now.value is None or before.value is None:
        return False
    pooled = (now.part + before.part) / whole
    error = math.sqrt(pooled * (1 - pooled) * (1 / now.whole + 1 / before.whole))
    return abs(now.value - before.value) > standard_errors * error


def find(statistics: DayStatistics, comparison: Comparison, days: int = 1) -> list[Finding]:
    """Return what deserves attention, the most important first; `days` of the span have tables."""
    now = headline(statistics)
    return [
        *_about_completeness(statistics),
        *_about_volume(now, comparison, days),
        *_about_days_before(now, comparison),
        *_about_certainty(statistics),
    ]


def distinct_words(words: tuple[Group, ...]) -> tuple[Group, ...]:
    """One word, the longest, for those that are in the same conversations (as far as equal counts tell)."""
    longest: dict[Outcomes, Group] = {}
    for word in words:
        known = longest.get(word.outcomes)
        if known is None or len(word.key) > len(known.key):
            longest[word.outcomes] = word
    return tuple(longest.values())


def topics(statistics: DayStatistics) -> tuple[Group, ...]:
    """The words that can stand for what a day was about: in several conversations, and in a part that counts."""
    enough = max(_TOPIC_CONVERSATIONS, _TOPIC_SHARE * statistics.issues.counted_in)
    return tuple(word for word in distinct_words(statistics.issues.groups) if word.outcomes.total >= enough)


def together(days: Sequence[Headline]) -> Headline:
    """Add the headlines of some days up."""
    return Headline(
        conversations=sum(day.conversations for day in days),
        rejected=_pooled(day.rejected for day in days),
        accepted=_pooled(day.accepted for day in days),
        negative=_pooled(day.negative for day in days),
    )


def _pooled(shares: Iterator[Proportion]) -> Proportion:
    pooled = Proportion(0, 0)
    for share in shares:
        pooled = Proportion(pooled.part + share.part, pooled.whole + share.whole)
    return pooled


def _about_completeness(statistics: DayStatistics) -> Iterator[Finding]:
    if statistics.usage.logs_incomplete:
        yield Finding(translate("found_incomplete"), warning=True)
    rejected = Proportion(statistics.rejected, statistics.conversations)
    if (rejected.value or 0) > _MANY_REJECTED:
        reason = reason_label(statistics.rejects[0][0])
        yield Finding(translate("found_rejected", share=share_text(rejected), reason=reason), warning=True)


def _about_volume(now: Headline, comparison: Comparison, days: int) -> Iterator[Finding]:
    if len(comparison.usual) >= _FEWEST_WEEKDAYS:
        mean, sentence = sum(comparison.usual) / len(comparison.usual), "found_volume"
        counted = len(comparison.usual)
    elif days > 1 and comparison.before:
        mean, sentence, counted = comparison.mean * days, "found_span_volume", comparison.span
    else:
        return
    if abs(now.conversations - mean) > _VOLUME_CHANGE * mean:
        way = "up" if now.conversations > mean else "down"
        text = translate(f"{sentence}_{way}", now=now.conversations, days=counted, before=round(mean))
        yield Finding(text, warning=way == "down")


def _about_days_before(now: Headline, comparison: Comparison) -> Iterator[Finding]:
    before = comparison.before
    if before is None:
        return
    same = comparison.weekdays or before  # what every Saturday is like is no news on a Saturday
    for name, share, past, weekday, bad in (
        ("negative", now.negative, before.negative, same.negative, "up"),
        ("accepted", now.accepted, before.accepted, same.accepted, "down"),
    ):
        if differs(share, past) and differs(share, weekday):
            way = "up" if (share.value or 0) > (past.value or 0) else "down"
            values = {"now": whole_percent(share), "before": whole_percent(past)}
            yield Finding(translate(f"found_{name}_{way}", days=comparison.before_days, **values), warning=way == bad)


def _about_certainty(statistics: DayStatistics) -> Iterator[Finding]:
    unknown = statistics.outcomes.accepted("unknown")
    if (unknown.value or 0) > _MANY_UNKNOWN:
        yield Finding(translate("found_unknown", share=share_text(unknown)), warning=False)
    truncated = Proportion(statistics.truncated, statistics.outcomes.total)
    if (truncated.value or 0) > _MANY_TRUNCATED:
        yield Finding(translate("found_truncated", share=share_text(truncated)), warning=False)
