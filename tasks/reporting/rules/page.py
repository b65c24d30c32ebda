"""The report that a service lead reads in five minutes, drawn from a statistics: HTML, Markdown and a small picture.

The HTML is one file that needs no network and runs no script but its own: a content security policy names the
hashes of its one style and one script, so that nothing an issue text smuggles in could load or run. Both
languages are inside; without scripts it shows Chinese. Nothing here reads a clock: the same statistics gives the
same bytes.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple

import pyarrow as pa

from tasks.calling.rules.offline import OFFLINE_MODEL
from tasks.reporting.rules.findings import Comparison, Finding, Headline, compare, differs, find, topics
from tasks.reporting.rules.formatting import (
    _duration,
    _listed,
    _minute,
    _same,
    clip,
    interval_range,
    percent,
    share_text,
)
from tasks.reporting.rules.statistics import OTHER, DayStatistics, Group, Outcomes, Proportion, TermCounts
from tasks.reporting.rules.texts import Bilingual, reason_label, translate

_ROWS_SHOWN = 12

_EXAMPLES_OPEN = 10

_LEDE_WORDS = 4

_DIFFERS_AT = 1.96

_WEEKDAYS = (("一", "Mon"), ("二", "Tue"), ("三", "Wed"), ("四", "Thu"), ("五", "Fri"), ("六", "Sat"), ("日", "Sun"))


class Delta(NamedTuple):
    """A headline's change against earlier days: in points or as a count; `bad` when it is clear and unwelcome."""

    label: Bilingual
    before: str
    change: Bilingual
    bad: bool


class Figure(NamedTuple):
    """One of the headline figures: its parts add up to the whole bar."""

    label: Bilingual
    value: str
    detail: str
    interval: str
    parts: tuple[tuple[Bilingual, int, str], ...]
    deltas: tuple[Delta, ...]


class Breakdown(NamedTuple):
    """The parts of a day by one dimension: a label, outcomes, and the width of the bar in percent."""

    anchor: str
    title: Bilingual
    head: Bilingual
    note: Bilingual | None
    rows: tuple[tuple[Bilingual, Outcomes, float], ...]
    rest: Bilingual | None


class Page(NamedTuple):
    """What all three renderings show."""

    statistics: DayStatistics
    title: Bilingual
    dates: Bilingual
    source: Bilingual
    warning: Bilingual | None
    lede: tuple[Bilingual, ...]
    figures: tuple[Figure, ...]
    findings: tuple[Finding, ...]
    nothing_found: Bilingual
    words: Breakdown
    plans: Breakdown
    breakdowns: tuple[Breakdown, ...]
    days: tuple[DayStatistics, ...]
    usage: tuple[tuple[Bilingual, Bilingual], ...]
    examples_note: Bilingual


def _page(statistics: DayStatistics, history: Mapping[date, pa.Table] | None, days: Sequence[DayStatistics]) -> Page:
    comparison = compare(statistics.start, history or {})
    one_day = statistics.start == statistics.end
    return Page(
        statistics=statistics,
        title=translate("title" if one_day else "title_span"),
        dates=_dates(statistics),
        source=_source(statistics),
        warning=_offline_warning(statistics),
        lede=tuple(_lede(statistics)),
        figures=tuple(_figures(statistics, comparison)),
        findings=tuple(find(statistics, comparison)),
        nothing_found=_nothing_found(statistics),
        words=_words(
            statistics.issues,
            "words",
            "word",
            translate("words_note") if statistics.issues.groups else translate("no_words"),
        ),
        plans=_words(
            statistics.plans,
            "plans",
            "plan_word",
            translate("plans_note") if statistics.plans.groups else translate("no_plans"),
        ),
        breakdowns=tuple(_breakdowns(statistics)),
        days=tuple(days),
        usage=tuple(_usage(statistics)),
        examples_note=translate(
            "examples_note", total=_examples_total(statistics.outcomes), shown=len(statistics.examples)
        ),
    )


def _dates(statistics: DayStatistics) -> Bilingual:
    def named(day: date) -> Bilingual:
        zh, en = _WEEKDAYS[day.weekday()]
        return Bilingual(f"{day} 星期{zh}", f"{en} {day}")

    first, last = named(statistics.start), named(statistics.end)
    if statistics.start == statistics.end:
        return first
    return Bilingual(f"{first.zh} 至 {last.zh}", f"{first.en} to {last.en}")


def _source(statistics: DayStatistics) -> Bilingual:
    models = [group.key for group in statistics.models]
    prompts = [group.key for group in statistics.prompt_versions]
    if not models:
        made = translate("made_by_nobody")
    elif models == [OFFLINE_MODEL]:
        made = translate("made_by_rules", model=OFFLINE_MODEL)
    elif len(models) == len(prompts) == 1:
        made = translate("made_by_model", model=models[0], prompt=prompts[0])
    else:
        made = translate("made_by_many", models=_listed(models), prompts=_listed(prompts))
    parts = [made, translate("times_in", timezone=str(statistics.timezone))]
    if statistics.usage.finished_at:
        parts.append(translate("finished_at", time=_minute(statistics, statistics.usage.finished_at)))
    return Bilingual(" · ".join(part.zh for part in parts), " · ".join(part.en for part in parts))


def _offline_warning(statistics: DayStatistics) -> Bilingual | None:
    by_rules = statistics.offline
    if not by_rules.part:
        return None
    if by_rules.part == by_rules.whole:
        return translate("offline_all")
    return translate("offline_some", share=share_text(by_rules))


def _lede(statistics: DayStatistics) -> Iterable[Bilingual]:
    outcomes = statistics.outcomes
    if not statistics.conversations:
        yield translate("empty_day")
        return
    if not outcomes.total:
        yield translate("all_rejected", read=statistics.conversations)
        return
    words = [group.key for group in topics(statistics)[:_LEDE_WORDS]]
    if words:
        sentence = "lede_topics" if statistics.start == statistics.end else "lede_topics_span"
        yield translate(sentence, read=statistics.conversations, words=_listed(words))
    else:
        yield translate("lede_no_topics", read=statistics.conversations)
    accepted, unknown = outcomes.accepted("yes"), outcomes.accepted("unknown")
    yield translate("lede_accepted", accepted=share_text(accepted), unknown=share_text(unknown))
    negative = outcomes.negative("yes")
    if negative.part:
        left = outcomes.cell("no", "yes")
        yield translate("lede_negative", negative=share_text(negative), left=left)
    elif outcomes.negative("unknown").part == outcomes.total:
        yield translate("lede_sentiment_unknown")
    elif outcomes.negative("unknown").part:
        yield translate("lede_no_negative_known", unknown=share_text(outcomes.negative("unknown")))
    else:
        yield translate("lede_no_negative")


def _figures(statistics: DayStatistics, comparison: Comparison) -> Iterable[Figure]:
    outcomes = statistics.outcomes
    yield Figure(
        translate("conversations"),
        f"{statistics.conversations:,}",
        "",
        "",
        (
            (translate("summarized"), outcomes.total, "main"),
            (translate("rejected"), statistics.rejected, "warn" if statistics.rejected else "rest"),
        ),
        tuple(_count_deltas(statistics.conversations, comparison)),
    )
    yield _share_figure(
        translate("accepted"),
        outcomes.accepted("yes"),
        (
            (translate("accepted"), outcomes.accepted("yes").part, "main"),
            (translate("not_accepted"), outcomes.accepted("no").part, "rest"),
            (translate("unknown"), outcomes.accepted("unknown").part, "unknown"),
        ),
        comparison,
        lambda day: day.accepted,
        more_is_bad=False,
    )
    yield _share_figure(
        translate("negative"),
        outcomes.negative("yes"),
        (
            (translate("negative"), outcomes.negative("yes").part, "warn"),
            (translate("not_negative"), outcomes.negative("no").part, "rest"),
            (translate("unknown"), outcomes.negative("unknown").part, "unknown"),
        ),
        comparison,
        lambda day: day.negative,
        more_is_bad=True,
    )
    complete = Proportion(outcomes.total, statistics.conversations)
    yield _share_figure(
        translate("complete"),
        complete,
        (
            (translate("summarized"), complete.part, "main"),
            *((reason_label(reason), count, "warn") for reason, count in statistics.rejects[:2]),
        ),
        comparison,
        lambda day: Proportion(day.rejected.whole - day.rejected.part, day.rejected.whole),
        more_is_bad=False,
        all_counted=True,
    )


def _share_figure(
    label: Bilingual,
    share: Proportion,
    parts: tuple[tuple[Bilingual, int, str], ...],
    comparison: Comparison,
    measure: Callable[[Headline], Proportion],
    more_is_bad: bool,
    all_counted: bool = False,
) -> Figure:
    deltas = []
    for name, day in _earlier(comparison):
        before = measure(day)
        if share.value is None or before.value is None:
            continue
        change = share.value - before.value
        clear = differs(share, before, _DIFFERS_AT)
        deltas.append(
            Delta(
                name,
                percent(before),
                translate("points", delta=f"{change * 100:+.1f}"),
                clear and (change > 0) == more_is_bad,
            )
        )
    detail = f"{share.part:,}/{share.whole:,}"
    hint = "" if all_counted else interval_range(share)
    return Figure(label, percent(share), detail, hint, parts, tuple(deltas))


def _count_deltas(count: int, comparison: Comparison) -> Iterable[Delta]:
    means = (1, comparison.week_days)
    for (name, day), days in zip(_earlier(comparison), means, strict=False):
        mean = day.conversations / days
        if mean:
            change = f"{(count - mean) / mean:+.0%}"
            yield Delta(name, f"{mean:,.0f}", Bilingual(change, change), bad=False)


def _earlier(comparison: Comparison) -> list[tuple[Bilingual, Headline]]:
    earlier = []
    if comparison.yesterday:
        earlier.append((translate("day_before"), comparison.yesterday))
    if comparison.week and comparison.week_days > 1:
        earlier.append((translate("week_before", days=comparison.week_days), comparison.week))
    return earlier


def _nothing_found(statistics: DayStatistics) -> Bilingual:
    """That nothing stands out, and among what: a log without channels has none that could."""
    looked_at = {
        "among_channels": statistics.channels,
        "among_hours": statistics.hours,
        "among_turns": statistics.turns,
        "among_words": statistics.issues.groups,
    }
    parts = [translate(name) for name, groups in looked_at.items() if _named(groups)]
    return translate(
        "nothing_found", parts=Bilingual("、".join(part.zh for part in parts), ", ".join(part.en for part in parts))
    )


def _named(groups: tuple[Group, ...]) -> tuple[Group, ...]:
    """The groups, or none where no conversation says which one it belongs to."""
    return groups if any(group.key for group in groups) else ()


def _words(words: TermCounts, title: str, head: str, note: Bilingual) -> Breakdown:
    if words.groups and words.counted_in < words.known:
        sampled = translate("words_sampled", sample=words.counted_in, total=words.known)
        note = Bilingual(sampled.zh + note.zh, f"{sampled.en} {note.en}")
    return _breakdown(title, title, head, words.groups[:_ROWS_SHOWN], note)


def _breakdowns(statistics: DayStatistics) -> Iterable[Breakdown]:
    channels, hours = _named(statistics.channels), _named(statistics.hours)
    yield _breakdown("channels", "channels", "channel", channels, None if channels else translate("no_channels"))
    yield _breakdown("turns", "turns", "turn_count", statistics.turns)
    yield _breakdown("hours", "hours", "hour", hours, translate("hours_note" if hours else "no_hours"), limit=25)
    if len(statistics.models) > 1:
        yield _breakdown("models", "models", "model", statistics.models)
    if len(statistics.prompt_versions) > 1:
        yield _breakdown("prompts", "prompt_versions", "prompt_version", statistics.prompt_versions)


def _breakdown(
    anchor: str,
    title: str,
    head: str,
    groups: tuple[Group, ...],
    note: Bilingual | None = None,
    limit: int = _ROWS_SHOWN,
) -> Breakdown:
    shown, rest = groups[:limit], groups[limit:]
    most = max((group.outcomes.total for group in groups), default=1)
    rows = tuple((_key(group.key), group.outcomes, group.outcomes.total / most * 100) for group in shown)
    left = sum(group.outcomes.total for group in rest)
    more = translate("more_groups", groups=len(rest), count=left) if rest else None
    return Breakdown(anchor, translate(title), translate(head), note, rows, more)


def _key(key: str) -> Bilingual:
    if not key:
        return translate("unnamed")
    if key == OTHER:
        return translate("other")
    shown = clip(key, 40)
    return Bilingual(shown, shown)


def _examples_total(outcomes: Outcomes) -> int:
    return outcomes.negative("yes").part + outcomes.cell("no", "no") + outcomes.cell("no", "unknown")


def _usage(statistics: DayStatistics) -> Iterable[tuple[Bilingual, Bilingual]]:
    usage = statistics.usage
    for name in ("calls", "retries", "quota_refusals", "reused", "prompt_tokens", "completion_tokens"):
        count = getattr(usage, name)
        yield translate(name), translate("not_recorded") if count is None else _same(f"{count:,}")
    yield translate("seconds"), translate("not_recorded") if usage.seconds is None else _same(_duration(usage.seconds))
    if usage.quota_use is not None:
        yield translate("quota_use"), _same(f"{usage.quota_use:.1%}")
    if usage.cost is not None:
        yield translate("cost"), _same(f"¥{usage.cost:,.2f}")
    if usage.log_objects is not None:
        yield translate("log_objects"), _same(f"{usage.log_objects:,}")
    for name, values in (("runs", usage.runs), ("version", usage.versions)):
        if values:
            yield translate(name), _listed([clip(value, 40) for value in values])
