"""Names that no fixed word announces, weighed: by their characters and by what stands on both sides.

A surname and one or two characters of given names are a candidate, and so is a surname before 姐, 总 or 工. Each of its
characters and each of its neighbors has a weight, learned from invented sentences (`python -m tasks.tuning.naming`
makes `tables/likely_names.txt`), so that 客服, 找 or 签收 beside a name need no pattern of their own.
"""

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

from tasks.preparing.masks.tables import DOUBLE_SURNAMES, EVERYDAY_WORDS, GIVEN, ROLES, SURNAMES

WEIGHTS: Final = Path(__file__).parent / "tables" / "likely_names.txt"

SCALE: Final = 50  # a weight of 1 in the file

_LIKELY: Final = 0.5  # the weight from which a candidate is a name

_PET: Final = "小老阿"  # 小蔡, 老张, 阿强

# One person in five hundred has one of these, and every fifth message has a word that begins with one.
_SELDOM: Final = frozenset("商单边随畅幸原时明成解")

_SURNAME: Final = "".join(sorted(SURNAMES - _SELDOM))

_SECOND: Final = "".join(sorted({*GIVEN, *(name[1] for name in DOUBLE_SURNAMES)}))

SHORT_TITLES: Final = "总工姐哥叔婶姨嫂爷妈爸"  # 刘姐, 贾总, 董工

_BEGINNING: Final = re.compile(rf"[{_SURNAME}{_PET}](?=[{_SECOND}{SHORT_TITLES}]|(?<=[{_PET}])[{_SURNAME}])")

# A text without these pieces, the first two signs of a match, has no candidate.
SIGNS: Final = (
    (
        (frozenset(_SURNAME + _PET), frozenset(_SECOND + SHORT_TITLES)),
        (frozenset(_PET), frozenset(_SURNAME)),
    ),
)

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
        # 熊熊乐园 names nobody; 长夏 is a word, but not in 店长夏雨.
        if before == pair[0] * 2 or (before in EVERYDAY_WORDS and not _ends_with_word(text, start)):
            continue
        if pair[0] in _PET:
            if pair not in EVERYDAY_WORDS and pair[1] not in SHORT_TITLES:
                yield start, start + 2
        elif pair[1] in SHORT_TITLES:
            yield start, start + 1
        else:
            end = start + 2 if pair in DOUBLE_SURNAMES else start + 1
            for last in (end, end + 1):
                if text[last : last + 1] not in GIVEN:
                    break
                # 黄海燕 may be a name, 黄海 is a word.
                if last > start + 1 or pair not in EVERYDAY_WORDS:
                    yield start, last + 1


def _ends_with_word(text: str, end: int) -> bool:
    return text[end - 2 : end] in EVERYDAY_WORDS or text.endswith(ROLES, 0, end)


def weigh(text: str, start: int, end: int) -> float:
    """The weight of a candidate: above zero it resembles a name in its place more than anything else."""
    begin = max(start - _SEEN, 0)
    return _weight_of(text[begin : end + _SEEN], start - begin, end - begin)


def forget() -> None:
    """Forget the weights of all candidates seen so far."""
    _weight_of.cache_clear()


@lru_cache(maxsize=4096)
def _weight_of(seen: str, start: int, end: int) -> float:
    """The weight of all `features`, those of neighbors looked up without being written out."""
    of_left, of_right, of_others, bias = _weights()
    name, left, right = seen[start:end], _signs(seen[:start]), _signs(seen[end:])
    before, after = f"^{left}"[-3:], f"{right}$"[:3]
    total = bias
    for size in range(1, len(before) + 1):
        total += of_left.get(before[-size:], 0)
    for size in range(1, len(after) + 1):
        total += of_right.get(after[:size], 0)
    for feature in _features_of_name(name, left, right):
        total += of_others.get(feature, 0)
    return total / SCALE


def features(text: str, start: int, end: int) -> Iterator[str]:
    """Yield what the weight of a candidate is made of: its characters, words across its borders, its neighbors."""
    left = _signs(text[max(start - _SEEN, 0) : start])
    right = _signs(text[end : end + _SEEN])
    yield from _features_of_name(text[start:end], left, right)
    before, after = f"^{left}"[-3:], f"{right}$"[:3]
    for size in range(1, len(before) + 1):
        yield f"l{before[-size:]}"
    for size in range(1, len(after) + 1):
        yield f"r{after[:size]}"


def _features_of_name(name: str, left: str, right: str) -> Iterator[str]:
    yield f"n{len(name)}"
    yield "s2" if name[:2] in DOUBLE_SURNAMES else f"s{name[0]}"
    yield f"{len(name)}e{name[-1]}"
    if len(name) == 3:
        yield f"m{name[1]}"
        if name[:2] in EVERYDAY_WORDS:
            yield "w12"
        if name[1:] in EVERYDAY_WORDS:
            yield "w23"
    if name[-1] + right[:1] in EVERYDAY_WORDS:
        yield "wr"
    if left[-1:] + name[0] in EVERYDAY_WORDS:
        yield "wl"
    if left.endswith(ROLES):
        yield "role"
    if right[:1] in GIVEN:
        yield f"g{len(name)}"


def _signs(text: str) -> str:
    """A text in which placeholders and numbers are one sign each."""
    return _DIGITS.sub("0", _PLACEHOLDER.sub("#", text)) if "[" in text or not text.isalpha() else text


@cache
def _weights() -> tuple[dict[str, int], dict[str, int], dict[str, int], int]:
    """The weights of neighbors to the left and to the right, those of all features, and the bias."""
    bias, *lines = WEIGHTS.read_text(encoding="utf-8").splitlines()
    weights = {feature: int(weight) for weight, feature in (line.split("\t") for line in lines)}
    of_left, of_right = (
        {feature[1:]: weight for feature, weight in weights.items() if feature[0] == side} for side in "lr"
    )
    return of_left, of_right, weights, int(bias.partition("\t")[0])
