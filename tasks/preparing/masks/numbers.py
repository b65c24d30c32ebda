"""Phones, ID cards, bank cards and bare order numbers: runs of digit groups with a few separators between them.

A match begins and ends at the border of a group, so a phone number inside a longer unbroken number is none; at the
leftmost group the longest wins. How a number is grouped counts as much as its digits: `1799（1999-200）` has a phone's
eleven digits and is three prices.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tasks.preparing.masks.checks import is_date, is_id_card, is_old_id_card, satisfies_luhn
from tasks.preparing.masks.plain import SPOKEN_DIGITS, Span, digits_of

PHONE: Final = "[手机号]"

LANDLINE: Final = "[电话]"

ID_CARD: Final = "[身份证号]"

BANK_CARD: Final = "[银行卡号]"

ORDER: Final = "[订单号]"

_SEPARATOR: Final = r"[ \t\r\n._/()·•~,，、。|+*#&^=\u2000-\u2bff\U0001f300-\U0001faff-]"

_RUN: Final = re.compile(rf"[0-9]+(?:{_SEPARATOR}{{1,3}}[0-9]+)*")

_GROUP: Final = re.compile(r"[0-9]+")

_CHECK_X: Final = re.compile(r"[ \t._/()·~-]{0,3}[Xx×](?![A-Za-z0-9])")

_PHONE_DIGITS: Final = re.compile(r"(?:0086|086|86)?(1[3-9][0-9]{9})")

# As people group them; the others need a word such as 电话 in front, or are prices and sizes.
_PHONE_GROUPS: Final = frozenset({(11,), (3, 4, 4), (3, 8), (7, 4), (1,) * 11})

_RARE_PHONE_GROUPS: Final = frozenset(
    {(4, 3, 4), (4, 4, 3), (3, 3, 5), (5, 6), (6, 5), (3, 3, 3, 2), (2,) * 5 + (1,), (3, 2, 2, 2, 2)}
)

_LANDLINE_DIGITS: Final = re.compile(r"(?:010|02[0-9]|0[3-9][0-9]{2})[1-9][0-9]{6,7}")

_LANDLINE_ABROAD: Final = re.compile(r"(?:00)?86(?:10|2[0-9]|[3-9][0-9]{2})[1-9][0-9]{6,7}")

_DATE_AND_TIME: Final = re.compile(
    r"(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])(?:[01][0-9]|2[0-3])(?:[0-5][0-9]){0,2}"
)

_HOTLINE: Final = re.compile(r"[48]00[0-9]{7}|1010[0-9]{4,6}")

_COUNTED: Final = (
    r"元|块|圆|万|亿|千|百|mm|cm|dm|km|kg|ml|mah|px|hz|[mglwv](?![a-z])|[gmk]b|"
    r"个|件|只|片|套|张|颗|粒|条|双|瓶|盒|箱|包|次|"
    r"人|步|分|秒|天|号色|英寸|寸|毫米|厘米|公分|米|斤|克|升|瓦|字节|度|%|％|℃|[*×x]"
)

_UNIT_AFTER: Final = re.compile(rf" {{0,2}}(?:[)）] ?)?(?:{_COUNTED})", re.IGNORECASE)

_AMOUNT_AFTER: Final = re.compile(r" ?(?:元|块|万|亿|次|步|人|个|件|字节|bytes|\.[0-9]{1,2} ?元)", re.IGNORECASE)

_PRODUCT_BEFORE: Final = re.compile(
    r"(?:商品(?:编号|编码|号|ID)?|货号|款号|型号|条形?码|批号|批次号?|序列号|产品(?:编号|"
    r"编码|号)|防伪码|时间戳|[配零备部]件(?:编?号)|认证号|许可证|执行标准|批准文号|准字|备案号|注册证号|专利号|sku(?:id)?|spu|isbn|ean|upc|"
    r"p/?n|s/?n)[是为:：=# ]{0,3}$|item\.[a-z.]{1,20}/$|[?&](?:id|skuid|itemid|goodsid|goods_id|item_id|sku_id|"
    r"productid)=$"
    r"|(?:许可证|准字|标准)[A-Z]{1,3}$"
    r"|[¥￥$]$|(?<![0-9])[0-9]{1,6}\.$",
    re.IGNORECASE,
)

_PHONE_BEFORE: Final = re.compile(
    r"(?:(?:电话|手机|号码|联系(?:方式|我)?|打给我|拨打?|来电|回电|致电|预留|tel|phone|"
    r"mobile|cell|whatsapp|☎|📞|📱)[^0-9，。；\n]{0,6}"
    r"|(?:^|[^\u4e00-\u9fff]|[我你您他她妈爸的个机用换]|[原后]来)号(?:是|为|就是|[:： ])*|[打呼]给?)$",
    re.IGNORECASE,
)

# https://shop.com/13800138000.html is a product's page.
_PAGE_BEFORE: Final = re.compile(r"\.(?:com|cn|net|hk)(?:/[A-Za-z]{1,12})?/$")

_PHONE_AFTER: Final = re.compile(
    r"(?:打这个|打给?我|联系我|给我打)"
    r"|[ ，,（(]{0,2}(?:是|为|这是)?[我他她]?(?:妈|爸|老公|老婆)?的?(?:电话|手机|号码|联系方式)"
)

_CARD_BEFORE: Final = re.compile(
    r"(?:卡号|银行卡?|储蓄卡|借记卡|信用卡|[收打付转退汇]款账[号户]|账[号户]|[工建农中招交]行的?卡?|[退打转]款?[到给至]|(?<![显声网内存点])卡)[^0-9，。；\n]{0,8}$"
)

_CARD_AFTER: Final = re.compile(r" ?(?:[工建农中招交]行|[\u4e00-\u9fff]{2,4}银行|[这那][张个]卡|的卡(?!片))")

_ID_BEFORE: Final = re.compile(r"(?:身份证|证件号?|身份号)[^0-9，。；\n]{0,8}$")

_BEFORE_LENGTH: Final = 32

_WORD: Final = re.compile(r"\w")

_COUNTRIES: Final = (
    r"1|7|20|27|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|2[1-69][0-9]|35[0-9]|37[0-9]|38[0-9]|42[013]|"
    r"5[09][0-9]|6[789][0-9]|85[0-9]|88[0-9]|96[0-9]|97[0-9]|99[0-9]"
)

_ABROAD: Final = re.compile(
    rf"(?:(?<![0-9A-Za-z+])|(?<=[A-Za-z])(?=\+))(?<![0-9][ ./-])(?:\+ ?|\(\+|"
    rf"00 ?(?=[1-9]))(?:{_COUNTRIES})\)?[0-9]{{0,11}}(?:[ ./()-]{{1,2}}[0-9]{{1,11}}){{0,6}}(?![0-9A-Za-z])"
)

# 415-555-0132, and 090-1234-5678 of Japan, which nothing else looks like.
_AMERICAN: Final = re.compile(
    r"(?<![0-9A-Za-z.-])(?P<japanese>0[789]0[ -][0-9]{4}[ -][0-9]{4})(?![0-9A-Za-z.-])|"
    # Taiwan: (02)2345-6789
    r"(?<![0-9A-Za-z.-])(?P<taiwanese>\(0[2-8][0-9]?\) ?[0-9]{3,4}[ -][0-9]{4})(?![0-9A-Za-z.-])|"
    r"(?<![0-9A-Za-z.-])(?:(?P<sure>1[ .-]\(?|\()|(?=[2-9][0-9]{2}[.-]))(?!8[0-8]{2}|400)[2-9][0-9]{2}\)?[ .-]{1,2}"
    r"[2-9][0-9]{2}[ .-][0-9]{4}(?![0-9A-Za-z.-])"
)

# 010-62345678-8012, and the parcels of one order: JDV00881273345-1-1.
_EXTENSION: Final = re.compile(
    r"(?:-[0-9]{2,5}|[ ，,]{0,2}(?:总机)?(?:转|(?:转)?分机号?|ext\.?) ?[:：]?(?:是|为)? ?[0-9]{2,5}|(?:-[0-9]{1,2}){2})"
    r"(?![0-9A-Za-z-])",
    re.IGNORECASE,
)

_WITHOUT_AREA: Final = re.compile(
    r"(?:区号 ?0[0-9]{2,3}[ ，,]?(?:号码|电话)?|座机|固话|固定电话|电话|来电|致电|分机|tel)"
    r"(?:号码?)?(?:是|为|:|：|=|\s|打|这个){0,3}"
    r"([2-9][0-9]{2,3}[ -]?[0-9]{4})(?![0-9A-Za-z.-]|-?[0-9])(?! {0,2}(?:元|块|个))",
    re.IGNORECASE,
)

# An 一 that begins a word (一下, 一个) ends a number.
_SPOKEN: Final = rf"(?:[{SPOKEN_DIGITS.replace('一', '')}0-9]|一(?![下个点些样直起定般共次块件]))"

SPOKEN_RUN: Final = re.compile(rf"{_SPOKEN}(?:[ \t\r\n._/·,，、-]{{0,3}}{_SPOKEN}){{9,20}}")

_LETTERED_RUN: Final = re.compile(r"(?<![A-Za-z0-9])[1lI][3-9][0-9OolI](?:[ -]?[0-9OolI]{4}){2}(?![A-Za-z0-9])")


@dataclass(frozen=True, slots=True)
class _Groups:
    """Neighboring digit groups: their digits, their sizes and the separators between them, blanks left out."""

    digits: str
    sizes: tuple[int, ...]
    separators: frozenset[str]
    start: int
    end: int

    @property
    def is_even(self) -> bool:
        """One separator all along, if any."""
        return len(self.separators) <= 1


def find_foreign_numbers(plain: str) -> Iterator[Span]:
    """Numbers behind + or 00 and a country's code, China's own left for `find_numbers`."""
    for found in _ABROAD.finditer(plain):
        digits = re.sub(r"\D", "", found[0]).removeprefix("00")
        if digits.startswith("86") and (_PHONE_DIGITS.fullmatch(digits) or not _LANDLINE_ABROAD.fullmatch(digits)):
            continue
        if 9 <= len(digits) <= 15 and not _UNIT_AFTER.match(plain, found.end()):
            yield (*found.span(), LANDLINE)


def find_american_numbers(plain: str) -> Iterator[Span]:
    """Numbers of North America without their +: in parentheses, behind a 1, or behind a word for them."""
    for found in _AMERICAN.finditer(plain):
        before = plain[max(found.start() - _BEFORE_LENGTH, 0) : found.start()]
        if found["japanese"] or found["taiwanese"] or found["sure"] or _PHONE_BEFORE.search(before):
            yield (*found.span(), LANDLINE)


def find_numbers(plain: str) -> Iterator[Span]:
    """Phones, cards and bare long numbers in ASCII digits."""
    for run in _RUN.finditer(plain):
        if run.end() - run.start() >= 10:
            yield from _numbers(plain, run.start(), run.end())


def find_local_landlines(plain: str) -> Iterator[Span]:
    """Landlines without area code, which only a word in front sets apart from numbers of seven or eight digits."""
    for found in _WITHOUT_AREA.finditer(plain):
        if not _HOTLINE.fullmatch(re.sub(r"\D", "", found[1])):
            yield (*found.span(1), LANDLINE)


def find_spoken_numbers(plain: str) -> Iterator[Span]:
    """Phones and cards of which some digits are written out, 一三八 or l38."""
    for found in SPOKEN_RUN.finditer(plain):
        if found[0].isascii():
            continue
        first = max(found.start() - _BEFORE_LENGTH, 0)
        read = plain[first : found.start()] + digits_of(found[0]) + plain[found.end() : found.end() + _BEFORE_LENGTH]
        for start, end, kind in _numbers(read, found.start() - first, found.end() - first):
            if kind != ORDER:
                yield start + first, end + first, kind
    for found in _LETTERED_RUN.finditer(plain):
        if sum(map(str.isdecimal, found[0])) >= 6:
            yield (*found.span(), PHONE)


def is_phone_number(digits: str) -> bool:
    """Return true if digits are a mobile number, +86 or not."""
    return _PHONE_DIGITS.fullmatch(digits) is not None


def _numbers(plain: str, run_start: int, run_end: int) -> Iterator[Span]:
    """The spans to mask among the digit groups of one run."""
    groups = [found.span() for found in _GROUP.finditer(plain, run_start, run_end)]
    first = 0
    while first < len(groups):
        last, end, kind = _longest_at(plain, groups, first)
        if kind in (LANDLINE, ORDER) and (extension := _EXTENSION.match(plain, end)):
            end = extension.end()
        if kind:
            start = groups[first][0]
            opened = plain[start - 1 : start] == "(" and 0 <= plain.find(")", start) < end
            yield start - opened, end, kind
        first = last + 1


def _longest_at(plain: str, groups: list[tuple[int, int]], first: int) -> tuple[int, int, str]:
    """The longest number that begins at a group: its last group, end and placeholder ("" when there is none)."""
    best = (first, groups[first][1], "")
    digits = ""
    sizes: list[int] = []
    separators: set[str] = set()
    for last in range(first, len(groups)):
        start, end = groups[last]
        if len(digits) + end - start > 19:
            break
        if sizes:
            separators.add(plain[groups[last - 1][1] : start].strip())
        digits += plain[start:end]
        sizes.append(end - start)
        if len(digits) < 10:
            continue
        if len(digits) == 17 and (check := _CHECK_X.match(plain, end)) and is_id_card(digits + "X"):
            best = (last, check.end(), ID_CARD)
            continue
        read = _Groups(digits, tuple(sizes), frozenset(separators), groups[first][0], end)
        if kind := _kind(plain, read):
            best = (last, end, kind)
    if not best[2] and groups[first][1] - groups[first][0] >= 10 and _is_bare_number(plain, groups[first]):
        return (first, groups[first][1], ORDER)
    return best


def _kind(plain: str, groups: _Groups) -> str:
    """The placeholder for a number that stood in these groups, "" for none."""
    digits = groups.digits
    size = len(digits)
    before = plain[max(groups.start - _BEFORE_LENGTH, 0) : groups.start]
    if size in (15, 18) and (_is_any_id_card(groups) or _ID_BEFORE.search(before)):
        return ID_CARD
    if size >= 15 and not digits.startswith("0086"):
        return BANK_CARD if _is_bank_card(groups, before) or _CARD_AFTER.match(plain, groups.end) else ""
    if size == 10 and digits.startswith("09") and _PHONE_BEFORE.search(before):  # a mobile of Taiwan
        return PHONE
    if size in (11, 13, 14, 15) and _is_phone(plain, groups, before):
        return PHONE
    if digits[0] == "0" and size <= 12 and _LANDLINE_DIGITS.fullmatch(digits):
        area = 3 if digits[1] in "12" else 4
        return LANDLINE if len(groups.sizes) == 1 or groups.sizes[0] == area else ""
    from_abroad = size <= 13 and digits.startswith("86") and before.rstrip(" (").endswith("+")
    return LANDLINE if from_abroad and _LANDLINE_ABROAD.fullmatch(digits) else ""


def _is_any_id_card(groups: _Groups) -> bool:
    digits = groups.digits
    if groups.sizes == (6, 8, 4):  # written like one, though perhaps mistyped
        return is_date(digits[6:10], digits[10:14])
    return is_id_card(digits) if len(digits) == 18 else is_old_id_card(digits)


def _is_bank_card(groups: _Groups, before: str) -> bool:
    if _CARD_BEFORE.search(before):
        return True
    sizes = groups.sizes
    # The usual shape of a card of a bank in China needs no check digit.
    if sizes in ((4, 4, 4, 4, 3), (4, 4, 4, 4), (6, 13)) and groups.is_even and groups.digits.startswith("62"):
        return True
    usual = len(sizes) in (1, 2) or set(sizes) == {1} or (set(sizes[:-1]) == {4} and sizes[-1] <= 4)
    return usual and groups.is_even and groups.digits[0] in "34569" and satisfies_luhn(groups.digits)


def _is_phone(plain: str, groups: _Groups, before: str) -> bool:
    found = _PHONE_DIGITS.fullmatch(groups.digits)
    if found is None or _PAGE_BEFORE.search(before):
        return False
    sizes = groups.sizes
    prefix = found.start(1)
    if prefix and sizes[0] == prefix:
        sizes = sizes[1:]
        even = True  # (+86) 139-1234-5678: another separator behind the country's code
    else:
        sizes = (sizes[0] - prefix, *sizes[1:])
        even = groups.is_even
    if len(sizes) == 1 or set(groups.sizes) == {1}:
        return True
    if _PHONE_BEFORE.search(before) or _PHONE_AFTER.match(plain, groups.end):
        return True
    if not even or _UNIT_AFTER.match(plain, groups.end):
        return False
    begins_with_0 = re.search(r"[^0-9]0", plain[groups.start : groups.end]) is not None  # as no price does
    # 135*1900*2000 is a mattress, and so is every size that ends in a zero.
    is_round = groups.digits.endswith("0")
    listed = not begins_with_0 and (
        groups.separators & {",", "，", "、"} or (is_round and groups.separators & {"|", "*", "#", "+"})
    )
    if sizes in _PHONE_GROUPS:
        return not listed or sizes == (1,) * 11 or _is_alone(plain, groups)
    return sizes in _RARE_PHONE_GROUPS and not listed and _is_alone(plain, groups)


def _is_alone(plain: str, groups: _Groups) -> bool:
    """Return true if nothing but the number is on its line, as far as one sees."""
    before = plain[max(groups.start - _BEFORE_LENGTH, 0) : groups.start].rpartition("\n")[2]
    after = plain[groups.end : groups.end + _BEFORE_LENGTH].partition("\n")[0]
    return _WORD.search(before) is None and _WORD.search(after) is None


def _is_bare_number(plain: str, group: tuple[int, int]) -> bool:
    """Return true if a long number that is nothing else points to a person's order."""
    start, end = group
    digits = plain[start:end]
    if (_DATE_AND_TIME.fullmatch(digits) and len(digits) in (12, 14)) or _HOTLINE.fullmatch(digits):
        return False
    if _AMOUNT_AFTER.match(plain, end):
        return False
    return _PRODUCT_BEFORE.search(plain[max(start - _BEFORE_LENGTH, 0) : start]) is None
