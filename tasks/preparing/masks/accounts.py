"""Names of accounts in apps and shops, which a word such as 抖音号, 用户名 or 旺旺 announces."""

import re
from collections.abc import Iterator
from typing import Final

from tasks.domain.pattern_signs import SignedPattern
from tasks.preparing.masks.plain import Span
from tasks.preparing.masks.tables import NO_WECHAT_NAMES

ACCOUNT: Final = "[账号]"

_PLATFORM: Final = (
    r"抖音|快手|小红书|微博|[bB] ?站|哔哩哔哩|知乎|淘宝|天猫|旺旺|支付宝|京东|拼多多|闲鱼|得物|唯品会|美团|饿了么|陌陌|"
    r"探探|钉钉|飞书|豆瓣|贴吧|视频号|苏宁|当当|盒马|西瓜|百度|网易|米家|小米|华为|荣耀|苹果|游戏|会员|商城|店铺|平台|网站|直播间"
)

_NOUN: Final = (
    r"(?:登[录陆])?(?:账号|帐号|账户|帐户|用户|会员)?(?:昵称|名称?|[iI][dD]|号|账号|帐号|账户名?|帐户名?|uid)"
)

_FOREIGN_PLATFORM: Final = (
    r"(?<![A-Za-z])(?:line|telegram|tg|skype|whatsapp|instagram|ins|ig|facebook|fb|tiktok|twitter|kakao(?:talk)?|"
    r"discord|steam|snapchat|psn|messenger|apple ?id|user ?name|user ?id|nick ?name|account|handle)(?![A-Za-z])"
)

_ALONE: Final = (
    r"用户名|用户 ?(?:ID|id|号)|会员名称?|昵称|网名|旺旺|登[录陆](?:名|账号|帐号|号|ID|id)|账号名?|帐号名?"
    r"|(?:[我他她]的?|这个|登[录陆]的?|注册的?)(?:账号|帐号|账户|[iI][dD])"
)

# English "is" is no such link: an account is overdue, a line is busy.
_LINK: Final = r"(?: ?(?:是|为|叫|就是|改成了?|换成了?|填的?|[:：=@])){1,3} ?[@“\"']?"

# To ignore the case of what has none, twenty thousand characters are looked up whenever it is compiled.
_CJK: Final = r"(?-i:[\u4e00-\u9fff])"

# What has a digit or an underscore is no word; anything else needs a colon or a verb in front.
_MADE: Final = (
    r"(?=[A-Za-z._-]{0,24}[0-9_])(?=[0-9._-]{0,24}[A-Za-z_])[A-Za-z0-9_](?:[A-Za-z0-9_.-]{3,24}(?<![.-])"
    rf"|[A-Za-z0-9_]{{1,12}}{_CJK}{{1,6}}[0-9_]{{1,8}})|[A-Za-z_]{{2,12}}{_CJK}{{1,6}}[0-9_]{{1,8}}"
    rf"|{_CJK}{{2,8}}[0-9]{{2,6}}(?![年月日号点天个元块])"
)

_END: Final = "(?![A-Za-z0-9_@])"

_VALUE: Final = rf"({_MADE}|[A-Za-z][A-Za-z0-9_.-]{{3,24}}(?<![.-])|[0-9]{{5,12}}){_END}"

_DOTTED: Final = r"[a-z]{2,12}[._][a-z0-9_]{2,12}(?<!com)(?<!cn)(?<!net)"

_ACCOUNT: Final = SignedPattern(
    re.compile(
        rf"(?:(?:{_PLATFORM})(?:的|上的?|里的?)?(?:{_NOUN})|{_ALONE})"
        rf"(?:{_LINK}{_VALUE}|[ ，,]?({_MADE}|[0-9]{{6,12}}){_END})"
        rf"|(?:{_PLATFORM})(?:[:：] ?({_MADE})|[:： ]{{0,2}}@([A-Za-z][A-Za-z0-9_.-]{{3,24}})){_END}"
        rf"|{_FOREIGN_PLATFORM}(?: ?(?:id|号|账号|帐号|name))?"
        rf"(?:{_LINK}{_VALUE}|(?: is )?[ ，,]{{0,2}}@?({_MADE}|{_DOTTED}){_END})",
        re.IGNORECASE,
    )
)

_MODEL: Final = re.compile(
    r"(?:iphone|ipad|ios|mate|vivo|oppo|redmi|honor|huawei|xiaomi|samsung|galaxy|nova|mac|win|pro|max|plus|vip|svip|"
    r"android|app|http|www|[0-9]{2}s?vip)",
    re.IGNORECASE,
)

_MOBILE: Final = re.compile(r"1[3-9][0-9]{9}")


def find_accounts(plain: str) -> Iterator[Span]:
    """Names and numbers of accounts behind the word for an app, a shop or an account."""
    for found in _ACCOUNT.finditer(plain):
        group = found.lastindex or 1
        name = found[group]
        if not (name.lower() in NO_WECHAT_NAMES or _MODEL.match(name) or _MOBILE.fullmatch(name)):
            yield (*found.span(group), ACCOUNT)
