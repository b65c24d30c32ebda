"""A text in plain signs, character by character, so that one pattern finds every spelling of a digit, dash or blank."""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from tasks.domain import traditional
from tasks.preparing.masks.tables import one_of

Span = tuple[int, int, str]  # start, end, placeholder

_EVERYDAY: Final = r"\x00-\x7f，。？！：；、…“”【】《》"

_SIMPLE: Final = one_of([sign for sign in map(chr, range(0x4E00, 0xA000)) if sign not in traditional.CHARACTERS])

# All that may have another plain sign; the signs of everyday punctuation have none.
NON_PLAIN: Final = re.compile(f"[^{_EVERYDAY}{_SIMPLE.strip('[]')}]")

SPOKEN_DIGITS: Final = "零〇○洞一壹幺二贰三叁四肆五伍六陆七柒拐八捌九玖"

# `l38OOl38OOO`: letters that people type for digits, read so only inside a number.
_LETTER_DIGITS: Final = {"O": "0", "o": "0", "l": "1", "I": "1"}

_DIGIT_OF_SPOKEN: Final = {
    ord(sign): digit
    for digit, signs in zip(
        "0123456789",
        ("零〇○洞", "一壹幺", "二贰", "三叁", "四肆", "五伍", "六陆", "七柒拐", "八捌", "九玖"),
        strict=True,
    )
    for sign in signs
} | {ord(letter): digit for letter, digit in _LETTER_DIGITS.items()}


# These separate clauses and values; as ASCII they would still, but nothing is gained by touching them.
_KEPT_SEPARATORS: Final = "，：；！？"

_DASHES: Final = "−─━ー"


class _PlainSigns(dict[int, int | str]):
    """One ASCII character for every digit (circled ones, too), full-width letter, blank, dash and invisible sign.

    Traditional Chinese characters become simplified ones.

    A character is looked up when a text first has it: all 1.1 million of them would take half a second of each start.
    """

    def __missing__(self, code: int) -> int | str:
        sign = _plain_sign(code)
        self[code] = sign
        return sign


def _plain_sign(code: int) -> int | str:
    character = chr(code)
    if character in _KEPT_SEPARATORS or code < 0x80:
        return code
    if code in traditional.TABLE:
        return traditional.TABLE[code]
    category = unicodedata.category(character)
    if category in ("Nd", "No") and (digit := unicodedata.digit(character, None)) is not None:
        return str(digit)
    if category in ("Zs", "Zl", "Zp", "Cf", "Me") or 0xFE00 <= code <= 0xFE0F:
        return " "  # U+FE0F and U+20E3 make an emoji of the digit before them
    if category == "Pd" or character in _DASHES:
        return "-"
    return chr(code - 0xFEE0) if 0xFF01 <= code < 0xFF5F else "@" if character == "﹫" else code


_PLAIN: Final = _PlainSigns()


def plain_of(text: str) -> str:
    """The text in plain signs, as long as the text."""
    return text.translate(_PLAIN) if NON_PLAIN.search(text) else text


def digits_of(spoken: str) -> str:
    """A run of digits in which some are Chinese characters or look-alike letters, as ASCII digits of equal length."""
    return spoken.translate(_DIGIT_OF_SPOKEN)


def replaced(text: str, spans: Iterable[Span]) -> str:
    """The text with each span, in order and apart, replaced."""
    parts: list[str] = []
    kept = 0
    for start, end, placeholder in spans:
        parts += (text[kept:start], placeholder)
        kept = end
    if not parts:
        return text
    parts.append(text[kept:])
    return "".join(parts)
