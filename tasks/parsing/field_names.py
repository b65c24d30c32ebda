"""The names by which an answer calls the four fields, and the field that a name means."""

import re
from functools import lru_cache
from typing import Final

from tasks.domain.traditional import simplified

_USER: Final = "(?:(?:用户|使用者|客户|顾客|买家|消费者)的?)?"

_PART: Final = "(?:描述|概述|概要|内容|摘要|总结)?"

_WHO: Final = (
    "(?:(?:the|user|customer|client|buyer|agent|service|support|rep|representative|seller|proposed|provided|offered"
    "|main|core)['’]?s?[ _-]?)*"
)

_ASKS: Final = (
    "(?:(?:whether|if|is|was|has|have|did|does|there|the|a|any|user|customer|client|plan|solution|proposal|show|shows)"
    "[ _-]?)*"
)

KEYS: Final = {
    "issue": rf"{_USER}(?:主要|核心|所?咨询的?|所?反馈的?|提出的?)?(?:问题点?|诉求|咨询|需求|疑问|来意){_PART}"
    rf"|{_WHO}(?:issue|question|problem|concern|inquiry|query)s?(?:[ _-](?:description|summary))?|yong_?hu_?wen_?ti",
    "plan": rf"(?:客服|商家)?(?:的|所)?(?:提供|给出)?的?(?:解决|处理|应对|服务)?(?:方案|办法|措施|方法){_PART}"
    r"|客服(?:的)?(?:回复|答复|回应|建议|处理(?:方式|结果|意见)?)|(?:处理|解决)方式"
    rf"|{_WHO}(?:plan|solution|resolution|proposal|response)s?|ke_?fu_?fang_?an",
    "accepted": rf"{_USER}(?:是否)?(?:已经?|愿意)?(?:接受|同意|认可|采纳)了?(?:客服)?(?:所?提供|给出)?的?[该此]?"
    r"(?:解决)?(?:方案)?(?:情况|与否|状态|结果)?|shi_?fou_?jie_?shou"
    rf"|{_ASKS}accept(?:s|ed|ance|able)?(?:[ _-](?:by|the|user|customer|plan|solution|status|or|not))*",
    "negative_sentiment": rf"{_USER}(?:是否)?(?:带?有无?|存在|表现出|为|是)?(?:明显的?)?(?:负面|消极)?的?"
    r"(?:情绪|情感)(?:倾向|状态|情况|与否|(?:是否)?(?:为)?负面)?"
    rf"|{_USER}是否(?:负面|消极)|有无负面情绪"
    rf"|{_ASKS}(?:negative[ _-]?)?(?:sentiment|emotion|mood|feeling)s?(?:[ _-]?negative)?"
    r"|(?:is[ _-]?)?negative|shi_?fou_?(?:you_?)?fu_?mian_?qing_?xu",
}

# Of several issues in one answer: 用户问题1, 问题二, issue_2.
NUMBERED: Final = "(?:[ _-]?[1-9一二三四五])?"

_PATTERNS: Final = {field: re.compile(f"(?:{keys}){NUMBERED}", re.IGNORECASE) for field, keys in KEYS.items()}

INVISIBLE: Final = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\x00-\x08\x0b\x0c\x0e-\x1f]+")

# One character for another, so that places stay the same.
HALF_WIDTH: Final = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {ord("，"): "，", ord("；"): "；"}

# 1.用户问题, ②客服方案
_COUNTED: Final = re.compile(r"(?:\d{1,2}|[一二三四])[.、)_ ]{1,2}|[\u2460-\u2473\u2776-\u2793] ?")

# 用户问题(issue)
_GLOSS: Final = re.compile(r"(?<=[\u4e00-\u9fff]) ?[(\[（][a-z _-]{2,32}[)\]）]?$")

_CAMEL: Final = re.compile("(?<=[a-z])(?=[A-Z])")


# 用户问题/issue, issue（用户问题）
_TWO_NAMES: Final = re.compile(r"[/|(\[（]")

_AROUND: Final = " \t\u00a0\u3000*_`:?#【】[]()\"'“”？）"


@lru_cache(maxsize=1024)
def field_of(key: str) -> str | None:
    """The field that a key, cell or label names, in whatever dress; None for any other."""
    plain = INVISIBLE.sub("", key[:64]).translate(HALF_WIDTH).strip(_AROUND)
    plain = simplified(_CAMEL.sub(" ", plain)).lower()
    plain = _COUNTED.sub("", plain)
    if not plain.isascii():
        plain = "".join(_GLOSS.sub("", plain).replace("_", " ").split())
    found = _named(plain)
    if found is None and len(names := _TWO_NAMES.split(plain)) == 2:
        first, second = (_named(name.strip(_AROUND)) for name in names)
        found = first if second in (first, None) else None
    return found


def _named(plain: str) -> str | None:
    return next((field for field, pattern in _PATTERNS.items() if pattern.fullmatch(plain)), None)


def is_numbered(key: str) -> bool:
    """Return true where a field's name has the number of one of several issues."""
    return key.strip(" \t*_`:：\"'“”")[-1:] in tuple("123456789一二三四五１２３４５６７８９")
