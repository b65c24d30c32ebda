"""Personal data in texts becomes typed placeholders, before a text leaves for a model or is stored.

The rules lie in `masks/`, a module a kind; the first rule that takes a piece of text keeps it:

1. `[邮箱]`: e-mail addresses, also with `%40`, 艾特, 点, (at), dot, full-width characters or blanks.
2. `[IP地址]`, `[车牌号]`, `[护照号]`, `[税号]`; by the word beside them `[微信号]`, `[QQ号]`, `[账号]` of other apps,
   `[验证码]`, `[取件码]` and `[密码]`.
3. `[身份证号]`, `[银行卡号]`, `[手机号]`, `[电话]`, `[订单号]`, however grouped or spelled: `masks/numbers.py`.
4. `[订单号]`: letters and digits, five digits at least, after 订单号, 运单号, order_id and their like.
5. `[地址]`: chains of 省 市 区 路 号 栋 单元 室 that lead to a door: `masks/addresses.py`.
6. `[姓名]`: names beside 收件人, 我叫, a title, a phone or an address: `masks/names.py`. The title stays: `[姓名]先生`.
   Others by the weight of their characters and neighbors: `masks/likely_names.py`; those of other peoples and in Latin
   letters by lists of what they are made of: `masks/foreign_names.py`.

An attribute is read as its name, a colon and its value, so its name can be such a word.

What is not masked: nicknames and most names of everyday words (田野) that nothing around them announces, provinces,
cities and districts alone, places without a number, landlines without area code and without a word for them, WeChat
names without a word for them, and foreign bank cards that are both mistyped and broken into groups. Prices, dates,
counts and sizes stay as they are.
Masking a masked text changes nothing, unless it is long and made to need more than ten passes. The time is linear.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, MutableMapping, Sequence
from typing import Final, NamedTuple

from tasks.domain.sign_table import UNSEEN
from tasks.preparing.known_texts import KnownTexts
from tasks.preparing.masks import accounts, addresses, codes, contacts, foreign_names, likely_names, names, numbers
from tasks.preparing.masks.checks import is_id_card
from tasks.preparing.masks.plain import NON_PLAIN, SPOKEN_DIGITS, Span, plain_of, replaced
from tasks.preparing.masks.signs import SIGNS
from tasks.preparing.pseudonyms import Pseudonyms

# Most messages hold neither four digits close together nor a Latin word, which is quickly seen.
_SIGN: Final = re.compile("[0-9@A-Za-z]")

# The set in front is what the engine looks for, several times faster than for alternatives.
_NUMBERS: Final = re.compile("[0-9@%](?:(?<=[0-9])(?:[^0-9]{0,3}[0-9]){3}|(?<=@)|(?<=%)(?=40))")

_LATIN: Final = re.compile("[A-Za-z][A-Za-z0-9_.-]{2}")

_CAPITAL: Final = re.compile("[A-Z][a-z]|[A-Za-z]/[A-Z]")

_SPOKEN: Final = re.compile(rf"[{SPOKEN_DIGITS}](?:[^\w]{{0,3}}[{SPOKEN_DIGITS}0-9]){{3}}")


_DIGIT: Final = re.compile(f"[0-9{SPOKEN_DIGITS}]")

_SEEN_NON_PLAIN: Final = SIGNS.add_set(NON_PLAIN)

_SEEN_NUMBER: Final = (
    SIGNS.add(_NUMBERS, _LATIN)
    # What _SPOKEN begins with.
    | SIGNS.add_set(re.compile(f"[{SPOKEN_DIGITS}]"), re.compile(rf"[{SPOKEN_DIGITS}0-9]|[^\w]"))
)

_SEEN_CAPITAL: Final = SIGNS.add(_CAPITAL)

_SEEN_ANY: Final = _SEEN_NON_PLAIN | _SEEN_NUMBER | addresses.SEEN | foreign_names.SEEN | likely_names.SEEN | names.SEEN


class _Rule(NamedTuple):
    """A finder, and the sign without which it finds nothing: seen many times faster.

    Nor does it find anything in a text with fewer digits, written out ones among them.
    """

    sign: re.Pattern[str]
    find: Callable[[str], Iterator[Span]]
    digits: int = 0


RULES: Final = (
    _Rule(re.compile(r"@|%40"), contacts.find_emails),
    _Rule(
        re.compile(r"[@艾爱圈鼠箱]|[aA](?:[tT]|[)\]】>}])|%40|[mM][aA][iI][lL]|[#*$&] ?[a-zA-Z1]"),
        contacts.find_disguised_emails,
    ),
    _Rule(re.compile(r"[0-9]\.[0-9]|:[0-9A-Fa-f:]"), contacts.find_ip_addresses),
    _Rule(re.compile(rf"{codes.PROVINCE_SIGN} ?[A-Za-z]"), codes.find_plates, digits=1),
    _Rule(re.compile(r"[A-Za-z][0-9A-Za-z][0-9]{4}|照|[行乡胞官]证|assport"), codes.find_passports, digits=6),
    _Rule(re.compile("证"), codes.find_named_ids, digits=14),
    _Rule(re.compile("[号码][ :：=是为填写的0-9]|9[1-3][0-9]{6}|[tT][aA][xX]"), codes.find_tax_numbers),
    _Rule(re.compile(r"[微薇威信VvWw卫绿]"), contacts.find_wechat_names),
    _Rule(re.compile(r"[Qq扣球企口]"), contacts.find_qq_numbers, digits=5),
    _Rule(
        re.compile(
            r"[昵网旺户录陆][名称旺账帐号]|[账帐书音手信博站员宝戏个][号名户 iIuU]|[iI][dD]"
            r"|[a-zA-Z]{2}[ :：@是]|[音书手博站宝东旺][:： @]|[号名][:： 是为叫a-zA-Z]"
        ),
        accounts.find_accounts,
    ),
    _Rule(re.compile(r"[码件密号信巢柜]|口令|取|[oO][tT][pP]|[pP][aAiIwW][sSnNdD]|[cC]ode"), codes.find_secrets),
    _Rule(re.compile(r"[0-9A-Za-z]-[0-9]{1,2}-[0-9]{4}"), codes.find_shelves, digits=5),
    _Rule(re.compile("[A-Za-z]{2}[A-Za-z0-9#,.'’/& -]{11}"), addresses.find_latin_addresses),
    _Rule(re.compile(r"[+]|00"), numbers.find_foreign_numbers, digits=9),
    _Rule(re.compile(r"[0-9][ .-][2-9][0-9]{2}[ .-][0-9]|\)|0[789]0[ -]"), numbers.find_american_numbers, digits=9),
    _Rule(re.compile(r"[0-9]"), numbers.find_numbers, digits=10),
    _Rule(re.compile(rf"[{SPOKEN_DIGITS}OolI]"), numbers.find_spoken_numbers, digits=6),
    _Rule(re.compile(r"[话机]|[tT][eE][lL]"), numbers.find_local_landlines, digits=7),
    _Rule(re.compile(r"[A-Z]"), codes.find_parcels, digits=8),
    _Rule(re.compile(r"[单号递流订裹发寄]|[a-zA-Z]{5}"), codes.find_orders, digits=5),
)

_SEEN_BY_RULE: Final = tuple(SIGNS.add(rule.sign) for rule in RULES)

_NAME_COLUMN: Final = re.compile(
    r"(?:.*(?:收[件货]人|联系人|寄件人|姓名|昵称)(?:姓名)?|(?:(?:customer|user|buyer|receiver|recipient|consignee|contact|"
    r"real|full|first|last|nick)[_ ]?)?name|"
    r"nick|consignee|receiver|recipient|contact[_ ]?person)",
    re.IGNORECASE,
)

_ADDRESS_COLUMN: Final = re.compile(r"(?:.*(?:地址|住址)|(?:.*_)?addr(?:ess)?(?:_?[12]|_detail)?)", re.IGNORECASE)

_IDENTIFIER: Final = re.compile(r"(?<![A-Za-z0-9])(?:(?:86)?[0-9]{11}|[0-9]{17}[0-9Xx])(?![A-Za-z0-9])")

PLACEHOLDERS: Final = (
    contacts.EMAIL,
    contacts.IP,
    contacts.WECHAT,
    contacts.QQ,
    accounts.ACCOUNT,
    codes.PLATE,
    codes.PASSPORT,
    codes.TAX,
    codes.SIGN_IN_CODE,
    codes.PICK_UP_CODE,
    codes.PASSWORD,
    numbers.ID_CARD,
    numbers.BANK_CARD,
    numbers.PHONE,
    numbers.LANDLINE,
    numbers.ORDER,
    addresses.ADDRESS,
    names.NAME,
)

_PLACEHOLDER: Final = re.compile("|".join(map(re.escape, PLACEHOLDERS)))

Counts = MutableMapping[str, int]

# A text can be made so that each pass uncovers one more address: long ones get ten passes, short ones all they need.
_WORK_PER_CHARACTER: Final = 10

_LEAST_WORK: Final = 20_000


def mask(text: str, counts: Counts | None = None) -> str:
    """The text with personal data replaced by typed placeholders, and otherwise unchanged.

    Args:
        text: one message.
        counts: gets the number of replacements by placeholder added.
    """
    known = KNOWN[text]
    if known is None:
        return text
    masked, found = known
    if counts is not None:
        for placeholder, count in found.items():
            counts[placeholder] = counts.get(placeholder, 0) + count
    return masked


def look_ahead(texts: Iterable[str]) -> None:
    """Mask many texts at once, so that `mask` knows them: several times faster than one after another."""
    new = [text for text in dict.fromkeys(texts) if text not in KNOWN]
    masked = dict.fromkeys(new)
    for text, seen in zip(new, SIGNS.seen(new), strict=True):
        if seen & _SEEN_ANY:
            masked[text] = _masked(text, seen)
    KNOWN.keep(masked)


def forget() -> None:
    """Forget every text that was masked: what is measured or compared then is all of the work."""
    KNOWN.clear()
    likely_names.forget()


def _masked(text: str, seen: int = UNSEEN) -> tuple[str, Mapping[str, int]] | None:
    """The masked text and what was masked; None where nothing was."""
    counts: dict[str, int] = {}
    masked = _masked_once(text, counts, seen)
    if masked is text:
        return None
    left = _WORK_PER_CHARACTER * len(text) + _LEAST_WORK
    # `zhang艾特qq点com12345678901`: only when the number is gone does the address end where a word ends.
    while masked is not text and left > 0:
        left -= len(masked)
        text, masked = masked, _masked_once(masked, counts)
    return masked, counts


# A day's agents say much the same in every conversation, and its users 好的 and 谢谢.
KNOWN: Final = KnownTexts(_masked)


def _masked_once(text: str, counts: Counts, seen: int = UNSEEN) -> str:
    plain = plain_of(text) if seen & _SEEN_NON_PLAIN else text
    if plain is not text:
        seen = UNSEEN
    has_signs = seen & _SEEN_NUMBER and _has_signs(plain)
    has_address = seen & addresses.SEEN and addresses.is_suspect(plain, seen)
    has_parts = seen & foreign_names.SEEN and foreign_names.has_part(plain)
    spans = list(likely_names.candidates(plain)) if seen & likely_names.SEEN else []
    is_announced = seen & names.SEEN and names.is_announced(plain)
    if not (has_signs or has_address or has_parts or spans or is_announced):
        return text
    work = _Work(text, plain, counts, seen)
    if has_signs:
        digits = len(_DIGIT.findall(plain))
        for rule, bit in zip(RULES, _SEEN_BY_RULE, strict=True):
            if work.seen & bit and digits >= rule.digits and rule.sign.search(work.plain):
                work.apply(rule.find(work.plain))
    # Each is looked for again where something is masked: the mask of a masked text must change nothing.
    if has_address or (work.plain is not plain and addresses.is_suspect(work.plain)):
        work.apply(codes.find_locker_doors(work.plain))
        work.apply(addresses.find_addresses(work.plain, work.seen))
    if has_parts:
        work.apply(foreign_names.find_names_of_parts(work.plain))
    if is_announced if work.plain is plain else names.is_announced(work.plain):
        work.apply(names.find_names(work.plain, work.seen))
    if work.seen & _SEEN_CAPITAL and _CAPITAL.search(work.plain):
        work.apply(foreign_names.find_latin_names(work.plain))
    if work.plain is not plain:
        spans = list(likely_names.candidates(work.plain))
    if spans:
        work.apply(names.find_likely_names(work.plain, spans))
    return work.text


def _has_signs(plain: str) -> bool:
    if _SPOKEN.search(plain):
        return True
    return _SIGN.search(plain) is not None and (_LATIN.search(plain) or _NUMBERS.search(plain)) is not None


class _Work:
    """A text under masking beside its plain spelling, which the rules read; both stay equally long.

    `seen` are the bits of the text's signs, until something is masked: placeholders are signs of their own.
    """

    def __init__(self, text: str, plain: str, counts: Counts, seen: int) -> None:
        self.text = text
        self.plain = plain
        self.seen = seen
        self._counts = counts

    def apply(self, found: Iterable[Span]) -> None:
        """Replace what was found in the plain spelling."""
        spans = list(found)
        if not spans:
            return
        spans = _apart(spans, self.plain)
        if spans and "\u20e3" in self.text:
            spans = [(start, _end_of_emoji(self.text, end), kind) for start, end, kind in spans]
        if spans:
            self.text, self.plain, self.seen = replaced(self.text, spans), replaced(self.plain, spans), UNSEEN
            for *_, placeholder in spans:
                self._counts[placeholder] = self._counts.get(placeholder, 0) + 1


def _end_of_emoji(text: str, end: int) -> int:
    """The end of a span that must not cut an emoji: 8 with U+FE0F and U+20E3 behind it is one sign."""
    while text[end : end + 1] in ("\ufe0f", "\u20e3"):
        end += 1
    return end


def _apart(spans: Iterable[Span], plain: str) -> list[Span]:
    """The spans in order; of overlapping ones the first and longest, and none that would cut or hold a placeholder."""
    found = sorted(spans, key=lambda span: (span[0], -span[1]))
    taken = [match.span() for match in _PLACEHOLDER.finditer(plain)] if "[" in plain else []
    kept: list[Span] = []
    end = next_taken = 0
    for span in found:
        while next_taken < len(taken) and taken[next_taken][1] <= span[0]:
            next_taken += 1
        is_free = next_taken == len(taken) or taken[next_taken][0] >= span[1]
        if span[0] >= end and is_free:
            kept.append(span)
            end = span[1]
    return kept


_DIGITS: Final = frozenset(f"0123456789０１２３４５６７８９{SPOKEN_DIGITS}")


def mask_neighbors(texts: Sequence[str], counts: Counts | None = None) -> list[str]:
    """One speaker's messages in order, each masked, and numbers that were sent in pieces, too.

    The first piece's message gets the placeholder and what follows the last piece; the others are left empty.
    """
    if not any(text[-1:] in _DIGITS for text in texts[:-1]):
        return [mask(text, counts) for text in texts]
    masked: list[str] = []
    start = 0
    while start < len(texts):
        end = start + 1
        joined = texts[start]
        # A line break joins the pieces, so a message that has one itself stands alone.
        while (
            end < len(texts)
            and joined[-1:] in _DIGITS
            and texts[end][:1] in _DIGITS
            and "\n" not in joined + texts[end]
        ):
            joined = texts[end]
            end += 1
        if end - start > 1:
            lines = mask("\n".join(texts[start:end]), counts).split("\n")
            masked += lines + [""] * (end - start - len(lines))
        else:
            masked.append(mask(texts[start], counts))
        start = end
    return masked


def mask_mapping(
    attributes: Mapping[str, str],
    counts: Counts | None = None,
    pseudonyms: Pseudonyms | None = None,
    keep: Collection[str] = (),
) -> dict[str, str]:
    """The attributes with their values masked; keys are column names and stay, and give a value's kind.

    Args:
        attributes: as logged.
        counts: gets the number of replacements by placeholder added.
        pseudonyms: name what a value's placeholder hides, so that equal values stay equal and others apart.
        keep: attributes whose values stay as logged.
    """
    return {
        key: value if key in keep else _masked_behind(key, value, counts, pseudonyms)
        for key, value in attributes.items()
    }


def _masked_behind(key: str, value: str, counts: Counts | None, pseudonyms: Pseudonyms | None) -> str:
    masked = _masked_value(key, value, counts)
    # SF[订单号]: what stands beside the placeholder is no person's.
    placeholder = _PLACEHOLDER.search(masked)
    if pseudonyms is None or masked == value or placeholder is None or len(_PLACEHOLDER.findall(masked)) > 1:
        return masked
    return masked.replace(placeholder[0], pseudonyms.name(placeholder[0], value.strip()))


def _masked_value(key: str, value: str, counts: Counts | None) -> str:
    for column, placeholder in ((_NAME_COLUMN, names.NAME), (_ADDRESS_COLUMN, addresses.ADDRESS)):
        if value.strip() and column.fullmatch(key):
            if counts is not None:
                counts[placeholder] = counts.get(placeholder, 0) + 1
            return placeholder
    name = f"{key}:"
    masked = mask(name + value, counts)
    return masked[len(name) :] if masked.startswith(name) else mask(value, counts)


def mask_identifier(text: str, pseudonyms: Pseudonyms | None = None) -> str:
    """A conversation's id: only e-mail addresses, phone numbers and ID cards that stand alone in it are masked.

    Ids are long numbers by nature: taking them for order numbers or, one in ten, for bank cards would make
    different conversations the same. Pseudonyms keep masked ones apart.
    """
    plain = plain_of(text)
    if _NUMBERS.search(plain) is None:
        return text
    spans = _named(plain, contacts.find_emails(plain), pseudonyms)
    text, plain = replaced(text, spans), replaced(plain, spans)
    found = ((*match.span(), _kind_of_identifier(match[0])) for match in _IDENTIFIER.finditer(plain))
    return replaced(text, _named(plain, (span for span in found if span[2]), pseudonyms))


def _named(plain: str, spans: Iterable[Span], pseudonyms: Pseudonyms | None) -> list[Span]:
    if pseudonyms is None:
        return list(spans)
    return [(start, end, pseudonyms.name(kind, plain[start:end])) for start, end, kind in spans]


def _kind_of_identifier(number: str) -> str:
    if len(number) == 18:
        return numbers.ID_CARD if is_id_card(number.upper()) else ""
    return numbers.PHONE if numbers.is_phone_number(number) else ""
