"""Names that no fixed word announces, weighed: by their characters and by what stands on both sides.

A surname and one or two characters of given names are a candidate, and so is a surname before 姐, 总 or 工. Each of its
characters and each of its neighbors has a weight, learned from invented sentences (`python -m tasks.tuning.naming`
makes `tables/likely_names.txt`), so that 客服, 找 or 签收 beside a name need no pattern of their own.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

from tasks.preparing.masks.signs import SIGNS
from tasks.preparing.masks.tables import (
    AMBIGUOUS_SURNAMES,
    DOUBLE_SURNAMES,
    EVERYDAY_WORDS,
    GIVEN,
    RARE,
    ROLES,
    SURNAMES,
    WORDS_AS_NAMES,
    one_of,
)

WEIGHTS: Final = Path(__file__).parent / "tables" / "likely_names.txt"

SCALE: Final = 50  # a weight of 1 in the file

_LIKELY: Final = 0.9  # the weight from which a candidate is a name

_PET: Final = "小老阿大"  # 小蔡, 老张, 阿强, 大刘

# 大 begins so many words that only the best known surnames make a name with it.
_BIG: Final = "刘李陈周赵孙胡吴郑杨朱徐梁罗曹潘蔡薛魏宋谢邓彭冯姚"

TWICE: Final = (
    "优点团圆早笑甜糖果豆朵圈泡晚暖憨闹跳跑胖米面包饭哈丢球灯橙桃柚杏梨枣糯兔熊猫鹿鱼雀"  # of children: 池早早
)

# One person in five hundred has one of these, and every fifth message has a word that begins with one.
_SELDOM: Final = frozenset("商单边随畅幸原时明成解修")

SHORT_TITLES: Final = "总工姐哥叔婶姨嫂爷妈爸"  # 刘姐, 贾总, 董工

_SECOND: Final = one_of({*GIVEN, *SHORT_TITLES, *(name[1] for name in DOUBLE_SURNAMES)})

_RARELY: Final = one_of(_SELDOM)


_GIVEN: Final = one_of(GIVEN)

_NO_SIGN: Final = "\0"  # stands in no message: a set may not be empty


def _seconds(look: str, words: Iterable[str]) -> str:
    """A pattern for each surname that begins so many words, and a look at the second characters of its words."""
    found = [word for word in words if word[0] in _SELDOM]
    seconds = {first: one_of([_NO_SIGN, *(word[1] for word in found if word[0] == first)]) for first in sorted(_SELDOM)}
    return "|".join(f"(?<={first})({look}{second})" for first, second in seconds.items())


# The large set once, in front: to compile it takes longer than all the rest of the module.
_BEHIND_SELDOM: Final = f"(?={_GIVEN}{{2}})(?:{_seconds('?!', EVERYDAY_WORDS)})|{_seconds('?=', WORDS_AS_NAMES)}"

# The set in front is what the engine looks for; what tells its members apart is tried where it has found one.
_BEGINNING: Final = re.compile(
    rf"{one_of(SURNAMES.union(_PET))}(?:(?={_SECOND})"
    rf"(?:(?<!{one_of(_SELDOM.union('大'))})|{_BEHIND_SELDOM})"
    rf"|(?<=[小老阿])(?={one_of(SURNAMES - _SELDOM)})|(?<=大)(?=[{_BIG}])|(?<!大)(?=([{TWICE}])\1))"
)

# A text without these pieces or sets, the first signs of a match, has no candidate.
_PIECES: Final = SIGNS.add(
    [
        (frozenset("小老阿"), SURNAMES - _SELDOM),
        (frozenset("大"), frozenset(_BIG)),
        *((frozenset(word[0]), frozenset(word[1])) for word in sorted(WORDS_AS_NAMES) if word[0] in _SELDOM),
    ]
)

SEEN: Final = (
    _PIECES
    | SIGNS.add_set(*map(re.compile, (one_of((SURNAMES - _SELDOM).union("小老阿")), _SECOND)))
    | SIGNS.add_set(*map(re.compile, (_RARELY, _GIVEN, _GIVEN)))
    | SIGNS.add_set(*map(re.compile, (one_of(SURNAMES), f"[{TWICE}]", f"[{TWICE}]")))
)

# 老周 stands in dictionaries as a word, and is none.
_WORDS_TOO: Final = WORDS_AS_NAMES.union(
    ["老金", "老马", "老高", "老尚", "老路", "小马", "小史", "小房", "小项", "小毛", "小海", "阿金", "阿海", "阿昌"],
    (first + second for first in _PET for second in SURNAMES - AMBIGUOUS_SURNAMES - _SELDOM),
)

_PLACEHOLDER: Final = re.compile(r"\[[\u4e00-\u9fffA-Z]{2,5}x?\]")

_DIGITS: Final = re.compile("[0-9]+")

_SEEN: Final = 8  # characters before and behind a candidate


def find_likely_names(plain: str, spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield where names stand: of overlapping candidates the heaviest."""
    weighed = sorted((-weigh(plain, start, end), start, end) for start, end in spans)
    taken: set[int] = set()
    for weight, start, end in weighed:
        if weight > -_LIKELY:
            break
        if taken.isdisjoint(range(start, end)):
            taken.update(range(start, end))
            yield start, end


def candidates(text: str) -> Iterator[tuple[int, int]]:
    """Yield where a name could stand."""
    for found in _BEGINNING.finditer(text):
        start = found.start()
        pair = text[start : start + 2]
        is_word = pair in EVERYDAY_WORDS
        # 黄海燕 may be a name, 黄海 is a word, 黄河 may be both.
        if is_word and pair not in _WORDS_TOO and text[start + 2 : start + 3] not in GIVEN:
            continue
        before = text[start - 1 : start + 1]
        # 熊熊乐园 names nobody; 长夏 is a word, but not in 店长夏雨.
        if pair[0] * 2 in (before, pair) or (before in EVERYDAY_WORDS and not _ends_with_word(text, start)):
            continue
        if pair[0] in _PET:
            if (not is_word or pair in _WORDS_TOO) and pair[1] not in SHORT_TITLES:
                yield start, start + 2
        elif pair[1] in SHORT_TITLES:
            yield start, start + 1
        else:
            yield from _full_names(text, start, pair, is_word=is_word)


def _full_names(text: str, start: int, pair: str, *, is_word: bool) -> Iterator[tuple[int, int]]:
    end = start + 2 if pair in DOUBLE_SURNAMES else start + 1
    if text[end : end + 1] in TWICE and text[end : end + 1] == text[end + 1 : end + 2] != "":
        yield start, end + 2
        return
    is_seldom = pair[0] in _SELDOM and end == start + 1
    for last in (end, end + 1):
        if text[last : last + 1] not in GIVEN:
            break
        if last == start + 1:
            if pair in WORDS_AS_NAMES or not (is_word or is_seldom):
                yield start, last + 1
        elif not is_seldom or not (is_word or text[start + 1 : start + 3] in EVERYDAY_WORDS):
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
    size = "p" if name[0] in _PET else f"{len(name)}"
    yield f"n{size}"
    yield "s2" if name[:2] in DOUBLE_SURNAMES else f"s{name[0]}"
    yield f"{size}e{name[-1]}"
    if size == "3":
        yield f"m{name[1]}"
        if name[:2] in EVERYDAY_WORDS:
            yield "w12"
        if name[1:] in EVERYDAY_WORDS:
            yield "w23"
        if name[1] == name[2]:
            yield "d"
    if not RARE.isdisjoint(name[1:]):
        yield "x"
    if name[-1] + right[:1] in EVERYDAY_WORDS:
        yield "wr"
    if left[-1:] + name[0] in EVERYDAY_WORDS:
        yield "wl"
    if left.endswith(ROLES):
        yield "role"
    if right[:1] in GIVEN:
        yield f"g{size}"
    if right[:2] in EVERYDAY_WORDS:
        yield f"v{size}"
    if name in WORDS_AS_NAMES:  # only neighbors tell the person from the word
        yield "u"
        yield f"ul{f'^{left}'[-2:]}"
        yield f"ur{f'{right}$'[:2]}"


def _signs(text: str) -> str:
    """A text in which placeholders and numbers are one sign each."""
    if text.isalpha():
        return text
    return _DIGITS.sub("0", _PLACEHOLDER.sub("#", text) if "[" in text else text)


@cache
def _weights() -> tuple[dict[str, int], dict[str, int], dict[str, int], int]:
    """The weights of neighbors to the left and to the right, those of all features, and the bias."""
    bias, *lines = WEIGHTS.read_text(encoding="utf-8").splitlines()
    weights = {feature: int(weight) for weight, feature in (line.split("\t") for line in lines)}
    of_left, of_right = (
        {feature[1:]: weight for feature, weight in weights.items() if feature[0] == side} for side in "lr"
    )
    return of_left, of_right, weights, int(bias.partition("\t")[0])
