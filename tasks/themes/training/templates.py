"""Sentences from templates: `(a|b|)` is one of these, `{slot}` one of a slot's words, `x?` x or nothing."""

import random
import re
from collections.abc import Mapping, Sequence

_ALTERNATIVES = re.compile(r"\(([^()]*)\)")
_MAYBE = re.compile(r"(.)\?")
_SLOT = re.compile(r"\{(\w+)\}")
_REWORDED = 0.7
_NUMBER = re.compile(r"(?:[0-9]+|[二两三四五六七八九十百千]+)(?=[个号天块元点月件台双盒瓶箱包斤米次张份套年分小寸多])")


def sentences(
    templates: Mapping[str, str], slots: Mapping[str, Sequence[str]], per_template: int, seed: int
) -> list[tuple[str, str]]:
    """Distinct sentences with their themes, drawn from every template alike; the same seed draws the same ones."""
    rng = random.Random(seed)
    found: dict[str, str] = {}
    for theme, block in templates.items():
        for template in block.strip().splitlines():
            for _ in range(per_template):
                text = _drawn(template.strip(), slots, rng)
                if len(text) > 1:
                    found.setdefault(varied(text, slots, rng, theme), theme)
    return list(found.items())


def every_form(template: str, words: Mapping[str, Sequence[str]], most: int, rng: random.Random) -> list[str]:
    """Distinct sentences of one template, up to a number, in a fixed order."""
    forms: set[str] = set()
    for _ in range(3 * most):
        opened = _MAYBE.sub(lambda match: rng.choice((match.group(1), "")), template.replace(")?", "|)"))
        text = _drawn(opened, words, rng)
        if len(text) > 1:
            forms.add(text)
        if len(forms) == most:
            break
    return sorted(forms)


def _drawn(template: str, words: Mapping[str, Sequence[str]], rng: random.Random) -> str:
    while match := _ALTERNATIVES.search(template):
        chosen = rng.choice(match.group(1).split("|"))
        template = template[: match.start()] + chosen + template[match.end() :]
    return _SLOT.sub(lambda match: rng.choice(words[match.group(1)]), template)


def without_numbers(text: str) -> str:
    """A text as it is read after masking: what was counted without its numbers."""
    return _NUMBER.sub("", text)


def reworded(text: str, words: Mapping[str, Sequence[str]], rng: random.Random) -> str:
    """A text with most of the words that are known replaced by what others write for them."""
    known = re.compile("|".join(sorted(map(re.escape, words), key=len, reverse=True)))
    return known.sub(lambda match: rng.choice(words[match[0]]) if rng.random() < _REWORDED else match[0], text)


def framed(text: str, slots: Mapping[str, Sequence[str]], rng: random.Random) -> str:
    """A text between what people write around it: before it three times in four, behind it not quite as often."""
    before = rng.choice(slots["before"]) if rng.random() < 0.75 else ""
    return before + text + (rng.choice(slots["after"]) if rng.random() < 0.45 else "")


def varied(text: str, slots: Mapping[str, Sequence[str]], rng: random.Random, theme: str) -> str:
    """A text as people type it: at times with a greeting, thanks, or a slip of the finger."""
    if theme != "other":
        if rng.random() < 0.2:
            text = rng.choice(slots["before"]) + text
        if rng.random() < 0.2:
            text += rng.choice(slots["after"])
    if len(text) > 4 and rng.random() < 0.06:  # a slip of the finger
        place = rng.randrange(1, len(text) - 1)
        text = text[:place] + text[place + 1 :]
    return text
