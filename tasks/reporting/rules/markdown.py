"""Markdown."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date

import pyarrow as pa

from tasks.reporting.rules.digest import Digest, Outcomes, Share
from tasks.reporting.rules.formatting import _INVISIBLE, FEW, case_tags, case_time, clip, interval_range, share_text
from tasks.reporting.rules.page import _CASES_OPEN, Breakdown, Figure, Page, _cases_total, _page
from tasks.reporting.rules.texts import Text, reason_label, reason_todo, say

# Not as HTML entities: Prefect's UI, which shows the report, knows but a few of those.
_MARKDOWN_ESCAPES = {ord(mark): f"\\{mark}" for mark in "&<>|`*_[]\\~#!"}

_AUTOLINK = re.compile(r"(?i)(?<=http):(?=//)|(?<=https):(?=//)|(?<=ftp):(?=//)|(?<=www)\.")


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
