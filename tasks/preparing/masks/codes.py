"""Numbers that only the words around them explain: orders, parcels, passports, plates, codes to pick up or sign in."""

import re
from collections.abc import Iterator
from typing import Final

from tasks.domain.pattern_signs import SignedPattern
from tasks.preparing.masks.numbers import ID_CARD, ORDER
from tasks.preparing.masks.plain import SPOKEN_DIGITS, Span

PLATE: Final = "[车牌号]"

PASSPORT: Final = "[护照号]"

SIGN_IN_CODE: Final = "[验证码]"

PICK_UP_CODE: Final = "[取件码]"

TAX: Final = "[税号]"

PASSWORD: Final = "[密码]"  # noqa: S105

PROVINCE_SIGN: Final = "[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼]"

_LETTERED: Final = "[A-HJ-NP-Za-hj-np-z0-9]"

_PLATE: Final = re.compile(
    rf"(?<![全最崭更上出创]){PROVINCE_SIGN}"
    # A blank behind the sign of a province only where nothing but a word for the plate stands before it.
    r"(?:(?<=[^\u4e00-\u9fff][^新]) |(?<=^[^新]) |(?<=[牌号车为是].) )?[A-HJ-NP-Za-hj-np-z]"
    rf"[ ·•.・‧-]{{0,2}}(?:{_LETTERED}{{4}}[A-HJ-NP-Za-hj-np-z0-9挂学警港澳]|"
    rf"[DFABCEGHJKdfabceghjk]{_LETTERED}[0-9]{{4}}|[0-9]{{5}}[DFABCEGHJKdf]|{_LETTERED}(?: {_LETTERED}){{4,5}})"
    r"(?![A-Za-z0-9])"
)

_PLATE_BEFORE: Final = re.compile(r"(?:车牌|车号|号牌)[^，。；\n]{0,6}$")

_PASSPORT_WORD: Final = re.compile(
    r"(?:护照|通行证|回乡证|台胞证|旅行证|军官证|passport)(?:号码?|编号|no\.?|number)?(?:[ :：=#，,]|"
    r"是|为|填|写|的|号码?){0,5}"
    r"([A-Za-z]{1,3}[ -]?(?:[0-9]{6,10}|[0-9]{3,4}[ -][0-9]{4,5})|[0-9]{7,10}[A-Za-z]?)(?![A-Za-z0-9])",
    re.IGNORECASE,
)

_PASSPORT: Final = re.compile(
    r"(?<![A-Za-z0-9_.#/=-])(?:[EGeg][0-9]{8}|[Ee][A-HJ-NP-Za-hj-np-z][0-9]{7})(?![A-Za-z0-9-])"
)

_PRODUCT_BEFORE: Final = re.compile(
    r"(?:型号|货号|款号|编号|编码|sku|商品|产品|批号|色号|序列号|配件|零件|芯片|套餐|礼盒|券|优惠码)[^，。；\n]{0,6}$",
    re.IGNORECASE,
)

_ID_WORD: Final = re.compile(
    r"(?:身份证|证件)(?:号码?)?(?:[ :：=#]|是|为|填|写|的){0,4}([1-9][0-9]{13,16} ?[0-9Xx])(?![A-Za-z0-9])",
    re.IGNORECASE,
)

_LINK: Final = (
    r"(?:号码?|数字)?"
    r"(?:[ :：=#\"“”'‘（(【\[\n-]|是|为|就是|应该是|这个|发[你我][了的]?|给你|收到[的了]?|来了|显示|填|输入?|，){0,5}"
)

_DIGIT: Final = rf"[0-9{SPOKEN_DIGITS}]"

_SIGN_IN: Final = re.compile(
    r"(?:验 ?证 ?码|校验码|动态[码密]码?|动态口令|短信码|确认码|安全码|授权码|(?<![A-Za-z])otp(?![A-Za-z])"
    r"|(?:收到|发来|发了|刚发)[了的]?(?:一[条个])?短信(?:里|上|内容)?(?=.{0,3}[0-9]{6}(?![0-9]))"
    r"|(?<!coupon )(?<!promo )(?<!discount )(?<!product )(?<!zip )(?<!error )(?<!item )(?<!post )(?<![A-Za-z])"
    r"(?:code(?: is| ?[:：])|(?:verification|security|login|sms) code)|码(?:给你|发你)了?|(?:收到|短信|发来)的码)"
    rf"{_LINK}((?:{_DIGIT}[ -]?){{3,7}}{_DIGIT}|(?=[A-Za-z]*[0-9])[A-Za-z0-9]{{4,8}})(?![A-Za-z0-9.]|"
    rf"[-/][0-9]|{_DIGIT})"
    r"(?! ?(?:元|块|次|个|分钟|秒|位|条|年|月|号[^码]|天|这个号|发来))",
    re.IGNORECASE,
)

_SIGN_IN_AFTER: Final = re.compile(
    r"(?<![0-9A-Za-z.-])([0-9]{4,8})[ ，,（(]{0,2}(?:是|就是|这是|为|这个是?)?(?:我|"
    r"你们?|刚刚?收?到?|收到)?的?(?:登[录陆]|短信|手机)?(?:验证码|校验码|动态码)"
)

_PICK_UP: Final = re.compile(
    r"(?:取件[码号]|取货[码号]|提货[码号]|自提[码号]|取餐[码号]|取物码|开柜码|开箱码|"
    r"核销码|领取码|凭码|货架[号码]?|快递柜密?码|[取提][件货]密码|取件"
    r"|(?:丰巢|蜂巢|快递柜|柜子)(?:的)?码?(?=[ :：]{1,2}[0-9]{6,8}(?![0-9])))"
    rf"{_LINK}([A-Za-z]?[0-9]{{1,6}}(?: ?[-—_] ?[A-Za-z]?[0-9]{{1,6}}){{1,4}}|"
    rf"[0-9]{{3,4}} [0-9]{{3,4}}|[A-Za-z][0-9]{{3}}(?![0-9])|[A-Za-z]{{0,2}}[0-9]{{4,10}}[A-Za-z]?|{_DIGIT}{{4,8}})"
    r"(?![A-Za-z0-9.]|[-/][0-9])(?! ?(?:元|块|次|个|分钟|点|年|月|号[^码]|天|这个号|发来))",
    re.IGNORECASE,
)

_PICK_UP_AFTER: Final = re.compile(
    r"(?<![0-9A-Za-z.-])([A-Za-z]?[0-9]{1,6}(?:-[A-Za-z]?[0-9]{1,6}){1,4}|[0-9]{4,8})[ ，,（(]{0,2}(?:是|就是|这是|"
    r"为|这个是)?(?:我|你们?)?的?(?:取件码|取货码|提货码|自提码|[来去]?取件)"
)

# Of companies and of persons who trade: 18 signs since 2015, 15 digits or an ID card's number before.
_TAX: Final = re.compile(
    r"(?:税号|纳税人(?:识别)?号|信用代码|信用编码|tax ?(?:id|no\.?|number))(?:[ :：=]|是|为|填|写|的){0,4}"
    r"([0-9A-Z](?:[ -]?[0-9A-Z]){14,19})(?![0-9A-Za-z])"
    r"|(?<![0-9A-Za-z])(9[1-3][0-9]{6}(?=[0-9]{0,9}[A-Z])[0-9A-HJ-NP-RT-UW-Y]{10})(?![0-9A-Za-z])",
    re.IGNORECASE,
)

_PASSWORD: Final = re.compile(
    r"(?:密码|口令|pin码?|password|passwd|pwd)(?:[:：=]|是|为|改成了?|设成了?|设的?|"
    r"就是){1,3}[ \"“'‘]{0,2}([A-Za-z0-9!@#$%^&*._-]{4,24})(?![A-Za-z0-9位])"
    r"|(?:密码|口令)[我已经]{0,3}(?:发|给|告诉|传|写)[给你您了过去在这那里下面吧]{0,5}[:：，, ]{1,2}"
    r"([A-Za-z0-9!@#$%^&*._-]{4,24})(?![A-Za-z0-9位])"
    r"|(?:密码|口令) ?([0-9]{4,8}(?![0-9A-Za-z位次个种元])|"
    r"(?=[A-Za-z!@#$%^&*._-]{0,20}[0-9])(?=[0-9!@#$%^&*._-]{0,20}[A-Za-z])"
    r"[A-Za-z0-9!@#$%^&*._-]{6,24})",
    re.IGNORECASE,
)

# A shelf of a parcel station, its board and the parcel: 7-1-3302, where somebody speaks of picking up.
_SHELF: Final = re.compile(
    r"(?<![0-9A-Za-z园苑馆际府庭湾厦寓区-])(?:[A-Za-z]?[0-9]{1,2}|[A-Za-z])-[0-9]{1,2}-(?!20[0-3][0-9])[0-9]{4}(?![0-9A-Za-z-])"
)

_PICKS_UP: Final = re.compile(r"取|驿站|柜|菜鸟|货架|兔喜|妈妈店|领")

# A door of a parcel locker: 丰巢3号柜12号格口, C05柜口, 柜子8号门.
_LOCKER_DOOR: Final = SignedPattern(
    re.compile(
        r"(?<![0-9A-Za-z.-])(?:(?:[A-Za-z]?[0-9]{1,2}|[A-Za-z])[号区]?[主副]?柜[机子体]?[ ，,的]?第?"
        r"[A-Za-z]?[0-9]{1,3}(?:-[0-9]{1,2})?号?(?:格口?|柜口|柜门|箱门|小?门|格子|箱格?|柜)?(?![0-9A-Za-z天小点元块个件台分])"
        r"|[A-Za-z]?[0-9]{1,3}(?:-[0-9]{1,2})?号?(?:格口|柜口|柜门|箱门|箱格|格子|小门)"
        r"|(?:(?<=[巢递能提鸟存件栈]柜)|(?<=丰巢))[ ，,的]?(?:[A-Za-z][区柜])?[A-Za-z]?-?"
        r"[0-9]{1,3}(?:-[0-9]{1,2})?(?:号(?:门|箱|格)?|格)(?![楼栋仓库线天柜到前后以之])"
        r"|(?<![A-Za-z])[A-Za-z]区[0-9]{1,2}号柜"
        r"|(?<=格口)(?:号[码是为]?)?[ ：:是]{0,2}[A-Za-z]?[0-9]{1,3}(?:-[0-9]{1,2})?(?![0-9A-Za-z]))"
    )
)

_LOCKER: Final = re.compile("丰巢|[递能提存件栈鸟]柜|[号区]柜|柜[机门口]|格口|驿站|取")

_SERVICE_NUMBERS: Final = frozenset(
    [
        "10086",
        "10010",
        "10000",
        "10001",
        "12306",
        "12315",
        "12345",
        "12123",
        "12320",
        "95588",
        "95555",
        "95533",
        "11183",
        "11185",
        "95338",
        "95311",
        "95546",
    ]
)

_ORDER_WORD: Final = re.compile(
    r"((?:单编?号码?|单 ?ID|流水号|交易号|凭证号|会员号|卡券号|(?:订单|运单|快递|"
    r"包裹|物流|退款|售后|工单|面单)(?:编?号码?|ID)?(?=[:：])|"
    r"(?:发票|物流|快递|运单|订单|工单|售后|退款|保单|客户|会员|用户)(?:编号|号码?)|(?:订单|运单|单号)(?=尾号)|"
    r"order[_ ]?(?:id|no|sn|number)\.?|"
    r"(?:tracking|waybill|invoice)[_ ]?(?:id|no|number)?\.?)(?:尾号|后几位|后[0-9四五六]位)?"
    r"(?:[是为:：=#\s]|这个|就是|发你|给你|填的?|如下|，|【|\[|“|\")*)"
    r"(?=(?:[A-Za-z -]{0,8}[0-9]){5})((?:[0-9] ){5,30}[0-9]|[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*(?: [0-9]{4,})*)",
    re.IGNORECASE,
)

_ORDER_WORD_LOOSE: Final = re.compile(
    r"(?:订单|运单|快递|包裹|单子|物流|发的|寄的|[后款货工面]单)[^0-9A-Za-z，。\n]{0,3}"
    r"([A-Za-z]{1,4}[0-9]{6,20}|[0-9]{8,20}|(?!20[0-9]{2}-[01]?[0-9]-[0-3]?[0-9](?![0-9]))"
    r"(?=(?:[A-Za-z-]{0,4}[0-9]){8})[A-Za-z0-9]+(?:-[A-Za-z0-9]+){1,4})(?![0-9A-Za-z.])"
)

# 3301-8825-0017 of which somebody says that it is an order.
_ORDER_BEFORE_WORD: Final = re.compile(
    r"(?<![0-9A-Za-z-])([0-9]{4}(?:-[0-9]{4,6}){1,3})(?= ?(?:[这那]个?(?:订单|单)|的?订单))"
)

_DATE: Final = re.compile(r"20[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])")

# Parcels by the letters of their carrier: SF…, YT…, JD…, and those of the postal union.
_PARCEL: Final = re.compile(
    r"(?<![A-Za-z0-9])(?:(?:SF|YT|ZTO|STO|YD|JT|JDV[A-Z]|JDK?|JDX|DPK|DBL|EMS|BEST|UC|TT|HT|FWX?|KYE?|LP|CN|"
    r"YZ|SFT)(?=[0-9 -])[ -]?((?:[0-9][ -]?){7,17}[0-9](?:-[0-9]{1,3}){0,3})|"
    r"([A-Z]{2}[0-9]{9}(?:CN|HK|US|JP)))(?![A-Za-z0-9])"
)


_SIGNS_IN: Final = SignedPattern(_SIGN_IN)

_SIGNS_IN_AFTER: Final = SignedPattern(_SIGN_IN_AFTER)

_PICKS_UP_BY: Final = SignedPattern(_PICK_UP)

_PICKS_UP_BY_AFTER: Final = SignedPattern(_PICK_UP_AFTER)

_PASSWORDS: Final = SignedPattern(_PASSWORD)

_ORDERS: Final = SignedPattern(_ORDER_WORD)

_LOOSE_ORDERS: Final = SignedPattern(_ORDER_WORD_LOOSE)


def find_plates(plain: str) -> Iterator[Span]:
    """License plates of the mainland."""
    for found in _PLATE.finditer(plain):
        # Plates that an owner chose may hold one digit only: then a word has to say so.
        fewest = 1 if _PLATE_BEFORE.search(plain[max(found.start() - 10, 0) : found.start()]) else 2
        if sum(map(str.isdecimal, found[0])) >= fewest:
            yield (*found.span(), PLATE)


def find_passports(plain: str) -> Iterator[Span]:
    """Passports and travel permits: by a word in front, or by the shape of a Chinese passport's number."""
    for found in _PASSPORT_WORD.finditer(plain):
        yield (*found.span(1), PASSPORT)
    for found in _PASSPORT.finditer(plain):
        if not _PRODUCT_BEFORE.search(plain[max(found.start() - 16, 0) : found.start()]):
            yield (*found.span(), PASSPORT)


def find_named_ids(plain: str) -> Iterator[Span]:
    """Numbers called an ID card's, whatever their check digit."""
    for found in _ID_WORD.finditer(plain):
        yield (*found.span(1), ID_CARD)


def find_tax_numbers(plain: str) -> Iterator[Span]:
    """Numbers of taxpayers: by a word in front, or by their shape."""
    for found in _TAX.finditer(plain):
        yield (*found.span(found.lastindex or 0), TAX)


def find_secrets(plain: str) -> Iterator[Span]:
    """Codes to sign in or to pick something up, and passwords that are named as such."""
    for pattern, kind in (
        (_SIGNS_IN, SIGN_IN_CODE),
        (_SIGNS_IN_AFTER, SIGN_IN_CODE),
        (_PICKS_UP_BY, PICK_UP_CODE),
        (_PICKS_UP_BY_AFTER, PICK_UP_CODE),
        (_PASSWORDS, PASSWORD),
    ):
        for found in pattern.finditer(plain):
            group = found.lastindex or 1
            if found[group] not in _SERVICE_NUMBERS:
                yield (*found.span(group), kind)


def find_shelves(plain: str) -> Iterator[Span]:
    """Numbers of a shelf in a text that speaks of picking something up there."""
    if _PICKS_UP.search(plain):
        for found in _SHELF.finditer(plain):
            yield (*found.span(), PICK_UP_CODE)


def find_locker_doors(plain: str) -> Iterator[Span]:
    """Doors of a parcel locker in a text that speaks of one."""
    if _LOCKER.search(plain):
        for found in _LOCKER_DOOR.finditer(plain):
            yield (*found.span(), PICK_UP_CODE)


def find_parcels(plain: str) -> Iterator[Span]:
    """Tracking numbers by their carrier's letters, which stay: SF[订单号]."""
    for found in _PARCEL.finditer(plain):
        yield (*found.span(1 if found[1] else 2), ORDER)


def find_orders(plain: str) -> Iterator[Span]:
    """Letters and digits behind 订单号, 运单号, order_id and their like."""
    for found in _ORDERS.finditer(plain):
        yield (*found.span(2), ORDER)
    for found in _ORDER_BEFORE_WORD.finditer(plain):
        yield (*found.span(1), ORDER)
    for found in _LOOSE_ORDERS.finditer(plain):
        if not _DATE.fullmatch(found[1]):
            yield (*found.span(1), ORDER)
