"""Stories as the report shows them: a headline, what else is worth saying, a small chart, three conversations."""

from typing import NamedTuple

from tasks.reporting.rules.statistics import Example
from tasks.reporting.rules.stories.story import Stories, Story
from tasks.reporting.rules.stories.texts import story_details, story_headline
from tasks.reporting.rules.texts import Bilingual, translate


class Column(NamedTuple):
    """One day of a story's chart: its height in percent, and whether the day belongs to the story."""

    x: float
    height: float
    inside: bool


class StoryCard(NamedTuple):
    """One story, ready to be shown."""

    headline: Bilingual
    details: tuple[Bilingual, ...]
    columns: tuple[Column, ...]
    width: float
    note: Bilingual
    examples: tuple[Example, ...]


def story_card(story: Story, stories: Stories) -> StoryCard:
    """Return a story as a card."""
    values = [value for _, value in story.daily]
    most = max((value for value in values if value is not None), default=0) or 1
    width = 100 / max(1, len(story.daily))
    columns = tuple(
        Column(number * width, 0.0 if value is None else value / most * 100, story.first_day <= day <= story.last_day)
        for number, (day, value) in enumerate(story.daily)
    )
    first, last = story.daily[0][0], story.daily[-1][0]
    return StoryCard(
        headline=story_headline(story),
        details=story_details(story),
        columns=columns,
        width=width * 0.78,
        note=translate(
            "chart_note",
            measure=translate(f"measure_{story.aspects[0].measure}"),
            first=f"{first:%m-%d}",
            last=f"{last:%m-%d}",
        ),
        examples=tuple(stories.examples[name] for name in story.examples if name in stories.examples),
    )
