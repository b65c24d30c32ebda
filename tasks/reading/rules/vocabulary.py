"""The names that keys and columns go by, and what they mean."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

from tasks.reading.rules.speakers import (
    WORD_CHARACTERS,
    Speaker,
    nameable,
    speaker_of,
    speaker_of_flag,
    speaker_of_user_flag,
)

# What a mapping may call a column; the words of `columns` in its file.
MEANINGS: Final = (
    "conversation_id", "role", "is_agent", "is_user", "text", "time", "date", "started_at", "channel", "messages",
    "transcript", "number", "message_id", "user_text", "agent_text",
)  # fmt: skip

# What else a mapping may call a column: an attribute with this name, which fills the table's column of this name.
MEASURED: Final = ("agent", "csat")

# Normalized names (lower case without `_`, `-` and blanks), the surest first.
NAMES: Final[Mapping[str, str]] = {
    "conversation_id": (
        "conversationid sessionid dialogid dialogueid chatid convid threadid ticketid "
        "convoid conversationhash messagetreeid customid "
        "threadts conversationuuid sessionuuid chatsessionid roomid callid 会话id 会话编号 会话标识 会话号 "
        "会话流水号 对话id 对话编号 对话标识 咨询编号 咨询id 工单编号 工单号 聊天id 通话id 會話id "
        "會話編號 對話id 對話編號 会話id 会話番号 session entityid sid cid 编号 id"
    ),
    "role": (
        "role speaker sendertype speakertype fromtype senderrole authortype actortype usertype "
        "participantrole 角色 发言角色 说话人角色 发送方角色 发送者角色 发送方类型 发送者类型 "
        "发送人类型 发送者身份 发送方身份 发送人身份 发言人身份 发言人类型 消息发送方 "
        "发言人角色 说话人 发言人 发言者 发送方 发送者 发送人 身份 發送者 "
        "發送方 發言人 發送者類型 sender from author party who sentby direction"
    ),
    "is_agent": (
        "isagent isstaff iskefu fromagent isoperator isadmin issupport isoutgoing isoutbound isseller isservice "
        "fromkefu fromservice fromseller fromstaff fromoperator fromadmin fromteam bykefu byagent bystaff sentbyagent "
        "isreply outgoing outbound fromme isfromme issender issend isself isfromagent isfromstaff 是否客服 是否坐席"
    ),
    "is_user": (
        "isuser iscustomer isvisitor isclient isbuyer isguest iscontact isincoming isinbound fromuser fromcustomer "
        "isfromuser isfromcustomer isfromvisitor isfromclient isfrombuyer isfromcontact "
        "fromvisitor fromclient frombuyer bycustomer byuser byvisitor sentbycustomer sentbyuser incoming inbound "
        "是否用户 是否客户 是否顾客 是否买家 是否访客"
    ),
    "text": (
        "content text utterance message msg body sentence value plaintext plainbody msgcontent "
        "messagecontent messagetext messagebody strcontent textcontent bodytext bodyplain 内容 消息内容 "
        "聊天内容 发言内容 对话内容 文本 消息文本 消息 发言 话语 正文 內容 訊息內容 訊息 對話內容"
    ),
    "time": (
        "time timestamp ts datetime sentat sendtime sendat createdat createtime createdtime "
        "createddate timestampms msgtimestamp messagetimestamp msgtime messagetime eventtime occurredat gmtcreate "
        "absolutetime loggedat postedat strtime hourminute 时刻 時刻 时分 "
        "时间 发送时间 消息时间 "
        "发言时间 聊天时间 创建时间 消息发送时间 时间戳 日期时间 時間 發送時間"
    ),
    "date": "date day messagedate msgdate senddate sentdate chatdate 日期 消息日期 发送日期 聊天日期 会话日期 發送日期",
    "started_at": (
        "startedat starttime begintime startat 开始时间 会话开始时间 会话时间 接入时间 對話開始時間 開始時間"
    ),
    "channel": (
        "channel channeltype 渠道 来源渠道 接入渠道 渠道名称 会话来源 渠道類型 source 来源 platform 平台 inbox"
    ),
    "messages": (
        "messages turns dialogue dialog utterances conversation conversations chat history msgs "
        "messagelist msglist chatmessages transcript comments events thread 消息列表 消息记录 "
        "消息 对话 会话 会话内容 对话内容 聊天记录 对话记录 聊天消息 對話記錄 訊息列表"
    ),
    "transcript": (
        "conversation transcript dialogue dialog chat conversations history 会话内容 对话内容 聊天记录 对话记录 "
        "会话记录 通话记录 對話記錄 对话 会话 text content 内容 文本"
    ),
    "user_text": "",
    "agent_text": "",
    "prompt": "prompt",
    "entity": "entitycontent",
    "number": (
        "seq sequence index idx turnid turnindex msgseq messageseq seqno seqnum seqid sequenceno sequencenumber "
        "sequenceid msgindex messageindex msgidx messagenumber msgno messageno turnidx turnno turnnumber turnnum turn "
        "round roundid utteranceid utteranceindex utteranceno sentenceid sentenceindex sortkey sortorder position "
        "ordinal lineno linenumber rownumber rownum 序号 消息序号 轮次 对话轮次 会话轮次 轮数 回合 行号 消息序列号 "
        "消息顺序 发言顺序 顺序 序號 輪次"
    ),
    "message_id": "messageid msgid messageuuid msguid uuid id 消息id 消息编号 訊息id",
    "parts": "parts msgbody messageparts segments blocks elements contents contentblocks",
    "recalled": (
        "recalled isrecalled isrecall revoked isrevoked withdrawn retracted deleted isdeleted "
        "withdraw iswithdraw revoke isrevoke removed isremoved unsent isnote deletedat deletedtime "
        "revokedat revoketime recalledat recalltime withdrawtime "
        "private isprivate internal isinternal internalnote 撤回 是否撤回 已撤回 是否内部 "
        "内部备注 撤回时间 删除时间 是否删除 已删除"
    ),
    "state": "status state msgstatus messagestatus sendstatus visibility visibleto 状态 消息状态 狀態 可见性 可见范围",
    "public": "public ispublic",
}

# Columns that say what kind of message a row is: of one that names no speaker, whether it is the system's.
KINDS: Final = frozenset(
    "messagetype msgtype messagekind contenttype eventtype kind type 消息类型 消息类别 内容类型 訊息類型".split()  # noqa: SIM905
)

_SINGLE: Final = (
    "conversation_id", "role", "is_agent", "is_user", "text", "time", "date", "started_at", "channel", "prompt",
    "entity", "number", "message_id", "public",
)  # fmt: skip

# An element of a list may have one of these as its own id, which says nothing of the conversation it is in.
_OWN_IDS: Final = frozenset(["id", "sid", "cid", "编号", "entityid"])

_INVISIBLE: Final = re.compile("[\u200b-\u200f\u2060\ufeff\u00a0\u3000_\\-\\s*]+")

_BRACKETED: Final = re.compile(r"[(（\[【](?!\d+[)）\]】])[^()（）\[\]【】]{1,24}[)）\]】]$")

_SHAPES_KEPT: Final = 1_000

_WORDS_KEPT: Final = 1_000

_SIDES_IN: Final = (
    "type", "role", "kind", "sendertype", "usertype", "purpose", "t", "name", "displayname", "nickname",
)  # fmt: skip


class Shape(NamedTuple):
    """Meanings of a record's keys, or of a header's columns; "" where no key has the meaning.

    `messages`, `transcripts` and `texts` are candidates, the surest first, as their values decide. `message` says
    that the keys can only be one message's; `rest` are then the keys that say something else. `recalled` are flags
    of messages that nobody but the agents saw in the end. `speaks` says that the keys name a speaker, `plain` that
    they are a role and a text, perhaps with a time, and nothing that decides on them.
    """

    conversation_id: str
    role: str
    is_agent: str
    is_user: str
    text: str
    time: str
    date: str
    started_at: str
    channel: str
    prompt: str
    entity: str
    number: str
    message_id: str
    public: str
    texts: tuple[str, ...]
    messages: tuple[str, ...]
    transcripts: tuple[str, ...]
    recalled: tuple[str, ...]
    states: tuple[str, ...]
    kinds: tuple[str, ...]
    flags: bool
    message: bool
    names_its_conversation: bool
    rest: tuple[str, ...]
    speaks: bool
    plain: bool

    def meanings(self) -> dict[str, str]:
        """Return the meaning of each key that has one."""
        found = {getattr(self, meaning): meaning for meaning in reversed(_SINGLE) if getattr(self, meaning)}
        if not self.speaks:
            found |= dict.fromkeys(self.transcripts[:1], "transcript") | dict.fromkeys(self.messages[:1], "messages")
        return found


_RANKS: Final[Mapping[str, dict[str, int]]] = {
    meaning: {name: rank for rank, name in enumerate(names.split())} for meaning, names in NAMES.items()
}


class Vocabulary:
    """Finds the meaning of keys and of roles in one log. Records with the same keys are looked up once.

    Args:
        renames: names in the log and their meaning, before all others; "" leaves a key out.
        roles: values of the role column and their sides; `*` stands for all others.
    """

    def __init__(self, renames: Mapping[str, str] | None = None, roles: Mapping[str, Speaker] | None = None) -> None:
        renames = renames or {}
        self.roles: dict[str, Speaker] = dict(roles or {})
        # Copied only where it is changed: files are many, and most have no mapping.
        self._ranks = {meaning: dict(ranks) for meaning, ranks in _RANKS.items()} if renames else _RANKS
        for key, meaning in renames.items():
            for ranks in self._ranks.values():
                ranks.pop(normalized(key), None)
            if meaning in self._ranks:
                self._ranks[meaning][normalized(key)] = -1
        self._renamed_ids = {normalized(key) for key, meaning in renames.items() if meaning == "conversation_id"}
        self.left_out = frozenset(key for key, meaning in renames.items() if not meaning)
        self.paths = tuple((key, tuple(key.split("."))) for key in renames if "." in key)
        self.speakers: dict[str, Speaker | None] = {}
        self.unknown_roles: dict[str, int] = {}
        self._shapes: dict[tuple[str, ...], Shape] = {}

    def learn(self, renames: Mapping[str, str]) -> None:
        """Give names a meaning that the log itself has shown."""
        self._ranks = {meaning: dict(ranks) for meaning, ranks in self._ranks.items()}
        for key, meaning in renames.items():
            for ranks in self._ranks.values():
                ranks.pop(normalized(key), None)
            self._ranks[meaning][normalized(key)] = -1
            if "." in key:
                self.paths = (*self.paths, (key, tuple(key.split("."))))
            if meaning == "conversation_id":
                self._renamed_ids = {*self._renamed_ids, normalized(key)}
        self._shapes.clear()

    def learn_roles(self, sides: Mapping[str, Speaker]) -> None:
        """Give values of the role column the side that the log itself has shown."""
        for word, side in sides.items():
            self.roles.setdefault(word, side)
        self.speakers.clear()

    def means(self, key: str, meaning: str) -> bool:
        """Return true for a key of this meaning."""
        return normalized(key) in self._ranks[meaning]

    def shape(self, keys: tuple[str, ...]) -> Shape:
        """Return the shape of these keys."""
        if shape := self._shapes.get(keys):
            return shape
        if len(self._shapes) >= _SHAPES_KEPT:
            self._shapes.clear()
        shape = self._shapes[keys] = self._new_shape(keys)
        return shape

    def _new_shape(self, keys: tuple[str, ...]) -> Shape:
        names = {key: self._named(key) for key in keys if len(key) <= WORD_CHARACTERS}

        def ranked(meaning: str) -> tuple[str, ...]:
            ranks = self._ranks[meaning]
            return tuple(sorted((k for k in names if names[k] in ranks), key=lambda k: ranks[names[k]]))

        single = {meaning: (ranked(meaning) or ("",))[0] for meaning in _SINGLE}
        conversation_id = single["conversation_id"]
        if single["message_id"] == conversation_id:
            single["message_id"] = ""
        if single["date"] and not single["time"]:
            single["time"], single["date"] = single["date"], ""
        messages, texts = ranked("messages"), (*ranked("text"), *ranked("parts"))
        speaks = bool(single["role"] or single["is_agent"] or single["is_user"])
        single["text"] = single["text"] or (texts[0] if texts and speaks else "")
        numbers = {
            key for key, name in names.items() if name in self._ranks["message_id"] or name in self._ranks["number"]
        }
        flags = ranked("recalled")
        kinds = tuple(key for key, name in names.items() if name in KINDS)
        used = {*single.values(), *numbers, *flags, *self.left_out}
        own = names.get(conversation_id, "")
        return Shape(
            **single,
            texts=texts,
            messages=messages,
            transcripts=ranked("transcript"),
            recalled=flags,
            states=ranked("state"),
            kinds=kinds,
            flags=bool(flags or kinds or ranked("state") or single["public"]),
            message=bool(single["text"])
            and speaks
            and not (set(messages) - {single["text"]} or single["prompt"] or single["entity"]),
            names_its_conversation=bool(own) and (own not in _OWN_IDS or own in self._renamed_ids),
            rest=tuple(key for key in keys if key not in used),
            speaks=speaks,
            plain=bool(single["role"] and single["text"])
            and not (
                flags
                or ranked("state")
                or single["public"]
                or single["number"]
                or single["message_id"]
                or single["date"]
            ),
        )

    def _named(self, key: str) -> str:
        """A key's name, without what stands in brackets behind it where only the rest is known: 会话ID(必填)."""
        name = normalized(key)
        bare = _BRACKETED.sub("", name)
        if bare == name or any(name in ranks for ranks in self._ranks.values()):
            return name
        return bare if any(bare in ranks for ranks in self._ranks.values()) else name

    def speaker(self, role: object) -> Speaker | None:
        """The side that a role's value means, by the mapping first; of an object, what it says of its kind."""
        try:
            return self.speakers[role]  # type: ignore[index]
        except (KeyError, TypeError):
            pass
        if isinstance(role, Mapping):
            words = {normalized(str(key)): value for key, value in role.items()}
            if len(str(words.get("name", ""))) < 2:  # an initial
                words.pop("name", None)
            told = (self._side_in(words[key]) for key in _SIDES_IN if key in words)
            inside = (self.speaker(value) for value in role.values() if isinstance(value, Mapping))
            return next(filter(None, told), None) or self._flagged(role) or next(filter(None, inside), None)
        word = role if isinstance(role, str) else "" if role is None else str(role)
        speaker = self.roles.get(word) or self.roles.get(word.strip()) or speaker_of(word) or self.roles.get("*")
        if len(word) <= WORD_CHARACTERS and len(self.speakers) < _WORDS_KEPT:
            self.speakers[word] = speaker
        return speaker

    def _flagged(self, role: Mapping[str, Any]) -> Speaker | None:
        """The side of a speaker whose object says it by a flag, such as `isStaff`."""
        for key, value in role.items():
            if self.means(key, "is_agent"):
                return speaker_of_flag(value)
            if self.means(key, "is_user"):
                return speaker_of_user_flag(value)
        return None

    def _side_in(self, value: object) -> Speaker | None:
        return self.speaker(value) if isinstance(value, str) and value else None

    def is_of_system(self, role: object, kinds: Iterable[object]) -> bool:
        """Return true for a message without a role that is no person's by its kind, such as 系统消息 or `activity`."""
        nameless = role is None or (isinstance(role, str) and not role.strip())
        return (
            nameless and "" not in self.roles and any(isinstance(k, str) and speaker_of(k) == "system" for k in kinds)
        )

    def unknown_role(self, role: object) -> str:
        """Note a role that is not known; return what a reject may say of it."""
        while isinstance(role, Mapping):
            role = next((kept for kept in role.values() if isinstance(kept, str | Mapping) and kept), "")
        word = role if isinstance(role, str) else str(role) if isinstance(role, int | float) else ""
        word = word[:WORD_CHARACTERS]
        if word in self.unknown_roles or len(self.unknown_roles) < _WORDS_KEPT:
            self.unknown_roles[word] = self.unknown_roles.get(word, 0) + 1
        return "an empty role" if not word.strip() else f"a role that is not known, {nameable(word)}"


def lifted(record: Mapping[str, Any], paths: Iterable[tuple[str, tuple[str, ...]]]) -> dict[str, Any]:
    """A record with its nested values under their dotted names, too."""
    found = dict(record)
    for name, path in paths:
        value: Any = record
        for key in path:
            if isinstance(value, list) and value:
                value = value[0]
            value = value.get(key) if isinstance(value, Mapping) else None
        if value is not None:
            found[name] = value
    return found


@lru_cache(maxsize=4_096)
def normalized(key: str) -> str:
    """A name without what people write in different ways: case, `_`, `-`, blanks, invisible characters."""
    return plainly(key)


def plainly(text: str) -> str:
    """The same of a text that is not asked for again."""
    return _INVISIBLE.sub("", text).lower()
