"""Postal addresses by their grammar: 省 市 区 镇 路 号 栋 单元 室, each unit behind its name or number.

Units in a row make a chain. A chain is an address when it leads to a door (a road or an estate with a number, or a
building with a unit or room), when it names three levels of places, or when a word such as 地址 announces it and it
leads anywhere. A province, a city or a district alone is none: a question about postage needs them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Literal

from tasks.domain.pattern_signs import SignedPattern
from tasks.domain.sign_table import UNSEEN
from tasks.preparing.masks.plain import Span
from tasks.preparing.masks.signs import SIGNS
from tasks.preparing.masks.tables import CITIES, NO_PLACES, PROVINCES

ADDRESS: Final = "[地址]"

_Level = Literal["place", "area", "road", "site", "number", "building"]

# Cheap tests before all others: two signs of an address close to each other, the coarser one first, or a word for one.
_BEGINS: Final = "省市区县旗镇乡村路街道巷弄号楼栋幢座苑园城庄里厦寓胡馆际府庭湾屯寨"

_GOES_ON: Final = "路街道巷弄号楼栋幢座室层元组村屯户院厦寓城园苑区团段庄里期"

_NEAR: Final = re.compile(
    rf"[{_BEGINS}](?:[^{_BEGINS}{_GOES_ON}。！!？?；;，]{{0,16}}[{_BEGINS}{_GOES_ON}]|[0-9]{{1,3}}[-#]"
    r"|[^。！!？?；;，]{0,6}[旁隔对后边头家交])"
)

_NEAR_ENOUGH: Final = re.compile(
    rf"[{_BEGINS}](?:[^。！!？?；;，]{{0,16}}?[{_GOES_ON}]|[0-9]{{1,3}}[-#]"
    r"|[^。！!？?；;，]{0,6}(?:对面|旁|隔壁|后面|[北南]边|[北南]头|家)|的?交)"
)

_ADDRESS_SIGN: Final = re.compile(
    r"[址在站到往住座栋幢楼舍斋柜口亭卫元巢-](?:(?<=[地住]址)|(?<=[住家]在)|(?<=驿站)|(?<=柜)|(?<=格口)|(?<=[安岗]亭)"
    r"|(?<=门卫)|(?<=单元)(?=[0-9一二三四五六七八九])"
    r"|(?<=丰巢)(?=[ A-Za-z0-9])|(?<=[寄送发][到往])|(?<=[我家]住)(?=[0-9])"
    r"|(?<=[A-Fa-f]座)(?=[0-9])|(?<=[栋幢楼舍斋])(?=[0-9]{3})|(?<=-)(?=[0-9]{1,3}-[0-9]))"
)

_SEEN_NEAR: Final = SIGNS.add(_NEAR)

_SEEN_SIGN: Final = SIGNS.add(_ADDRESS_SIGN)

SEEN: Final = _SEEN_NEAR | _SEEN_SIGN  # what `is_suspect` needs

_NUMERAL: Final = r"[0-9一二三四五六七八九十百〇零]"

_FIRST: Final = "".join(sorted({name[0] for name in (*PROVINCES, *CITIES)}))

_SECOND: Final = "".join(sorted({name[1] for name in (*PROVINCES, *CITIES)}))

# No match begins elsewhere; a look at one character is cheaper than at four hundred names.
_PLACE: Final = re.compile(
    rf"(?=[{_FIRST}0-9A-Za-z甲乙丙附新老东西南北一二三四五六七八九十百〇零栋幢座自地开工高街省市区县盟"
    rf"旗镇乡苏大胡公国中环路道巷里弄村屯庄寨社小花家广名雅嘉苑别山宿产科软物园华府御城湾庭郡学医写商楼综教办实住门"
    rf"段])"
    rf"(?:(?P<place>(?=[{_FIRST}][{_SECOND}])(?:(?:{'|'.join(sorted(PROVINCES, key=len, reverse=True))})(?:省|"
    rf"市|(?:壮族|回族|维吾尔)?自治区|特别行政区)?"
    rf"|(?:{'|'.join(sorted(CITIES, key=len, reverse=True))})市?))"
    r"|(?P<number>(?:甲|乙|丙|附|新|老|东|西|南|北)?[0-9一二三四五六七八九十百〇零]{1,5}(?:[-—之/][0-9"
    r"]{1,4}){0,2}号(?:院|楼|"
    r"大院|宿舍楼?)?(?:[附付之][0-9一二三四五六七八九十]{1,4}号?)?"
    r"|[0-9]{1,5}支?弄|[0-9]{1,4}巷)"
    r"|(?P<building>(?:[A-Za-z]|[东南西北甲乙丙])?[0-9一二三四五六七八九十]{0,4}[A-Za-z]?(?:栋|幢|座)|[A-Za-z]塔"
    rf"|{_NUMERAL}{{1,3}}单元[一二三四五六七八九零〇幺]{{3,4}}室?(?![一二三四五六七八九十零〇百千元块])"
    rf"|{_NUMERAL}{{1,3}}(?:号楼|单元|组团|期|舍|斋)|[0-9]{{1,4}} (?:号楼|栋|幢|座|单元)"
    rf"|[甲乙丙丁]单元|[A-Za-z]?[0-9]{{1,4}}[A-Za-z]?(?:-[0-9A-Za-z]{{1,4}}){{0,2}}(?:室|房|"
    rf"户)|{_NUMERAL}{{1,3}}(?:楼|层)(?:[东南西北]户?)?|{_NUMERAL}{{1,3}}(?:组|社|队)"
    r"|[东南西北](?:户|门)|[0-9]{1,2}门|(?<=[\u4e00-\u9fff])[0-9]{1,5}(?:-[0-9A-Za-z]{1,4}){1,3}(?![0-9])"
    r"|[0-9]{1,3}#-?[0-9]{1,4}(?:-[0-9]{1,4})?(?![0-9]))"
    r"|(?P<area>自治州|自治县|地区|新区|开发区|工业区|高新区|街道办事处|街道办|"
    r"街道|省|市(?!场|面上)|区(?!别|分|域)|县|盟|旗|镇|乡|苏木)"
    r"|(?P<road>大街|大道|胡同|公路|国道|省道|东路|西路|南路|北路|中路|环路|街|"
    r"路(?!由|过|上)|道(?!歉|理|具)|巷|里弄|弄|村委会|村|屯|庄|寨|社区|小区|新村|"
    r"花园|"
    r"家园|公寓(?!楼)|大厦|广场|"
    r"名苑|雅苑|嘉苑|苑|别墅|公馆|山庄|家属院|大院|宿舍(?!楼)|园区|园|华府|名府|府|城(?!市)|"
    r"湾|庭|郡|里(?!面|边|头)|段(?!时|子))"
    r"|(?P<site>工业园|产业园|科技园|软件园|物流园|一品|国际|御景|学院|大学|中学|"
    r"小学|医院|写字楼|(?:综合|教学|办公|宿舍|实验|公寓|住宅|门诊)楼|商场|市场|中心|大楼))",
)

# No part of a name holds one of these: what is before them belongs to the sentence.
_STOP: Final = re.compile(
    r"应该|快递|(?<!解)放|(?<!居)住(?!宅)|[我你您他她它的了吗呢吧啊呀哦是在到寄送发请把给叫哪这那就去从往往帮要想能可以不没有和跟与及"
    r"或被让回改为写填错换址，。！？!?；;：:、\n\t|\[\]【】《》<>\"“”'’=]"
)

_GAP_STOP: Final = re.compile(
    r"[我你您他她它的了吗呢吧啊呀哦址是寄送把给哪那要不没错，。！？!?；;：:、|\[\]【】《》<>\"“”'’=]|请|麻烦|到货|发货"
)

_NO_GAP: Final = re.compile(r"[^\w() （）·#-]")

_ANNOUNCED: Final = re.compile(
    r"(?:地址|住址|收货地|寄[到往给]|送[到往]|发[到往]|邮寄到?|快递到|住在?|家在|"
    r"位于|改[到成为]|换[到成]|送货到|搬到|人在|去)"
    r"(?:信息|更?改?成|[变换填写]?[成为]|是|就是|在|到|一下|[:：=\s，]|新的?|改为|填|写|【|\[)*$"
)

_LABELED: Final = re.compile(
    r"(?:地址|住址|address)(?:信息|是|为|改成|改为|换成|[变换填写][成为]|"
    r"[:：=])[ :：]*([^，。；;！!？?\n\[\]]{4,60}(?:，[^，。；;！!？?\n\[\]]{0,40}[号室栋幢楼][^，。；"
    r";！!？?\n\[\]]{0,12})?)",
    re.IGNORECASE,
)

_DIGIT: Final = re.compile("[0-9]")

_PARTLY: Final = re.compile(r"[省市区县镇乡村路街道巷弄号栋幢座室楼苑园城里庄厦寓院店柜站]")

_TAIL: Final = re.compile(
    r"(?:的?(?:交叉|交汇|交界|交|十字)路?口?处?)?(?:[往向]?[东西南北]{1,2}[侧角边面头](?:[0-9]{1,4}米)?)?"
    r"(?:(?<=村)[\u4e00-\u9fff]{1,4}[组队塆垸坳冲湾台])?"
    r"(?:[ ]?[-—#]?(?:[0-9]{1,3}[FfL](?![A-Za-z])|[0-9]{1,2}[A-Z][0-9]{1,3}|[A-Za-z]?[0-9]{1,4}|"
    r"之[一二三四五六七八九十])"
    r"(?:[-—][0-9A-Za-z]{1,4}){0,3}(?![0-9])(?:室|号|户|房|层|楼)?)?(?:[ ]?[(（][^()（）\n]{1,16}[)）])?"
    r"(?:[ ，,]{0,2}(?:邮编)?[:：]? ?[0-9]{6}(?![0-9])|的?(?:菜鸟|妈妈|兔喜)驿站)?"
)

_STRONG_TAIL: Final = re.compile(
    r"(?:[ ]?[(（][^()（）\n]{1,16}[)）])?(?:[ ，,]{0,2}(?:邮编)?[:：]? ?[0-9]{6}(?![0-9]))?"
)

_NO_ESTATE: Final = re.compile(
    r"[^\u4e00-\u9fff]|师傅|麻烦|上门|送货|安装|说|电话|收货|门牌|现在|楼下|小区$|公司$|学校$|这边|那边|一共|里面|[还都就][是在有]|来自|买的"
)

_UNIT_DATE: Final = re.compile(r"[月年-]$")

_LONGEST_NAME: Final = 10

_NAME_AT_END: Final = re.compile(r"[\u4e00-\u9fffA-Za-z0-9·]*$")

_LONGEST_GAP: Final = 16

_NO_PLACES: Final = tuple(NO_PLACES)

# An estate's number is a door; a road's building is one only with more.
_ESTATE: Final = re.compile(
    r"(?:小区|新村|花园|家园|公寓|公馆|名苑|雅苑|嘉苑|苑|别墅|山庄|大院|华府|名府|府|庭|郡|湾|国际|大厦|广场|御景|一品)$"
)

_CROSSING: Final = SignedPattern(
    re.compile(
        r"([\u4e00-\u9fff]{1,5})[路街道巷][和与跟、及]?[\u4e00-\u9fff]{1,5}[路街道巷](?:的?(?:交叉|交汇|交界|交)路?[口处]?|十字(?:路口)?|路口|转角)"
        r"(?:[往向]?[东西南北侧角边面头]{1,3}[^，。；;！!？?\s\[\]]{0,12})?"
    )
)

_VILLAGE: Final = SignedPattern(
    re.compile(
        r"[\u4e00-\u9fff]{2,5}[村庄屯寨](?:村委会|小学|中学|超市|卫生[室院]|幼儿园|祠堂|广场)?的?"
        r"(?:[往向]?[东西南北](?:头|边|面|侧|数|口|第)?[一二三四五六七八九十0-9]{0,3}[家户]?|对面|旁边?|隔壁|后面|路口|[东西南北]门|"
        r"第?[一二三四五六七八九十0-9]{1,3}[家户])(?![向北京海])"
    )
)

# A door without a street: 我住3-1-602, B座1608, 翠湖苑7栋1602.
_DOOR: Final = SignedPattern(
    re.compile(
        r"[0-9]{1,2}单元[0-9]{3,4}室?(?![0-9元块])"
        r"|[0-9一二三四五六七八九十]{1,2}单元[一二三四五六七八九零〇幺]{3,4}室?(?![一二三四五六七八九十零〇百千元块])|(?<=[我家]住)在?[0-9]{1,3}(?:-[0-9]{1,4}){1,3}(?![0-9-])|[A-Fa-f]座[0-9]{3,5}(?![0-9])"
        r"|[\u4e00-\u9fff]{2,10}(?:医院|住院部|病区|[内外儿骨妇]科)[^，。；;！!？?\s\[\]]{0,8}[0-9]{1,3}床"
        r"|[\u4e00-\u9fff]{2,8}[0-9]{1,3}(?:栋|幢|号楼|舍|斋)[0-9]{3,4}室?(?![0-9元块万个件.])"
    )
)

# A locker or a counter of one place: 丰巢1号柜, 菜鸟驿站（翠苑店）.
_LOCKER: Final = SignedPattern(
    re.compile(
        r"[\u4e00-\u9fff]{0,8}(?:丰巢|速递易|快递|智能|自提|菜鸟)柜?[0-9A-Za-z一二三四五六七八九十]{1,3}号?(?:柜机?|格口?)"
        r"|(?:菜鸟|妈妈|兔喜|邮政|快递)(?:驿站|超市|生活)[(（·-][\u4e00-\u9fffA-Za-z0-9]{2,14}[)）店]"
    )
)

# A gate, a station or a locker of one estate: 水木清华苑北门菜鸟驿站.
_STATIONS: Final = r"(?:(?:菜鸟|妈妈|兔喜|快递)?驿站|丰巢柜?|快递柜|代收点|传达室|门卫室?|保安[亭室]|岗亭|物业)"

_STATION: Final = SignedPattern(
    re.compile(
        r"[\u4e00-\u9fff]{2,8}(?:小区|花园|家园|新村|公寓|山庄|广场|大厦|小镇|新城|公馆|半岛|世家|[苑园城府庭湾郡村轩阁居邸墅])"
        r"(?:[东西南北]{1,2}[0-9]?门|[东西南北0-9]号?门|[0-9一二三四五六七八九十]{1,2}[期区号楼]{1,2})?(?:口|门口|旁边?|对面|里面?|内)?的?"
        rf"{_STATIONS}|[\u4e00-\u9fff]{{1,6}}(?!小区|学校|公司|医院|单位|大楼|宿舍|咱们|们这)[\u4e00-\u9fff]{{2}}[东西南北]门口?(?:旁边?)?的?{_STATIONS}"
    )
)

# A door in Japan: 新宿区西新宿2-8-1.
_BLOCKS: Final = SignedPattern(
    re.compile(
        r"[\u4e00-\u9fff]{2,8}[市区町村][\u4e00-\u9fff]{1,6}(?:[0-9]丁目)?[0-9]{1,3}-[0-9]{1,3}(?:-[0-9]{1,4})?(?![0-9-])"
    )
)

# 221B Baker Street, London NW1 6XE: a number, a name and a word for a street, and what goes on in capitals.
_STREET: Final = re.compile(
    r"(?<![A-Za-z0-9.])[0-9]{1,5}[A-Za-z]? (?:[NSEW]\.? )?(?:[A-Z][A-Za-z'’]{1,15} ){1,3}"
    r"(?:Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Dr|Boulevard|Blvd|Way|Court|Ct|Place|Pl|Parkway|Pkwy|Terrace|Square|Sq|Crescent|Close|Circle|Highway|Hwy)(?![A-Za-z])\.?"
    r"(?:(?:, ?| )(?:#?[0-9]{1,6}[A-Z]?(?![0-9a-z])|[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][A-Z]{2}|[A-Z][A-Za-z]{1,15}))*"
)

# 25 Rue de Rivoli, 75001 Paris; Hauptstraße 5, 10115 Berlin.
_STREET_ABROAD: Final = re.compile(
    r"(?<![A-Za-z0-9.])(?:[0-9]{1,4},? (?:[Rr]ue|[Vv]ia|[Cc]alle|[Aa]venue|[Aa]venida|[Pp]lace|[Bb]oulevard"
    r"|[Jj]alan|[Jj]ln|[Ll]orong|[Ss]oi|[Rr]ua|[Pp]iazza)"
    r"(?: [A-Za-zÀ-ÿ'’-]{1,20}){1,4}"
    r"|[A-ZÀ-Ý][a-zß-ÿ]{2,20}(?:[Ss]tra(?:ß|ss)e|[Ss]tr\.|weg|platz|allee|gasse|straat|laan)"
    r" ?[0-9]{1,4}[a-z]?(?![0-9a-z]))"
    r"(?:, ?(?:[A-Z]{1,2}-)?[0-9]{4,6}(?: [A-ZÀ-Ý][A-Za-zÀ-ÿ-]{1,20}){0,2})?"
)

# Of a Latin text: what no address has, and the words and endings of one, in English and in pinyin.
_LATIN_RUN: Final = re.compile(r"[A-Za-z0-9#,.'’/& -]{12,200}")

_NO_ADDRESS: Final = re.compile(
    r"(?:^|[ ,.])(?:my|is|are|to|at|please|pls|ship|send|deliver|address|addr|live|for|and|the|this|that|your?|i|"
    r"we|it|of|with|not|name|phone|tel|call|order|size|color|new|from|want|need|can|change)(?=[ ,.:]|$)",
    re.IGNORECASE,
)

_ADDRESS_WORD: Final = re.compile(
    r"(?<![A-Za-z])(?:room|rm|flat|apt|unit|suite|floor|building|bldg|block|tower|road|rd|street|st|avenue|ave|lane|ln|"
    r"boulevard|blvd|district|plaza|mansion|garden|village|province|city|county|town|no|hao|lou|shi|sheng|xian|qu|lu|"
    r"jie|dao|xiang|nong|zhen|cun|dong|danyuan|[0-9]{1,3} ?/?[fF]|"
    r"[a-z]{3,12}(?:lu|jie|dadao|xiaoqu|huayuan|guangchang|dasha|jiayuan))"
    r"(?![A-Za-z])",
    re.IGNORECASE,
)


@dataclass(slots=True)
class _Chain:
    """Units in a row, from where the first one's name begins to where the last one ends."""

    start: int
    end: int
    levels: list[str] = field(default_factory=list)
    numbers: set[str] = field(default_factory=set)
    estates: int = 0

    def count(self, level: _Level) -> int:
        return self.levels.count(level)


_PLACES: Final = tuple(
    (SIGNS.add(pattern), pattern) for pattern in (_CROSSING, _VILLAGE, _DOOR, _STATION, _LOCKER, _BLOCKS)
)


def is_suspect(plain: str, seen: int = UNSEEN) -> bool:
    """Return true if an address may stand in the text."""
    if seen & _SEEN_SIGN and _ADDRESS_SIGN.search(plain):
        return True
    return bool(seen & _SEEN_NEAR) and _NEAR.search(plain) is not None and _NEAR_ENOUGH.search(plain) is not None


def find_addresses(plain: str, seen: int = UNSEEN) -> Iterator[Span]:
    """Addresses, as long as they go on."""
    taken = 0
    for chain in _chains(plain):
        before = plain[max(chain.start - 14, 0) : chain.start]
        if chain.start >= taken and _is_address(chain, announced=_ANNOUNCED.search(before) is not None):
            last = plain[chain.end - 1]
            tail = (_STRONG_TAIL if last in "室户房" else _TAIL).match(plain, chain.end)
            taken = tail.end() if tail else chain.end
            yield (_estate_start(plain, chain) if chain.levels[0] == "building" else chain.start), taken, ADDRESS
    for bit, pattern in _PLACES:
        for found in pattern.finditer(plain) if seen & bit else ():
            stops = [stop.end() for stop in _STOP.finditer(plain, *found.span(found.re.groups and 1))]
            begin = max((stop for stop in stops if stop < found.start() + 5), default=found.start())
            yield begin, found.end(), ADDRESS
    for found in _LABELED.finditer(plain) if _DIGIT.search(plain) else ():
        value = found[1]
        if found.start(1) >= taken and _DIGIT.search(value) and _PARTLY.search(value):
            yield (*found.span(1), ADDRESS)


def find_latin_addresses(plain: str) -> Iterator[Span]:
    """Addresses in English or pinyin: two words of one kind or another and a number between words of the sentence."""
    for pattern in (_STREET, _STREET_ABROAD):
        for street in pattern.finditer(plain):
            yield (*street.span(), ADDRESS)
    for run in _LATIN_RUN.finditer(plain):
        start = run.start()
        for stop in [*_NO_ADDRESS.finditer(plain, *run.span()), None]:
            end = stop.start() if stop else run.end()
            part = plain[start:end]
            words = list(_ADDRESS_WORD.finditer(part))
            if len({word[0].lower() for word in words}) >= 2 and re.search("[0-9]", part):
                yield start + len(part) - len(part.lstrip(" ,.")), start + len(part.rstrip(" ,.-")), ADDRESS
            start = stop.end() if stop else end


def _chains(plain: str) -> Iterator[_Chain]:
    chain: _Chain | None = None
    for found in _PLACE.finditer(plain):
        level = found.lastgroup or ""
        start, end = found.span()
        if level == "number" and _UNIT_DATE.search(plain[max(start - 1, 0) : start]):
            continue
        if chain is not None:
            gap = plain[chain.end : start]
            if len(gap) <= _LONGEST_GAP and _joins(gap, chain, level):
                if not (
                    level in ("area", "road")
                    and not gap.strip(" ,，-")
                    and found[0] in ("道", "里", "段", "城", "府", "园", "湾", "庭")
                ):
                    chain.end = end
                    chain.levels.append(level)
                    chain.estates += _ESTATE.search(found[0]) is not None
                    if level in ("number", "building"):
                        chain.numbers.add(found[0][-1])
                continue
            yield chain
            chain = None
        if level in ("place", "number", "building"):
            chain = _Chain(start, end, [level], {found[0][-1]} if level != "place" else set())
        else:
            begin = _name_start(plain, start)
            name = plain[begin:end]
            numbered = plain[end : end + 1].isdecimal()  # 锦绣花园3期, where 花园 alone is what anybody says
            if begin < start and name not in NO_PLACES and (numbered or not name.endswith(_NO_PLACES)):
                chain = _Chain(begin, end, [level], estates=int(_ESTATE.search(found[0]) is not None))
    if chain is not None:
        yield chain


def _estate_start(plain: str, chain: _Chain) -> int:
    """The index at which the name of the estate begins that a building stands behind: 锦绣山河3期."""
    begin = _name_start(plain, chain.start)
    name = plain[begin : chain.start]
    return begin if 2 <= len(name) <= _LONGEST_NAME and not _NO_ESTATE.search(name) else chain.start


def _joins(gap: str, chain: _Chain, level: str) -> bool:
    """Return true if what stands between two units may be the name of the second."""
    between = " ,，、-/|\t\n" if chain.levels[-1] in ("place", "area") else " ,-\n"
    gap = gap.lstrip(between)
    return _GAP_STOP.search(gap) is None and not _NO_GAP.search(gap) and len(gap) <= _LONGEST_NAME + 4


def _name_start(plain: str, end: int) -> int:
    """The index at which a unit's name begins: the longest stretch before it without a word of the sentence."""
    begin = max(end - _LONGEST_NAME, 0)
    for stop in _STOP.finditer(plain, begin, end):
        begin = stop.end()
    found = _NAME_AT_END.search(plain[begin:end])
    return end - len(found[0]) if found else end


def _is_address(chain: _Chain, *, announced: bool) -> bool:
    places = chain.count("place") + chain.count("area")
    roads, sites = chain.count("road"), chain.count("site")
    numbers, buildings = chain.count("number"), chain.count("building")
    doors = numbers + buildings
    if doors:
        roads += sites
    if chain.estates and buildings:
        return True
    if roads and doors and (numbers or places or len(chain.numbers) > 1 or roads > 1 or announced):
        return True
    if len(chain.numbers) > 1 and doors > 1 and buildings:
        return True
    if places >= 2 and (roads or doors):
        return True
    if announced:
        return places + roads + doors >= 2 and (roads + doors >= 1)
    return False
