"""E-mail addresses, WeChat and QQ names, and network addresses."""

import re
from collections.abc import Iterator
from ipaddress import AddressValueError, IPv6Address
from typing import Final

from tasks.domain.pattern_signs import SignedPattern
from tasks.preparing.masks.plain import SPOKEN_DIGITS, Span
from tasks.preparing.masks.tables import NO_WECHAT_NAMES

EMAIL: Final = "[邮箱]"

WECHAT: Final = "[微信号]"

QQ: Final = "[QQ号]"

IP: Final = "[IP地址]"

_LOCAL: Final = r"(?<![A-Za-z0-9._+-])[A-Za-z0-9._+-]+"

_ADDRESS: Final = re.compile(
    rf"{_LOCAL} ?(?:@{{1,2}}|%40) ?(?:[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{{2,}}"
    r"|[\u4e00-\u9fff]{2,12}\.(?:com|cn|net|org|中国|公司))"
)

_PROVIDERS: Final = (
    "qq|163|126|139|189|188|gmail|hotmail|outlook|live|yahoo|icloud|foxmail|sina|"
    "sohu|aliyun|yeah|tom|wo|21cn|msn|me|proton(?:mail)?"
)

_TLDS: Final = "com|cn|net|org|edu|gov|info|cc|io|me|hk|tw|jp|uk|vip|top|xyz|com ?(?:点|dot|\\.) ?cn"

_AT: Final = (
    r"(?:[ (（\[【<{*]{0,3}(?:@|%40|(?<=[(\[【<{])a(?=[)\]】>}])|"
    r"艾特符?号?|爱特|艾她|艾它|[圈花]\(?[aA]\)?|小老鼠|@符号?|at符号?|(?<![A-Za-z])at(?![A-Za-z0-9])|"
    r"(?<=[ 0-9._(（\[【])at(?=[ (）)\]】0-9])|(?<=[0-9])at(?=[a-z]))[ )）\]】>}*]{0,3})"
)

_DOT: Final = r"(?:[ (（\[【<]{0,2}(?:\.|。|点儿?|[dD][oO][tT](?![A-Za-z])|[dD][oO][tT](?=com|cn|net))[ )）\]】>]{0,2})"

# `zhang艾特qq点com`, `zhang at 163 dot com`, `a (at) b [dot] cn`, `zhang @ qq。com`.
_DISGUISED: Final = re.compile(
    rf"(?<![A-Za-z0-9._+-])[A-Za-z0-9._+-]{{1,64}}(?:{_DOT}[A-Za-z0-9_+-]{{1,30}})?{_AT}"
    rf"(?:(?:vip{_DOT})?(?:{_PROVIDERS}){_DOT}|"
    rf"[A-Za-z0-9-]{{2,30}}(?:{_DOT}[A-Za-z0-9-]{{1,30}})?{_DOT})(?:{_TLDS})(?![A-Za-z0-9])",
    re.IGNORECASE,
)

_AT_ALONE: Final = re.compile(r"(?<![A-Za-z])at(?![A-Za-z])", re.IGNORECASE)

_AT_IN_BRACKETS: Final = re.compile(r"[(\[<{【]at[)\]>}】]", re.IGNORECASE)

_DOT_WORD: Final = re.compile(rf"点|dot|。|(?:{_PROVIDERS})\W", re.IGNORECASE)

_EMAIL_WORD: Final = re.compile(
    rf"(?:邮箱|邮件|e-?mail)(?:地址|账号)?(?:是|为|:|：|=|"
    rf"\s)*([A-Za-z0-9._+-]{{2,40}} ?[#*$&＃圈@ ] ?(?:{_PROVIDERS}){_DOT}(?:{_TLDS}))(?![A-Za-z0-9])",
    re.IGNORECASE,
)

_KNOWN_PROVIDER: Final = re.compile(
    r"(?<![A-Za-z0-9._+-])[A-Za-z0-9._+-]{2,40}"
    r"(?:@ ?(?:qq|163|126|gmail|hotmail|outlook|foxmail|sina|sohu|icloud|139|189|yeah|aliyun)"
    r"[,，、 ·。-]{1,2}(?:com|cn|net)(?![A-Za-z])"
    r"|@ ?(?:qq|163|126|139|189|gmail|hotmail|outlook|foxmail|sina|sohu)(?![A-Za-z0-9.])"
    r"|[#*$&] ?(?:qq|163|126|gmail|hotmail|outlook|foxmail|sina|sohu|icloud)"
    rf"{_DOT}(?:com|cn|net)(?![A-Za-z0-9]))",
    re.IGNORECASE,
)

_WECHAT_WORD: Final = (
    r"(?:微[ .·]信|[wW]ei信|徽❤|[wW][✘×]|微信|微❤|威信|薇信|维信|徽信|卫星号|[vV薇威维][信❤]|(?<![A-Za-z])(?:wechat|"
    r"weixin|wei ?xin|v ?x|w ?x)(?![A-Za-z])|(?<![A-Za-z])[vVwW][xX](?=[A-Za-z]{1,12}[_0-9])|微[xX]|[加+＋➕]微(?!信)|"
    r"(?:加|➕|\+|我的?|＋)(?:[vVwW](?![A-Za-z])|[vVwW][xX]|[vV](?=[A-Za-z]{1,10}[_0-9]))|"
    r"卫星(?=[ :：]?[A-Za-z]{1,12}[_0-9])|(?<![A-Za-z0-9])[vV](?=[:：])|"
    r"绿泡泡|绿色?软件|[我他她]的?微(?=[ :：]?[A-Za-z])|[薇威微](?=[:：])|加[薇威](?!信))"
)

_LINK: Final = (
    r"(?:账号|帐号|同号|号码?|名| ?id| ?ID)?(?: is )?(?:[ :：=\-—>，,（(【\[\"“'‘]|是|为|叫|"
    r"加|搜索?|就|同|我的?|这个|一下|个|吧|呀|哈|填|写|联系|聊|号|➕|\+){0,8}"
)

# A name with a quote and a colon behind it is the next key of a model's JSON: {"way": "微信", "politeness": 4}.
_WECHAT_NAME: Final = r"([A-Za-z][A-Za-z0-9_-]{4,19})(?![A-Za-z0-9_@-]|\.[A-Za-z]|\" ?:)"

_WECHAT: Final = SignedPattern(re.compile(rf"{_WECHAT_WORD}{_LINK}{_WECHAT_NAME}", re.IGNORECASE))

_WECHAT_NUMBER: Final = SignedPattern(
    re.compile(
        rf"{_WECHAT_WORD}{_LINK}([1-9][0-9]{{5,10}})(?![0-9A-Za-z]|\.[0-9])(?! ?(?:元|块|分|次|人|步))", re.IGNORECASE
    )
)

_WECHAT_AFTER: Final = SignedPattern(
    re.compile(
        r"(?<![A-Za-z0-9_@.-])([A-Za-z][A-Za-z0-9_-]{4,19})[ ，,（(]{0,2}(?:是|就是|"
        r"这是|这个是|为|加一?下?)?(?:这个)?(?:我|他|她|老公|老婆|妈妈)?的?"
        r"(?:微信|vx|wx|[vV]信|[vV](?![A-Za-z0-9])|威信|薇信)(?!支付|小程序|群|公众|扫)",
        re.IGNORECASE,
    )
)

_WECHAT_ID: Final = SignedPattern(
    re.compile(r"(?<![A-Za-z0-9_@.-])(wx_[A-Za-z0-9_-]{3,20})(?![A-Za-z0-9_@-])", re.IGNORECASE)
)

# What the first and the third of these, and what the second one needs; the words before are slower to look for.
_NAME_SIGN: Final = re.compile("[A-Za-z][A-Za-z0-9_-]{4}", re.IGNORECASE)

_NUMBER_SIGN: Final = re.compile("[1-9][0-9]{5}")

_MODEL: Final = re.compile(r"(?:iphone|ipad|ios|mate|vivo|oppo|redmi|honor|huawei|xiaomi|samsung)", re.IGNORECASE)

_QQ_DIGIT: Final = rf"[0-9{SPOKEN_DIGITS}]"

_QQ: Final = re.compile(
    r"(?:(?<![A-Za-z])Q ?Q|扣扣|球球|口口(?=[号:：])|企鹅号?|"
    r"(?<![A-Za-z])q(?=号|[:：]|群| ?[1-9][0-9]{5,9}(?![0-9元块]))|(?:加|"
    r"➕|\+|我的?)[qQ](?![A-Za-z])) ?(?:邮箱|群|账号|帐号)?"
    rf"{_LINK}((?:[1-9]|{_QQ_DIGIT}{{2}}(?=[^0-9]))(?:[ -]?{_QQ_DIGIT}){{4,10}})(?![0-9A-Za-z]|"
    rf"\.[0-9])(?! ?(?:元|块|个|次|分))",
    re.IGNORECASE,
)

_QQ_AFTER: Final = re.compile(
    r"(?<![0-9A-Za-z.-])([1-9][0-9]{4,10})[ ，,（(]{0,2}(?:是|就是|这是|这个是|"
    r"为)?(?:我|他|她)?的?(?:QQ|扣扣)(?!音乐|币|群里|空间|飞车)",
    re.IGNORECASE,
)

_IPV4: Final = re.compile(
    r"(?:(?<![0-9A-Za-z.])|(?<=[iI][pP]))(?:(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])\.){3}(?:25[0-5]|2[0-4][0-9]|"
    r"1[0-9]{2}|[1-9]?[0-9])"
    r"(?![0-9]|\.[0-9])"
)

_VERSION_BEFORE: Final = re.compile(
    r"(?:版本|固件|系统|驱动|内核|升级到?|更新到?|version|ver\.?|firmware|build|"
    r"windows|android|ios|安卓|鸿蒙|app|[vV])(?:号|是|为|"
    r":|：|\s|到|至)*$",
    re.IGNORECASE,
)

_IP_BEFORE: Final = re.compile(
    r"(?:ip|地址|登[录陆]|服务器|网关|dns|路由器?|主机|ping|访问|端口)[^0-9，。；\n]{0,8}$", re.IGNORECASE
)

_IPV6: Final = re.compile(
    r"(?<![0-9A-Za-z:.])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?:(?<=:)[0-9]{1,3}(?:\.[0-9]{1,3}){"
    r"3})?(?![0-9A-Za-z:])"
)


def find_emails(plain: str) -> Iterator[Span]:
    """Addresses in the usual spelling."""
    if "@" in plain or "%40" in plain:
        for found in _ADDRESS.finditer(plain):
            yield (*found.span(), EMAIL)


def find_disguised_emails(plain: str) -> Iterator[Span]:
    """Addresses whose @ or dot is a word, a bracketed word or another sign, or which end with the provider's name."""
    for found in _KNOWN_PROVIDER.finditer(plain):
        yield (*found.span(), EMAIL)
    for found in _DISGUISED.finditer(plain):
        # `look at shop.com` is English; `me at shop dot com` and `me at qq.com` are addresses.
        if _AT_ALONE.search(found[0]) and not (_DOT_WORD.search(found[0]) or _AT_IN_BRACKETS.search(found[0])):
            continue
        yield (*found.span(), EMAIL)
    for found in _EMAIL_WORD.finditer(plain):
        yield (*found.span(1), EMAIL)


def find_wechat_names(plain: str) -> Iterator[Span]:
    """Names and numbers that a word such as 微信, vx or 加v makes a WeChat account."""
    patterns: list[SignedPattern] = []
    if _NAME_SIGN.search(plain):
        patterns += (_WECHAT, _WECHAT_AFTER)
    if _NUMBER_SIGN.search(plain):
        patterns.append(_WECHAT_NUMBER)
    for pattern in (*patterns, _WECHAT_ID):
        for found in pattern.finditer(plain):
            name = found[1].lower()
            if name not in NO_WECHAT_NAMES and not _MODEL.match(name) and not re.fullmatch(r"1[3-9][0-9]{9}", name):
                yield (*found.span(1), WECHAT)


def find_qq_numbers(plain: str) -> Iterator[Span]:
    """Numbers that a word such as QQ or 扣扣 makes an account."""
    for pattern in (_QQ, _QQ_AFTER):
        for found in pattern.finditer(plain):
            if sum(sign not in " -" for sign in found[1]) <= 11 and not re.fullmatch(r"1[3-9][0-9]{9}", found[1]):
                yield (*found.span(1), QQ)


def find_ip_addresses(plain: str) -> Iterator[Span]:
    """Addresses of IPv4, versions of software left alone, and IPv6."""
    for found in _IPV4.finditer(plain):
        before = plain[max(found.start() - 16, 0) : found.start()]
        if _IP_BEFORE.search(before) or (len(found[0]) >= 9 and not _VERSION_BEFORE.search(before)):
            yield (*found.span(), IP)
    for found in _IPV6.finditer(plain):
        if _is_ipv6(found[0]):
            yield (*found.span(), IP)


def _is_ipv6(text: str) -> bool:
    if len(re.findall(r"[0-9A-Fa-f]+", text)) < 2:
        return False
    try:
        IPv6Address(text)
    except AddressValueError:
        return False
    return True
