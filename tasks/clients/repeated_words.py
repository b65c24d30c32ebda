"""Words of a conversation that a service repeats in its error, taken out of it. Pure."""

import re
from typing import Final

# So many letters or digits in a row are no coincidence.
_LEAST: Final = 6

# What is not shown need not be looked through.
_MOST: Final = 1000

_BETWEEN_LETTERS: Final = re.compile(r"[\W_]+")

# A text within JSON within a text.
_ESCAPED: Final = re.compile(r"(?<!\\)\\+(?:u([0-9a-fA-F]{4})|[nrt])")


def without_repeated(sentence: str, text: str) -> str:
    """A sentence with `…` for each part of it that is a part of the text, whatever stands between their letters."""
    if not text or len(sentence) < _LEAST:
        return sentence
    sentence = _ESCAPED.sub(lambda found: chr(int(found[1], 16)) if found[1] else " ", sentence[:_MOST])
    places = [at for at, character in enumerate(sentence) if character.isalnum()]
    said, known = "".join(sentence[at] for at in places), _BETWEEN_LETTERS.sub("", text)
    kept, end, at = [], 0, 0
    while at + _LEAST <= len(said):
        length = _repeated(said, at, known)
        if not length:
            at += 1
            continue
        kept += [sentence[end : places[at]], "…"]
        at += length
        end = places[at - 1] + 1
    return "".join(kept) + sentence[end:]


def _repeated(said: str, at: int, known: str) -> int:
    """Count the letters from this place on that stand in the known ones, too; 0 where they are few."""
    length = _LEAST if said[at : at + _LEAST] in known else 0
    while length and at + length < len(said) and said[at : at + length + 1] in known:
        length += 1
    return length
