"""Alerts: what a shop wants to be told of at once, as a TOML file has it, and the stories that match."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tasks.domain.errors import UsageError
from tasks.domain.toml_text import parse_toml
from tasks.reporting.rules.stories.search import MEASURES
from tasks.reporting.rules.stories.story import Story

_NUMBERS: Final = ("unhappy", "conversations")

_LISTS: Final = ("measures", "themes", "words")

_LONGEST_NAME: Final = 40


@dataclass(frozen=True, slots=True)
class Alert:
    """Conditions that a story has to meet all; an empty one is always met.

    Args:
        name: what people read.
        unhappy: the least number of unhappy customers more than usual.
        conversations: the least number of conversations.
        measures: measures of which one is unusual.
        themes: ids of which one is the story's theme.
        words: texts of which one stands in its name or phrases.
        where: values by dimension, of which one is the story's own or its place.
    """

    name: str
    unhappy: float = 0
    conversations: float = 0
    measures: tuple[str, ...] = ()
    themes: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    where: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def is_met(self, story: Story) -> bool:
        """Return true where a story meets every condition."""
        places = {(story.dimension, story.key), *story.places}
        told_by = " ".join((story.key, *story.phrases)).lower()
        return (
            story.excess_unhappy >= self.unhappy
            and story.conversations >= self.conversations
            and (not self.measures or any(aspect.measure in self.measures for aspect in story.aspects))
            and (not self.themes or story.theme in self.themes)
            and (not self.words or any(word.lower() in told_by for word in self.words))
            and all(any((dimension, value) in places for value in values) for dimension, values in self.where)
        )


@dataclass(frozen=True, slots=True)
class Fired:
    """An alert and the story that fired it; `key` is the story's name, which it keeps from day to day."""

    alert: str
    key: str


def fired_by(stories: Iterable[Story], alerts: Sequence[Alert]) -> list[Fired]:
    """The alerts that stories fire, in their order."""
    return [Fired(alert.name, story.key) for story in stories for alert in alerts if alert.is_met(story)]


def parse_alerts(text: str, place: str) -> tuple[Alert, ...]:
    """Read alerts from TOML: `[[alerts]]` with a name and conditions; a file without any fires none.

    Args:
        text: the file's content.
        place: the file's name, for messages.

    Raises:
        UsageError: one line that names everything that is wrong.
    """
    document = parse_toml(text, place)
    rows = document.get("alerts", [])
    if document.keys() - {"alerts"} or not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise UsageError(f"{place} holds [[alerts]] and nothing else, each with a name and at least one condition.")
    if wrong := list(_complaints(rows)):
        raise UsageError(f"{place}: {'; '.join(wrong)}.")
    return tuple(_alert(row) for row in rows)


def _alert(row: Mapping[str, Any]) -> Alert:
    where = tuple((dimension, tuple(values)) for dimension, values in row.get("where", {}).items())
    return Alert(
        row["name"].strip(),
        row.get("unhappy", 0),
        row.get("conversations", 0),
        measures=tuple(row.get("measures", ())),
        themes=tuple(row.get("themes", ())),
        words=tuple(row.get("words", ())),
        where=where,
    )


def _complaints(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    names = [row.get("name") for row in rows]
    for row in rows:
        name = row.get("name")
        if not isinstance(name, str) or not 0 < len(name.strip()) <= _LONGEST_NAME:
            yield f"an alert needs a name of 1 to {_LONGEST_NAME} characters, not {name!r}"
            continue
        if names.count(name) > 1:
            yield f"the name {name!r} is there twice"
        if not row.keys() - {"name"}:
            yield f"alert {name!r} has no condition"
        if unknown := sorted(row.keys() - {"name", "where", *_NUMBERS, *_LISTS}):
            yield f"alert {name!r} has {', '.join(unknown)}; there are {', '.join((*_NUMBERS, *_LISTS, 'where'))}"
        for number in _NUMBERS:
            value = row.get(number, 1)
            if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
                yield f"alert {name!r}: {number} is a number above 0, not {value!r}"
        for listed in _LISTS:
            if listed in row and not _are_texts(row[listed]):
                yield f"alert {name!r}: {listed} is a list of texts"
        if _are_texts(row.get("measures")) and (strange := sorted(set(row["measures"]) - set(MEASURES))):
            yield f"alert {name!r}: {', '.join(strange)} is no measure; there are {', '.join(MEASURES)}"
        where = row.get("where", {})
        if not isinstance(where, dict) or not all(map(_are_texts, where.values())):
            yield f'alert {name!r}: where is a table of a dimension and its values, such as {{shop = ["旗舰店"]}}'


def _are_texts(values: object) -> bool:
    return isinstance(values, list) and bool(values) and all(isinstance(value, str) and value for value in values)
