"""The report that a service lead reads in five minutes, drawn from a day's figures: HTML, Markdown and a small picture.

The HTML is one file that needs no network and runs no script but its own: a content security policy names the
hashes of its one style and one script, so that nothing an issue text smuggles in could load or run. Both
languages are inside; without scripts it shows Chinese. Nothing here reads a clock: the same figures give the
same bytes.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from tasks.calling.rules.offline.summary import OFFLINE_MODEL
from tasks.domain.days import period_of
from tasks.domain.money import in_currency
from tasks.reporting.rules.context import Context
from tasks.reporting.rules.figures import Figure, figures_of
from tasks.reporting.rules.findings import Finding, compare, find, topics
from tasks.reporting.rules.formatting import (
    FEW,
    _duration,
    _listed,
    _minute,
    _same,
    clip,
    share_text,
    whole_percent,
)
from tasks.reporting.rules.golden_lines import change_line, check_line
from tasks.reporting.rules.pages.calendar_rows import MOST_DAYS, WEEKDAYS, CalendarRow, calendar_rows
from tasks.reporting.rules.pages.charts import Heat, Trend, heat_map, trends
from tasks.reporting.rules.reviewed import review_line
from tasks.reporting.rules.statistics import (
    OTHER,
    DayStatistics,
    Example,
    Group,
    Outcomes,
    Proportion,
    TermCounts,
)
from tasks.reporting.rules.stories.cards import StoryCard, story_card
from tasks.reporting.rules.stories.texts import recovered_line
from tasks.reporting.rules.texts import Bilingual, attribute_title, translate
from tasks.themes.rules.taxonomy import OTHER as OTHER_THEME

_ROWS_SHOWN = 12

_FEWEST_SHOWN = 5

_EXAMPLES_OPEN = 10

_LEDE_NAMES = 3


class Row(NamedTuple):
    """One value of a dimension: its name, outcomes, the width of its bar in percent, a few of its conversations."""

    label: Bilingual
    outcomes: Outcomes
    width: float
    examples: tuple[Example, ...]


class Driver(NamedTuple):
    """One theme: its part of all dissatisfaction as the width of a bar in percent, and what is usual of it."""

    row: Row
    unhappy: Proportion
    usual: Mapping[str, str]


class Breakdown(NamedTuple):
    """The parts of a day by one dimension."""

    anchor: str
    title: Bilingual
    head: Bilingual
    note: Bilingual | None
    rows: tuple[Row, ...]
    rest: Bilingual | None


class Page(NamedTuple):
    """The contents that all three renderings show."""

    statistics: DayStatistics
    title: Bilingual
    dates: Bilingual
    source: Bilingual
    warnings: tuple[Bilingual, ...]
    lede: tuple[Bilingual, ...]
    figures: tuple[Figure, ...]
    reviewed: Bilingual | None
    stories: tuple[StoryCard, ...]
    no_stories: Bilingual
    over: tuple[Bilingual, ...]
    findings: tuple[Finding, ...]
    trends: tuple[Trend, ...]
    trend_note: Bilingual
    drivers: tuple[Driver, ...]
    drivers_rest: Bilingual | None
    heat: tuple[Heat, ...]
    words: Breakdown
    plans: Breakdown
    breakdowns: tuple[Breakdown, ...]
    days_title: Bilingual
    days: tuple[CalendarRow, ...]
    usage: tuple[tuple[Bilingual, Bilingual], ...]
    golden: Bilingual | None
    examples_note: Bilingual


def make_page(statistics: DayStatistics, context: Context) -> Page:
    """Return everything that the renderings show, ready to be shown."""
    comparison = compare(statistics.start, statistics.end, context.history)
    known_days = sum(1 for day in context.days if day.conversations) or 1
    drawn, trend_note = trends(statistics, context.history, context.days)
    lines = _Breakdowns(context)
    themes = [group for group in statistics.themes if group.key]
    drivers = tuple(lines.drivers(themes, statistics.outcomes))
    named = [(lines.theme(group.key), group) for group in themes if group.outcomes.total >= _FEWEST_SHOWN]
    return Page(
        statistics=statistics,
        title=translate(f"title_{period_of(statistics.start, statistics.end)}"),
        dates=_dates(statistics),
        source=_source(statistics),
        warnings=tuple(_warnings(statistics)),
        lede=tuple(_lede(statistics, [name for name, group in named if group.key not in {OTHER, OTHER_THEME}])),
        figures=tuple(figures_of(statistics, comparison, known_days, context.reviewed)),
        reviewed=review_line(context.reviewed) if context.reviewed else None,
        stories=tuple(story_card(story, context.stories) for story in context.stories.told),
        no_stories=translate("no_stories" if context.stories.enough_past else "no_past"),
        over=tuple(recovered_line(story) for story in context.stories.over),
        findings=(*_of_golden(context), *find(statistics, comparison, known_days)),
        trends=drawn,
        trend_note=trend_note,
        drivers=drivers,
        drivers_rest=_left_out(themes, [driver.row.outcomes for driver in drivers]),
        heat=heat_map(named[:_ROWS_SHOWN]),
        words=lines.words(statistics.issues, "words", "issue_word"),
        plans=lines.words(statistics.plans, "plans", "plan_word"),
        breakdowns=tuple(lines.of(statistics)),
        days_title=translate("days" if len(context.days) <= MOST_DAYS else "months"),
        days=calendar_rows(context.days),
        usage=tuple(_usage(statistics)),
        golden=check_line(context.golden) if context.golden else None,
        examples_note=translate(
            "examples_note", total=_examples_total(statistics.outcomes), shown=len(statistics.examples)
        ),
    )


def _dates(statistics: DayStatistics) -> Bilingual:
    def named(day: date) -> Bilingual:
        zh, en = WEEKDAYS[day.weekday()]
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


def _warnings(statistics: DayStatistics) -> Iterable[Bilingual]:
    """Yield what a reader must know before any figure: what is missing, and that no model made it."""
    usage = statistics.usage
    if usage.unread_files:
        yield translate("unread", files=usage.unread_files, lost=usage.unread_conversations)
    by_rules = statistics.offline
    if by_rules.part and by_rules.part == by_rules.whole:
        yield translate("offline_all")
    elif by_rules.part:
        yield translate("offline_some", share=share_text(by_rules))


def _lede(statistics: DayStatistics, themes: Sequence[Bilingual]) -> Iterable[Bilingual]:
    """Yield the headline: how many came, for which themes (or words), what was accepted, who was unhappy."""
    outcomes = statistics.outcomes
    if not statistics.conversations:
        yield translate("empty_day")
        return
    if not outcomes.total:
        yield translate("all_rejected", read=statistics.conversations)
        return
    words = [group.key for group in topics(statistics)[:_LEDE_NAMES]]
    one_day = statistics.start == statistics.end
    if themes:
        sentence = "lede_themes" if one_day else "lede_themes_span"
        yield translate(sentence, read=statistics.conversations, themes=_joined(themes[:_LEDE_NAMES]))
    elif words:
        sentence = "lede_topics" if one_day else "lede_topics_span"
        yield translate(sentence, read=statistics.conversations, words=_listed(words))
    else:
        yield translate("lede_no_topics", read=statistics.conversations)
    accepted, unknown = outcomes.accepted("yes"), outcomes.accepted("unknown")
    yield translate("lede_accepted", accepted=whole_percent(accepted), unknown=whole_percent(unknown))
    negative = outcomes.negative("yes")
    if negative.part:
        left = outcomes.cell("no", "yes")
        yield translate("lede_negative", negative=whole_percent(negative), left=left)
    elif outcomes.negative("unknown").part == outcomes.total:
        yield translate("lede_sentiment_unknown")
    elif outcomes.negative("unknown").part:
        yield translate("lede_no_negative_known", unknown=whole_percent(outcomes.negative("unknown")))
    else:
        yield translate("lede_no_negative")


def _joined(names: Sequence[Bilingual]) -> Bilingual:
    return Bilingual("、".join(name.zh for name in names), ", ".join(name.en for name in names))


def _named(groups: tuple[Group, ...]) -> tuple[Group, ...]:
    """The groups, or none where no conversation says which one it belongs to."""
    return groups if any(group.key for group in groups) else ()


class _Breakdowns:
    """Makes tables of dimensions, with the conversations behind their bars."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def theme(self, key: str) -> Bilingual:
        """Return a theme's name, or its id where the taxonomy has none."""
        names = self._context.theme_names.get(key)
        return Bilingual(*names) if names else _key(key)

    def drivers(self, themes: Sequence[Group], all_of_them: Outcomes) -> Iterable[Driver]:
        """Yield the themes by their part of all dissatisfaction."""
        unhappy = {group.key: group.outcomes.unhappy for group in themes}
        most = max(unhappy.values(), default=0) or 1
        shown = sorted(themes, key=lambda group: (-unhappy[group.key], group.key))
        usual = _usual_of_themes(self._context.history)
        for group in [group for group in shown if group.outcomes.total >= _FEWEST_SHOWN][:_ROWS_SHOWN]:
            row = Row(
                self.theme(group.key), group.outcomes, unhappy[group.key] / most * 100, self._behind("theme", group.key)
            )
            yield Driver(row, Proportion(unhappy[group.key], all_of_them.unhappy), usual.get(group.key, {}))

    def words(self, words: TermCounts, anchor: str, dimension: str) -> Breakdown:
        """Return the table of the issues' or the plans' words."""
        note = translate(f"{anchor}_note") if words.groups else translate(f"no_{anchor}")
        if words.groups and words.counted_in < words.known:
            sampled = translate("words_sampled", sample=words.counted_in, total=words.known)
            note = Bilingual(sampled.zh + note.zh, f"{sampled.en} {note.en}")
        head = "word" if anchor == "words" else "plan_word"
        table = self._table(anchor, anchor, head, words.groups, note, dimension=dimension)
        left = len(words.groups) - len(table.rows)  # how many conversations is not known: one may mention several
        return table._replace(rest=translate("more_words", groups=left) if left else None)

    def of(self, statistics: DayStatistics) -> Iterable[Breakdown]:
        """Yield the tables of all other dimensions."""
        channels, hours = _named(statistics.channels), _named(statistics.hours)
        plans = _named(statistics.plan_themes)
        if plans:
            yield self._table("plan_themes", "plan_themes", "plan_theme", plans, dimension="plan_theme")
        yield self._table(
            "channels",
            "channels",
            "channel",
            channels,
            None if channels else translate("no_channels"),
            dimension="channel",
        )
        for name, groups in statistics.attributes.items():
            if _named(groups):
                table = self._table(f"attribute-{name}", "channels", "channel", groups, dimension=name)
                title, head = attribute_title(name, clip(name, 40))
                yield table._replace(title=title, head=head)
        yield self._table("turns", "turns", "turn_count", statistics.turns)
        note = translate("hours_note" if hours else "no_hours")
        yield self._table("hours", "hours", "hour", hours, note, limit=25)
        if len(statistics.models) > 1:
            yield self._table("models", "models", "model", statistics.models)
        if len(statistics.prompt_versions) > 1:
            yield self._table("prompts", "prompt_versions", "prompt_version", statistics.prompt_versions)

    def _table(
        self,
        anchor: str,
        title: str,
        head: str,
        groups: Sequence[Group],
        note: Bilingual | None = None,
        *,
        limit: int = _ROWS_SHOWN,
        dimension: str = "",
    ) -> Breakdown:
        enough = [group for group in groups if group.outcomes.total >= _FEWEST_SHOWN] or list(groups)
        shown = enough[:limit]
        most = max((group.outcomes.total for group in groups), default=1) or 1
        rows = tuple(
            Row(
                self.theme(group.key) if dimension == "plan_theme" else _key(group.key),
                group.outcomes,
                group.outcomes.total / most * 100,
                self._behind(dimension, group.key),
            )
            for group in shown
        )
        more = _left_out(groups, [row.outcomes for row in rows])
        return Breakdown(anchor, translate(title), translate(head), note, rows, more)

    def _behind(self, dimension: str, key: str) -> tuple[Example, ...]:
        return self._context.conversations.get((dimension, key), ())


def _left_out(groups: Sequence[Group], shown: Sequence[Outcomes]) -> Bilingual | None:
    """Return how many groups a table leaves out, and how many conversations; None where it shows all."""
    if len(groups) == len(shown):
        return None
    count = sum(group.outcomes.total for group in groups) - sum(outcomes.total for outcomes in shown)
    return translate("more_groups", groups=len(groups) - len(shown), count=count)


def _usual_of_themes(history: Mapping[date, pa.Table]) -> dict[str, dict[str, str]]:
    """Return each theme's acceptance and negative sentiment over all days before, as percentages."""
    sums: dict[tuple[str, str], Proportion] = {}
    for table in history.values():
        themes = table.filter(pc.equal(table["dimension"], "theme"))
        columns = (themes[name].to_pylist() for name in ("metric", "value_key", "numerator", "denominator"))
        for metric, key, part, whole in zip(*columns, strict=True):
            if metric in {"accepted_share", "negative_share"}:
                before = sums.get((key, metric), Proportion(0, 0))
                sums[key, metric] = Proportion(before.part + (part or 0), before.whole + (whole or 0))
    found: dict[str, dict[str, str]] = {}
    for (key, metric), share in sums.items():
        if share.whole >= FEW:
            found.setdefault(key, {})[metric.removesuffix("_share")] = whole_percent(share)
    return found


def _key(key: str) -> Bilingual:
    if not key:
        return translate("unnamed")
    if key == OTHER:
        return translate("other")
    shown = clip(key, 40)
    return Bilingual(shown, shown)


def _examples_total(outcomes: Outcomes) -> int:
    return outcomes.negative("yes").part + outcomes.cell("no", "no") + outcomes.cell("no", "unknown")


def _of_golden(context: Context) -> Iterable[Finding]:
    if context.golden and context.golden.has_changed:
        yield Finding(change_line(context.golden), warning=True)


def _usage(statistics: DayStatistics) -> Iterable[tuple[Bilingual, Bilingual]]:
    usage = statistics.usage
    for name in ("calls", "retries", "quota_refusals", "reused", "prompt_tokens", "completion_tokens"):
        count = getattr(usage, name)
        yield translate(name), translate("not_recorded") if count is None else _same(f"{count:,}")
    yield translate("seconds"), translate("not_recorded") if usage.seconds is None else _same(_duration(usage.seconds))
    if usage.quota_use is not None:
        yield translate("quota_use"), _same(f"{usage.quota_use:.1%}")
    if usage.cost is not None:
        yield translate("cost"), _same(in_currency(usage.cost, usage.currency))
    if usage.golden_calls:
        yield translate("golden_calls"), _same(f"{usage.golden_calls:,}")
        if usage.golden_cost:
            yield translate("golden_cost"), _same(in_currency(usage.golden_cost, usage.currency))
    if usage.log_objects is not None:
        yield translate("log_objects"), _same(f"{usage.log_objects:,}")
    if usage.outside_day and statistics.start == statistics.end:
        yield translate("outside_day"), _same(f"{usage.outside_day:,}")
    for name, values in (("runs", usage.runs), ("version", usage.versions)):
        if values:
            yield translate(name), _listed([clip(value, 40) for value in values])
