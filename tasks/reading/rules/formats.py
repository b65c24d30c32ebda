"""What the log formats are, as data: the names keys and columns go by, and the mappings that add more."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

from tasks.domain.errors import UsageError
from tasks.reading.rules.dialogue import Speaker, speaker_of

JSON_FORMATS: Final = ("jsonl-conversations", "jsonl-messages", "jsonl-transcripts", "jsonl-sft")

BUILT_IN_FORMATS: Final = ("auto", *JSON_FORMATS, "csv", "tsv", "transcript")

MEANINGS: Final = ("conversation_id", "role", "text", "time", "started_at", "channel")

# Normalized names (lower case without `_`, `-` and blanks), the surest first.
_NAMES: Final[Mapping[str, str]] = {
    "conversation_id": "conversationid sessionid dialogid dialogueid chatid convid threadid ticketid 会话id 会话编号"
    " 会话标识 会话号 对话id 对话编号 咨询编号 entityid sid cid 编号 id",
    "role": "role speaker sendertype speakertype fromtype senderrole 角色 发言角色 说话人角色 发送方角色 发送方类型"
    " 说话人 发言人 发送方 发送者 发送人 身份 sender from author party who",
    "is_agent": "isagent isstaff iskefu fromagent 是否客服",
    "text": "content text utterance message msg body sentence value 内容 消息内容 聊天内容 发言内容 对话内容 文本 消息"
    " 发言 话语 正文",
    "time": "time timestamp ts datetime sentat sendtime createdat createtime msgtime messagetime 时间 发送时间 消息时间"
    " 发言时间 聊天时间 创建时间 date 日期",
    "started_at": "startedat starttime begintime startat 开始时间 会话开始时间 会话时间 接入时间",
    "channel": "channel 渠道 来源渠道 接入渠道 source 来源 platform 平台",
    "messages": "messages turns dialogue dialog utterances conversation conversations chat history msgs 消息列表 消息"
    " 对话 会话 会话内容 对话内容 聊天记录 对话记录",
    "transcript": "conversation transcript dialogue dialog chat 会话内容 对话内容 聊天记录 对话记录 会话记录 通话记录"
    " 对话 会话 text content 内容 文本",
    "prompt": "prompt",
    "entity": "entitycontent",
}

_SINGLE: Final = tuple(meaning for meaning in _NAMES if meaning not in ("messages", "transcript"))

_MESSAGE_NUMBERS: Final = frozenset(["id", "messageid", "msgid", "seq", "index", "序号", "消息id", "消息编号"])

_SPEAKERS: Final = ("user", "agent", "system")

_SHAPES_KEPT: Final = 1_000

_WORDS_KEPT: Final = 1_000

_WORD_CHARACTERS: Final = 64


@dataclass(frozen=True, slots=True)
class LogMapping:
    """A log format as configuration; mappings.toml explains the fields."""

    columns: tuple[str, ...] | Mapping[str, str]
    delimiter: str = "\t"
    quoted: bool = True
    roles: Mapping[str, Speaker] = field(default_factory=dict)


class Shape(NamedTuple):
    """Which keys of a record, or columns of a header, mean what; "" where none does.

    `messages` and `transcripts` are candidates, the surest first, as their values decide. `message` says that
    the keys can only be one message's; `rest` are then the keys that say something else.
    """

    conversation_id: str
    role: str
    is_agent: str
    text: str
    time: str
    started_at: str
    channel: str
    prompt: str
    entity: str
    messages: tuple[str, ...]
    transcripts: tuple[str, ...]
    message: bool
    rest: tuple[str, ...]


class Vocabulary:
    """Finds the meaning of keys. Records with the same keys in the same order are looked up once."""

    def __init__(self, mapping: LogMapping | None = None) -> None:
        renames = mapping.columns if mapping and isinstance(mapping.columns, Mapping) else {}
        self._roles = mapping.roles if mapping else {}
        self._ranks: dict[str, dict[str, int]] = {
            meaning: {name: rank for rank, name in enumerate(names.split())} for meaning, names in _NAMES.items()
        }
        for key, meaning in renames.items():
            for ranks in self._ranks.values():
                ranks.pop(_normalized(key), None)
            if meaning:
                self._ranks[meaning][_normalized(key)] = -1
        self.left_out = frozenset(key for key, meaning in renames.items() if not meaning)
        self._speakers: dict[object, Speaker | None] = {}
        self._shapes: dict[tuple[str, ...], Shape] = {}

    def shape(self, keys: tuple[str, ...]) -> Shape:
        """What these keys mean."""
        if shape := self._shapes.get(keys):
            return shape
        if len(self._shapes) >= _SHAPES_KEPT:
            self._shapes.clear()
        names = {key: _normalized(key) for key in keys if len(key) <= _WORD_CHARACTERS}

        def ranked(meaning: str) -> tuple[str, ...]:
            ranks = self._ranks[meaning]
            return tuple(sorted((k for k in names if names[k] in ranks), key=lambda k: ranks[names[k]]))

        single = {meaning: (ranked(meaning) or ("",))[0] for meaning in _SINGLE}
        numbers = {key for key, name in names.items() if name in _MESSAGE_NUMBERS}
        used = {*single.values(), *numbers, *self.left_out}
        messages = ranked("messages")
        speaks = bool(single["text"] and (single["role"] or single["is_agent"]))
        shape = Shape(
            **single,
            messages=messages,
            transcripts=ranked("transcript"),
            message=speaks and not (messages or single["prompt"] or single["entity"]),
            rest=tuple(key for key in keys if key not in used),
        )
        self._shapes[keys] = shape
        return shape

    def speaker(self, role: object) -> Speaker | None:
        """Who a role's value means, by the mapping first."""
        try:
            return self._speakers[role]
        except (KeyError, TypeError):
            pass
        word = role if isinstance(role, str) else str(role)
        speaker = self._roles.get(word) or speaker_of(word)
        if len(word) <= _WORD_CHARACTERS and len(self._speakers) < _WORDS_KEPT:
            self._speakers[word] = speaker
        return speaker


def load_mappings(path: Path | None = None) -> dict[str, LogMapping]:
    """The built-in mappings, and over them those of a TOML file.

    Raises:
        UsageError: the file can't be read, or says something that no mapping can.
    """
    return BUILT_IN if path is None else {**BUILT_IN, **_read_mappings(path)}


def log_formats(mappings: Mapping[str, LogMapping] | None = None) -> list[str]:
    """The names that a log format may be given by: `auto`, the built-in ones, the mappings'."""
    return [*BUILT_IN_FORMATS, *sorted(BUILT_IN if mappings is None else mappings)]


def check_log_format(name: str, mappings: Mapping[str, LogMapping]) -> None:
    """Find out whether there is a log format of this name.

    Raises:
        UsageError: there is none.
    """
    names = log_formats(mappings)
    if name not in names:
        raise UsageError(f"There is no log format {name!r}; there are {', '.join(names)}.")


def _read_mappings(path: Path) -> dict[str, LogMapping]:
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise UsageError(f"The mappings in {path} can't be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not TOML: {error}.") from error
    mappings = {}
    for name, table in tables.items():
        try:
            mappings[name] = _mapping(name, table)
        except ValueError as error:
            raise UsageError(f"{path}, mapping {name!r}: {error}.") from error
    return mappings


def _mapping(name: str, table: Any) -> LogMapping:
    if name in BUILT_IN_FORMATS:
        raise ValueError("this name belongs to a built-in format; choose another")
    if not isinstance(table, dict):
        raise ValueError(f"it must be a table, [{name}]")
    if unknown := sorted(table.keys() - {"columns", "delimiter", "quoted", "roles"}):
        raise ValueError(f"unknown setting {unknown[0]!r}; there are columns, delimiter, quoted and roles")
    columns, delimiter = table.get("columns"), table.get("delimiter", "\t")
    quoted, roles = table.get("quoted", True), table.get("roles", {})
    if not (isinstance(delimiter, str) and len(delimiter) == 1 and delimiter not in '\r\n"'):
        raise ValueError("delimiter must be one character")
    if not isinstance(quoted, bool):
        raise ValueError("quoted must be true or false")
    if not (isinstance(roles, dict) and all(value in _SPEAKERS for value in roles.values())):
        raise ValueError("roles must say user, agent or system for each value")
    if isinstance(columns, list) and columns and all(isinstance(column, str) for column in columns):
        named = [column for column in columns if column]
        if repeated := sorted({column for column in named if named.count(column) > 1}):
            raise ValueError(f"columns names {repeated[0]!r} twice")
        if missing := [meaning for meaning in ("conversation_id", "role", "text") if meaning not in named]:
            raise ValueError(f"columns lacks {missing[0]!r}")
        return LogMapping(tuple(columns), delimiter, quoted, roles)
    if isinstance(columns, dict) and columns and all(value in ("", *MEANINGS) for value in columns.values()):
        return LogMapping(columns, delimiter, quoted, roles)
    raise ValueError(f"columns must be a list of names, or a table of names in the log = one of {', '.join(MEANINGS)}")


def _normalized(key: str) -> str:
    return key.strip().lower().replace("_", "").replace("-", "").replace(" ", "")


BUILT_IN: Final = _read_mappings(Path(__file__).parents[1] / "mappings.toml")
