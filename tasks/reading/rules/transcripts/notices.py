"""Lines of a transcript that nobody says: who came and went, what was recalled, the day, a caption's times."""

import re
from typing import Final, NamedTuple

_MONTH: Final = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}"

_DAY: Final = (
    r"(?:\d{4}[-/.年년]\s?\d{1,2}[-/.月월]\s?\d{1,2}[日일]?|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}|"
    rf"{_MONTH}\s\d{{1,2}},?\s\d{{4}}|\d{{1,2}}\s{_MONTH}\s\d{{4}})"
)

_WEEKDAY: Final = (
    r"[,，]?\s?[(（]?(?:(?:星期|周|週|禮拜)[一二三四五六日天]|[日月火水木金土](?:曜日)?|[一二三四五六]|[월화수목금토일]요일|"
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]{0,6})[)）]?"
)

_CALLED: Final = r"(?:(?:聊天|会话|對話|对话)?日期|date)\s?[:：]\s?"

# —— 2026-11-21 ——, 2026/11/21（土）, Saturday 21.11.2026, 日期：2026-11-21
_DAY_LINE: Final = re.compile(
    rf"(?P<called>{_CALLED})?[\s\-—–─=*#~·•]{{0,40}}(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]{{0,6}},?\s)?(?P<day>{_DAY})(?:{_WEEKDAY})?[\s\-—–─=*]{{0,40}}",
    re.I,
)

_WHEN: Final = (
    r"(?:[\s\[(（]{0,3}(?:\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?\s)?(?:[上下]午|午[前後]|오[전후]\s?)?\d{1,2}:\d\d(?::\d\d)?"
    r"[\])）]?\s{0,3}(?:-\s)?)?"
)

_TALK: Final = r"(?:会话|對話|对话|會話|聊天|通话|服务|群聊|咨询)"

# Behind a notice: whom it was handed to, thanks, a time. A customer's 会话结束了吗 is none.
_TAIL: Final = (
    r"(?:[至给到][^:：\n]{1,16})?"
    r"(?:[，,。 ]{1,2}(?:感谢|谢谢|欢迎|祝)[^:：\n]{0,16})?[\s\d:：/.()（）-]{0,24}"
)

_NOTICE: Final = re.compile(
    rf"{_WHEN}[\s\-—–─=*\[【(（]{{0,20}}(?:"
    r"[^:：\n]{0,24}(?:撤回|收回)(?:了)?(?:一条|一條|一則)?(?:消息|訊息)?|"
    r"[^:：\n]{1,24}님이 (?:들어왔습니다|나갔습니다)|"
    r"[^:：\n]{0,24}(?:unsent a message|メッセージの送信を取り消しました)|"
    rf"[^:：,，。\n]{{0,24}}(?:加入|进入|離開|离开|退出|转入|接入|转出)了?(?:本次)?{_TALK}|"
    rf"(?:本次|当前)?{_TALK}(?:已|已经)?(?:由[^:：,，。\n]{{1,16}})?(?:开始|結束|结束|关闭|超时关闭|转接){_TAIL}|"
    r"以[上下](?:是|为)?(?:历史|新|更早的?)(?:消息|记录)|"
    r"(?:chat|conversation|session)\s(?:started|ended|opened|closed|begins|ends|resolved|was [a-z ]{3,20})\b"
    r"[^:\n]{0,16}"
    r"(?:\d{4}-\d\d-\d\d)?[ T]?[\d:]{0,8}(?:\s?[AP]M)?|"
    r"[^:：\n]{1,24}\s(?:has\s)?(?:joined|left|entered)\sthe\s(?:chat|conversation|session)\.?|"
    r"(?:this|you deleted this) message(?: was (?:deleted|unsent))?\.?"
    r")[\s\-—–─=*\]】)）。.]{0,20}",
    re.I,
)

_CAPTION: Final = re.compile(
    r"(?:\d{1,2}:)?\d{1,2}:\d{2}[.,]\d{3}\s{1,4}-->\s{1,4}(?:\d{1,2}:)?\d{1,2}:\d{2}[.,]\d{3}.{0,80}"
)

_CAPTIONS_BEGIN: Final = re.compile(r"WEBVTT.{0,80}")

# What any of these lines holds: looked for first, because few lines have it.
_HINT: Final = re.compile(
    r"-->|撤回|收回|取り消|unsent|님이|加入|进入|離開|离开|退出|转入|接入|转出|结束|結束|开始|关闭|转接|以[上下]|"
    "chat|conversation|session|message|Chat|Conversation|Session|Message|CHAT|CONVERSATION|SESSION|MESSAGE"
)

_LONGEST: Final = 120


class Notice(NamedTuple):
    """A line that nobody says, and the day that it names for those below; `is_heading` says that it says more."""

    day: str = ""
    is_heading: bool = False


def notice_in(line: str, following: str) -> Notice | None:
    """The notice that a line is; None for what somebody says.

    Args:
        following: the next line; above a caption's times stands its number.
    """
    if len(line) > _LONGEST:
        return None
    if found := _DAY_LINE.fullmatch(line):
        return Notice(found["day"], is_heading=found["called"] is not None)
    if not (_HINT.search(line) or "-->" in following or line.startswith("WEBVTT")):
        return None
    line = line.strip()
    if any(form.fullmatch(line) for form in (_CAPTION, _CAPTIONS_BEGIN, _NOTICE)):
        return Notice()
    return Notice() if line.isdecimal() and _CAPTION.fullmatch(following.strip()) else None


# What a messenger leaves where a message was taken back.
_WITHDRAWN: Final = re.compile(
    r"\W{0,4}(?:(?:[此该這这])?[条條則]?(?:消息|訊息)已被?(?:删除|刪除|撤回|收回)|"
    r"[您你]?已?(?:删除|撤回|收回)了?[此一]?[条條則]?(?:消息|訊息)|"
    r"(?:this|you deleted this) message(?: was (?:deleted|unsent))?|message (?:deleted|unsent)|"
    r"삭제된 메시지입니다|메시지가 삭제되었습니다)\W{0,4}",
    re.I,
)

_WITHDRAWN_BEGINS: Final = frozenset("此该這这条條则則消訊您你已删刪撤收tTyYmM삭메")

# Behind a mark that nobody types: that the chat is encrypted, or that a picture is left out of the export.
_OF_WHATSAPP: Final = re.compile(
    r"\u200e[^\n]{0,60}(?:end-to-end encrypted|omitted|端到端加密|端對端加密|已?省略|已略去)"
)

_LONGEST_WITHDRAWN: Final = 32


def without_withdrawn(text: str) -> str:
    """A message's text; "" for what stands where one was taken back, and for what WhatsApp itself writes."""
    if text[:1] == "\u200e" and _OF_WHATSAPP.match(text):
        return ""
    if len(text) > _LONGEST_WITHDRAWN or not text or (text[0].isalnum() and text[0] not in _WITHDRAWN_BEGINS):
        return text
    return "" if _WITHDRAWN.fullmatch(text) else text
