"""The wording of a message, weighed: how much it sounds like an order to whoever writes the conversation down.

Phrases find what somebody thought of before. Here each character and each pair of them has a weight, learned from
orders and from what customers say (`python -m tasks.tuning.wording` makes `wording.txt`), so that new wordings of the
same parts weigh like the old ones. A message weighs what its heaviest sentence does.
"""

import re
from collections.abc import Iterator
from functools import cache
from math import sqrt
from operator import add
from pathlib import Path
from typing import Final

WEIGHTS: Final = Path(__file__).with_name("wording.txt")

SCALE: Final = 50  # a weight of 1 in the file

# A number, and what masks put in the place of one; those of some platforms end in x.
_NUMBER: Final = re.compile(r"[0-9]+|\[[\u4e00-\u9fff]{2,8}x?\]|;")

_SENTENCE: Final = re.compile(r"[^。！？!?\n；]{4,}[。！？!?；]*")

_LONGEST: Final = 80  # characters that are weighed as one; a longer sentence is several that overlap

_MOST: Final = 4000  # characters of a message that are looked at

_LETTER: Final = re.compile(r"[^\W\d_]")

_FEWEST_LETTERS: Final = 4  # fewer order nothing

# A sentence that weighs more is an order: of real conversations hardly one has such a sentence.
_ORDER: Final = 0.15

# What several messages make together is nobody's sentence: it has to weigh more.
_ORDER_IN_PIECES: Final = 0.5


def sounds_like_an_order(text: str, *, in_pieces: bool = False) -> bool:
    """Return true if a sentence of a message weighs like an order to its reader."""
    order = _ORDER_IN_PIECES if in_pieces else _ORDER
    return any(
        weigh(sentence) > order and len(_LETTER.findall(sentence)) >= _FEWEST_LETTERS for sentence in sentences(text)
    )


def sentences(text: str) -> Iterator[str]:
    """The parts of a text that are weighed, in lower case; numbers are all one, and blanks have no width."""
    for sentence in _SENTENCE.findall(_NUMBER.sub(" 0 ", text[:_MOST].lower())):
        plain = " ".join(sentence.split())
        for start in range(0, max(len(plain) - _LONGEST // 2, 1), _LONGEST // 2):
            yield plain[start : start + _LONGEST]


def weigh(sentence: str) -> float:
    """The weight of a sentence: above zero it resembles orders more than what customers say."""
    weights, bias = _weights()
    found = runs(sentence)
    return (sum(filter(None, map(weights.get, found))) / sqrt(len(found)) + bias) / SCALE


def runs(sentence: str) -> set[str]:
    """The different characters and pairs of a sentence, its beginning and its end among them."""
    edged = f"^{sentence}$"
    return {*edged, *map(add, edged, edged[1:])}


@cache
def _weights() -> tuple[dict[str, int], int]:
    bias, *lines = WEIGHTS.read_text(encoding="utf-8").splitlines()
    pairs = (line.split("\t") for line in lines)
    return {run: int(weight) for weight, run in pairs}, int(bias.partition("\t")[0])
