"""Persons' names, marked by the words around them: 收件人, 我叫, 姓名, a title behind, a phone or address beside."""

import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final

from tasks.domain.pattern_signs import SignedPattern
from tasks.domain.sign_table import UNSEEN
from tasks.preparing.masks import likely_names
from tasks.preparing.masks.plain import Span
from tasks.preparing.masks.signs import SIGNS
from tasks.preparing.masks.tables import (
    AMBIGUOUS_SURNAMES,
    BRANDS,
    CITIES,
    DOUBLE_SURNAMES,
    EVERYDAY_WORDS,
    GIVEN,
    NO_NAMES,
    NO_RECEIVERS,
    SURNAMES,
    TITLES,
    WORDS_AS_NAMES,
    one_of,
)

NAME: Final = "[姓名]"

_SURNAME: Final = one_of(SURNAMES)

_CJK: Final = r"\u4e00-\u9fff"

_GIVEN: Final = one_of(GIVEN)

# A name ends before these: they go on with the sentence.
_GO_ON: Final = (
    r"[的在想要是和跟与我你您他她它们不没有买了过订退换查问能会请帮给让把被从到去住寄就也还说号吗呢吧"
    r"啊呀哦嗯哈收于或等对电手地有需急打拿取签下昨今已又很但因为]"
    r"|刚[才刚买下收到]|联系|先生|女士|小姐|太太|老师|师傅|经理|同学|阿姨|身份|"
    r"性别|男|女|年龄|邮箱|微信|公司|家住|现在|申请|反映|投诉|咨询|发现|一共|这边|"
    r"那边|麻烦|快递|订单|"
    r"单号|来电|来问|来看|来咨"
)

_DOUBLE: Final = "|".join(DOUBLE_SURNAMES)

# Words that begin like a shorter name: 阿司匹林.
_LONGER: Final = tuple(word for word in NO_NAMES if len(word) > 2)

_NO_NAME: Final = "|".join(sorted(NO_NAMES, key=len, reverse=True))

# Surname and one or two characters, the second only where the sentence does not go on with it.
_NO_GIVEN: Final = (
    r"[的在要是我你您他她它们不没有买了过订退换查问能会请给让把被从到去住寄就也还说号吗呢吧啊呀哦嗯"
    r"哈收于或等电地需打拿取签下但因]"
)

_LOOSE: Final = (
    rf"(?!{_NO_NAME})(?:(?:{_DOUBLE})[{_CJK}](?:(?!{_GO_ON})[{_CJK}])?|{_SURNAME}(?!{_NO_GIVEN})["
    rf"{_CJK}](?:(?!{_GO_ON})[{_CJK}])?)"
)

_STRICT: Final = rf"(?!{_NO_NAME})(?:{_DOUBLE}|{_SURNAME}){_GIVEN}{{1,2}}"

# Three characters up to where the clause ends, whatever they are.
_WHOLE: Final = rf"(?!{_NO_NAME}){_SURNAME}[{_CJK}]{{1,2}}(?<![吧啊呀哦呢吗了哈])(?=$|[\s，,。；;、)）!！])"

# What stands behind such a word up to where the clause ends, when no two of its characters are a word: 扎西顿珠.
_STRANGE: Final = rf"(?:(?!{_GO_ON}|[着谁错空填能改什么])[{_CJK}]){{3,4}}(?=$|[\s，,。；;、)(!！\[])"

_FOREIGN: Final = rf"[{_CJK}]{{1,8}}(?:[·•・.][{_CJK}]{{1,8}}){{1,3}}"

_LATIN: Final = r"[A-Z][A-Za-z'’-]{1,20}(?: [A-Z][A-Za-z'’.-]{0,20}){0,3}"

_LATIN_OF_TWO: Final = r"[A-Z][A-Za-z'’-]{1,20}(?: [A-Z][A-Za-z'’.-]{0,20}){1,3}"

_LATIN_OF_ONE: Final = r"[A-Z][a-z]{2,14}(?![A-Za-z0-9])"

_PET: Final = rf"[小阿老大][{_CJK}](?:(?!{_GO_ON})[{_CJK}])?"

_WHO: Final = (
    r"(?:收[件货](?:人|名|(?=[:：]))|寄件(?:名|(?=[:：]))|收货方|收方|寄件?人|发件人|寄方|联系人|联络人|签收人|取件人|"
    r"提货人|代[收签]人|接收人|领取人|预约人|代理人|车主|业主|就诊人|持卡人|开户人|开户名|户主|户名|购买人|购货人|订购人|订货人|下单人|"
    r"付款人|收款人|投保人|被保人|"
    r"申请人|经办人|负责人|使用人|旅客|乘客|客人|入住人|预[订定约]人|报修人|委托人|"
    r"真实姓名|抬头|收货姓名|客户姓名|客户名称|会员姓名|姓名|名字|大名|全名|本名)"
)

_BETWEEN: Final = (
    r"(?:姓名|名字|名称|信息)?(?:[ ]|是|为|叫做?|写的?是?|填的?是?|[，,]?改[成为]|换[成为]|[:：=|\t（(【“\"])*"
)

_LABELED: Final = SignedPattern(
    re.compile(rf"{_WHO}{_BETWEEN}(?:({_FOREIGN}|{_WHOLE}|{_LOOSE}|{_LATIN_OF_TWO}|{_LATIN_OF_ONE})|({_STRANGE}))")
)

_COLON: Final = SignedPattern(
    re.compile(
        rf"{_WHO}(?:姓名|名字)?[ ]?[:：=|\t][ ]?({_LATIN}|[{_CJK}]{{2,4}}|(?:(?!{_GO_ON})[{_CJK}]){{5,6}})"
        rf"(?=$|[\s，,。；;、/|"
        rf")）\[!！]|电话|手机|联系|地址)"
    )
)

_NAMED_LATIN: Final = re.compile(
    r"(?<![A-Za-z])(?:(?i:(?:customer_|user_|full_|real_)?name|consignee|receiver|recipient|contact(?: person)?|"
    r"ship to|deliver to|attn)(?:(?:'s| is)?[ ]?[:：]?[ ]+|[ ]?[:：=][ ]?)|"
    r"拼音[ :：是]{0,3}|英文名字?[ :：是叫]{0,3}|护照上[的名字 :：是写]{0,5})"
    rf"({_LATIN_OF_TWO}|[{_CJK}]{{2,4}}(?=$|[\s，,。；;&]))"
    rf"|(?<![A-Za-z])(?:[a-z]{{2,9}}_)?(?:name|consignee|receiver|recipient)[:：=]({_LATIN}|[a-z]{{3,20}}(?=$|[\s，,。；;&]))"
)

_CALLED: Final = re.compile(
    rf"(?:(?:我|本人|名字|他|她|人|老公|老婆|妈妈|爸爸|对象|朋友|客户|孩子|儿子|"
    rf"女儿|宝宝|小孩|弟弟|妹妹|哥哥|姐姐|同事|室友|收货的|客服|快递员|小哥|师傅|骑手)(?:的?名字)?(?:就?叫做?|名叫)|我的?名字是|鄙人|"
    rf"本人[:：，, ]?)[ ]?[:：“\"]?(?:({_FOREIGN}|{_LOOSE}|{_PET})|({_STRANGE}))"
)

# 网名：月亮姐姐, and what people ask about names of accounts.
_NICKNAME: Final = SignedPattern(
    re.compile(
        r"(?:昵称|网名|[会用]员?户?名|旺旺名?|旺旺号|淘宝名|微信名|微博名|抖音名|账号名|花名)"
        rf"(?: ?(?:就?是|叫|为|[:：=])){{1,2}} ?[“\"]?"
        r"((?!\w{0,10}(?:什么|怎么|哪|吗|多少|可以|手机|邮箱|自己|一样|真名|不|没|改|错|填|忘|必))"
        rf"[{_CJK}A-Za-z0-9_·~-]{{2,16}})(?=$|[\s，,。；;、）)”\"!！~]|的)"
    )
)

_CHILD: Final = r"(?:我家|女儿|儿子|闺女|宝宝|孩子|宝贝|妹妹|弟弟|姐姐|闺蜜|同学|同事|外甥女?|侄[女子]|孙[女子])"

# A child's or a friend's name without a surname, said twice: 我家雯雯.
_DOUBLED: Final = SignedPattern(
    re.compile(
        rf"{_CHILD}(?:叫|的名字[叫是]?|名叫)?({_GIVEN})\1"
        rf"(?=$|[^{_CJK}]|[的说要在和用穿吃喜也想收给过生一])"
    )
)

_CALLS: Final = re.compile("叫|名字是|鄙人|本人")

_DOT: Final = re.compile("·")

_LATIN_WORD: Final = re.compile("[A-Za-z]{4}")

_SURNAMED: Final = SignedPattern(
    re.compile(
        rf"(?:我|免贵|贵姓|本人|客户|他|她|先生|女士|您好|师傅|经理|老师|客服|^|[，,。 ])姓(?:名)?[ ]?"
        rf"({_DOUBLE}|{_SURNAME})(?=$|[，,。！!的\s；;、]|名|单名|叫|先生|女士|小姐|电话|手机|我)"
    )
)

_TITLE: Final = rf"(?:{'|'.join(sorted(TITLES, key=len, reverse=True))})"

# 女士包 and 先生们 are no titles; neither is what a shop sells for them.
_NO_TITLE: Final = r"(?!系列|这个牌|品牌|[们牌款鞋包内外衬香手腕表羽短长卫裤裙夹皮毛棉服装专用剃牌]|节|车|椅|袋)"

_TITLE_AT: Final = SignedPattern(re.compile(rf"{_TITLE}{_NO_TITLE}"))

_STRONG_TITLES: Final = ("先生", "女士", "小姐", "太太")

_FULL_NAME: Final = re.compile(rf"(?:{_DOUBLE})[{_CJK}]{{0,2}}|{_SURNAME}(?:(?!{_NO_GIVEN})[{_CJK}]{{1,2}})?")

_BRAND: Final = re.compile("|".join(sorted(BRANDS, key=len, reverse=True)))

_STRICT_NAME: Final = re.compile(_STRICT)

_BORDER_BEFORE: Final = re.compile(
    rf"(?:^|[^{_CJK}]|[好的叫是给找位姓和跟与户客联系敬帮请问对让由为人员替谢您是称呼到转喊找])$"
)

_FOREIGN_NAME: Final = re.compile(rf"({_FOREIGN})(?= ?[(（]?(?:亲?收|签收|先生|女士|小姐))")

_BESIDE_BEFORE: Final = re.compile(
    rf"(?:^|[\s，,;；、/|:：。(（\]】+-]|[收寄][件货]|[寄发送转交打]给|联系|[派配送快]递?送?员|师傅|客服|司机|骑手|小哥|[人由])"
    rf"({_FOREIGN}|{_LATIN_OF_TWO}|{_STRICT}|{_LOOSE})(?=[ \t\n，,;；、/|:：()（）+-]{{0,3}}(?:电话|手机|手机号|"
    rf"tel)?[:： ]{{0,2}}\[(?:手机号|电话|地址|身份证号)\])"
)

_BESIDE_AFTER: Final = re.compile(
    rf"\[(?:手机号|电话|地址|身份证号|银行卡号)\][ \t\n，,;；、/|+-]{{0,3}}"
    rf"(?:[{_CJK}]{{1,6}}行[ ，,]{{1,2}})?({_FOREIGN}|{_STRICT}|"
    rf"{_LOOSE})(?=$|[\s，,;；、/|。！!)）+-]|"
    rf"[(（]?收|先生|女士|小姐|\[)"
)

_BESIDE: Final = re.compile(r"\[(?:手机号|电话|地址|身份证号|银行卡号)\]")

_NUMBERS: Final = frozenset(["手机", "电话", "号码", "地址"])

_SOON: Final = re.compile(r"谢谢|辛苦|麻烦|尽快|马上|上午|下午|晚上|早上|中午|今天|明天|昨天|周[一二三四五六日末]")

# Each pattern above needs one of these; the signs of them are a cheap test before the patterns.
_ANNOUNCED: Final = SignedPattern(
    re.compile(
        rf"{_WHO}|{_TITLE}|[·叫姓]|鄙人|本人|名字是|收[件货][:：]|\[(?:手机号|电话|地址|身份证号|银行卡号)\]|[nN]ame|NAME|"
        rf"{_CHILD}|onsignee|eceiver|ecipient|ontact|hip to|eliver to|[aA]ttn|ATTN|拼音|英文名|护照"
        r"|昵称|网名|旺旺|员名|户名|[宝信博音号花]名"
    )
)


SEEN: Final = SIGNS.add(_ANNOUNCED)  # what `is_announced` needs

# Each with its bit, and where it has no sign of its own, a cheap test before it.
_ANNOUNCING: Final = (
    (SIGNS.add(_LABELED, _COLON), None, (_LABELED, _COLON)),
    (SIGNS.add(_SURNAMED), None, (_SURNAMED,)),
    (SIGNS.add(_DOT), _DOT, (_FOREIGN_NAME,)),
    (SIGNS.add(_CALLS), _CALLS, (_CALLED,)),
    (SIGNS.add(_LATIN_WORD), _LATIN_WORD, (_NAMED_LATIN,)),
    (SIGNS.add(_BESIDE), _BESIDE, (_BESIDE_BEFORE, _BESIDE_AFTER)),
)

_SEEN_NICKNAME: Final = SIGNS.add(_NICKNAME)

_SEEN_DOUBLED: Final = SIGNS.add(_DOUBLED)

_SEEN_TITLE: Final = SIGNS.add(_TITLE_AT)


def is_announced(plain: str) -> bool:
    """Return true if a word that announces a name may stand in the text."""
    return _ANNOUNCED.sign.search(plain) is not None


def find_names(plain: str, seen: int = UNSEEN) -> Iterator[Span]:
    """Names that a word announces; numbers and addresses are expected to be placeholders already."""
    for bit, test, patterns in _ANNOUNCING:
        if not seen & bit or (test is not None and test.search(plain) is None):
            continue
        for found in chain.from_iterable(pattern.finditer(plain) for pattern in patterns):
            group = 2 if found.lastindex == 2 else 1
            is_name = found[group] in WORDS_AS_NAMES or not _is_word(found[group])
            if is_name and not (group == 2 and _has_word(found[2])):
                yield (*found.span(group), NAME)
    for found in _NICKNAME.finditer(plain) if seen & _SEEN_NICKNAME else ():
        yield (*found.span(1), NAME)
    for found in _DOUBLED.finditer(plain) if seen & _SEEN_DOUBLED else ():
        if found[1] * 2 not in EVERYDAY_WORDS:
            yield found.start(1), found.start(1) + 2, NAME
    if seen & _SEEN_TITLE:
        yield from _titled(plain)


def find_likely_names(plain: str, spans: Iterable[tuple[int, int]]) -> Iterator[Span]:
    """Names that nothing announces, by their characters and their neighbors.

    Args:
        plain: the text.
        spans: the `candidates` in it.
    """
    found = list(likely_names.find_likely_names(plain, spans))
    brands = [brand.span() for brand in _BRAND.finditer(plain)] if found else []
    for start, end in found:
        name = plain[start:end]
        # 康宁 is a brand, but not in 嵇康宁.
        is_brand = any(start < last and first < end and not start < first < last == end for first, last in brands)
        if not (is_brand or name in CITIES or _is_word(name) or plain.startswith(_LONGER, start)):
            yield start, end, NAME


def _titled(plain: str) -> Iterator[Span]:
    """Names in front of a title: the longest that a border stands before, or one that needs none."""
    for title in _TITLE_AT.finditer(plain):
        end = title.start() - plain.endswith(" ", 0, title.start())
        strong = title[0].startswith(_STRONG_TITLES)
        for size in (4, 3, 2, 1):
            start = end - size
            if start >= 0 and _is_name_with_title(plain, start, end, strong=strong):
                yield start, end, NAME
                break


def _is_name_with_title(plain: str, start: int, end: int, *, strong: bool) -> bool:
    name = plain[start:end]
    if (
        plain.startswith(_LONGER, start)
        or plain.startswith(NO_NAMES, start, end)
        or _FULL_NAME.fullmatch(name) is None
        or _is_word(name)
        or plain[max(start - 1, 0) : start] == name
    ):
        return False
    bordered = _BORDER_BEFORE.search(plain[max(start - 1, 0) : start]) is not None
    if len(name) == 1:
        return bordered or name not in AMBIGUOUS_SURNAMES
    if name in DOUBLE_SURNAMES:
        return True
    if _STRICT_NAME.fullmatch(name):
        return bordered or name[0] not in AMBIGUOUS_SURNAMES
    return bordered and strong


def _is_word(name: str) -> bool:
    return name in NO_RECEIVERS or name.startswith(NO_NAMES) or _SOON.match(name) is not None or name[1:] in _NUMBERS


def _has_word(text: str) -> bool:
    return any(text[start : start + 2] in EVERYDAY_WORDS for start in range(len(text) - 1))
