"""Personal data in texts becomes typed placeholders, before a text leaves for a model or is stored.

What is masked, first rule first:

1. `[邮箱]`: e-mail addresses, also with `%40`, full-width characters or blanks around the `@`.
2. Numbers, as runs of digit groups with at most three separators (blanks, dashes, dots, brackets …) between them.
   A match begins and ends at the border of a group, so a phone number inside a longer unbroken number is none;
   at the leftmost group the longest of these wins:
   `[身份证号]` 18 characters with a real date and the right check digit, or 15 digits with a real date;
   `[银行卡号]` 15 to 19 digits that satisfy Luhn and begin as cards do;
   `[手机号]` 11 digits from 13 to 19, grouped as people group them, with or without +86;
   `[电话]` a landline with its area code.
3. `[订单号]`: an unbroken number of ten digits and more that is none of these (so a mistyped card or ID goes too),
   unless it is a date with a time, an amount, a service hotline (400, 800) or called a product number.
4. `[订单号]`: letters and digits, five digits at least, after 订单号, 运单号, order_id and their like.

An attribute is read as its name, a colon and its value, so its name can be such a word.

What is not masked: names, postal addresses, WeChat names, license plates, passports, numbers written out in Chinese
characters, landlines without area code, and cards or IDs that are both mistyped and broken into groups. Prices, dates,
counts and sizes stay as they are. Masking a masked text changes nothing; the time is linear in the text.
"""

import re
import sys
import unicodedata
from collections.abc import Mapping
from datetime import date
from typing import Final

_PHONE: Final = "[手机号]"

_LANDLINE: Final = "[电话]"

_ID_CARD: Final = "[身份证号]"

_BANK_CARD: Final = "[银行卡号]"

_EMAIL: Final = "[邮箱]"

_ORDER: Final = "[订单号]"

# Most messages hold neither an @ nor a digit, most others no five digits close together: both searches are cheap.
_SIGN = re.compile(r"[\d@＠﹫]")

_SUSPECT = re.compile(r"(?:\d\D{0,3}){5}|[@＠﹫]|%40")

_NON_ASCII_SIGN = re.compile(r"[^\x00-\x7f\u4e00-\u9fff，。？！：、]")


def _plain_signs() -> dict[int, str]:
    """One ASCII character for every Unicode digit, full-width letter, blank, dash and invisible character."""
    signs = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
    signs[ord("﹫")] = "@"
    for code in range(0x80, sys.maxunicode + 1):
        category = unicodedata.category(chr(code))
        if category == "Nd":
            signs[code] = str(unicodedata.decimal(chr(code)))
        elif category in ("Zs", "Cf"):
            signs[code] = " "
        elif category == "Pd":
            signs[code] = "-"
    # These separate clauses and values; as ASCII they would still, but nothing is gained by touching them.
    for sign in "，：；！？":
        del signs[ord(sign)]
    return signs


_PLAIN = _plain_signs()

_ADDRESS = re.compile(
    r"(?<![A-Za-z0-9._+-])[A-Za-z0-9._+-]+ ?(?:@|%40) ?[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}"
)

_RUN = re.compile(r"[0-9]+(?:[ \t._/()·~-]{1,3}[0-9]+)*")

_GROUP = re.compile(r"[0-9]+")

_CHECK_X = re.compile(r"[ \t._/()·~-]{0,3}[Xx](?![A-Za-z0-9])")

_PHONE_DIGITS = re.compile(r"(?:0086|86)?(1[3-9][0-9]{9})")

_PHONE_GROUPS = frozenset(
    {(11,), (3, 4, 4), (3, 8), (7, 4), (4, 3, 4), (4, 4, 3), (3, 3, 5), (5, 6), (6, 5), (1,) * 11}
)

_LANDLINE_DIGITS = re.compile(r"(?:010|02[0-9]|0[3-9][0-9]{2})[1-9][0-9]{6,7}")

_DATE_AND_TIME = re.compile(
    r"(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])(?:[01][0-9]|2[0-3])(?:[0-5][0-9]){0,2}"
)

_HOTLINE = re.compile(r"[48]00[0-9]{7}")

_AMOUNT_AFTER = re.compile(r" ?(?:元|块|万|亿|\.[0-9]{1,2} ?元)")

_PRODUCT_BEFORE = re.compile(
    r"(?:商品(?:编号|编码|号|ID)?|货号|条形?码|sku(?:id)?)[:：=# ]{0,3}$|item\.[a-z.]{1,20}/$|[¥￥]$",
    re.IGNORECASE,
)

_PRODUCT_BEFORE_LENGTH = 32

_ORDER_WORD = re.compile(
    r"((?:单编?号码?|单 ?ID|流水号|交易号|(?:订单|运单|快递)(?=[:：])|order[_ ]?(?:id|no|sn|number)\.?)"
    r"[是为:：=#\s]{0,4})"
    r"(?=(?:[A-Za-z -]{0,8}[0-9]){5})([A-Za-z0-9]+(?:-[A-Za-z0-9]+)*(?: [0-9]{4,})*)",
    re.IGNORECASE,
)

_IDENTIFIER = re.compile(r"(?<![A-Za-z0-9])(?:(?:86)?[0-9]{11}|[0-9]{17}[0-9Xx])(?![A-Za-z0-9])")

_CHECK_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)

_CHECK_DIGITS = "10X98765432"

_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def mask(text: str) -> str:
    """The text with personal data replaced by typed placeholders, and otherwise unchanged."""
    if _SIGN.search(text) is None or _SUSPECT.search(text) is None:
        return text
    plain = text.translate(_PLAIN) if _NON_ASCII_SIGN.search(text) else text
    if "@" in plain or "%40" in plain:
        spans = [(found.start(), found.end(), _EMAIL) for found in _ADDRESS.finditer(plain)]
        text, plain = _replaced(text, spans), _replaced(plain, spans)
    spans = [span for run in _RUN.finditer(plain) for span in _numbers(plain, run)]
    text, plain = _replaced(text, spans), _replaced(plain, spans)
    spans = [(*found.span(2), _ORDER) for found in _ORDER_WORD.finditer(plain)]
    return _replaced(text, spans)


def mask_mapping(attributes: Mapping[str, str]) -> dict[str, str]:
    """The attributes with their values masked; keys are column names and stay, and say what a number is."""
    return {key: _masked_behind(f"{key}:", value) for key, value in attributes.items()}


def _masked_behind(name: str, value: str) -> str:
    masked = mask(name + value)
    return masked[len(name) :] if masked.startswith(name) else mask(value)


def mask_identifier(text: str) -> str:
    """A conversation's id: only e-mail addresses, phone numbers and ID cards that stand alone in it are masked.

    Ids are long numbers by nature: taking them for order numbers or, one in ten, for bank cards would make
    different conversations the same.
    """
    if _SUSPECT.search(text) is None:
        return text
    plain = text.translate(_PLAIN)
    spans = [(*found.span(), _EMAIL) for found in _ADDRESS.finditer(plain)]
    text, plain = _replaced(text, spans), _replaced(plain, spans)
    spans = [(*found.span(), kind) for found in _IDENTIFIER.finditer(plain) if (kind := _kind_of_identifier(found[0]))]
    return _replaced(text, spans)


def _kind_of_identifier(number: str) -> str | None:
    if len(number) == 18:
        return _ID_CARD if _is_id_card(number.upper()) else None
    return _PHONE if _PHONE_DIGITS.fullmatch(number) else None


def _replaced(text: str, spans: list[tuple[int, int, str]]) -> str:
    """The text with each span (start, end, placeholder), in order and apart, replaced."""
    if not spans:
        return text
    parts: list[str] = []
    kept = 0
    for start, end, placeholder in spans:
        parts += (text[kept:start], placeholder)
        kept = end
    parts.append(text[kept:])
    return "".join(parts)


def _numbers(plain: str, run: re.Match[str]) -> list[tuple[int, int, str]]:
    """The spans to mask among the digit groups of one run."""
    groups = [found.span() for found in _GROUP.finditer(plain, run.start(), run.end())]
    spans = []
    first = 0
    while first < len(groups):
        last, end, kind = _longest_at(plain, groups, first)
        if kind:
            spans.append((groups[first][0], end, kind))
        first = last + 1
    return spans


def _longest_at(plain: str, groups: list[tuple[int, int]], first: int) -> tuple[int, int, str]:
    """The longest number that begins at a group: its last group, end and placeholder ("" when there is none)."""
    best = (first, groups[first][1], "")
    digits = ""
    lengths: list[int] = []
    for last in range(first, len(groups)):
        start, end = groups[last]
        if len(digits) + end - start > 19:
            break
        digits += plain[start:end]
        lengths.append(end - start)
        if len(digits) < 10:
            continue
        if len(digits) == 17 and (check := _CHECK_X.match(plain, end)) and _is_id_card(digits + "X"):
            best = (last, check.end(), _ID_CARD)
        elif kind := _kind(digits, tuple(lengths)):
            best = (last, end, kind)
    if not best[2] and groups[first][1] - groups[first][0] >= 10 and _is_bare_number(plain, groups[first]):
        return (first, groups[first][1], _ORDER)
    return best


def _kind(digits: str, lengths: tuple[int, ...]) -> str | None:
    """The placeholder for digits that stood in groups of these lengths."""
    size = len(digits)
    if (size == 18 and _is_id_card(digits)) or (size == 15 and _is_old_id_card(digits)):
        return _ID_CARD
    if size >= 15:
        if digits[0] in "34569" and _satisfies_luhn(digits):
            return _BANK_CARD
        # +86 in front of a phone number: 0086 makes 15 digits.
        return _PHONE if digits.startswith("0086") and _is_phone(digits, lengths) else None
    if size in (11, 13) and _is_phone(digits, lengths):
        return _PHONE
    if digits[0] == "0" and size <= 12 and _LANDLINE_DIGITS.fullmatch(digits):
        area = 3 if digits[1] in "12" else 4
        return _LANDLINE if len(lengths) == 1 or lengths[0] == area else None
    return None


def _is_phone(digits: str, lengths: tuple[int, ...]) -> bool:
    found = _PHONE_DIGITS.fullmatch(digits)
    if found is None:
        return False
    prefix = found.start(1)
    if prefix and lengths[0] == prefix:
        return lengths[1:] in _PHONE_GROUPS
    return (lengths[0] - prefix, *lengths[1:]) in _PHONE_GROUPS or lengths == (1,) * len(digits)


def _is_id_card(number: str) -> bool:
    if not _is_date(number[6:10], number[10:14]) or number[0] == "0":
        return False
    total = sum(int(digit) * weight for digit, weight in zip(number, _CHECK_WEIGHTS, strict=False))
    return number[17] == _CHECK_DIGITS[total % 11]


def _is_old_id_card(number: str) -> bool:
    return "11" <= number[:2] <= "82" and _is_date("19" + number[6:8], number[8:12])


def _is_date(year: str, month_and_day: str) -> bool:
    if not "1850" <= year <= "2099":
        return False
    try:
        date(int(year), int(month_and_day[:2]), int(month_and_day[2:]))
    except ValueError:
        return False
    return True


def _satisfies_luhn(digits: str) -> bool:
    total = sum(int(digit) for digit in digits[-1::-2]) + sum(_DOUBLED[int(digit)] for digit in digits[-2::-2])
    return total % 10 == 0


def _is_bare_number(plain: str, group: tuple[int, int]) -> bool:
    """Whether a long number that is nothing else is one that points to a person's order."""
    start, end = group
    digits = plain[start:end]
    if (_DATE_AND_TIME.fullmatch(digits) and len(digits) in (12, 14)) or _HOTLINE.fullmatch(digits):
        return False
    if _AMOUNT_AFTER.match(plain, end):
        return False
    return _PRODUCT_BEFORE.search(plain[max(start - _PRODUCT_BEFORE_LENGTH, 0) : start]) is None
