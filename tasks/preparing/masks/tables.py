"""The word lists beside this module, in `tables/`: one or several entries a line, `#` begins a remark."""

from pathlib import Path
from typing import Final

_FOLDER: Final = Path(__file__).parent / "tables"


def _words(name: str) -> tuple[str, ...]:
    lines = (_FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return tuple(word for line in lines if not line.startswith("#") for word in line.split())


def _characters(name: str) -> frozenset[str]:
    return frozenset("".join(_words(name)))


PROVINCES: Final = _words("provinces")

CITIES: Final = _words("cities")

NO_PLACES: Final = frozenset(_words("no_places"))

SURNAMES: Final = _characters("surnames")

AMBIGUOUS_SURNAMES: Final = _characters("ambiguous_surnames")

DOUBLE_SURNAMES: Final = _words("double_surnames")

GIVEN: Final = _characters("given_names")

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

# Of two characters, by the dictionary of jieba (MIT); a line has the first one and then each that follows it.
EVERYDAY_WORDS: Final = frozenset(
    line[0] + second for line in WORD_FILE.read_text(encoding="utf-8").splitlines() for second in line[1:]
)
