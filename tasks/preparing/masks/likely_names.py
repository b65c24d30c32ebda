"""Names that no fixed word announces, weighed: by their characters and by what stands on both sides.

A surname and one or two characters of given names that are no everyday word are a candidate. Each of its characters and
each of its neighbors has a weight, learned from invented sentences (`python -m tasks.tuning.naming` makes
`tables/likely_names.txt`), so that 客服, 找 or 签收 beside a name need no pattern of their own.
"""

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

from tasks.preparing.masks.tables import DOUBLE_SURNAMES, EVERYDAY_WORDS, GIVEN, SURNAMES

WEIGHTS: Final = Path(__file__).parent / "tables" / "likely_names.txt"

SCALE: Final = 50  # a weight of 1 in the file

_LIKELY: Final = 0.5  # the weight from which a candidate is a name

_PET: Final = "小老阿"  # 小蔡, 老张, 阿强

# One person in five hundred has one of these, and every fifth message has a word that begins with one.
_SELDOM: Final = frozenset("商单边随畅幸原时明成解")

_SURNAME: Final = "".join(sorted(SURNAMES - _SELDOM))

_SECOND: Final = "".join(sorted({*GIVEN, *(name[1] for name in DOUBLE_SURNAMES)}))

_BEGINNING: Final = re.compile(rf"[{_SURNAME}{_PET}](?=[{_SECOND}]|(?<=[{_PET}])[{_SURNAME}])")

_CLOSED: Final = re.compile(r" ?(?:[亲签代]?收|先生|女士|\[)")

_PLACEHOLDER: Final = re.compile(r"\[[\u4e00-\u9fffA-Z]{2,5}x?\]")

_DIGITS: Final = re.compile("[0-9]+")

_SEEN: Final = 8  # characters before and behind a candidate


def find_likely_names(plain: str) -> Iterator[tuple[int, int]]:
    """Yield where names stand: of overlapping candidates the heaviest."""
    weighed = sorted((-weigh(plain, start, end), start, end) for start, end in candidates(plain))
    taken: set[int] = set()
    for weight, start, end in weighed:
        if weight > -_LIKELY:
            break
        if taken.isdisjoint(range(start, end)):
            taken.update(range(start, end))
            yield start, end


def has_candidate(text: str) -> bool:
    """Return true if a name could stand somewhere."""
    return _BEGINNING.search(text) is not None and next(candidates(text), None) is not None


def candidates(text: str) -> Iterator[tuple[int, int]]:
    """Yield where a name could stand."""
    for found in _BEGINNING.finditer(text):
        start = found.start()
        pair = text[start : start + 2]
        before = text[start - 1 : start + 1]
        if before in EVERYDAY_WORDS or before == pair:  # 路路路 names nobody
            continue
        if pair in EVERYDAY_WORDS and pair not in DOUBLE_SURNAMES:
            # 黄海燕收 may still have a name, 高兴遇到 has none.
            if text[start + 2 : start + 3] in GIVEN and _CLOSED.match(text, start + 3):
                yield start, start + 3
        elif pair[0] in _PET:
            yield start, start + 2
        else:
            end = start + 2 if pair in DOUBLE_SURNAMES else start + 1
            for last in (end, end + 1):
                if text[last : last + 1] not in GIVEN:
                    break
                yield start, last + 1


def weigh(text: str, start: int, end: int) -> float:
    """The weight of a candidate: above zero it resembles a name in its place more than anything else."""
    begin = max(start - _SEEN, 0)
    return _weight_of(text[begin : end + _SEEN], start - begin, end - begin)


@lru_cache(maxsize=4096)
def _weight_of(seen: str, start: int, end: int) -> float:
    weights, bias = _weights()
    return (bias + sum(filter(None, map(weights.get, features(seen, start, end))))) / SCALE


def features(text: str, start: int, end: int) -> Iterator[str]:
    """Yield what the weight of a candidate is made of: its characters, words across its borders, its neighbors."""
    name = text[start:end]
    yield f"n{len(name)}"
    yield "s2" if name[:2] in DOUBLE_SURNAMES else f"s{name[0]}"
    yield f"{len(name)}e{name[-1]}"
    if len(name) == 3:
        yield f"m{name[1]}"
        if name[:2] in EVERYDAY_WORDS:
            yield "w12"
        if name[1:] in EVERYDAY_WORDS:
            yield "w23"
    left = _signs(text[max(start - _SEEN, 0) : start])
    right = _signs(text[end : end + _SEEN])
    if name[-1] + right[:1] in EVERYDAY_WORDS:
        yield "wr"
    before, after = f"^{left}"[-3:], f"{right}$"[:3]
    for size in range(1, len(before) + 1):
        yield f"l{before[-size:]}"
    for size in range(1, len(after) + 1):
        yield f"r{after[:size]}"
    if right[:1] in GIVEN:
        yield f"g{len(name)}"


def _signs(text: str) -> str:
    """A text in which placeholders and numbers are one sign each."""
    return _DIGITS.sub("0", _PLACEHOLDER.sub("#", text)) if "[" in text or not text.isalpha() else text


@cache
def _weights() -> tuple[dict[str, int], int]:
    bias, *lines = WEIGHTS.read_text(encoding="utf-8").splitlines()
    pairs = (line.split("\t") for line in lines)
    return {feature: int(weight) for weight, feature in pairs}, int(bias.partition("\t")[0])
