"""The wording of a message, weighed: how much it sounds like an order to whoever writes the conversation down.

Phrases find what somebody thought of before. Here each character and each pair of them has a weight, learned from
orders and from what customers say (`python -m tasks.tuning.wording` makes `wording.txt`), so that new wordings of the
same parts weigh like the old ones. A message weighs what its heaviest sentence does.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from math import sqrt
from operator import add
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

WEIGHTS: Final = Path(__file__).with_name("wording.txt")

SCALE: Final = 50  # a weight of 1 in the file

_AT_ONCE: Final = 256  # sentences: what is worked out for their runs stays in a core's cache

_BITS: Final = 21  # of a character's code

_CODE: Final = (1 << _BITS) - 1

_OUTSIDE: Final = 0x10000  # no run with a weight has a character outside of the basic plane

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


def orders_among(texts: Sequence[str], *, in_pieces: bool = False) -> list[bool]:
    """Return for each text what `sounds_like_an_order` does: many at once take a quarter of the time.

    Args:
        texts: without line breaks.
        in_pieces: each is several messages.
    """
    if not texts:
        return []
    order = _ORDER_IN_PIECES if in_pieces else _ORDER
    plain = _NUMBER.sub(" 0 ", "\n".join(text[:_MOST] for text in texts).lower()).split("\n")
    found = [(number, part) for number, text in enumerate(plain) for part in _parts(text)]
    orders = [False] * len(texts)
    for start in range(0, len(found), _AT_ONCE):
        some = found[start : start + _AT_ONCE]
        for index in _heavier([sentence for _, sentence in some], order):
            number, sentence = some[index]
            orders[number] = orders[number] or len(_LETTER.findall(sentence)) >= _FEWEST_LETTERS
    return orders


def sentences(text: str) -> Iterator[str]:
    """The parts of a text that are weighed, in lower case; numbers are all one, and blanks have no width."""
    return _parts(_NUMBER.sub(" 0 ", text[:_MOST].lower()))


def _parts(text: str) -> Iterator[str]:
    for sentence in _SENTENCE.findall(text):
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


def _heavier(sentences: Sequence[str], order: float) -> list[int]:
    """The places of sentences whose `weigh` is above an order's, each run counted once in a sentence as it is there."""
    places, weights, bias = _arrays()
    edged = "".join([f"^{sentence}$" for sentence in sentences]).encode("utf-32-le", "surrogatepass")
    codes = np.frombuffer(edged, dtype=np.uint32).astype(np.int64) + 1
    lengths = np.fromiter(map(len, sentences), dtype=np.int64, count=len(sentences)) + 2
    of_sentence = np.repeat(np.arange(len(sentences)) << (2 * _BITS), lengths)
    characters = of_sentence + (codes << _BITS)
    pairs = (characters[:-1] + codes[1:])[of_sentence[:-1] == of_sentence[1:]]
    # A run of one has 0 for its second character, which none is.
    found = np.sort(np.concatenate([characters, pairs]))
    found = found[np.append(found[1:] != found[:-1], True)]
    firsts, seconds = (found >> _BITS) & _CODE, found & _CODE
    heavy = weights[places[np.minimum(firsts, _OUTSIDE)], places[np.minimum(seconds, _OUTSIDE)]].astype(np.int64)
    begins = np.searchsorted(found, np.arange(len(sentences)) << (2 * _BITS))
    numbers = np.diff(np.append(begins, len(found)))
    weighed = (np.add.reduceat(heavy, begins) / np.sqrt(numbers) + bias) / SCALE
    above: list[int] = np.flatnonzero(weighed > order).tolist()
    return above


@cache
def _arrays() -> tuple[npt.NDArray[np.intp], npt.NDArray[np.int16], int]:
    """The place of each character's code and one, the weights of runs by the places of their characters, the bias.

    Place 0 is of characters without a weight, the last one of none at all.
    """
    weights, bias = _weights()
    characters = sorted({character for run in weights for character in run})
    places = np.zeros(_OUTSIDE + 1, dtype=np.intp)
    places[[ord(character) + 1 for character in characters]] = np.arange(1, len(characters) + 1)
    places[0] = len(characters) + 1
    by_places = np.zeros((len(characters) + 2, len(characters) + 2), dtype=np.int16)
    for run, weight in weights.items():
        second = places[ord(run[1]) + 1] if len(run) == 2 else places[0]
        by_places[places[ord(run[0]) + 1], second] = weight
    return places, by_places, bias
