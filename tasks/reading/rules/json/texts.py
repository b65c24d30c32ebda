"""The words in a message's content, however deeply they are wrapped, and the scalars around them."""

from collections.abc import Mapping
from typing import Any, Final

import orjson

from tasks.domain.nesting import load_shallow

# What holds a message's words, or wraps what does; the surest first.
_HOLDERS: Final = (
    "text", "content", "value", "body", "msg", "message", "plain_text", "plain_body", "words", "内容", "文本",
    "消息内容",
    "msgContent", "msg_content", "messageContent", "message_content", "textContent", "text_content", "plainText",
    "parts", "bodies", "segments", "blocks", "elements", "children", "runs", "data", "payload", "message_parts",
    "texts", "MsgContent", "Text", "plain", "ops", "insert", "zh-CN", "zh_CN", "zh_cn",
    "zh", "zh-Hans", "zh-TW", "zh-Hant", "en", "en-US", "html",
)  # fmt: skip

_INLINE: Final = frozenset(["children", "runs", "elements", "ops"])

# A choice that the customer taps; its title is what they say.
_TAPPED: Final = ("button_reply", "list_reply")

_DEPTH: Final = 6

_KINDS: Final = frozenset(
    ["type", "msgtype", "msg_type", "message_type", "mtype", "contenttype", "content_type", "kind"]
)

# Envelopes of Udesk that nobody wrote: a session begins, is handed on, rated or closed.
_EVENTS: Final = frozenset(
    ["start_session", "transfer", "info_transfer", "close", "survey", "active_guest", "info_appoint", "robot_transfer"]
)

_SCALARS: Final = ("$oid", "$numberLong", "$numberInt", "$numberDouble", "$numberDecimal", "$uuid", "S", "N")

# What exports write where there is no id. Taken for one, all conversations without an id would be one.
_NO_ID: Final = (
    "null none nan nil n/a #n/a #ref! undefined (null) <null> <na> [null] \\n - -- — / ? 无 空 未知 "
    "00000000-0000-0000-0000-000000000000"
)

NO_IDS: Final = frozenset(
    form for word in _NO_ID.split() for form in (word, word.upper(), word.title(), word.replace("nan", "NaN"))
)

# An object that stands in a conversation's place, by its id.
_OWN_IDS: Final = ("id", "_id", "conversation_id", "session_id")

_NAMED: Final = ("name", "channel", "type", "title", "label", "value", "id")


def words_in(content: Any, depth: int = 0, *, inline: bool = False) -> str:
    """The words in a message's content: a text, a number, an object that holds one, or parts of which some do.

    Args:
        inline: true for parts that are marked words of one sentence; other parts begin a line each.
    """
    if isinstance(content, str):
        return words_in_json(content)
    if depth > _DEPTH:
        return ""
    if isinstance(content, list):
        parts = (words_in(part, depth + 1) for part in content if isinstance(part, str | dict | list))
        return ("" if inline or any(isinstance(part, str) for part in content) else "\n").join(filter(None, parts))
    if isinstance(content, Mapping):
        for key in _HOLDERS:
            if content.get(key) and (found := words_in(content[key], depth + 1, inline=key in _INLINE)):
                return found
        tapped = next((content[key] for key in _TAPPED if isinstance(content.get(key), Mapping)), None)
        return words_in(tapped.get("title"), depth + 1) if tapped else ""
    return "" if depth else as_text(content)


def words_in_json(text: str) -> str:
    """A text, or the words in it where it is a typed part written as JSON, as WeCom and 七鱼 export them."""
    if text[:1] != "{" or text[-1:] != "}" or '"' not in text or len(text) > 1 << 16:
        return text
    try:
        value = load_shallow(text)
    except orjson.JSONDecodeError:
        return text
    typed = isinstance(value, dict) and (len(value) == 1 or any(key.lower() in _KINDS for key in value))
    if typed and "data" in value and value.get("type") in _EVENTS:
        return ""
    return (words_in(value, 1) or text) if typed else text


def words_in_envelope(text: str) -> str:
    """The words of a text that is an object written as JSON, whatever else it holds; "" where it holds none."""
    try:
        value = load_shallow(text) if text[:1] == "{" else None
    except orjson.JSONDecodeError:
        return ""
    return words_in(value, 1) if isinstance(value, dict) else ""


def identity(value: Any) -> str:
    """An id as text: a whole number without its point, a value that MongoDB's export wraps; "" for what is none."""
    if isinstance(value, str):
        return undressed(value)
    if isinstance(value, Mapping):
        if isinstance(binary := value.get("$binary"), Mapping):
            return identity(binary.get("base64"))
        own = next((key for key in _OWN_IDS if key in value), "")
        if own or len(value) != 1:
            flat = own and not any(isinstance(held, Mapping | list) for held in value.values())
            return identity(value[own]) if flat else ""
        return next((identity(value[key]) for key in _SCALARS if key in value), "")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def undressed(text: str) -> str:
    """An id without the sign by which a spreadsheet is told to keep its digits: '00123, `00123; "" for what is none."""
    text = text.strip()
    if text in NO_IDS:
        return ""
    return text[1:] if text[:1] in "'`" and text[1:].isalnum() else text


def name_of(value: Any) -> str:
    """A channel or the like as text; of an object, its name."""
    if isinstance(value, Mapping):
        return next((str(value[key]) for key in _NAMED if isinstance(value.get(key), str | int) and value[key]), "")
    return as_text(value)


def scalar(value: Any) -> Any:
    """A time as a row of scratch can hold it."""
    return None if value == "" else value


def as_text(value: Any) -> str:
    """Any value as text; what is no text as JSON."""
    if isinstance(value, str):
        return value
    return "" if value is None else orjson.dumps(value).decode()
