"""A taxonomy: the fixed list of themes that an issue or a plan is assigned to, as a TOML file has it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tasks.domain.errors import UsageError
from tasks.domain.toml_text import parse_toml

OTHER = "other"

THEME_ID = re.compile(r"[a-z][a-z0-9_]{1,39}")


@dataclass(frozen=True, slots=True)
class Group:
    """A family of themes."""

    id: str
    name_zh: str
    name_en: str


@dataclass(frozen=True, slots=True)
class Theme:
    """One leaf of the taxonomy.

    Args:
        keywords: substrings that speak for it, where the trained model does not know it.
        examples: texts that belong to it.
        retired: kept for the tables that name it, and assigned no more.
    """

    id: str
    group: str
    name_zh: str
    name_en: str
    definition: str = ""
    keywords: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    counter_examples: tuple[tuple[str, str], ...] = ()
    retired: bool = False


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """Groups and themes, in the order of reports; `other` is always one of them."""

    groups: tuple[Group, ...]
    themes: tuple[Theme, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of all themes, retired ones included."""
        return tuple(theme.id for theme in self.themes)

    @property
    def assignable(self) -> tuple[str, ...]:
        """The ids that a text can get today."""
        return tuple(theme.id for theme in self.themes if not theme.retired)

    def with_themes(self, added: tuple[Theme, ...]) -> "Taxonomy":
        """This taxonomy with accepted themes before `other`; one whose id is known replaces it in place."""
        new = {theme.id: theme for theme in added}
        kept = [new.pop(theme.id, theme) for theme in self.themes]
        last = [theme for theme in kept if theme.id == OTHER]
        themes = [theme for theme in kept if theme.id != OTHER] + list(new.values()) + last
        known = {group.id for group in self.groups}
        last_group = self.groups[-1].id
        return replace(
            self,
            themes=tuple(theme if theme.group in known else replace(theme, group=last_group) for theme in themes),
        )


def parse_taxonomy(text: str, place: str) -> Taxonomy:
    """Read a taxonomy from TOML.

    Args:
        text: the file's content.
        place: the file's name, for messages.

    Raises:
        UsageError: it is no TOML, or not of this shape; one line that names everything that is wrong.
    """
    document = parse_toml(text, place)
    groups = tuple(_groups(document))
    themes = tuple(_themes(document))
    if wrong := list(_complaints(groups, themes)):
        raise UsageError(f"{place}: {'; '.join(wrong)}.")
    return Taxonomy(groups, themes)


def _rows(document: Mapping[str, Any], name: str) -> Iterator[Mapping[str, Any]]:
    rows = document.get(name)
    if isinstance(rows, list):
        yield from (row for row in rows if isinstance(row, dict))


def _groups(document: Mapping[str, Any]) -> Iterator[Group]:
    for row in _rows(document, "groups"):
        yield Group(_text(row, "id"), _text(row, "name_zh"), _text(row, "name_en"))


def _themes(document: Mapping[str, Any]) -> Iterator[Theme]:
    for row in _rows(document, "themes"):
        yield Theme(
            id=_text(row, "id"),
            group=_text(row, "group"),
            name_zh=_text(row, "name_zh"),
            name_en=_text(row, "name_en"),
            definition=_text(row, "definition"),
            keywords=_texts(row, "keywords"),
            examples=_texts(row, "examples"),
            counter_examples=tuple(
                (_text(other, "text"), _text(other, "theme")) for other in _rows(row, "counter_examples")
            ),
            retired=row.get("retired") is True,
        )


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name, "")
    return value if isinstance(value, str) else ""


def _texts(row: Mapping[str, Any], name: str) -> tuple[str, ...]:
    values = row.get(name, [])
    return tuple(value for value in values if isinstance(value, str)) if isinstance(values, list) else ()


def _complaints(groups: tuple[Group, ...], themes: tuple[Theme, ...]) -> Iterator[str]:
    if not groups or not themes:
        yield "it needs [[groups]] and [[themes]]"
        return
    known = {group.id for group in groups}
    ids = [theme.id for theme in themes]
    for theme in themes:
        if not THEME_ID.fullmatch(theme.id):
            yield f"theme id {theme.id!r} is not of lower-case letters, digits and underscores"
        if theme.group not in known:
            yield f"theme {theme.id!r} names the unknown group {theme.group!r}"
        for _, where in theme.counter_examples:
            if where not in ids:
                yield f"a counter-example of {theme.id!r} names the unknown theme {where!r}"
    for name in sorted({name for name in ids if ids.count(name) > 1}):
        yield f"theme {name!r} is there twice"
    if OTHER not in ids:
        yield f"the theme {OTHER!r} is missing"
