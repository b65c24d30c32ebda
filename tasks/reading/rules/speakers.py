"""Sides of a log's speaker words: the user, the agent, or the system between them."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Final, Literal

from tasks.domain.records import Role

Speaker = Role | Literal["system"]

USER_WORDS: Final = (
    "用户 顾客 客户 买家 访客 会员 消费者 咨询者 提问者 来访者 用戶 顧客 客戶 買家 訪客 會員 消費者 "
    "customer user usr client buyer visitor guest consumer human contact lead enduser endcustomer requester shopper "
    "member subscriber caller passenger patient q inbound incoming player tourist tenant cust "
    "买方 買方 粉丝 网友 学员 患者 乘客 旅客 游客 玩家 车主 租客 来电者 客人 贵宾 咨询人 来电人 投诉人 反馈人 "
    "kunde kundin cliente клиент お客様 顧客様 고객 kháchhàng pelanggan ลูกค้า"
)

AGENT_WORDS: Final = (
    "客服 坐席 座席 卖家 商家 店家 店铺 店小蜜 机器人 人工 人工客服 智能客服 在线客服 客服人员 顾问 商户 店员 管家 "
    "賣家 店鋪 機器人 客服人員 專員 客服專員 顧問 "
    "agent assistant seller staff support operator service waiter bot robot chatbot ai csr csrep kefu gpt model admin "
    "administrator advisor adviser representative rep salesperson merchant shop store teammate employee expert cs "
    "consultant helpdesk a outbound outgoing answerbot servicer attendant specialist business company brand agt "
    "卖方 賣方 店小二 小二 掌柜 店长 接待 接待员 接待人员 接线员 话务员 服务人员 员工 企业 官方"
    " 助手 智能助手 小助手 ai助手 小蜜 客户经理 "
    "mitarbeiter mitarbeiterin agente atendente asesor conseiller оператор 担当者 オペレーター 상담원 상담사 nhânviên "
    "แอดมิน"
)

SYSTEM_WORDS: Final = (
    "系统 系统消息 系统提示 系统通知 通知 系統 系統訊息 系統提示 事件 旁白 "
    "system sys notice notification event tool function developer functioncall functionresponse observation toolcall "
    "toolresult toolresponse activity note template info narrator trigger automation workflow queue action ipython "
    "audit tooluse systemmessage systemevent"
)

_SPEAKERS: Final[Mapping[str, Speaker]] = {
    **dict.fromkeys(USER_WORDS.split(), "user"),
    **dict.fromkeys(AGENT_WORDS.split(), "agent"),
    **dict.fromkeys(SYSTEM_WORDS.split(), "system"),
}

_AFFIXED: Final = re.compile(
    r"(?:[\w ]{0,8}(?P<agent>客服|坐席|座席|机器人|機器人|商家|卖家|賣家|客户经理|客户服务|顾问(?!费)|顧問)\w{0,16}"
    r"|工号(?=\d)(?P<staff>)"
    r"|(?:男|女|新|老|匿名|微信|淘宝|天猫|京东|抖音|网页|网站|海外|来电|咨询|注册|普通|会员|潜在|线上|在线)?"
    r"(?P<user>用户|顾客|客户|买家|访客|用戶|顧客|客戶|買家|訪客)|(?P<system>系统|系統)|(?P<latin>[a-z]+))"
    r"(?:[\W\d_]\w{0,31}|人员|人員|专员|專員|端|方|侧|側|回复|回覆|消息|發言|发言|留言|提问|说|\d{1,6})?"
)

WORD_CHARACTERS: Final = 64

_LAST_WORD: Final = re.compile(r"[a-z]{3,20}[\s_-](?P<word>[a-z]{2,20})")

# 员工-马丽, MessageToVisitor
_ROLE_AND_NAME: Final = re.compile(r"(?P<role>[^\W\d_]{2,8})[-_·/|](?=\S)")

# 小王（顾客）, Speaker 1 (Customer)
_ROLE_BEHIND: Final = re.compile(r"[(（\[](?P<role>[^()（）\[\]\d]{2,16})[)）\]]?$")

_TOWARDS: Final = re.compile(r"[a-z_]{0,24}[a-z]{2}_?to_?(?P<other>[a-z]{3,20})")

_DECORATION: Final = "[]【】()（）:：*_\"'“”「」<> \t\u3000\u200b\ufeff"

_AGENT_FLAGS: Final = frozenset({"1", "true", "yes", "y", "t", "是"})

_USER_FLAGS: Final = frozenset({"0", "false", "no", "n", "f", "否"})

# A file that calls its customers one of these and somebody else "user" calls its agents so (Chatwoot, giosg).
_NOT_USER: Final = frozenset(
    "contact visitor customer enduser guest client buyer lead shopper 访客 顾客 客户 买家".split()  # noqa: SIM905
)

_SYSTEM_AS_AGENT: Final = frozenset(["system", "sys"])

# Words that tell a side only beside each other: the first is the user's.
_PAIRS: Final = (
    ("in", "out"), ("i", "o"), ("received", "sent"), ("receive", "send"), ("recv", "send"), ("question", "answer"),
    ("ask", "answer"), ("questioner", "answerer"), ("asker", "answerer"),
    ("c", "s"), ("c", "a"), ("u", "a"), ("u", "s"), ("u", "k"), ("问", "答"), ("提问", "回答"), ("提问", "回复"),
    ("问题", "回答"), ("fan", "official"), ("ユーザー", "サポート"),
    ("external", "internal"), ("v", "a"), ("user", "app"), ("user", "mine"), ("customer", "mine"), ("other", "self"),
    ("other", "me"), ("them", "me"), ("peer", "self"), ("customer", "me"), ("对方", "我"), ("对方", "我方"),
    ("咨询", "回复"), ("收", "发"), ("接收", "发送"), ("收到", "发出"), ("上行", "下行"), ("来", "去"), ("用", "客"),
)  # fmt: skip

_SYSTEM_BESIDE: Final[Mapping[tuple[str, str], Mapping[str, Speaker]]] = {("v", "a"): {"s": "system"}}

_NAMEABLE: Final = re.compile(r"[A-Za-z0-9_. /-]{1,24}")


_SERVES: Final = frozenset(
    "service services support rep representative agent bot robot assistant advisor adviser operator staff care team "  # noqa: SIM905
    "desk helpdesk specialist consultant csr".split()
)

_SEPARATED: Final = re.compile(r"[\W_]+")

_USERS: Final = frozenset(USER_WORDS.split())


def speaker_of(word: str) -> Speaker | None:
    """The side that a role's value means, or None; a robot is an agent."""
    word = word[:WORD_CHARACTERS].strip(_DECORATION).lower()
    if speaker := _SPEAKERS.get(word) or _SPEAKERS.get(plain_word(word)):
        return speaker
    if _serves_users(word):
        return "agent"
    if not (found := _AFFIXED.fullmatch(word)):
        role = _ROLE_AND_NAME.match(word) or _ROLE_BEHIND.search(word)
        return _SPEAKERS.get(role["role"]) if role else None
    latin = found["latin"]
    if latin:
        speaker = _SPEAKERS.get(latin) if len(latin) > 1 else None
        return speaker or _speaker_of_compound(word)
    return "agent" if found["agent"] or found["staff"] is not None else "user" if found["user"] else "system"


def _serves_users(word: str) -> bool:
    """True for who serves the customer: customer_service, Customer Support Rep."""
    words = _SEPARATED.split(word) if word.isascii() else []
    return 1 < len(words) <= 4 and words[0] in _USERS and words[-1] in _SERVES and "to" not in words


def _speaker_of_compound(word: str) -> Speaker | None:
    """The side that the last word names, as in `automated_agent`, or that a message goes away from."""
    if last := _LAST_WORD.fullmatch(word):
        return _SPEAKERS.get(last["word"])
    away = _TOWARDS.fullmatch(word)
    return _OTHER_SIDE.get(_SPEAKERS.get(away["other"])) if away else None


def speaker_of_flag(flag: object) -> Speaker | None:
    """The side that a column such as `is_agent` means by 0 or 1, true or false, 是 or 否; None for anything else."""
    word = str(flag).strip().lower()
    return "agent" if word in _AGENT_FLAGS else "user" if word in _USER_FLAGS else None


_OTHER_SIDE: Final[Mapping[Speaker | None, Speaker]] = {"agent": "user", "user": "agent"}


def speaker_of_user_flag(flag: object) -> Speaker | None:
    """The side that a column such as `is_customer` means: the other way round."""
    return _OTHER_SIDE.get(speaker_of_flag(flag))


def is_set(flag: object) -> bool:
    """True for what a flag column holds where its claim is true."""
    return speaker_of_flag(flag) == "agent"


def is_marked(flag: object) -> bool:
    """True for a set flag, and for the time at which it was set: `deleted_at`, 撤回时间."""
    if isinstance(flag, str):
        return is_set(flag) or _TIME_SET.match(flag) is not None
    return is_set(flag) or (isinstance(flag, int | float) and flag > _EARLIEST_TIME)


# A time of this century or a count of seconds; not what stands for none, such as 0000-00-00, 0001-01-01, 9999-12-31.
_TIME_SET: Final = re.compile(r"20\d\d(?:\D|\d{4})|[1-9]\d{9}")

_EARLIEST_TIME: Final = 1e8

_WITHDRAWN_WORDS: Final = (
    "recalled recall revoked revoke withdrawn withdraw retracted unsent deleted internal private agents whisper "
    "internal_note internalnote internal-note private_note privatenote private-note staff_note agent_note "
    "draft undelivered agents_only agent_only 草稿 发送失败 "
    "撤回 已撤回 撤回消息 消息撤回 撤销 已撤销 已删除 已刪除 内部 仅客服可见 内部备注 内部消息 内部留言 私密备注"
)

_WITHDRAWN: Final = frozenset(_WITHDRAWN_WORDS.split())


def is_withdrawn(state: object) -> bool:
    """True for a message's state that says that it was taken back or deleted."""
    return isinstance(state, str) and state.strip().lower() in _WITHDRAWN


_UNSAID: Final = frozenset(
    "note comment_note sticky_note system sys system_message systemmessage system_msg system_event "  # noqa: SIM905
    "系统 系统消息 系统提示 系统通知 备注 系統 系統訊息 系統提示 10000 10002".split()
)


def is_unsaid(kind: object) -> bool:
    """True for a kind of message that nobody says to a customer, whoever it names: a note, the system's word."""
    return isinstance(kind, str) and ((word := kind.strip().lower()) in _UNSAID or word in _WITHDRAWN)


_OF_NO_WORDS: Final = frozenset(
    "image img picture photo voice audio video file sticker emotion location card link event revoke disagree agree "  # noqa: SIM905
    "redpacket miniprogram weapp emoji gif attachment typing read_receipt 图片 语音 视频 文件 表情 位置 名片".split()
)


def is_of_no_words(kind: object) -> bool:
    """True for a kind of message that holds a picture, a sound or an event in place of words."""
    return isinstance(kind, str) and (is_unsaid(kind) or kind.strip().lower() in _OF_NO_WORDS)


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
    for user, agent in _PAIRS:
        if user in plain and agent in plain and not _others({user, agent}, sides):
            pair: Mapping[str, Speaker] = {user: "user", agent: "agent", **_SYSTEM_BESIDE.get((user, agent), {})}
            return {word: pair[plain_word(word)] for word in counts if plain_word(word) in pair}
    if "agent" in sides.values():
        return {}
    if "user" in plain and _NOT_USER & plain.keys():
        return {word: "agent" for word in counts if plain_word(word) == "user"}
    users = sum(count for word, count in counts.items() if sides[word] == "user")
    systems = sum(plain[word] for word in _SYSTEM_AS_AGENT)
    if users and systems and systems * 3 >= users and (systems > 1 or "sys" in plain):
        return {word: "agent" for word in counts if plain_word(word) in _SYSTEM_AS_AGENT}
    return {}


def _others(pair: set[str], sides: Mapping[str, Speaker | None]) -> bool:
    """True where somebody else than a pair of words tells who speaks."""
    return any(side in ("user", "agent") for word, side in sides.items() if plain_word(word) not in pair)


_USER_NAMED: Final = re.compile(
    r"买家|客户|顾客|访客|用户|會員|会员|customer|buyer|visitor|client|guest|user|requester|contact", re.I
)

_AGENT_NAMED: Final = re.compile(r"客服|坐席|卖家|接待|agent|staff|operator|seller|assignee|waiter", re.I)


def side_named_in(name: str) -> Speaker | None:
    """The side that a column or a key is about by its name, such as `顾客账号` or `visitor.username`."""
    return "agent" if _AGENT_NAMED.search(name) else "user" if _USER_NAMED.search(name) else None


def side_of_others(said: Iterable[tuple[str, str]], side_of: Callable[[str], Speaker | None]) -> Speaker | None:
    """The side of names that no word explains, where one alone speaks in each conversation, and the other side beside.

    Args:
        said: the conversation and the speaker of each message.
    """
    strangers: dict[str, set[str]] = {}
    known: set[Speaker] = set()
    for conversation, name in said:
        side = side_of(name)
        if side in ("user", "agent") and len(name) > 1:  # a letter alone may mean anything
            known.add(side)
        elif side != "system" and name:
            strangers.setdefault(conversation, set()).add(name)
    if len(known) != 1 or not strangers or any(len(names) > 1 for names in strangers.values()):
        return None
    return _OTHER_SIDE[known.pop()]


def nameable(word: str) -> str:
    """A role's value as a message may repeat it: a plain word, and nothing that may be somebody's name."""
    return repr(word) if _NAMEABLE.fullmatch(word) else "one that is not repeated here"
