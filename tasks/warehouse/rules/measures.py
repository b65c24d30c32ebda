"""Measures of a conversation that need no model: messages by side, times, its agent, the customer's rating."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final, NamedTuple

import orjson

from tasks.domain.records import Conversation, Turn

# Names of a log's columns, in lower case without blanks, `_` and `-`; the surest first.
NAMES: Final[Mapping[str, str]] = {
    "agent": (
        "agent agentname agentnickname agentnick assignee assigneename operator operatorname staff staffname servicer "
        "waiter 客服 客服昵称 客服名称 客服姓名 接待客服 坐席 坐席姓名 坐席名称 客服账号 客服工号 agentid staffid "
        "assigneeid responderid adminassigneeid"
    ),
    "csat": (
        "csat csatscore satisfaction satisfactionrating satisfactionscore satisfactionlevel conversationrating rating "
        "满意度 满意度评价 满意度评分 客户满意度 用户满意度 评价结果 评价 评分"
    ),
}

_NAMES: Final = {meaning: tuple(names.split()) for meaning, names in NAMES.items()}

# Keys of a rating or an agent that is an object of its own.
_INSIDE: Final = ("score", "rating", "value", "name")


class Measures(NamedTuple):
    """Measures of one conversation; None where the log has none. Times are in seconds."""

    user_messages: int
    agent_messages: int
    first_response_seconds: float | None
    resolution_seconds: float | None
    agent: str | None
    csat: str | None


def measure(conversation: Conversation) -> Measures:
    """Return a conversation's measures, from its turns and its attributes as they may be stored."""
    sides = [turn.role for turn in conversation.turns]
    named = {_plain(name): value for name, value in conversation.attributes.items() if value}
    return Measures(
        sides.count("user"),
        sides.count("agent"),
        _first_response(conversation.turns),
        _resolution(conversation.turns),
        _first_of(_NAMES["agent"], named),
        _first_of(_NAMES["csat"], named),
    )


def _first_response(turns: Iterable[Turn]) -> float | None:
    """Seconds from the customer's first message to the agent's next one."""
    asked: datetime | None = None
    for turn in turns:
        if asked is None:
            if turn.role == "user":
                if turn.time is None:
                    return None
                asked = turn.time
        elif turn.role == "agent":
            return None if turn.time is None else max(0.0, (turn.time - asked).total_seconds())
    return None


def _resolution(turns: Iterable[Turn]) -> float | None:
    """Seconds from the first message to the last."""
    times = [turn.time for turn in turns if turn.time is not None]
    return (max(times) - min(times)).total_seconds() if len(times) > 1 else None


def _first_of(names: Iterable[str], found: Mapping[str, str]) -> str | None:
    return next((value for name in names if name in found and (value := _value_of(found[name]))), None)


def _value_of(logged: str) -> str:
    """The value itself, or that of an object in JSON: `{"score": "good", "comment": …}` is `good`."""
    if not logged.startswith("{"):
        return logged
    try:
        inside = orjson.loads(logged)
    except orjson.JSONDecodeError:
        return logged
    return next((str(inside[key]) for key in _INSIDE if inside.get(key) not in (None, "")), "")


def _plain(name: str) -> str:
    return name.lower().replace(" ", "").replace("_", "").replace("-", "")
