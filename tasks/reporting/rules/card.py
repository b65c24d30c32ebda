"""The report as a card for a chat: headline and stories in at most ten lines."""

from tasks.delivering.rules.message import Message
from tasks.reporting.rules.formatting import whole_percent
from tasks.reporting.rules.statistics import DayStatistics
from tasks.reporting.rules.stories.story import Stories, Story
from tasks.reporting.rules.stories.texts import story_headline
from tasks.reporting.rules.texts import translate

_STORIES_SHOWN = 5


def report_card(statistics: DayStatistics, stories: Stories, link: str) -> Message:
    """Return what people are sent when a report is published.

    Args:
        statistics: the figures.
        stories: what happened.
        link: where the report opens; empty where nothing serves it.
    """
    first, last = statistics.start.isoformat(), statistics.end.isoformat()
    dates = first if first == last else f"{first} – {last}"
    outcomes = statistics.outcomes
    figures = translate(
        "card_figures",
        count=statistics.conversations,
        accepted=whole_percent(outcomes.accepted("yes")),
        negative=whole_percent(outcomes.negative("yes")),
    ).zh
    lines = [f"{number}. {story_headline(story).zh}" for number, story in enumerate(stories.told, start=1)]
    shown = lines[:_STORIES_SHOWN]
    if len(lines) > len(shown):
        shown.append(translate("card_more", count=len(lines) - len(shown)).zh)
    if not shown:
        shown = [translate("no_stories" if stories.enough_past else "no_past").zh]
    usage = statistics.usage
    unread = []
    if usage.unread_files:
        unread = [translate("unread", files=usage.unread_files, lost=usage.unread_conversations).zh]
    quiet = "card_title_unread" if unread else "card_title_quiet"
    title = translate("card_title" if lines else quiet, dates=dates, count=len(lines)).zh
    return Message(
        id=f"report-{first}-{last}",
        about=f"report-{first}-{last}",
        level="warning" if lines or unread else "good",
        title=title,
        text="\n".join([*unread, figures, *shown]),
        link=link,
        day=last,
    )


def is_alert(story: Story, least_unhappy: int) -> bool:
    """Return true where a story costs enough unhappy customers to be sent at once."""
    return story.excess_unhappy >= least_unhappy


def story_id(story: Story) -> str:
    """Return a story's name in events: the same on every day that it lasts."""
    return f"{story.first_day}.{story.dimension}.{story.key}"
