"""Stories in words, Chinese and English."""

from datetime import date
from typing import Any

from tasks.reporting.rules.stories.search import NOT_ACCEPTED, VOLUME
from tasks.reporting.rules.stories.segments import ISSUE_PHRASE, PLAN_PHRASE, WHOLE
from tasks.reporting.rules.stories.story import Aspect, Story
from tasks.reporting.rules.texts import ATTRIBUTES, Bilingual, translate


def story_headline(story: Story) -> Bilingual:
    """Return a story in one line: what, where, since when, how many."""
    first, measure = story.aspects[0], story.aspects[0].measure
    where = _where(story)
    values: dict[str, str | int | Bilingual] = {
        "what": _subject(story),
        "where": where,
        "when": story_days(story),
        "count": _count(story),
    }
    if measure == VOLUME:
        usual = _shown(first.usual, story)
        sentence = "story_volume" if usual else "story_volume_new"
        return translate(sentence, usual=usual, **values)
    values |= {"now": _rate(first, story), "usual": _usual(first, story)}
    return translate("story_plan_refused" if _is_plan_refused(story) else f"story_{measure}", **values)


def story_json(story: Story) -> dict[str, Any]:
    """Return a story as the command line's JSON has it."""
    return {
        "headline": story_headline(story).zh,
        "theme": story.theme or None,
        "first_day": story.first_day.isoformat(),
        "last_day": story.last_day.isoformat(),
        "conversations": story.conversations,
        "examples": list(story.examples),
    }


def story_details(story: Story) -> tuple[Bilingual, ...]:
    """Return what else is worth saying about a story: its other measures, what it costs, whether it is over."""
    found = [
        translate(f"detail_{aspect.measure}", now=_percent(aspect.value), usual=_percent(aspect.usual))
        for aspect in story.aspects[1:]
        if aspect.measure != VOLUME
    ]
    if (more := _shown(story.excess_unhappy, story)) > 0:
        sentence = "detail_cost_about" if story.estimated else "detail_cost"
        found.append(translate(sentence, unhappy=_shown(story.unhappy, story), more=more))
    if story.recovered:
        found.append(translate("detail_recovered", day=_short(story.last_day)))
    return tuple(found)


def story_days(story: Story) -> Bilingual:
    """Return a story's days in words: one day, from a day to another, or since a day."""
    first, last = _short(story.first_day), _short(story.last_day)
    number = (story.last_day - story.first_day).days + 1
    if not story.recovered and number > 1:
        return translate("story_since", first=first, number=number)
    if number == 1:
        return translate("story_one_day", first=first)
    return translate("story_from_to", first=first, last=last, number=number)


def recovered_line(story: Story) -> Bilingual:
    """Return one line about a story that is over."""
    return translate("story_over", what=_subject(story), when=story_days(story), count=_count(story))


def _count(story: Story) -> Bilingual:
    sentence = "story_count_about" if story.estimated else "story_count"
    return translate(sentence, count=_shown(story.conversations, story))


def _shown(number: float, story: Story) -> int:
    """Round a number; to two figures where it was counted in a sample."""
    return int(float(f"{number:.2g}")) if story.estimated and number >= 100 else round(number)


def _subject(story: Story) -> Bilingual:
    if story.dimension == WHOLE:
        return translate("subject_all")
    if story.dimension == ISSUE_PHRASE:
        return Bilingual(f"“{story.key}”", f"“{story.key}”")
    known = {PLAN_PHRASE, "channel", "theme", "plan_theme", "agent", "shop"}
    if story.dimension in known:
        return translate(f"subject_{story.dimension}", key=story.key)
    zh, en = ATTRIBUTES.get(story.dimension, (story.dimension, story.dimension))
    return Bilingual(f"{zh}“{story.key}”", f"{en} “{story.key}”")


def _where(story: Story) -> Bilingual:
    """Return in brackets what most of a story's conversations share: phrases, a channel, a shop."""
    parts = []
    if story.phrases:
        quoted = [f"“{phrase}”" for phrase in story.phrases]
        parts.append(translate("story_phrases", phrases=Bilingual("".join(quoted), ", ".join(quoted))))
    named = [value for dimension, value in story.places if dimension not in {"theme", "plan_theme"}]
    if named:
        parts.append(translate("story_places", places=Bilingual("、".join(named), ", ".join(named))))
    if not parts:
        return Bilingual("", "")
    joined = Bilingual("，".join(part.zh for part in parts), ", ".join(part.en for part in parts))
    return Bilingual(f"（{joined.zh}）", f" ({joined.en})")


def _is_plan_refused(story: Story) -> bool:
    return story.aspects[0].measure == NOT_ACCEPTED and story.dimension in {PLAN_PHRASE, "plan_theme"}


def _rate(aspect: Aspect, story: Story) -> str:
    return _percent(1 - aspect.value if _is_plan_refused(story) else aspect.value)


def _usual(aspect: Aspect, story: Story) -> str:
    return _percent(1 - aspect.usual if _is_plan_refused(story) else aspect.usual)


def _percent(value: float) -> str:
    return f"{value:.0%}"


def _short(day: date) -> str:
    return f"{day:%m-%d}"
