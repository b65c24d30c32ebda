"""Names that are not Chinese: of other peoples in Chinese characters, and in Latin letters."""

import re
from collections.abc import Iterator
from typing import Final

from tasks.domain.pattern_signs import SignedPattern
from tasks.preparing.masks.plain import Span
from tasks.preparing.masks.signs import SIGNS
from tasks.preparing.masks.tables import ENGLISH_NAMES, LATIN_BRANDS, NAME_PARTS, PINYIN_SURNAMES, ROLES

_NAME: Final = "[姓名]"

_PART: Final = "|".join(sorted(NAME_PARTS, key=len, reverse=True))

_LONG_PART: Final = "|".join(part for part in NAME_PARTS if len(part) > 2)

_ENDING: Final = "[拉汗木江依提丁尼娜]"

# 次仁卓玛 and 买买提·艾力; one long part is a name alone: 其其格.
_OF_PARTS: Final = re.compile(
    rf"(?:{_PART}){_ENDING}?(?:[·•・.]?(?:{_PART}){_ENDING}?)+(?:[·•・.][\u4e00-\u9fff]{{1,6}})?"
    rf"|(?:{_PART}){_ENDING}?[·•・][\u4e00-\u9fff]{{2,6}}|(?:阿[\u4e00-\u9fff]{{1,4}}[·•・])?(?:{_LONG_PART})"
)

_PART_SIGN: Final = SignedPattern(re.compile("|".join(sorted({part[:2] for part in NAME_PARTS}))))

SEEN: Final = SIGNS.add(_PART_SIGN)  # what `has_part` needs

_ENGLISH: Final = frozenset(ENGLISH_NAMES)

_GIVEN: Final = rf"(?:{'|'.join(ENGLISH_NAMES)})"

_CAPITALIZED: Final = r"[A-Z](?=[A-Za-z'’-]{0,20}[a-z])[A-Za-z'’-]{1,20}"

_PINYIN: Final = (
    r"(?:(?:[zcs]h?|[bpmfdtnlgkhjqxrwy])?"
    r"(?:i?ang?|i?ong|uang?|[ueiao]ng?|[ie]n|u?ai|ei|i?ao|ou|i[aeu]|u[aoie]|er|[aoeiuv])){1,3}"
)

_SURNAME: Final = rf"(?:{'|'.join(PINYIN_SURNAMES)})"

_WORD: Final = re.compile(r"(?<![A-Za-z&.])[A-Z][A-Za-z'’]*")

_OF_TWO: Final = re.compile(
    rf"(?:{_GIVEN} (?:[A-Z]\. )?{_CAPITALIZED}|{_SURNAME} (?=[A-Z])(?i:{_PINYIN})|(?i:{_PINYIN}) {_SURNAME})"
    r"(?![A-Za-z&0-9.-])"
)

# As airlines write them: LIU/XIAOMING.
_OF_TICKETS: Final = re.compile(rf"(?<![A-Za-z0-9/])(?i:{_SURNAME}/{_PINYIN})(?![A-Za-z0-9/])")

_BEFORE: Final = (*ROLES, *"我是叫找给和跟让由寄@", "联系")

_BEHIND: Final = re.compile(r" ?(?:[收说]|[代签亲]收|先生|女士|小姐|老师|[你您]好|经理|的?(?:快递|包裹|订单|件))")

_NO_END: Final = re.compile("[A-Za-z&0-9.-]")


def has_part(plain: str) -> bool:
    """Return true if a part of a name may stand in the text."""
    return _PART_SIGN.sign.search(plain) is not None


def find_names_of_parts(plain: str) -> Iterator[Span]:
    """Names of other peoples that are made of parts which only names have."""
    for found in _OF_PARTS.finditer(plain):
        yield (*found.span(), _NAME)


def find_latin_names(plain: str) -> Iterator[Span]:
    """English and pinyin names: two words of which one is known, or a known one that the sentence treats as a name."""
    for word in _WORD.finditer(plain):
        if found := _OF_TWO.match(plain, word.start()):
            if "".join(found[0].split()).lower() not in LATIN_BRANDS:
                yield (*found.span(), _NAME)
        elif word[0] in _ENGLISH and _is_treated_as_name(plain, *word.span()):
            yield (*word.span(), _NAME)
    if "/" in plain:
        for found in _OF_TICKETS.finditer(plain):
            yield (*found.span(), _NAME)


def _is_treated_as_name(plain: str, start: int, end: int) -> bool:
    before = plain[:start].rstrip(" :：")
    return not _NO_END.match(plain, end) and (before.endswith(_BEFORE) or _BEHIND.match(plain, end) is not None)
