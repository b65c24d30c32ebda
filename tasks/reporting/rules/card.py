"""The report as a card for a chat: headline and stories in at most ten lines."""

from collections.abc import Sequence

from tasks.delivering.rules.message import Message
from tasks.domain.days import period_of
from tasks.reporting.rules.context import Context
from tasks.reporting.rules.formatting import whole_percent
from tasks.reporting.rules.golden_lines import change_line
from tasks.reporting.rules.statistics import DayStatistics
from tasks.reporting.rules.stories.alerts import Fired
from tasks.reporting.rules.stories.story import Story
from tasks.reporting.rules.stories.texts import story_headline
from tasks.reporting.rules.texts import translate

_STORIES_SHOWN = 5


def report_card(statistics: DayStatistics, context: Context, link: str, fired: Sequence[Fired] = ()) -> Message:
    """Return what people are sent when a report is published.

    Args:
        statistics: the figures.
        context: what happened, and whether the model still answers as before.
        link: where the report opens; empty where nothing serves it.
        fired: alerts that are new; each stands before its story.
    """
    first, last = statistics.start.isoformat(), statistics.end.isoformat()
    dates = first if first == last else f"{first} – {last}"
    outcomes, stories = statistics.outcomes, context.stories
    figures = translate(
        "card_figures",
        count=statistics.conversations,
        accepted=whole_percent(outcomes.accepted("yes")),
        negative=whole_percent(outcomes.negative("yes")),
    ).zh
    lines = [
        f"{number}. {_alerts(story, fired)}{story_headline(story).zh}"
        for number, story in enumerate(stories.told, start=1)
    ]
    shown = lines[:_STORIES_SHOWN]
    if len(lines) > len(shown):
        shown.append(translate("card_more", count=len(lines) - len(shown)).zh)
    if not shown:
        shown = [translate("no_stories" if stories.enough_past else "no_past").zh]
    usage, golden = statistics.usage, context.golden
    doubts = {}  # what makes the figures doubtful, by the title that says so
    if usage.unread_files:
        doubts["card_title_unread"] = translate("unread", files=usage.unread_files, lost=usage.unread_conversations).zh
    if golden and golden.has_changed:
        doubts["card_title_changed"] = change_line(golden).zh
    quiet = next(iter(doubts), "card_title_quiet")
    report = translate(f"title_{period_of(statistics.start, statistics.end)}")
    title = translate("card_title" if lines else quiet, report=report, dates=dates, count=len(lines)).zh
    return Message(
        id=f"report-{first}-{last}",
        about=f"report-{first}-{last}",
        level="warning" if lines or doubts else "good",
        title=title,
        text="\n".join([*doubts.values(), figures, *shown]),
        link=link,
        day=last,
    )


def _alerts(story: Story, fired: Sequence[Fired]) -> str:
    return "".join(f"【{found.alert}】" for found in fired if found.key == story.key)


def story_id(story: Story) -> str:
    """Return a story's name in events: the same on every day that it lasts."""
    return f"{story.first_day}.{story.dimension}.{story.key}"
