"""Names that stand before a message of a transcript: the sides they are on, and what is nobody's name."""

import re
import unicodedata
from typing import Final

from tasks.reading.rules.speakers import Speaker, speaker_of

# What stands before a colon without being anybody's name.
_NO_NAMES_WORDS: Final = (
    "地址 电话 手机 手机号 姓名 收件人 收货人 收货地址 订单 订单号 订单编号 单号 快递单号 运单号 物流单号 "
    "时间 日期 金额 价格 数量 型号 颜色 尺码 规格 商品 链接 备注 注 注意 说明 问 答 原因 方案 例如 比如 "
    "如下 温馨提示 提示 网址 邮箱 账号 密码 编号 状态 渠道 来源 主题 标题 http https note ps re fw fwd "
    "total price order date time phone address email tel 会话id 会话编号 开始时间 结束时间"
)

NO_NAMES: Final = frozenset(_NO_NAMES_WORDS.split())

# 联系客服, 客服对话记录: words around a side's that make it no speaker. 售前咨询客服 is one.
_ADDRESSED: Final = re.compile(
    "联系|致电|添加|询问|(?<!售前)(?<!售后)(?<!在线)咨询|拨打|请|转|找|给|(?<!自动)回复|(?:对话|会话|對話|會話|聊天|记录|記錄)$"
)

# 客服（自动回复）, 客服-转接: a remark behind the name says nothing of who speaks.
_REMARK: Final = re.compile(r"(?<=\w)\s?[-_—–·(（\[【].{0,24}$")

# A shop's own answer, whoever sends it.
_BY_ITSELF: Final = re.compile(r"(?:系统|客服|智能|商家|店铺|机器人|平台)?(?:自动|智能)回复")

# 客服电话, 买家备注, Agent name: what is said about a side, by the other or its own.
_ABOUT: Final = re.compile(
    r"(?:电话|热线|微信|QQ|邮箱|地址|时间|备注|编号|工号|评价|评分|说明|须知|名称|姓名|昵称|账号|等级|号码|电話|電話|地址|備註"
    r"|\b(?:id|name|email|e-mail|phone|tel|hotline|version|since|number|address|hours|type|status|rating))$",
    re.I,
)

# And those that often stand before a colon within a message, and so are no labels anywhere.
_NO_LABELS_AT_ALL_WORDS: Final = (
    "通知 旁白 事件 人工 店铺 店鋪 model contact lead note info template activity trigger tool function "
    "event service shop store a q subscriber total 员工 企业 官方 助手 小助手 小二 接待 学员 specialist "
    "business company brand 新用户 老用户 新客户 老客户 新顾客 老顾客 新买家 老买家 普通用户 普通客户 注册用户"
)

NO_LABELS_AT_ALL: Final = frozenset(_NO_LABELS_AT_ALL_WORDS.split())

_SPEAKERS_KEPT: Final = 4_096
_known_labels: dict[str, Speaker | None] = {}


def side_of_label(label: str) -> Speaker | None:
    """The side of a label's name; remembered, because a log has few."""
    try:
        return _known_labels[label]
    except KeyError:
        pass
    if len(_known_labels) >= _SPEAKERS_KEPT:
        _known_labels.clear()
    side = _known_labels[label] = _side_of(label if label.isascii() else unicodedata.normalize("NFKC", label))
    return side


def _side_of(name: str) -> Speaker | None:
    name = name.removeprefix("From ").lstrip()  # as Zoom writes it
    if _BY_ITSELF.fullmatch(name):
        return "agent"
    word = _SUFFIX_AT_END.sub("", name) or name
    named = _REMARK.sub("", name)
    if word.lower() in NO_NAMES or word.lower() in NO_LABELS_AT_ALL or _ABOUT.search(name) or _ADDRESSED.search(named):
        return None
    if speaker := speaker_of(name) or speaker_of(word):
        return speaker
    if " " in word and not word.isascii() and (speaker := speaker_of(word.partition(" ")[0])):
        return speaker
    role = _ROLE_BEHIND.search(name)
    return speaker_of(role["role"]) if role and not _ADDRESSED.search(role["role"]) else None


_SUFFIX_AT_END: Final = re.compile(
    r"(?:[ _-]?(?:\d{1,10}|(?<![A-Za-z])[A-Za-z]\d{0,4}))?(?:[(（\[【][^()（）\[\]【】\n]{0,24}[)）\]】])?$"
)


# Ola (operator), 小夏（客服）
_ROLE_BEHIND: Final = re.compile(r"[ \t]?[(（\[](?P<role>[^()（）\[\]\d]{2,16})[)）\]]$")
