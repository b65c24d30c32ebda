"""Words by which a message tries to steer whoever reads it, rather than to be answered.

A model that summarizes reads a customer's words. `steers` finds what speaks to such a reader: to ignore what was said,
to play a role, to write what it is given, or to fill the answer's fields. Some of it nobody has a use for, agents
neither: its patterns lie in `phrases/`, one a line; each looks a few characters ahead only. The rest is a matter of
wording, which wording.py weighs. Both look at one reading of the words; other readings are made in disguises.py.
"""

import re
from pathlib import Path
from typing import Final

from tasks.domain.pattern_signs import SignedPatterns
from tasks.preparing.wording import sounds_like_an_order

_FOLDER: Final = Path(__file__).parent / "phrases"

_NAMED: Final = re.compile(r"<([a-z ]{3,20})>")


def _lines(name: str) -> list[str]:
    lines = (_FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def _words() -> dict[str, str]:
    words = dict(line.split(" = ", 1) for line in _lines("words"))
    # The colons stand inside of a set of characters.
    return {name: word if name == "colons" else f"(?:{word})" for name, word in words.items()}


_WORDS: Final = _words()


def phrases(name: str) -> list[str]:
    """The patterns of a file, each with the words that it names."""
    return [_NAMED.sub(lambda found: _WORDS.get(found[1], found[0]), line) for line in _lines(name)]


def _patterns(name: str, flags: re.RegexFlag = re.NOFLAG) -> SignedPatterns:
    return SignedPatterns(phrases(name), flags)


_CHINESE: Final = _patterns("chinese")

_ENGLISH: Final = _patterns("english")

_ENGLISH_OF_USERS: Final = _patterns("english_of_users", re.IGNORECASE)

_FENCES: Final = _patterns("fences", re.IGNORECASE)

# Without a piece of these no text speaks to a model, and without one of those none steers by a phrase.
SIGNS_OF_MODELS: Final = (_CHINESE, _ENGLISH)

SIGNS_OF_PHRASES: Final = (*SIGNS_OF_MODELS, _ENGLISH_OF_USERS, _FENCES)

_LATIN: Final = re.compile(r"[A-Za-z]{2}")


def speaks_to_a_model(text: str) -> bool:
    """Return true if a text speaks to whoever summarizes it, in words that nobody else is told."""
    return _CHINESE.is_in(text) or (_LATIN.search(text) is not None and _ENGLISH.is_in(text))


def steers(text: str, *, in_pieces: bool = False) -> bool:
    """Return true if a customer's text, or several as one, speaks to whoever summarizes it."""
    return steers_by_phrase(text) or sounds_like_an_order(text, in_pieces=in_pieces)


def steers_by_phrase(text: str) -> bool:
    """Return true if a customer's text holds a phrase that speaks to whoever summarizes it."""
    if speaks_to_a_model(text) or _FENCES.is_in(text):
        return True
    return _LATIN.search(text) is not None and _ENGLISH_OF_USERS.is_in(text)
