"""The report as Markdown."""

import re
from collections.abc import Callable, Iterable, Sequence

from tasks.reporting.rules.context import NO_CONTEXT, Context
from tasks.reporting.rules.figures import Figure
from tasks.reporting.rules.formatting import (
    _INVISIBLE,
    FEW,
    clip,
    example_tags,
    example_time,
    interval_range,
    share_text,
)
from tasks.reporting.rules.pages.page import _EXAMPLES_OPEN, Breakdown, Page, _examples_total, make_page
from tasks.reporting.rules.statistics import DayStatistics, Outcomes, Proportion
from tasks.reporting.rules.texts import Bilingual, reason_label, reason_todo, translate

# Not as HTML entities: Prefect's UI, which shows the report, knows but a few of those.
_MARKDOWN_ESCAPES = {ord(mark): f"\\{mark}" for mark in "&<>|`*_[]\\~#!"}

# What Markdown makes a link of by itself, and the unseen sign that keeps it from that: some readers take a
# backslash away before they look for links.
_AUTOLINK = re.compile(r"(?i)(?<=http:)(?=//)|(?<=https:)(?=//)|(?<=ftp:)(?=//)|(?<=www)(?=\.)|(?=@)")

_UNLINKED = "\u200b"


def render_markdown(
    statistics: DayStatistics, context: Context = NO_CONTEXT, language: str = "zh", *, with_conversations: bool = True
) -> str:
    """The report as Markdown without any HTML, links or images; `language` is zh or en.

    Args:
        statistics: what it reports.
        context: the days before.
        language: zh or en.
        with_conversations: the examples, too; without them nothing of any one conversation's text is in it.
    """
    page = make_page(statistics, context)

    def localize(text: Bilingual) -> str:
        return _markdown(text.zh if language == "zh" else text.en)

    def label(key: str) -> str:
        return localize(translate(key))

    blocks = [f"# {localize(page.title)} {localize(page.dates)}", localize(page.source)]
    blocks += [f"> **{localize(warning)}**" for warning in page.warnings]
    blocks.append(("" if language == "zh" else " ").join(localize(text) for text in page.lede))
    if statistics.conversations:
        blocks.append(_figures_table(page.figures, localize))
        if page.reviewed:
            blocks.append(localize(page.reviewed))
    if statistics.outcomes.total:
        blocks += [f"## {label('stories')}", _stories(page, localize)]
        marks = ("- ", "- ⚠ ")
        found = [marks[finding.warning] + localize(finding.text) for finding in page.findings]
        blocks += [f"## {label('findings')}", "\n".join(found) or localize(translate("nothing_found"))]
    if page.days:
        blocks += [f"## {localize(page.days_title)}", _days_table(page, localize)]
        blocks += [label("model_changed")] if any(day.changed for day in page.days) else []
    if statistics.outcomes.total:
        blocks += _driver_blocks(page, localize)
        blocks += _breakdown_blocks(page.words, localize)
        blocks += _breakdown_blocks(page.plans, localize)
        if with_conversations:
            blocks += _example_blocks(page, localize)
        for breakdown in page.breakdowns:
            blocks += _breakdown_blocks(breakdown, localize)
    if statistics.conversations:
        blocks += [f"## {label('complete')}", _reject_table(statistics, localize)]
        blocks += [
            f"## {label('usage')}",
            _table(
                [label("usage"), label("count")],
                [[localize(name), localize(value)] for name, value in page.usage],
            ),
            *([localize(page.golden)] if page.golden else []),
        ]
    blocks += [
        f"## {label('reading')}",
        "\n".join(
            f"- {localize(text)}" for text in (translate("reading_shares"), translate("reading_small", limit=FEW))
        ),
    ]
    return "\n\n".join(blocks) + "\n"


def _stories(page: Page, localize: Callable[[Bilingual], str]) -> str:
    """The stories as a list, each with what else is worth saying and the ids of its conversations."""
    lines = []
    for card in page.stories:
        lines.append(f"- **{localize(card.headline)}**")
        lines += [f"  - {localize(detail)}" for detail in card.details]
        if card.examples:
            ids = ", ".join(_markdown(clip(example.conversation_id, 80)) for example in card.examples)
            lines.append(f"  - {localize(translate('examples_of_story'))} {ids}")
    lines += [f"- {localize(line)}" for line in page.over]
    return "\n".join(lines if page.stories else [localize(page.no_stories), *([""] if lines else []), *lines])


def _markdown(text: str) -> str:
    """Text that Markdown shows as it is, in a table's cell too: no markup, no HTML, no link."""
    line = _AUTOLINK.sub(_UNLINKED, _INVISIBLE.sub(" ", text).translate(_MARKDOWN_ESCAPES))
    return line.strip()


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[int] | None = None) -> str:
    """A Markdown table of cells that are escaped already; all columns but the first are `numbers`, if not told."""
    right = range(1, len(head)) if numbers is None else numbers
    lines = [head, ["---:" if column in right else "---" for column in range(len(head))], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _share_cell(share: Proportion) -> str:
    hint = interval_range(share)
    return share_text(share) + (f" {_markdown(f'[{hint}]')}" if hint else "")


def _figures_table(figures: Iterable[Figure], localize: Callable[[Bilingual], str]) -> str:
    rows = []
    for figure in figures:
        value = f"**{figure.value}**" + (f" ({figure.detail})" if figure.detail else "")
        parts = " · ".join(f"{localize(label)} {count:,}" for label, count, _ in figure.parts)
        before = " · ".join(
            f"{localize(delta.label)} {delta.before} ({localize(delta.change)}{' ⚠' if delta.bad else ''})"
            for delta in figure.deltas
        )
        hint = f" {localize(translate('interval', range=figure.interval))}" if figure.interval else ""
        corrected = f" · {localize(figure.corrected)}" if figure.corrected else ""
        rows.append([localize(figure.label), value + hint + corrected, parts, before or "–"])
    return _table(["", *(localize(translate(key)) for key in ("figure", "parts", "earlier"))], rows, numbers=())


def _outcome_cells(outcomes: Outcomes) -> list[str]:
    return [
        f"{outcomes.total:,}",
        _share_cell(outcomes.accepted("yes")),
        share_text(outcomes.accepted("unknown")),
        _share_cell(outcomes.negative("yes")),
    ]


def _breakdown_blocks(breakdown: Breakdown, localize: Callable[[Bilingual], str]) -> list[str]:
    blocks = [f"## {localize(breakdown.title)}"]
    if breakdown.note:
        blocks.append(localize(breakdown.note))
    if breakdown.rows:
        columns = (
            translate("conversations"),
            translate("accepted"),
            translate("acceptance_unknown"),
            translate("negative"),
        )
        rows = [[localize(row.label), *_outcome_cells(row.outcomes)] for row in breakdown.rows]
        blocks.append(_table([localize(breakdown.head), *map(localize, columns)], rows))
    if breakdown.rest:
        blocks.append(localize(breakdown.rest))
    return blocks


def _driver_blocks(page: Page, localize: Callable[[Bilingual], str]) -> list[str]:
    if not page.drivers:
        return []
    columns = ("theme", "unhappy_part", "conversations", "accepted", "acceptance_unknown", "negative")
    rows = [
        [localize(driver.row.label), share_text(driver.unhappy), *_outcome_cells(driver.row.outcomes)]
        for driver in page.drivers
    ]
    table = _table([localize(translate(column)) for column in columns], rows)
    note = [localize(page.drivers_rest)] if page.drivers_rest else []
    return [f"## {localize(translate('drivers'))}", localize(translate("drivers_note")), table, *note]


def _days_table(page: Page, localize: Callable[[Bilingual], str]) -> str:
    head = [localize(translate(key)) for key in ("day", "conversations", "accepted", "negative", "rejected")]
    return _table(
        head,
        [
            [
                f"{localize(day.label)}{' ◆' if day.changed else ''}",
                f"{day.conversations:,}",
                share_text(day.outcomes.accepted("yes")),
                share_text(day.outcomes.negative("yes")),
                share_text(day.rejected),
            ]
            for day in page.days
        ],
    )


def _example_blocks(page: Page, localize: Callable[[Bilingual], str]) -> list[str]:
    title = f"## {localize(translate('examples'))}"
    if not page.statistics.examples:
        return [title, localize(translate("no_examples"))]
    shown = page.statistics.examples[:_EXAMPLES_OPEN]
    note = localize(translate("examples_note", total=_examples_total(page.statistics.outcomes), shown=len(shown)))
    rows = []
    for example in shown:
        tags = " · ".join(localize(tag) for tag, _ in example_tags(example))
        issue, plan = (
            _markdown(clip(text)) if text else localize(translate("not_given"))
            for text in (example.issue, example.plan)
        )
        name = _markdown(clip(example.conversation_id, 80))
        rows.append([name, example_time(page.statistics, example), str(example.turns), tags, issue, plan])
    head = [localize(translate(key)) for key in ("id", "time", "turn_count", "cross", "issue", "plan")]
    return [title, note, _table(head, rows, numbers=(2,))]


def _reject_table(statistics: DayStatistics, localize: Callable[[Bilingual], str]) -> str:
    if not statistics.rejects:
        return localize(translate("no_rejects"))
    rows = [
        [
            localize(reason_label(reason)),
            f"{count:,}",
            share_text(Proportion(count, statistics.conversations)),
            localize(reason_todo(reason)),
        ]
        for reason, count in statistics.rejects
    ]
    return _table([localize(translate(key)) for key in ("reason", "count", "share", "todo")], rows, numbers=(1, 2))
