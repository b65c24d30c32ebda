"""Other readings of a message: what a model reads where people see a code, a typing game or several messages.

`readings` gives each text that is hidden in a message, so that the same rules judge it. A message without a sign of a
disguise has none, which one look finds.
"""

import base64
import binascii
import codecs
import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Final
from urllib.parse import unquote

from tasks.domain.sign_table import SignTable
from tasks.domain.traditional import CHARACTERS, simplified

_ESCAPED: Final = re.compile(r"\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}|&#(?:[0-9]{2,6}|[xX][0-9a-fA-F]{2,6});")

_PERCENT: Final = re.compile(r"(?:%[0-9A-Fa-f]{2}){3}")

_BASE64: Final = re.compile(r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{12,4000}={0,2}(?![A-Za-z0-9+/])")

_IN_WORDS: Final = re.compile(r"(?:[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]|[A-Za-z]{1,20}[ ,.!?:]+(?=[A-Za-z])){2}")

_BITS: Final = re.compile(r"(?:\b[01]{8}\b ?){3,400}")

_HEX: Final = re.compile(r"(?:\b[0-9a-fA-F]{2}\b ){5,400}[0-9a-fA-F]{2}\b")

_LETTER: Final = r"[A-Za-z\u4e00-\u9fff]"

_BETWEEN_SIGN: Final = r"[ \t*★☆·.,，。、_~|/+=^-]"

_BETWEEN: Final = rf"{_BETWEEN_SIGN}{{1,3}}"

# 忽 略 上 文, i-g-n-o-r-e: single characters with the same kind of sign between each.
_SPACED: Final = re.compile(rf"(?<![A-Za-z])(?:{_LETTER}{_BETWEEN}){{4,400}}{_LETTER}(?![A-Za-z])")

_LEET: Final = re.compile(r"(?<![A-Za-z0-9@$])(?=[0-9@$]{0,3}[A-Za-z])[A-Za-z0134579@$]{4,20}(?![A-Za-z0-9@$])")

_LEET_LETTERS: Final = str.maketrans("0134579@$", "oieastgas")

# Letters in boxes and circles that have no compatible form.
_BOXED: Final = {
    base + index: chr(ord("a") + index) for base in (0x1F130, 0x1F150, 0x1F170, 0x1F1E6) for index in range(26)
}

_COMPATIBLE_SIGNS: Final = (
    r"\uff03\uff10-\uff19\uff1c-\uff1e\uff21-\uff3a\uff41-\uff5d\u3000\u2460-\u24ff"
    r"\U0001d400-\U0001d7ff\U0001f130-\U0001f1ff"
)

_COMPATIBLE: Final = re.compile(rf"[{_COMPATIBLE_SIGNS}]|&[lg]t;")

_BACKWARDS_CHINESE: Final = "略忽|视无|令指|出输|词示提|文上|绪情|成写|受接"

_BACKWARDS: Final = re.compile(rf"{_BACKWARDS_CHINESE}|erongi|drager|tcurtsni|tuptuo", re.IGNORECASE)

_WORDS: Final = re.compile(r"[A-Za-z]{4,20}[ ,]+[A-Za-z]{2,20}[ ,]+[A-Za-z]{3,20}")

_READABLE: Final = r"[A-Za-z0-9+/ \u0130\u0131\u017f\u212a]"

# Nothing of the above can be in a text without one of these: most texts are done after a few quick looks.
_CODED: Final = re.compile(rf"[\\\\&%{_COMPATIBLE_SIGNS}]")

_SIGNS: Final = (
    _CODED,
    re.compile(rf"{_BETWEEN_SIGN}{_LETTER}{_BETWEEN}{_LETTER}{_BETWEEN_SIGN}"),
    re.compile(rf"{_READABLE}{{6}}"),
    re.compile(_BACKWARDS_CHINESE),
)


def add_signs_of_readings(table: SignTable) -> int:
    """Add bits to a table, and return them together: a text without any of them has no `readings`."""
    return (
        table.add_set(re.compile(f"[{''.join(CHARACTERS)}]"))
        | table.add_set(_CODED)
        | table.add_set(*map(re.compile, (_BETWEEN_SIGN, _LETTER, _BETWEEN_SIGN)))
        | table.add_set(*[re.compile(_READABLE)] * 3)
        | table.add(re.compile(_BACKWARDS_CHINESE))
    )


def add_signs_of_guesses(table: SignTable) -> int:
    """Add a bit to a table, and return it: a text without it has no `guesses`."""
    return table.add_set(*[re.compile("[A-Za-z0134579@$]")] * 2)


_HAS_LATIN: Final = re.compile(r"[A-Za-z]")

_LONGEST: Final = 4000  # characters of a message that is looked at for codes

_SHORT: Final = 24  # characters of a message that can be a part of one said in pieces

_PIECES: Final = 6


def readings(text: str) -> Iterator[str]:
    """The texts that are hidden in a message, its simplified form first; none of them is the message itself."""
    plain = simplified(text)
    if plain is not text:
        yield plain
    if any(sign.search(text) for sign in _SIGNS):
        yield from _decoded(text[:_LONGEST])


def guesses(text: str) -> Iterator[str]:
    """The texts that a message may hide, most of them nonsense: letters for digits, and the alphabet's other half."""
    if _HAS_LATIN.search(text) is None:
        return
    if _LEET.search(text) is not None:
        yield _LEET.sub(lambda found: found[0].translate(_LEET_LETTERS), text[:_LONGEST])
    if _WORDS.search(text) is not None:
        yield codecs.encode(text[:_LONGEST], "rot13")


def _decoded(text: str) -> Iterator[str]:
    if _COMPATIBLE.search(text):
        yield simplified(
            unicodedata.normalize("NFKC", text.translate(_BOXED).replace("&lt;", "<").replace("&gt;", ">"))
        )
    if _ESCAPED.search(text):
        yield _ESCAPED.sub(_character, text)
    if _PERCENT.search(text):
        yield unquote(text, errors="ignore")
    for found in _BASE64.finditer(text):
        yield _from_base64(found[0])
    for pattern, base in ((_BITS, 2), (_HEX, 16)):
        for found in pattern.finditer(text):
            yield bytes(int(code, base) for code in found[0].split()).decode("utf-8", "ignore")
    if _SPACED.search(text):
        yield _SPACED.sub(_joined, text)
    if _BACKWARDS.search(text):
        yield text[::-1]


def _character(escape: re.Match[str]) -> str:
    digits = escape[0].strip("\\&#ux;X")
    code = int(digits, 10 if escape[0].startswith("&#") and escape[0][2] not in "xX" else 16)
    return chr(code) if code < 0xD800 or 0xE000 <= code < 0x110000 else ""


def _joined(spaced: re.Match[str]) -> str:
    letters = re.sub(r"[^A-Za-z\u4e00-\u9fff ]", "", spaced[0])
    # Blanks part words where something else parts letters.
    return letters if "  " not in letters and len(letters) < len(spaced[0]) - 2 else letters.replace(" ", "")


def _from_base64(code: str) -> str:
    try:
        words = base64.b64decode(code + "=" * (-len(code) % 4)).decode("utf-8")
    except (binascii.Error, ValueError):
        return ""
    # Whoever shops has no use for words in base64: that they are there is told, whatever they say.
    return f"base64: {words}" if _IN_WORDS.match(words) else ""


def in_pieces(texts: Sequence[str]) -> Iterator[str]:
    """A user's neighboring short messages as one text, a few at a time: what is said in pieces is read as a whole."""
    run: list[str] = []
    for text in (*texts, None):
        if text is not None and len(text) <= _SHORT:
            run.append(text)
            continue
        if len(run) > 1:
            for start in range(max(len(run) - _PIECES, 0) + 1):
                pieces = run[start : start + _PIECES]
                latin = any("a" <= piece[-1:].lower() <= "z" for piece in pieces)
                yield (" " if latin else "").join(pieces)
        run = []
