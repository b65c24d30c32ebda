"""What in a statistics deserves a look: parts that stand out from the whole, and the whole from the days before.

Silent about what chance would do anyway: a part is named only when its share lies three standard errors above
the overall one (there are many parts), a day when it lies 2.58 away from the days before.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from tasks.reporting.rules.formatting import percent, share_text
from tasks.reporting.rules.statistics import DayStatistics, Group, Outcomes, Proportion
from tasks.reporting.rules.texts import Bilingual, reason_label, translate

_STANDARD_ERRORS = 2.58

_STANDARD_ERRORS_OF_PARTS = 3.0  # of some sixty parts looked at, one in ten days misleads

_WEEK = 7

_SEVERAL_DAYS = 3

_VOLUME_CHANGE = 0.3

_MANY_REJECTED = 0.05

_MANY_UNKNOWN = 0.3

_MANY_TRUNCATED = 0.05

_GROUP_MINIMUM = 5

_GROUP_EXCESS = 1.25

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
    """Days before: yesterday, where it is known, and up to a week added up."""

    yesterday: Headline | None
    week: Headline | None
    week_days: int


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence; `warning` when it is bad news."""

    text: Bilingual
    warning: bool


def headline(statistics: DayStatistics) -> Headline:
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


def compare(day: date, history: Mapping[date, pa.Table]) -> Comparison:
    """What the METRICS of the days before `day` say; later and older ones are left out."""
    before = [day - timedelta(days=back) for back in range(1, _WEEK + 1)]
    known = {day: read_headline(history[day]) for day in before if day in history}
    days = list(known.values())
    week = Headline(
        conversations=sum(day.conversations for day in days),
        rejected=_pooled(day.rejected for day in days),
        accepted=_pooled(day.accepted for day in days),
        negative=_pooled(day.negative for day in days),
    )
    return Comparison(known.get(before[0]), week if days else None, len(days))


def differs(now: Proportion, before: Proportion, standard_errors: float = _STANDARD_ERRORS) -> bool:
    """Whether two shares differ by more than chance would have it."""
    whole = now.whole + before.whole
    if now.value is None or before.value is None:
        return False
    pooled = (now.part + before.part) / whole
    error = math.sqrt(pooled * (1 - pooled) * (1 / now.whole + 1 / before.whole))
    return abs(now.value - before.value) > standard_errors * error


def find(statistics: DayStatistics, comparison: Comparison) -> list[Finding]:
    """What deserves a look, the most important first."""
    return [
        *_about_completeness(statistics),
        *_about_days_before(headline(statistics), comparison),
        *_about_groups(statistics),
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


def _pooled(shares: Iterator[Proportion]) -> Proportion:
    pooled = Proportion(0, 0)
    for share in shares:
        pooled = Proportion(pooled.part + share.part, pooled.whole + share.whole)
    return pooled


def _about_completeness(statistics: DayStatistics) -> Iterator[Finding]:
    rejected = Proportion(statistics.rejected, statistics.conversations)
    if (rejected.value or 0) > _MANY_REJECTED:
        reason = reason_label(statistics.rejects[0][0])
        yield Finding(translate("found_rejected", share=share_text(rejected), reason=reason), warning=True)


def _about_days_before(now: Headline, comparison: Comparison) -> Iterator[Finding]:
    week, days = comparison.week, comparison.week_days
    if week is None:
        return
    for name, share, before, bad in (
        ("negative", now.negative, week.negative, "up"),
        ("accepted", now.accepted, week.accepted, "down"),
    ):
        if differs(share, before):
            way = "up" if (share.value or 0) > (before.value or 0) else "down"
            values = {"now": share_text(share), "before": share_text(before)}
            yield Finding(translate(f"found_{name}_{way}", days=days, **values), warning=way == bad)
    mean = week.conversations / days
    if days >= _SEVERAL_DAYS and abs(now.conversations - mean) > _VOLUME_CHANGE * mean:
        way = "up" if now.conversations > mean else "down"
        text = translate(f"found_volume_{way}", now=now.conversations, days=days, before=round(mean))
        yield Finding(text, warning=way == "down")


def _about_groups(statistics: DayStatistics) -> Iterator[Finding]:
    measures: tuple[tuple[str, Callable[[Outcomes], Proportion]], ...] = (
        ("found_group_negative", lambda outcomes: outcomes.negative("yes")),
        ("found_group_not_accepted", lambda outcomes: outcomes.accepted("no")),
    )
    dimensions = (
        ("group_word", distinct_words(statistics.issues.groups), 2),
        ("group_channel", statistics.channels, 1),
        ("group_hour", statistics.hours, 1),
        ("group_turns", statistics.turns, 1),
    )
    for sentence, measure in measures:
        overall = measure(statistics.outcomes)
        for dimension, groups, limit in dimensions:
            for key, share in _standing_out(groups, measure, overall)[:limit]:
                group = translate(dimension, key=key)
                text = translate(sentence, group=group, share=share_text(share), overall=percent(overall))
                yield Finding(text, warning=True)


def _standing_out(
    groups: tuple[Group, ...], measure: Callable[[Outcomes], Proportion], overall: Proportion
) -> list[tuple[str, Proportion]]:
    limit = overall.value or 0
    found = [(group.key, measure(group.outcomes)) for group in groups if group.key]
    found = [
        (key, share)
        for key, share in found
        if share.part >= _GROUP_MINIMUM
        and share.interval(_STANDARD_ERRORS_OF_PARTS)[0] > limit
        and share.part / share.whole > limit * _GROUP_EXCESS
    ]
    found.sort(key=lambda item: (-item[1].interval()[0], item[0]))
    return found


def _about_certainty(statistics: DayStatistics) -> Iterator[Finding]:
    unknown = statistics.outcomes.accepted("unknown")
    if (unknown.value or 0) > _MANY_UNKNOWN:
        yield Finding(translate("found_unknown", share=share_text(unknown)), warning=False)
    truncated = Proportion(statistics.truncated, statistics.outcomes.total)
    if (truncated.value or 0) > _MANY_TRUNCATED:
        yield Finding(translate("found_truncated", share=share_text(truncated)), warning=False)
