"""Sides of a log's speaker words: the user, the agent, or the system between them."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final, Literal

from tasks.domain.records import Role

Speaker = Role | Literal["system"]

USER_WORDS: Final = (
    "用户 顾客 客户 买家 访客 会员 消费者 咨询者 提问者 来访者 用戶 顧客 客戶 買家 訪客 會員 消費者 "
    "customer user usr client buyer visitor guest consumer human contact lead enduser endcustomer requester shopper "
    "member subscriber caller passenger patient q inbound incoming"
)

AGENT_WORDS: Final = (
    "客服 坐席 座席 卖家 商家 店家 店铺 店小蜜 机器人 人工 人工客服 智能客服 在线客服 客服人员 顾问 商户 店员 管家 "
    "賣家 店鋪 機器人 客服人員 專員 客服專員 顧問 "
    "agent assistant seller staff support operator service waiter bot robot chatbot ai csr csrep kefu gpt model admin "
    "administrator advisor adviser representative rep salesperson merchant shop store teammate employee expert "
    "consultant helpdesk a outbound outgoing answerbot"
)

SYSTEM_WORDS: Final = (
    "系统 系统消息 系统提示 系统通知 通知 系統 系統訊息 系統提示 事件 旁白 "
    "system sys notice notification event tool function developer functioncall functionresponse observation toolcall "
    "toolresult toolresponse activity note template info narrator trigger automation workflow"
)

_SPEAKERS: Final[Mapping[str, Speaker]] = {
    **dict.fromkeys(USER_WORDS.split(), "user"),
    **dict.fromkeys(AGENT_WORDS.split(), "agent"),
    **dict.fromkeys(SYSTEM_WORDS.split(), "system"),
}

_AFFIXED: Final = re.compile(
    r"(?:[\w ]{0,8}(?P<agent>客服|坐席|座席|机器人|機器人|商家|卖家|賣家|客户经理|客户服务)\w{0,16}"
    r"|(?P<user>用户|顾客|客户|买家|访客|用戶|顧客|客戶|買家|訪客)|(?P<system>系统|系統)|(?P<latin>[a-z]+))"
    r"(?:[\W\d_]\w{0,31}|人员|人員|专员|專員|端|方|侧|側|\d{1,6})?"
)

WORD_CHARACTERS: Final = 64

_DECORATION: Final = "[]【】()（）:：*_\"'“”「」<> \t\u3000\u200b\ufeff"

_AGENT_FLAGS: Final = frozenset({"1", "true", "yes", "y", "t", "是"})

_USER_FLAGS: Final = frozenset({"0", "false", "no", "n", "f", "否"})

# A file that calls its customers one of these and somebody else "user" calls its agents so (Chatwoot, giosg).
_NOT_USER: Final = frozenset(
    "contact visitor customer enduser guest client buyer lead shopper 访客 顾客 客户 买家".split()  # noqa: SIM905
)

_SYSTEM_AS_AGENT: Final = frozenset(["system", "sys"])

_NAMEABLE: Final = re.compile(r"[A-Za-z0-9_. /-]{1,24}")


def speaker_of(word: str) -> Speaker | None:
    """The side that a role's value means, or None; a robot is an agent."""
    word = word[:WORD_CHARACTERS].strip(_DECORATION).lower()
    if speaker := _SPEAKERS.get(word) or _SPEAKERS.get(plain_word(word)):
        return speaker
    if not (found := _AFFIXED.fullmatch(word)):
        return None
    latin = found["latin"]
    if latin:
        return _SPEAKERS.get(latin) if len(latin) > 1 else None
    return "agent" if found["agent"] else "user" if found["user"] else "system"


def speaker_of_flag(flag: object) -> Speaker | None:
    """The side that a column such as `is_agent` means by 0 or 1, true or false, 是 or 否; None for anything else."""
    word = str(flag).strip().lower()
    return "agent" if word in _AGENT_FLAGS else "user" if word in _USER_FLAGS else None


def is_set(flag: object) -> bool:
    """True for what a flag column holds where its claim is true."""
    return speaker_of_flag(flag) == "agent"


def plain_word(word: str) -> str:
    """A role's value without its marks: `End-User` is `enduser`."""
    return word[:WORD_CHARACTERS].strip(_DECORATION).lower().replace("-", "").replace("_", "").replace(" ", "")


def roles_in_context(words: Iterable[str]) -> dict[str, Speaker]:
    """The sides that the values of one log's role column mean only beside each other.

    Where `user` stands beside another word for the customer and no agent's word, it is the agent. Where `system`
    speaks about as often as the user and nobody else does, it is the agent.
    """
    counts = Counter(words)
    plain: Counter[str] = Counter()
    for word, count in counts.items():
        plain[plain_word(word)] += count
    sides = {word: speaker_of(word) for word in counts}
    if "agent" in sides.values():
        return {}
    if "user" in plain and _NOT_USER & plain.keys():
        return {word: "agent" for word in counts if plain_word(word) == "user"}
    users = sum(count for word, count in counts.items() if sides[word] == "user")
    systems = sum(plain[word] for word in _SYSTEM_AS_AGENT)
    if users and systems and systems * 3 >= users and (systems > 1 or "sys" in plain):
        return {word: "agent" for word in counts if plain_word(word) in _SYSTEM_AS_AGENT}
    return {}


def nameable(word: str) -> str:
    """A role's value as a message may repeat it: a plain word, and nothing that may be somebody's name."""
    return repr(word) if _NAMEABLE.fullmatch(word) else "one that is not repeated here"
