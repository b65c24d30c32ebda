"""Names that are not Chinese: of other peoples in Chinese characters, and in Latin letters."""

import re
from collections.abc import Iterator
from typing import Final

from tasks.preparing.masks.plain import Span
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

# A cheap test before the pattern.
PART_SIGN: Final = re.compile("|".join(sorted({part[:2] for part in NAME_PARTS})))

_GIVEN: Final = rf"(?:{'|'.join(ENGLISH_NAMES)})"

_CAPITALIZED: Final = r"[A-Z](?=[A-Za-z'’-]{0,20}[a-z])[A-Za-z'’-]{1,20}"

_PINYIN: Final = (
    r"(?:(?:[zcs]h?|[bpmfdtnlgkhjqxrwy])?"
    r"(?:i?ang?|i?ong|uang?|[ueiao]ng?|[ie]n|u?ai|ei|i?ao|ou|i[aeu]|u[aoie]|er|[aoeiuv])){1,3}"
)

_SURNAME: Final = rf"(?:{'|'.join(PINYIN_SURNAMES)})"

_LATIN_OF_TWO: Final = re.compile(
    rf"(?<![A-Za-z&.])(?:{_GIVEN} (?:[A-Z]\. )?{_CAPITALIZED}"
    rf"|{_SURNAME} (?=[A-Z])(?i:{_PINYIN})|(?=[A-Z])(?i:{_PINYIN}) {_SURNAME})(?![A-Za-z&0-9.-])"
)

# As airlines write them: LIU/XIAOMING.
_OF_TICKETS: Final = re.compile(rf"(?<![A-Za-z0-9/])(?i:{_SURNAME}/{_PINYIN})(?![A-Za-z0-9/])")

_BEFORE: Final = "|".join((*ROLES, *"我是叫找给和跟让由寄@", "联系"))

_BEHIND: Final = r" ?(?:[收说]|[代签亲]收|先生|女士|小姐|老师|[你您]好|经理|的?(?:快递|包裹|订单|件))"

_ALONE: Final = re.compile(
    rf"(?:(?:{_BEFORE})[:： ]?({_GIVEN})|(?<![A-Za-z&. -])({_GIVEN})(?={_BEHIND}))(?![A-Za-z&0-9.-])"
)


def find_names_of_parts(plain: str) -> Iterator[Span]:
    """Names of other peoples that are made of parts which only names have."""
    for found in _OF_PARTS.finditer(plain):
        yield (*found.span(), _NAME)


def find_latin_names(plain: str) -> Iterator[Span]:
    """English and pinyin names: two words of which one is known, or a known one that the sentence treats as a name."""
    for found in _LATIN_OF_TWO.finditer(plain):
        if "".join(found[0].split()).lower() not in LATIN_BRANDS:
            yield (*found.span(), _NAME)
    for found in _OF_TICKETS.finditer(plain):
        yield (*found.span(), _NAME)
    for found in _ALONE.finditer(plain):
        yield (*found.span(found.lastindex or 0), _NAME)
