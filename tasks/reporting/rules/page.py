"""The report that a service lead reads in five minutes, drawn from a digest: HTML, Markdown and a small picture.

The HTML is one file that needs no network and runs no script but its own: a content security policy names the
hashes of its one style and one script, so that nothing an issue text smuggles in could load or run. Both
languages are inside; without scripts it shows Chinese. Nothing here reads a clock: the same digest gives the
same bytes.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple

import pyarrow as pa

from tasks.calling.rules.offline import OFFLINE_MODEL
from tasks.reporting.rules.digest import OTHER, Digest, Group, Outcomes, Share, Words
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
from tasks.reporting.rules.texts import Text, reason_label, say

_ROWS_SHOWN = 12

_CASES_OPEN = 10

_LEDE_WORDS = 4

_DIFFERS_AT = 1.96

_WEEKDAYS = (("一", "Mon"), ("二", "Tue"), ("三", "Wed"), ("四", "Thu"), ("五", "Fri"), ("六", "Sat"), ("日", "Sun"))


class Delta(NamedTuple):
    """A headline's change against earlier days: in points or as a count; `bad` when it is clear and unwelcome."""

    label: Text
    before: str
    change: Text
    bad: bool


class Figure(NamedTuple):
    """One of the headline figures: its parts add up to the whole bar."""

    label: Text
    value: str
    detail: str
    interval: str
    parts: tuple[tuple[Text, int, str], ...]
    deltas: tuple[Delta, ...]


class Breakdown(NamedTuple):
    """The parts of a day by one dimension: a label, outcomes, and the width of the bar in percent."""

    anchor: str
    title: Text
    head: Text
    note: Text | None
    rows: tuple[tuple[Text, Outcomes, float], ...]
    rest: Text | None


class Page(NamedTuple):
    """What all three renderings show."""

    digest: Digest
    title: Text
    dates: Text
    source: Text
    warning: Text | None
    lede: tuple[Text, ...]
    figures: tuple[Figure, ...]
    findings: tuple[Finding, ...]
    nothing_found: Text
    words: Breakdown
    plans: Breakdown
    breakdowns: tuple[Breakdown, ...]
    days: tuple[Digest, ...]
    effort: tuple[tuple[Text, Text], ...]
    cases_note: Text


def _page(digest: Digest, history: Mapping[date, pa.Table] | None, days: Sequence[Digest]) -> Page:
    comparison = compare(digest.start, history or {})
    one_day = digest.start == digest.end
    return Page(
        digest=digest,
        title=say("title" if one_day else "title_span"),
        dates=_dates(digest),
        source=_source(digest),
        warning=_offline_warning(digest),
        lede=tuple(_lede(digest)),
        figures=tuple(_figures(digest, comparison)),
        findings=tuple(find(digest, comparison)),
        nothing_found=_nothing_found(digest),
        words=_words(digest.issues, "words", "word", say("words_note") if digest.issues.groups else say("no_words")),
        plans=_words(digest.plans, "plans", "plan_word", say("plans_note") if digest.plans.groups else say("no_plans")),
        breakdowns=tuple(_breakdowns(digest)),
        days=tuple(days),
        effort=tuple(_effort(digest)),
        cases_note=say("cases_note", total=_cases_total(digest.outcomes), shown=len(digest.cases)),
    )


def _dates(digest: Digest) -> Text:
    def named(day: date) -> Text:
        zh, en = _WEEKDAYS[day.weekday()]
        return Text(f"{day} 星期{zh}", f"{en} {day}")

    first, last = named(digest.start), named(digest.end)
    if digest.start == digest.end:
        return first
    return Text(f"{first.zh} 至 {last.zh}", f"{first.en} to {last.en}")


def _source(digest: Digest) -> Text:
    models = [group.key for group in digest.models]
    prompts = [group.key for group in digest.prompt_versions]
    if not models:
        made = say("made_by_nobody")
    elif models == [OFFLINE_MODEL]:
        made = say("made_by_rules", model=OFFLINE_MODEL)
    elif len(models) == len(prompts) == 1:
        made = say("made_by_model", model=models[0], prompt=prompts[0])
    else:
        made = say("made_by_many", models=_listed(models), prompts=_listed(prompts))
    parts = [made, say("times_in", timezone=str(digest.timezone))]
    if digest.effort.finished_at:
        parts.append(say("finished_at", time=_minute(digest, digest.effort.finished_at)))
    return Text(" · ".join(part.zh for part in parts), " · ".join(part.en for part in parts))


def _offline_warning(digest: Digest) -> Text | None:
    by_rules = digest.offline
    if not by_rules.part:
        return None
    if by_rules.part == by_rules.whole:
        return say("offline_all")
    return say("offline_some", share=share_text(by_rules))


def _lede(digest: Digest) -> Iterable[Text]:
    outcomes = digest.outcomes
    if not digest.conversations:
        yield say("empty_day")
        return
    if not outcomes.total:
        yield say("all_rejected", read=digest.conversations)
        return
    words = [group.key for group in topics(digest)[:_LEDE_WORDS]]
    if words:
        sentence = "lede_topics" if digest.start == digest.end else "lede_topics_span"
        yield say(sentence, read=digest.conversations, words=_listed(words))
    else:
        yield say("lede_no_topics", read=digest.conversations)
    accepted, unknown = outcomes.accepted("yes"), outcomes.accepted("unknown")
    yield say("lede_accepted", accepted=share_text(accepted), unknown=share_text(unknown))
    negative = outcomes.negative("yes")
    if negative.part:
        left = outcomes.cell("no", "yes")
        yield say("lede_negative", negative=share_text(negative), left=left)
    elif outcomes.negative("unknown").part == outcomes.total:
        yield say("lede_sentiment_unknown")
    elif outcomes.negative("unknown").part:
        yield say("lede_no_negative_known", unknown=share_text(outcomes.negative("unknown")))
    else:
        yield say("lede_no_negative")


def _figures(digest: Digest, comparison: Comparison) -> Iterable[Figure]:
    outcomes = digest.outcomes
    yield Figure(
        say("conversations"),
        f"{digest.conversations:,}",
        "",
        "",
        (
            (say("summarized"), outcomes.total, "main"),
            (say("rejected"), digest.rejected, "warn" if digest.rejected else "rest"),
        ),
        tuple(_count_deltas(digest.conversations, comparison)),
    )
    yield _share_figure(
        say("accepted"),
        outcomes.accepted("yes"),
        (
            (say("accepted"), outcomes.accepted("yes").part, "main"),
            (say("not_accepted"), outcomes.accepted("no").part, "rest"),
            (say("unknown"), outcomes.accepted("unknown").part, "unknown"),
        ),
        comparison,
        lambda day: day.accepted,
        more_is_bad=False,
    )
    yield _share_figure(
        say("negative"),
        outcomes.negative("yes"),
        (
            (say("negative"), outcomes.negative("yes").part, "warn"),
            (say("not_negative"), outcomes.negative("no").part, "rest"),
            (say("unknown"), outcomes.negative("unknown").part, "unknown"),
        ),
        comparison,
        lambda day: day.negative,
        more_is_bad=True,
    )
    complete = Share(outcomes.total, digest.conversations)
    yield _share_figure(
        say("complete"),
        complete,
        (
            (say("summarized"), complete.part, "main"),
            *((reason_label(reason), count, "warn") for reason, count in digest.rejects[:2]),
        ),
        comparison,
        lambda day: Share(day.rejected.whole - day.rejected.part, day.rejected.whole),
        more_is_bad=False,
        all_counted=True,
    )


def _share_figure(
    label: Text,
    share: Share,
    parts: tuple[tuple[Text, int, str], ...],
    comparison: Comparison,
    measure: Callable[[Headline], Share],
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
                say("points", delta=f"{change * 100:+.1f}"),
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
            yield Delta(name, f"{mean:,.0f}", Text(change, change), bad=False)


def _earlier(comparison: Comparison) -> list[tuple[Text, Headline]]:
    earlier = []
    if comparison.yesterday:
        earlier.append((say("day_before"), comparison.yesterday))
    if comparison.week and comparison.week_days > 1:
        earlier.append((say("week_before", days=comparison.week_days), comparison.week))
    return earlier


def _nothing_found(digest: Digest) -> Text:
    """That nothing stands out, and among what: a log without channels has none that could."""
    looked_at = {
        "among_channels": digest.channels,
        "among_hours": digest.hours,
        "among_turns": digest.turns,
        "among_words": digest.issues.groups,
    }
    parts = [say(name) for name, groups in looked_at.items() if _named(groups)]
    return say("nothing_found", parts=Text("、".join(part.zh for part in parts), ", ".join(part.en for part in parts)))


def _named(groups: tuple[Group, ...]) -> tuple[Group, ...]:
    """The groups, or none where no conversation says which one it belongs to."""
    return groups if any(group.key for group in groups) else ()


def _words(words: Words, title: str, head: str, note: Text) -> Breakdown:
    if words.groups and words.counted_in < words.told:
        sampled = say("words_sampled", sample=words.counted_in, total=words.told)
        note = Text(sampled.zh + note.zh, f"{sampled.en} {note.en}")
    return _breakdown(title, title, head, words.groups[:_ROWS_SHOWN], note)


def _breakdowns(digest: Digest) -> Iterable[Breakdown]:
    channels, hours = _named(digest.channels), _named(digest.hours)
    yield _breakdown("channels", "channels", "channel", channels, None if channels else say("no_channels"))
    yield _breakdown("turns", "turns", "turn_count", digest.turns)
    yield _breakdown("hours", "hours", "hour", hours, say("hours_note" if hours else "no_hours"), limit=25)
    if len(digest.models) > 1:
        yield _breakdown("models", "models", "model", digest.models)
    if len(digest.prompt_versions) > 1:
        yield _breakdown("prompts", "prompt_versions", "prompt_version", digest.prompt_versions)


def _breakdown(
    anchor: str,
    title: str,
    head: str,
    groups: tuple[Group, ...],
    note: Text | None = None,
    limit: int = _ROWS_SHOWN,
) -> Breakdown:
    shown, rest = groups[:limit], groups[limit:]
    most = max((group.outcomes.total for group in groups), default=1)
    rows = tuple((_key(group.key), group.outcomes, group.outcomes.total / most * 100) for group in shown)
    left = sum(group.outcomes.total for group in rest)
    more = say("more_groups", groups=len(rest), count=left) if rest else None
    return Breakdown(anchor, say(title), say(head), note, rows, more)


def _key(key: str) -> Text:
    if not key:
        return say("unnamed")
    if key == OTHER:
        return say("other")
    shown = clip(key, 40)
    return Text(shown, shown)


def _cases_total(outcomes: Outcomes) -> int:
    return outcomes.negative("yes").part + outcomes.cell("no", "no") + outcomes.cell("no", "unknown")


def _effort(digest: Digest) -> Iterable[tuple[Text, Text]]:
    effort = digest.effort
    for name in ("calls", "retries", "quota_refusals", "reused", "prompt_tokens", "completion_tokens"):
        count = getattr(effort, name)
        yield say(name), say("not_recorded") if count is None else _same(f"{count:,}")
    yield say("seconds"), say("not_recorded") if effort.seconds is None else _same(_duration(effort.seconds))
    if effort.quota_use is not None:
        yield say("quota_use"), _same(f"{effort.quota_use:.1%}")
    if effort.cost is not None:
        yield say("cost"), _same(f"¥{effort.cost:,.2f}")
    if effort.log_objects is not None:
        yield say("log_objects"), _same(f"{effort.log_objects:,}")
    for name, values in (("runs", effort.runs), ("version", effort.versions)):
        if values:
            yield say(name), _listed([clip(value, 40) for value in values])
