"""Texts made to cost a regular expression as much as they can: what it repeats, repeated, behind what leads there."""

import re
import re._constants as sre  # type: ignore[import-not-found]
import re._parser as sre_parser  # type: ignore[import-not-found]
from collections.abc import Iterator
from functools import cache
from typing import Any

_NEVER = "\0"

_MOST = 16  # pumps of one pattern


def hostile_texts(pattern: re.Pattern[str], length: int) -> Iterator[str]:
    """Yield texts of about `length` characters, none of which the pattern matches at their end."""
    for prefix, pump in _pumps(pattern):
        yield prefix + pump * (length // len(pump)) + _NEVER


@cache
def _pumps(pattern: re.Pattern[str]) -> list[tuple[str, str]]:
    """Return what leads to a repetition, and what is repeated."""
    tree = sre_parser.parse(pattern.pattern, pattern.flags)
    pumps: dict[tuple[str, str], None] = {}
    whole = _sample(tree)
    for prefix, body in _repeats(tree, ""):
        pumps[prefix, body] = None
    for sign in dict.fromkeys(whole):
        pumps["", sign] = None
    for end in range(2, min(len(whole), 6) + 1):
        pumps["", whole[:end]] = None
    return [(prefix, pump) for prefix, pump in list(pumps)[:_MOST] if pump]


def _repeats(items: Any, before: str) -> Iterator[tuple[str, str]]:
    """Yield what leads to each repetition, and one round of it."""
    for kind, value in items:
        if kind in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
            _, most, body = value
            sample = _sample(body)
            if most > 1:
                yield before, sample
            yield from _repeats(body, before)
            before += sample
        elif kind is sre.SUBPATTERN:
            yield from _repeats(value[3], before)
            before += _sample(value[3])
        elif kind is sre.BRANCH:
            for branch in value[1][:8]:
                yield from _repeats(branch, before)
            before += _sample(value[1][0])
        elif kind is sre.ATOMIC_GROUP:
            yield from _repeats(value, before)
            before += _sample(value)
        else:
            before += _sample([(kind, value)])


def _sample(items: Any) -> str:
    """One text that the parsed pattern matches, look-arounds left out."""
    parts = []
    for kind, value in items:
        if kind is sre.LITERAL:
            parts.append(chr(value))
        elif kind is sre.NOT_LITERAL or kind is sre.ANY:
            parts.append("x")
        elif kind is sre.IN:
            parts.append(_of_set(value))
        elif kind in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
            parts.append(_sample(value[2]) * max(value[0], 1))
        elif kind is sre.SUBPATTERN:
            parts.append(_sample(value[3]))
        elif kind is sre.BRANCH:
            parts.append(_sample(value[1][0]))
        elif kind is sre.ATOMIC_GROUP:
            parts.append(_sample(value))
    return "".join(parts)


def _of_set(items: Any) -> str:
    kind, value = items[0]
    if kind is sre.NEGATE:
        taken = re.compile(_NEVER)
        return next((sign for sign in "x1 。-" if not _is_in(sign, items[1:])), taken.pattern)
    if kind is sre.RANGE:
        return chr(value[0])
    if kind is sre.CATEGORY:
        return _OF_CATEGORY.get(value, "x")
    return chr(value)


_OF_CATEGORY = {
    sre.CATEGORY_DIGIT: "1",
    sre.CATEGORY_SPACE: " ",
    sre.CATEGORY_WORD: "a",
    sre.CATEGORY_NOT_DIGIT: "x",
    sre.CATEGORY_NOT_SPACE: "x",
    sre.CATEGORY_NOT_WORD: "-",
}


def _is_in(sign: str, items: Any) -> bool:
    for kind, value in items:
        if kind is sre.LITERAL and chr(value) == sign:
            return True
        if kind is sre.RANGE and value[0] <= ord(sign) <= value[1]:
            return True
        if kind is sre.CATEGORY and re.match(_CATEGORY_PATTERNS[value], sign):
            return True
    return False


_CATEGORY_PATTERNS = {
    sre.CATEGORY_DIGIT: r"\d",
    sre.CATEGORY_SPACE: r"\s",
    sre.CATEGORY_WORD: r"\w",
    sre.CATEGORY_NOT_DIGIT: r"\D",
    sre.CATEGORY_NOT_SPACE: r"\S",
    sre.CATEGORY_NOT_WORD: r"\W",
}
