"""Detect the encoding of a log by its bytes.

No library: guesses by byte statistics need more text than a short log has.
Which characters a reading gives tells far more: real text is made of common ones.
"""

import codecs
import re
from contextlib import suppress
from typing import Final

_CANDIDATES: Final = ("gb18030", "big5hkscs", "cp932", "euc_jp", "cp949", "cp1251", "cp1252")

# Of UTF-16's units, the share that a text's digits, commas and line ends make at the least.
_ASCII_UNITS: Final = 0.08

# Each encoding's common characters in its own bytes: the first level of its standard, kana, letters, punctuation.
_COMMON: Final = {
    "gb18030": re.compile(rb"[\xb0-\xd7][\xa1-\xfe]|[\xa1\xa3][\xa1-\xfe]"),
    "big5hkscs": re.compile(rb"[\xa4-\xc6][\x40-\x7e\xa1-\xfe]|[\xa1-\xa3][\x40-\x7e\xa1-\xfe]"),
    "cp932": re.compile(rb"[\x81-\x83][\x40-\xfc]|[\x88-\x97][\x40-\xfc]"),
    "euc_jp": re.compile(rb"[\xb0-\xcf][\xa1-\xfe]|[\xa1-\xa5][\xa1-\xfe]"),
    "cp949": re.compile(rb"[\xb0-\xc8][\xa1-\xfe]|[\xa1-\xa4][\xa1-\xfe]"),
    "cp1251": re.compile(rb"[\xe0-\xff\xb8]"),
    "cp1252": re.compile(rb"[\xc0-\xff]"),
}

_KANA: Final = {
    "cp932": re.compile(rb"\x82[\x9f-\xf1]|\x83[\x40-\x96]"),
    "euc_jp": re.compile(rb"\xa4[\xa1-\xf3]|\xa5[\xa1-\xf6]"),
}

# The commonest characters of messages to a shop, in each way of writing: they decide where the bytes allow both.
_FREQUENT: Final = frozenset(
    "的是我了一不在有个這这您好你到请吗可以么什么時时候还還發发货貨没沒為为亲们們会會要能就天后後說说问問题題單单订訂退换換"
    "款服务務联聯系收明多少哪里裡谢謝麻烦煩已经經帮幫催仓倉库庫预預计計出，。？！"
    "이다는을를가에요습니하고기지해주세감사합문배송안어서도로은인네"
    "оеаинтсрвлкмдпу"
)

_RUSSIAN: Final = 0.4  # more than this of Russian's letters are its commonest ones, far fewer of other readings'

_OF_LETTERS: Final = ("cp1251", "cp1252")

_FAR_BETTER: Final = 0.15

_DOUBTFUL: Final = 0.7

_ENOUGH: Final = 20  # characters outside ASCII

_TOO_FEW: Final = 4

_NEARLY_ALL: Final = 0.9

# What stands first outside ASCII is a Chinese character or a sign of UTF-8's.
_BEGINS_AS_UTF8: Final = re.compile(rb"[\x00-\x7f]*+[\xe2-\xe9\xef][\x80-\xbf]{2}")

_WRONG_SHARE: Final = 0.05

_FIRST_LINES: Final = 10  # that are no ASCII; by chance so many bytes of another encoding are no UTF-8


def encoding_of(evidence: bytes) -> str:
    """The encoding that can decode the evidence: UTF-8, or else the one that makes the likeliest text of it."""
    with suppress(UnicodeDecodeError):
        codecs.getincrementaldecoder("utf-8")().decode(evidence)  # not final: the end may be cut
        return "utf-8"
    lines = [line for line in re.split(rb"[\r\n]", evidence) if not line.isascii()]
    if sum(_decodes(line, "utf-8") for line in lines) * 2 > len(lines) or _nearly(evidence, "utf-8"):
        return "utf-8"
    begins_well = _decodes(b"\n".join(lines[:_FIRST_LINES]), "utf-8")
    if begins_well and sum(_decodes(line, "gb18030") for line in lines) * 2 < len(lines):
        return "utf-8"  # garbled from a damage on
    scores = {encoding: _likelihood(evidence, lines, encoding) for encoding in _CANDIDATES}
    best = max(scores, key=scores.__getitem__)
    return best if scores[best] > scores["gb18030"] + _FAR_BETTER else "gb18030"


def is_doubtful(evidence: bytes, encoding: str) -> bool:
    """True where what an encoding makes of the evidence is hardly anybody's language, so that it may be garbled."""
    if encoding == "utf-8":
        return False
    lines = [line for line in re.split(rb"[\r\n]", evidence) if not line.isascii()]
    others = sum(not sign.isascii() for line in lines for sign in line.decode(encoding, "ignore"))
    return others >= _ENOUGH and encoding != "cp1252" and _likelihood(evidence, lines, encoding) < _DOUBTFUL


def utf16_of(first: bytes) -> str:
    """The UTF-16 that an object's first bytes are in, by its mark or by the NULs of its ASCII characters; or ""."""
    if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    even, odd, units = first[::2].count(0), first[1::2].count(0), len(first) // 2
    for encoding, high, low in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        if high > _ASCII_UNITS * units and high > 10 * low:
            with suppress(UnicodeDecodeError):
                codecs.getincrementaldecoder(encoding)().decode(first)  # not final: the end is cut
                return encoding
    return ""


def decode(line: bytes, encoding: str) -> str:
    """A line as text. Half a character at the end of a field costs that character, not the line.

    A line may be in the other one of UTF-8 and GB18030 than the lines around it, as where two logs were joined.

    Raises:
        UnicodeDecodeError: it is not in this encoding.
    """
    if encoding == "gb18030" and _BEGINS_AS_UTF8.match(line) and (text := _of_utf8(line)):
        return text
    try:
        return line.decode(encoding)
    except UnicodeDecodeError:
        if encoding == "utf-8" and (text := _with_surrogates(line) or _of_gb18030(line)):
            return text
        text = line.decode(encoding, "replace")
        wrong = text.count("\ufffd")
        if wrong > 1 + _WRONG_SHARE * sum(not character.isascii() for character in text):
            raise
        return text


def _of_utf8(line: bytes) -> str:
    """A line that is UTF-8, told by Chinese that all of it is; "" for any other."""
    with suppress(UnicodeDecodeError):
        text = line.decode("utf-8")
        others = [sign for sign in text if not sign.isascii()]
        if sum("\u3000" <= sign <= "\u9fff" or "\uff00" <= sign <= "\uffef" for sign in others) * 2 > len(others):
            return text
    return ""


def _of_gb18030(line: bytes) -> str:
    """A line that is GB18030, told by the common characters that nearly all of it is; "" for any other."""
    with suppress(UnicodeDecodeError):
        text = line.decode("gb18030")
        others = [sign for sign in text if not sign.isascii()]
        common = sum(_COMMON["gb18030"].fullmatch(sign.encode("gb18030")) is not None for sign in others)
        if len(others) >= _TOO_FEW and common >= _NEARLY_ALL * len(others):
            return text
    return ""


def _with_surrogates(line: bytes) -> str:
    """A line whose emoji are written as two halves each, as Java and MySQL do; "" for any other."""
    try:
        return line.decode("utf-8", "surrogatepass").encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    except UnicodeError:
        return ""


def _likelihood(evidence: bytes, lines: list[bytes], encoding: str) -> float:
    """Score an encoding by the lines that decode and the common characters in them; 0 if no line decodes."""
    decodable = [line for line in lines[:2_000] if _decodes(line, encoding)]
    raw = b"\n".join(decodable)[: 1 << 14]
    other = [character for character in raw.decode(encoding, "ignore") if not character.isascii()]
    if not other:
        return 0.0
    share = len(decodable) / min(len(lines), 2_000)
    common = _share([_COMMON[encoding].fullmatch(sign.encode(encoding, "ignore")) is not None for sign in other])
    frequent = _share([sign in _FREQUENT for sign in other])
    private = _share(["\ue000" <= sign <= "\uf8ff" for sign in other])
    # A byte that fills a file reads as some sign of each encoding.
    said = len(other) if encoding == "cp1252" or len(set(other)) >= _TOO_FEW else 0
    if not _may_be(encoding, decodable, said, frequent):
        return 0.0
    bonus = 0.5 if encoding in _KANA and len(_KANA[encoding].findall(raw)) > len(other) / 4 else 0.0
    weight = 0.3 if encoding == "cp1252" else 1.0
    return share * (weight * common + 2 * frequent + bonus - 4 * private)


def _may_be(encoding: str, lines: list[bytes], others: int, frequent: float) -> bool:
    """False where what an encoding makes of the lines is nobody's language."""
    if encoding == "gb18030":
        return True
    if (
        others < _TOO_FEW
        or (encoding == "big5hkscs" and not frequent)
        or (encoding == "cp1251" and frequent < _RUSSIAN)
    ):
        return False
    if encoding not in _OF_LETTERS:
        return True
    letters = sum(sign.isalpha() for line in lines for sign in line.decode(encoding))
    # Words of Latin letters have few beside ASCII's, Russian ones hardly any of those.
    return (others * 3 > letters) is (encoding == "cp1251")


def _share(found: list[bool]) -> float:
    return sum(found) / len(found)


def _nearly(evidence: bytes, encoding: str) -> bool:
    text = evidence.decode(encoding, "replace")
    other = sum(not character.isascii() for character in text)
    return text.count("\ufffd") <= 1 + _WRONG_SHARE * other and other > 8


def _decodes(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
