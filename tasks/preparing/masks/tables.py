"""The word lists beside this module, in `tables/`: one or several entries a line, `#` begins a remark."""

from collections.abc import Collection
from pathlib import Path
from typing import Final

_FOLDER: Final = Path(__file__).parent / "tables"


def _words(name: str) -> tuple[str, ...]:
    lines = (_FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return tuple(word for line in lines if not line.startswith("#") for word in line.split())


def _characters(name: str) -> frozenset[str]:
    return frozenset("".join(_words(name)))


def one_of(characters: Collection[str]) -> str:
    """A pattern for one of some characters: neighbors in Unicode as a range, which is read many times faster."""
    ranges: list[str] = []
    for sign in sorted(characters):
        if ranges and ord(ranges[-1][-1]) + 1 == ord(sign):
            ranges[-1] = f"{ranges[-1][0]}-{sign}"
        else:
            ranges.append(sign)
    return f"[{''.join(ranges)}]"


PROVINCES: Final = _words("provinces")

CITIES: Final = _words("cities")

NO_PLACES: Final = frozenset(_words("no_places"))

SURNAMES: Final = _characters("surnames")

AMBIGUOUS_SURNAMES: Final = _characters("ambiguous_surnames")

DOUBLE_SURNAMES: Final = _words("double_surnames")

# The first level of GB 2312: the 3,755 characters that one has to know.
KNOWN: Final = bytes(sign for row in range(0xB0, 0xD8) for cell in range(0xA1, 0xFF) for sign in (row, cell)).decode(
    "gb2312", "ignore"
)

CHARACTER_FILE: Final = _FOLDER / "everyday_characters.txt"

# What no everyday word is written with, and therefore hardly anything but names.
RARE: Final = (
    frozenset(map(chr, range(0x3400, 0xA000)))
    - frozenset(KNOWN)
    - frozenset(CHARACTER_FILE.read_text(encoding="utf-8"))
)

LISTED_GIVEN: Final = _characters("given_names")

GIVEN: Final = LISTED_GIVEN | RARE

NO_NAMES: Final = _words("no_names")

BRANDS: Final = frozenset(_words("brands"))

NAME_PARTS: Final = _words("name_parts")

ENGLISH_NAMES: Final = _words("english_names")

PINYIN_SURNAMES: Final = _words("pinyin_surnames")

LATIN_BRANDS: Final = frozenset(brand.lower() for brand in _words("latin_brands"))

TITLES: Final = _words("titles")

ROLES: Final = _words("roles")

NO_RECEIVERS: Final = frozenset(_words("no_receivers"))

NO_WECHAT_NAMES: Final = frozenset(_words("no_wechat_names"))

WORD_FILE: Final = _FOLDER / "everyday_words.txt"

# Words that people are called by, too: 江山, 向阳.
WORDS_AS_NAMES: Final = frozenset(_words("words_as_names"))

# Of two characters, by the dictionary of jieba (MIT); a line has the first one and then each that follows it.
EVERYDAY_WORDS: Final = frozenset(
    line[0] + second for line in WORD_FILE.read_text(encoding="utf-8").splitlines() for second in line[1:]
)
