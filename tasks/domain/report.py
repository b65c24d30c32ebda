"""The report that a service lead reads in five minutes, drawn from a digest: HTML, Markdown and a small picture.

The HTML is one file that needs no network and runs no script but its own: a content security policy names the
hashes of its one style and one script, so that nothing an issue text smuggles in could load or run. Both
languages are inside; without scripts it shows Chinese. Nothing here reads a clock: the same digest gives the
same bytes.
"""

import base64
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import NamedTuple

import jinja2
import pyarrow as pa

from tasks.domain.aggregates import ANSWERS, OTHER, Case, Digest, Group, Outcomes, Share, Words
from tasks.domain.findings import (
    FEW,
    Comparison,
    Finding,
    Headline,
    compare,
    differs,
    find,
    percent,
    share_text,
    topics,
)
from tasks.domain.labels import Text, reason_label, reason_todo, say
from tasks.domain.offline import OFFLINE_MODEL

_TEMPLATES = Path(__file__).with_name("templates")
_ROWS_SHOWN = 12
_CASES_OPEN = 10
_TEXT_CHARACTERS = 160
_LEDE_WORDS = 4
_DIFFERS_AT = 1.96
_WEEKDAYS = (("一", "Mon"), ("二", "Tue"), ("三", "Wed"), ("四", "Thu"), ("五", "Fri"), ("六", "Sat"), ("日", "Sun"))
_INVISIBLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\uffff]+")
# Not as HTML entities: Prefect's UI, which shows the report, knows but a few of those.
_MARKDOWN_ESCAPES = {ord(mark): f"\\{mark}" for mark in "&<>|`*_[]\\~#!"}
_AUTOLINK = re.compile(r"(?i)(?<=http):(?=//)|(?<=https):(?=//)|(?<=ftp):(?=//)|(?<=www)\.")


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


def render_html(digest: Digest, *, history: Mapping[date, pa.Table] | None = None, days: Sequence[Digest] = ()) -> str:
    """The report as one HTML file.

    Args:
        digest: the figures of a day, or of a span.
        history: METRICS tables of the days before, by day; the week before the digest's first day is used.
        days: a span's days, for its trend.
    """
    style, script = _file("report.css"), _file("report.js")
    return (
        _environment()
        .get_template("report.html.jinja")
        .render(
            page=_page(digest, history, days),
            style=style,
            script=script,
            style_hash=_csp_hash(style),
            script_hash=_csp_hash(script),
            cases_open=_CASES_OPEN,
        )
    )


def render_picture(digest: Digest, *, history: Mapping[date, pa.Table] | None = None, language: str = "zh") -> str:
    """The top of the report as a small stand-alone SVG, 900 x 520; `language` is zh or en."""
    return _environment().get_template("picture.svg.jinja").render(page=_page(digest, history, ()), language=language)


def render_markdown(
    digest: Digest,
    *,
    history: Mapping[date, pa.Table] | None = None,
    days: Sequence[Digest] = (),
    language: str = "zh",
) -> str:
    """The report as Markdown without any HTML, links or images; `language` is zh or en."""
    page = _page(digest, history, days)

    def tell(text: Text) -> str:
        return _markdown(text.zh if language == "zh" else text.en)

    def label(key: str) -> str:
        return tell(say(key))

    blocks = [f"# {tell(page.title)} {tell(page.dates)}", tell(page.source)]
    if page.warning:
        blocks.append(f"> **{tell(page.warning)}**")
    blocks.append(("" if language == "zh" else " ").join(tell(text) for text in page.lede))
    if digest.conversations:
        blocks.append(_figures_table(page.figures, tell))
    if digest.outcomes.total:
        marks = ("- ", "- ⚠ ")
        found = [marks[finding.warning] + tell(finding.text) for finding in page.findings]
        blocks += [f"## {label('findings')}", "\n".join(found) or tell(page.nothing_found)]
    if page.days:
        blocks += [f"## {label('days')}", _days_table(page.days, label)]
    if digest.outcomes.total:
        blocks += _breakdown_blocks(page.words, tell)
        blocks += _breakdown_blocks(page.plans, tell)
        blocks += _case_blocks(page, tell)
        for breakdown in page.breakdowns:
            blocks += _breakdown_blocks(breakdown, tell)
    if digest.conversations:
        blocks += [f"## {label('complete')}", _reject_table(digest, tell)]
        blocks += [
            f"## {label('effort')}",
            _table(
                [label("effort"), label("count")],
                [[tell(name), tell(value)] for name, value in page.effort],
            ),
        ]
    blocks += [
        f"## {label('reading')}",
        "\n".join(f"- {tell(text)}" for text in (say("reading_shares"), say("reading_small", limit=FEW))),
    ]
    return "\n\n".join(blocks) + "\n"


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


def interval_range(share: Share) -> str:
    """The hint that stands beside a share of few conversations; empty for many, and for nothing."""
    if not 0 < share.whole < FEW:
        return ""
    low, high = share.interval()
    return f"{low * 100:.0f}–{high * 100:.0f}%"


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


def _duration(seconds: float) -> str:
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} s"
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {whole % 60:02} s"


def _listed(items: Sequence[str], shown: int = 6) -> Text:
    items = [item or "?" for item in items]
    more = ["…"] if len(items) > shown else []
    return Text("、".join([*items[:shown], *more]), ", ".join([*items[:shown], *more]))


def _same(text: str) -> Text:
    return Text(text, text)


def _minute(digest: Digest, instant: datetime) -> str:
    return f"{instant.astimezone(digest.timezone):%Y-%m-%d %H:%M}"


def case_time(digest: Digest, case: Case) -> str:
    """When a case began, in the digest's zone: the minute, with its date where the digest spans several."""
    if case.started_at is None:
        return "–"
    local = case.started_at.astimezone(digest.timezone)
    return f"{local:%H:%M}" if digest.start == digest.end else f"{local:%m-%d %H:%M}"


def case_said(case: Case) -> tuple[Text, Text] | None:
    """Who judged a case, and in what words; None when nothing was said."""
    told = []
    if case.accepted_text:
        told.append(say("on_acceptance", text=clip(case.accepted_text, 60)))
    if case.negative_sentiment_text:
        told.append(say("on_sentiment", text=clip(case.negative_sentiment_text, 60)))
    if not told:
        return None
    who = say("rules_said" if case.model == OFFLINE_MODEL else "model_said")
    return who, Text("；".join(text.zh for text in told), "; ".join(text.en for text in told))


def case_tags(case: Case) -> list[tuple[Text, bool]]:
    """A case's acceptance and sentiment in words; True with the one that is a warning."""
    sentiment = {True: ("negative", True), False: ("not_negative", False), None: ("sentiment_unknown", False)}
    acceptance = {True: "accepted", False: "not_accepted", None: "acceptance_unknown"}
    key, warning = sentiment[case.negative_sentiment]
    return [(say(key), warning), (say(acceptance[case.accepted]), False)]


def clip(text: str, characters: int = _TEXT_CHARACTERS) -> str:
    """Text on one line, without invisible and direction-changing characters, cut with an ellipsis."""
    line = _INVISIBLE.sub(" ", text[: characters * 4]).strip()
    return line if len(line) <= characters else line[: characters - 1] + "…"


def _csp_hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@cache
def _file(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        ANSWERS=ANSWERS,
        Share=Share,
        FEW=FEW,
        say=say,
        clip=clip,
        percent=percent,
        share_text=share_text,
        interval_range=interval_range,
        reason_label=reason_label,
        reason_todo=reason_todo,
        case_time=case_time,
        case_said=case_said,
        case_tags=case_tags,
    )
    return environment


def _markdown(text: str) -> str:
    """Text that Markdown shows as it is, in a table's cell too: no markup, no HTML, no link."""
    line = _AUTOLINK.sub(lambda mark: f"\\{mark[0]}", _INVISIBLE.sub(" ", text).translate(_MARKDOWN_ESCAPES))
    return line.strip()


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[int] | None = None) -> str:
    """A Markdown table of cells that are escaped already; all columns but the first are `numbers`, if not told."""
    right = range(1, len(head)) if numbers is None else numbers
    lines = [head, ["---:" if column in right else "---" for column in range(len(head))], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _share_cell(share: Share) -> str:
    hint = interval_range(share)
    return share_text(share) + (f" {_markdown(f'[{hint}]')}" if hint else "")


def _figures_table(figures: Iterable[Figure], tell: Callable[[Text], str]) -> str:
    rows = []
    for figure in figures:
        value = f"**{figure.value}**" + (f" ({figure.detail})" if figure.detail else "")
        parts = " · ".join(f"{tell(label)} {count:,}" for label, count, _ in figure.parts)
        before = " · ".join(
            f"{tell(delta.label)} {delta.before} ({tell(delta.change)}{' ⚠' if delta.bad else ''})"
            for delta in figure.deltas
        )
        hint = f" {tell(say('interval', range=figure.interval))}" if figure.interval else ""
        rows.append([tell(figure.label), value + hint, parts, before or "–"])
    return _table(["", *(tell(say(key)) for key in ("figure", "parts", "earlier"))], rows, numbers=())


def _outcome_cells(outcomes: Outcomes) -> list[str]:
    return [
        f"{outcomes.total:,}",
        _share_cell(outcomes.accepted("yes")),
        share_text(outcomes.accepted("unknown")),
        _share_cell(outcomes.negative("yes")),
    ]


def _breakdown_blocks(breakdown: Breakdown, tell: Callable[[Text], str]) -> list[str]:
    blocks = [f"## {tell(breakdown.title)}"]
    if breakdown.note:
        blocks.append(tell(breakdown.note))
    if breakdown.rows:
        columns = (say("conversations"), say("accepted"), say("acceptance_unknown"), say("negative"))
        rows = [[tell(key), *_outcome_cells(outcomes)] for key, outcomes, _ in breakdown.rows]
        blocks.append(_table([tell(breakdown.head), *map(tell, columns)], rows))
    if breakdown.rest:
        blocks.append(tell(breakdown.rest))
    return blocks


def _days_table(days: Iterable[Digest], label: Callable[[str], str]) -> str:
    head = [label(key) for key in ("day", "conversations", "accepted", "negative", "rejected")]
    return _table(
        head,
        [
            [
                str(day.start),
                f"{day.conversations:,}",
                share_text(day.outcomes.accepted("yes")),
                share_text(day.outcomes.negative("yes")),
                share_text(Share(day.rejected, day.conversations)),
            ]
            for day in days
        ],
    )


def _case_blocks(page: Page, tell: Callable[[Text], str]) -> list[str]:
    title = f"## {tell(say('cases'))}"
    if not page.digest.cases:
        return [title, tell(say("no_cases"))]
    shown = page.digest.cases[:_CASES_OPEN]
    note = tell(say("cases_note", total=_cases_total(page.digest.outcomes), shown=len(shown)))
    rows = []
    for case in shown:
        tags = " · ".join(tell(tag) for tag, _ in case_tags(case))
        issue, plan = (_markdown(clip(text)) if text else tell(say("not_told")) for text in (case.issue, case.plan))
        name = _markdown(clip(case.conversation_id, 80))
        rows.append([name, case_time(page.digest, case), str(case.turns), tags, issue, plan])
    head = [tell(say(key)) for key in ("id", "time", "turn_count", "cross", "issue", "plan")]
    return [title, note, _table(head, rows, numbers=(2,))]


def _reject_table(digest: Digest, tell: Callable[[Text], str]) -> str:
    if not digest.rejects:
        return tell(say("no_rejects"))
    rows = [
        [
            tell(reason_label(reason)),
            f"{count:,}",
            share_text(Share(count, digest.conversations)),
            tell(reason_todo(reason)),
        ]
        for reason, count in digest.rejects
    ]
    return _table([tell(say(key)) for key in ("reason", "count", "share", "todo")], rows, numbers=(1, 2))
