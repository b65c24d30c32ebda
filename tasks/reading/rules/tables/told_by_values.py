"""Meanings of names that a log's values tell, where nobody knows the names themselves.

A column is who speaks where its values are words for both sides, the text where they are prose, the time where it is
called one and its values are times. Whatever could be two of them stays unnamed.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC
from itertools import groupby
from typing import Any, Final

from tasks.reading.rules.company import Said, sides_by_company
from tasks.reading.rules.json.texts import words_in
from tasks.reading.rules.speakers import (
    Speaker,
    roles_in_context,
    speaker_of,
    speaker_of_flag,
    speaker_of_user_flag,
)
from tasks.reading.rules.timestamps import TimestampParser
from tasks.reading.rules.transcripts.dialogues import is_dialogue, split_transcript
from tasks.reading.rules.vocabulary import Shape, Vocabulary, normalized

ROWS: Final = 200

FEWEST_ROWS: Final = 2

_FEW: Final = 4  # rows, of which two share a conversation

_MOST: Final = 0.8  # of a column's values that must be what the column is taken for

_TIME_NAME: Final = re.compile(
    r"time|date|时间|時間|时刻|時刻|日期|stamp|ts$|(?:sent|created|received|posted|occurred)(?:$|[at(])|^(?:t|at|on|when)$"
)

_NO_MESSAGES_TIME: Final = re.compile(
    r"updat|modif|edit|end|clos|last|expir|read|deliver|birth|order|delet|remov|revo|recall|withdr|结束|更新|修改|关闭|"
    r"下单|订单|付款|最后|撤回|删除"
)

_ID_NAME: Final = re.compile(
    r"(?=.*(?:会话|對話|对话|會話|咨询|諮詢|聊天|工单|接待|通话|來電|来电|session|conv|chat|dialog|ticket|thread|talk|"
    r"call|contact|interaction|case|チャット|相談|問い?合|상담|채팅|대화|conversa|protocol|чат|диалог|сесси))"
    r".*(?:id|号|號|编码|流水|标识|標識|no\.?|nº|num|number|key|uuid|guid|ref|sid|番号|번호|номер)$"
)

# Names of a conversation as such, where its values are codes.
CONVERSATIONS: Final = frozenset(
    "conversation session chat dialog dialogue ticket thread call case 会话 对话 咨询 工单 通话 會話 對話".split()  # noqa: SIM905
)

_CODE: Final = re.compile(r"[A-Za-z0-9][\w.:/#-]{0,63}")

_NO_TEXT_NAME: Final = re.compile(
    r"name|nick|mail|phone|url|link|avatar|address|title|subject|user|agent|token|tag|姓名|昵称|名称|账号|地址|电话|商品|标题|店铺"
)

_PROSE: Final = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]{3}|(?<![^\W\d_])[^\W\d_]{2,}[ ,.'!?]")

# A column of who wrote a message, by name.
_NAMES_SPEAKER: Final = re.compile(r"user|author|sender|from|nick|^name$|by$|who|昵称|姓名|名称|发送|发言|账号")

_SHORTEST_PROSE: Final = 5  # characters, on average

_LONGEST_TIME: Final = 60  # characters

_DATED: Final = re.compile(r"\d{4}.*\d[:：时시時]")

_KINDS_IN: Final = ("type", "kind", "role", "usertype", "sendertype", "purpose", "t")

_KIND: Final = re.compile(r"type|kind|role|side|class|类|身份|角色|方")

_NO_TIMES: Final = TimestampParser(UTC)


def told_by_values(rows: Sequence[Mapping[str, Any]], vocabulary: Vocabulary) -> dict[str, str]:
    """The names of message rows, and what their values show them to mean; none that are known already."""
    rows = rows[:ROWS]
    names = tuple(dict.fromkeys(name for row in rows for name in row))
    if len(rows) < FEWEST_ROWS:
        return {}
    values = {name: [row[name] for row in rows if row.get(name) not in (None, "")] for name in names}
    shape = vocabulary.shape(names)
    found: dict[str, str] = {}
    role = "" if shape.speaks and _known_share(values, shape, vocabulary) else _role(values, shape)
    role = role or ("" if shape.speaks else _role_by_company(rows, shape))
    if role:
        found[role] = "role"
    speaks = shape.speaks or bool(found)
    has_text = shape.text or shape.texts
    if speaks and not has_text and (text := _text(values, {*found, shape.role})):
        found[text] = "text"
    if not (speaks and (has_text or "text" in found.values())):
        return {}
    own = "" if shape.names_its_conversation else _id(values, {*found, shape.role, shape.text}, len(rows))
    meant = {**found, shape.role: "role"}
    if not own and not (shape.conversation_id and _parts_dialogues(rows, shape, meant, vocabulary)):
        own = _id_by_rows(rows, meant, vocabulary)
    if own:
        found[own] = "conversation_id"
    if not (shape.time or shape.started_at) and (time := time_in(values)):
        found[time] = "time"
    return found


def shared_id(rows: Sequence[Mapping[str, Any]], vocabulary: Vocabulary) -> str:
    """The name, such as `sid`, of what could be a message's own id, where it parts the rows into dialogues; or ""."""
    rows = rows[:ROWS]
    shape = vocabulary.shape(tuple(rows[0]))
    if not (shape.speaks and shape.conversation_id) or shape.names_its_conversation:
        return ""
    ids = [str(row.get(shape.conversation_id)) for row in rows]
    shared = 1 < len(set(ids)) <= len(ids) // 2
    parts = shared and _parts_dialogues(rows, shape, {shape.role: "role"}, vocabulary)
    return shape.conversation_id if parts else ""


def is_id_name(word: str) -> bool:
    """True for a normalized name that can only be a conversation's id, such as `chatsessionno`."""
    return _ID_NAME.fullmatch(word) is not None


def is_conversations_name(word: str) -> bool:
    """True for a normalized name that can be a conversation's."""
    return word in CONVERSATIONS or is_id_name(word)


def time_by_values(rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The column of times, with its meaning, where nobody knows its name."""
    names = rows[0] if rows else {}
    time = time_in({name: [row[name] for row in rows if row.get(name)] for name in names})
    return {time: "time"} if time else {}


def transcripts_by_values(rows: Sequence[Mapping[str, str]]) -> str:
    """The only name whose values are dialogues of both sides, or messages of both with a label each, or ""."""
    rows = rows[:ROWS]
    columns = {name: [row[name] for row in rows if row[name]] for name in (rows[0] if rows else {})}
    return only([name for name, values in columns.items() if _share(is_dialogue, values) or _are_labeled(values)])


def _known_share(values: Mapping[str, list[Any]], shape: Shape, vocabulary: Vocabulary) -> bool:
    """True where any value of the column for who speaks is known, or it is no column of words."""
    if not shape.role:
        return True
    words = [value for value in values[shape.role] if isinstance(value, str)]
    if not words:
        return True
    context = roles_in_context(words)
    return any(word in context or side_of_role(vocabulary, word) for word in dict.fromkeys(words)) or bool(
        vocabulary.roles
    )


def _id(values: Mapping[str, list[Any]], used: set[str], rows: int) -> str:
    """The only name of a conversation's id: by its words, or one such as `Conversation` whose values are codes.

    Where no two messages share a value, it is the message's own id.
    """
    names = [
        name
        for name, kept in values.items()
        if name not in used
        and all(isinstance(value, str | int) for value in kept)
        and (rows < _FEW or len(set(kept)) < rows)
    ]
    named = [name for name in names if is_id_name(normalized(name))]
    called = [name for name in names if normalized(name) in CONVERSATIONS and _share(_is_code, values[name])]
    return only(named or called)


def _parts_dialogues(
    rows: Sequence[Mapping[str, Any]], shape: Shape, meant: Mapping[str, str], vocabulary: Vocabulary
) -> bool:
    """False for values under a name such as `id` that are the messages' own: hardly any stands for both sides."""
    if shape.names_its_conversation or len(rows) < _FEW:
        return True
    sides: dict[str, set[Speaker | None]] = {}
    side_of = _side_of_rows(rows, meant, vocabulary)
    for row in rows:
        sides.setdefault(str(row.get(shape.conversation_id)), set()).add(side_of(row))
    return sum({"user", "agent"} <= both for both in sides.values()) * 2 >= len(sides)


def _side_of_rows(
    rows: Sequence[Mapping[str, Any]], meant: Mapping[str, str], vocabulary: Vocabulary
) -> Callable[[Mapping[str, Any]], Speaker | None]:
    """The side of a row: by the words of its role beside each other, or by a flag."""
    role = next((name for name, meaning in meant.items() if meaning == "role" and name), "")
    shape = vocabulary.shape(tuple(rows[0]))
    if not role and shape.is_agent:
        return lambda row: speaker_of_flag(row.get(shape.is_agent))
    if not role and shape.is_user:
        return lambda row: speaker_of_user_flag(row.get(shape.is_user))
    context = roles_in_context(word for row in rows if isinstance(word := row.get(role), str))
    return lambda row: context.get(str(row.get(role))) or side_of_role(vocabulary, row.get(role))


def _id_by_rows(rows: Sequence[Mapping[str, Any]], meant: Mapping[str, str], vocabulary: Vocabulary) -> str:
    """The only name whose values part the rows into dialogues: each a run of rows in which both sides speak."""
    side_of = _side_of_rows(rows, meant, vocabulary)
    found = []
    for name in [name for name in rows[0] if name not in meant]:
        keys = []
        both = 0
        for key, run in groupby(rows, _value_of(name)):
            keys.append(key)
            both += {"user", "agent"} <= set(map(side_of, run))
        if len(keys) > 1 and len(set(keys)) == len(keys) and all(map(_is_code, keys)) and both >= _MOST * len(keys):
            found.append(name)
    return only(found)


def _value_of(name: str) -> Callable[[Mapping[str, Any]], Any]:
    """A row's value of this name, as text."""
    return lambda row: str(row.get(name, ""))


def _is_code(value: Any) -> bool:
    return _CODE.fullmatch(str(value)) is not None


def side_of_role(vocabulary: Vocabulary, role: Any) -> Speaker | None:
    """The side of a role, not kept: what words mean beside each other is learned later."""
    if isinstance(role, Mapping):
        return vocabulary.speaker(role)
    return (vocabulary.roles.get(role) or speaker_of(role)) if isinstance(role, str) else None


def _role(values: Mapping[str, list[Any]], shape: Shape) -> str:
    found = [name for name in values if name not in (shape.role, shape.conversation_id) and _both_sides(values[name])]
    return only(found) or only([name for name in found if _KIND.search(normalized(name))])


def _role_by_company(rows: Sequence[Mapping[str, Any]], shape: Shape) -> str:
    """The first column of names that are agents' and customers' by the company they keep in named conversations."""
    if not (shape.names_its_conversation and shape.texts) or set(shape.messages) - set(shape.texts):
        return ""
    for name in rows[0]:
        if _NAMES_SPEAKER.search(normalized(name)) and all(isinstance(row.get(name), str) for row in rows):
            said = [Said(str(row.get(shape.conversation_id)), row[name], str(row.get(shape.texts[0]))) for row in rows]
            if sides_by_company(said):
                return name
    return ""


def _both_sides(values: Sequence[Any]) -> bool:
    if any(isinstance(value, Mapping) for value in values):
        return _both_sides([kind_in(value) for value in values])
    if not all(isinstance(value, str) for value in values):
        return False
    words = {value.strip() for value in values if value.strip()}
    if len(words) > 40:
        return False
    context = roles_in_context(words)
    sides = [context.get(word) or speaker_of(word) for word in words]
    known = [side for side in sides if side]
    return {"user", "agent"} <= set(known) and len(known) * 2 > len(sides)


def kind_in(value: Any) -> str:
    """Everything an object says of the kind of person it is."""
    words = {normalized(str(name)): kept for name, kept in value.items()} if isinstance(value, Mapping) else {}
    return next((kind for name in _KINDS_IN if isinstance(kind := words.get(name), str)), "")


def _text(values: Mapping[str, list[Any]], used: set[str]) -> str:
    found = {}
    for name, kept in values.items():
        texts = [words for value in kept if isinstance(value, str | Mapping) and (words := words_in(value))]
        if name in used or not texts or _NO_TEXT_NAME.search(normalized(name)):
            continue
        length = sum(map(len, texts)) / len(texts)
        prose = sum(map(is_prose, texts))
        if length >= _SHORTEST_PROSE and prose * 2 > len(texts) and len(set(texts)) * 2 >= len(texts):
            found[name] = length
    ranked = sorted(found, key=found.__getitem__, reverse=True)
    clear = len(ranked) == 1 or (len(ranked) > 1 and found[ranked[0]] > 2 * found[ranked[1]])
    return ranked[0] if clear else ""


def is_prose(text: str) -> bool:
    """True for a text with words of a sentence in it."""
    return _PROSE.search(text) is not None


def time_in(values: Mapping[str, list[Any]]) -> str:
    """The name of times: by its words, or else the only one whose values are all dates with a time of day."""
    names = [name for name in values if not _NO_MESSAGES_TIME.search(normalized(name))]
    for name in names:
        if _TIME_NAME.search(normalized(name)) and _share(_is_time, values[name]):
            return name
    return only([name for name in names if values[name] and all(map(_is_dated, values[name]))])


def _is_dated(value: Any) -> bool:
    return (
        isinstance(value, str) and len(value) <= _LONGEST_TIME and _DATED.search(value) is not None and _is_time(value)
    )


def _is_time(value: Any) -> bool:
    return not isinstance(value, bool | list) and _NO_TIMES.parse(value) is not None


def _are_labeled(cells: Sequence[str]) -> bool:
    said = [split_transcript(cell) for cell in cells]
    sides = {utterance.speaker for cell in said for utterance in cell.utterances}
    return {"user", "agent"} <= sides and _share(lambda cell: cell.utterances and not cell.preamble, said)


def _share(is_right: Any, values: Sequence[Any]) -> bool:
    return bool(values) and sum(map(is_right, values)) >= _MOST * len(values)


def only(names: Sequence[str]) -> str:
    """The one name of several that there is, or ""."""
    return names[0] if len(names) == 1 else ""
