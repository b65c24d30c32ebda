"""Who speaks, when, and what: the small readers that every log format shares."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final, Literal, NamedTuple

from tasks.domain.records import Conversation, Reason, Reject, Role, Turn

Speaker = Role | Literal["system"]

_USER_WORDS: Final = (
    "用户 顾客 客户 买家 访客 会员 消费者 咨询者 customer user client buyer visitor guest consumer human"
)

_AGENT_WORDS: Final = (
    "客服 坐席 座席 卖家 商家 店家 店铺 店小蜜 机器人 agent assistant seller staff support operator service "
    "waiter bot robot chatbot ai csr kefu gpt"
)

_SYSTEM_WORDS: Final = "系统 系统消息 系统提示 系统通知 通知 system notice notification event tool function developer"

_SPEAKERS: Final[Mapping[str, Speaker]] = {
    **dict.fromkeys(_USER_WORDS.split(), "user"),
    **dict.fromkeys(_AGENT_WORDS.split(), "agent"),
    **dict.fromkeys(_SYSTEM_WORDS.split(), "system"),
}

_AFFIXED: Final = re.compile(
    r"(?:[\w ]{0,8}(?P<agent>客服|坐席|座席|机器人|商家|卖家|客户经理|客户服务)\w{0,16}"
    r"|(?P<user>用户|顾客|客户|买家|访客)|(?P<system>系统)|(?P<latin>[a-z]+))"
    r"(?:[\W\d_]\w{0,31}|人员|专员|端|方|侧|\d{1,6})?"
)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_WORD_CHARACTERS: Final = 64

_HOURS_KEPT: Final = 1_000

_AGENT_FLAGS: Final = frozenset({"1", "true", "yes", "y", "t", "是"})

_USER_FLAGS: Final = frozenset({"0", "false", "no", "n", "f", "否"})

_DATE_TIME: Final = re.compile(
    r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?"
    r"(?:[ T]{1,3}(\d{1,2})[:：时](\d{1,2})(?:[:：分](\d{1,2})(?:\.(\d{1,6})\d*)?)?[分秒]?)?"
)

_TIME: Final = (
    r"[\[(（【]?(?P<time>\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?[ T]{1,3}\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?"
    r"|\d{1,2}:\d{2}(?::\d{2})?)[\])）】]?"
)

_USER_LABELS: Final = "用户|顾客|客户|买家|访客|会员|消费者|咨询者"

_AGENT_LABELS: Final = "(?:人工|智能|在线|售前|售后|机器人)?客服(?:人员|专员)?|坐席|座席|卖家|商家|店家|店小蜜|机器人"

_USER_LATIN: Final = "customer|user|client|buyer|visitor|human"

_AGENT_LATIN: Final = "agent|assistant|seller|staff|support|robot|bot"

_LABEL: Final = (
    rf"(?:(?P<user>{_USER_LABELS}|{_USER_LATIN})|(?P<agent>{_AGENT_LABELS}|{_AGENT_LATIN})"
    r"|(?P<system>系统(?:消息|提示|通知)?|system))"
    r"(?:[ _-]?(?:\d{1,8}|[A-Za-z]\d{0,4}(?![A-Za-z])))?(?:[(（\[【][^()（）\[\]【】\n]{0,24}[)）\]】])?"
    r"[】\])）]?[ \t]{0,8}[:：﹕∶]"
)

_BRACKETS: Final = "【[(（"

_LABEL_AT_LINE_START: Final = re.compile(
    rf"^[ \t\u3000]*+(?:{_TIME}[ \t]{{0,8}})?[{re.escape(_BRACKETS)}]?{_LABEL}", re.I | re.M
)

_LABEL_HERE: Final = re.compile(rf"(?<![a-z])(?<!联系)(?<!致电)(?<!添加)(?<!询问){_LABEL}", re.I)

_LATIN_LABELS: Final = f"{_USER_LATIN}|{_AGENT_LATIN}|system"

# Plain words alone, which re finds ten times faster than labels.
_LABEL_WORD: Final = re.compile(
    f"{_USER_LABELS}|人工客服|智能客服|在线客服|售前客服|售后客服|机器人客服|客服|坐席|座席|卖家|商家|店家|店小蜜|机器人|系统"
    f"|{_LATIN_LABELS}|{_LATIN_LABELS.title()}|{_LATIN_LABELS.upper()}"
)

Utterance = tuple[Speaker, str, object]
"""One message before its time is read: who, what, and the time in whatever form the log holds it."""


def speaker_of(word: str) -> Speaker | None:
    """Who a role's value means, or None; a robot is an agent."""
    word = word[:_WORD_CHARACTERS].strip().strip("[]【】()（）:：").lower()
    if speaker := _SPEAKERS.get(word):
        return speaker
    if not (found := _AFFIXED.fullmatch(word)):
        return None
    latin = found["latin"]
    return _SPEAKERS.get(latin) if latin else "agent" if found["agent"] else "user" if found["user"] else "system"


def speaker_of_flag(flag: object) -> Speaker | None:
    """Who a column such as `is_agent` means by 0 or 1, true or false, 是 or 否; None for anything else."""
    word = str(flag).strip().lower()
    return "agent" if word in _AGENT_FLAGS else "user" if word in _USER_FLAGS else None


class TimestampParser:
    """Reads the times that logs hold; a time without an offset is local to `timezone`."""

    def __init__(self, timezone: tzinfo) -> None:
        self._timezone = timezone
        self._epochs: dict[str, datetime] = {}

    def parse(self, value: object) -> datetime | None:
        """An aware UTC time from ISO 8601, `2026/11/22 8:01` and its like, or epoch s, ms, µs; else None."""
        if value is None:
            return None
        try:
            if isinstance(value, str):
                return self._read_usual(value) or self._read_text(value.strip())
            if isinstance(value, int | float) and not isinstance(value, bool):
                return _from_epoch(value)
        except (ValueError, OverflowError):
            pass
        return None

    def _read_usual(self, text: str) -> datetime | None:
        """`2026-11-22 08:01:02` in an hour met before: nearly every time of a log."""
        if len(text) == 19 and text[13] == ":" and (epoch := self._epochs.get(text[:13])):
            return _EPOCH + (datetime.fromisoformat(text) - epoch)
        return None

    def _read_text(self, text: str) -> datetime | None:
        if len(text) > 40 or not text:
            return None
        if text.isdecimal():
            if len(text) == 14:
                text = f"{text[:8]}T{text[8:]}"
            elif len(text) != 8:
                return _from_epoch(int(text))
        try:
            time = datetime.fromisoformat(text)
        except ValueError:
            found = _DATE_TIME.fullmatch(text)
            if not found:
                return _from_epoch(float(text))
            *parts, fraction = found.groups("0")
            year, month, day, hour, minute, second = map(int, parts)
            time = datetime(year, month, day, hour, minute, second, int(fraction.ljust(6, "0")))  # noqa: DTZ001
        return time.astimezone(UTC) if time.tzinfo else _EPOCH + (time - self._epoch(time))

    def _epoch(self, time: datetime) -> datetime:
        """1970 as a timestamps at this offset showed it. Offsets change on the hour; looking them up costs most."""
        epoch = _EPOCH.replace(tzinfo=None) + (self._timezone.utcoffset(time) or timedelta())
        if len(self._epochs) >= _HOURS_KEPT:
            self._epochs.clear()
        hour = f"{time:%Y-%m-%d}", f"{time:%H}"
        self._epochs[" ".join(hour)] = self._epochs["T".join(hour)] = epoch
        return epoch


def _from_epoch(number: float) -> datetime | None:
    for scale in (1, 1_000, 1_000_000):
        if 1e8 <= number / scale < 1e10:  # from 1973 to 2286
            return _EPOCH + timedelta(microseconds=number * (1_000_000 // scale))
    return None


class Transcript(NamedTuple):
    """A dialogue in one string: what stands before it, its messages, and where the first one begins."""

    preamble: str
    said: list[Utterance]
    start: int


def split_transcript(text: str) -> Transcript:
    """The messages that speakers' labels (`用户：`, `[客服 小林]:`) begin; none when there is no label.

    Labels count at line starts when both sides have one there, else wherever they stand. A label may carry a
    time before it and a number or a name in brackets behind it. What follows without a label belongs to the
    message before.
    """
    labels = list(_LABEL_AT_LINE_START.finditer(text))
    if not {"user", "agent"} <= {_side(label) for label in labels}:
        anywhere = _labels_anywhere(text)
        if len(anywhere) > len(labels):
            labels = anywhere
    if not labels:
        return Transcript(text.strip(), [], 0)
    starts = [label.start() - (label.start() > 0 and text[label.start() - 1] in _BRACKETS) for label in labels]
    said: list[Utterance] = [
        (_side(label), text[label.end() : end].strip(), label.groupdict().get("time"))
        for label, end in zip(labels, [*starts[1:], len(text)], strict=True)
    ]
    return Transcript(text[: starts[0]].strip(), said, starts[0])


def _labels_anywhere(text: str) -> list[re.Match[str]]:
    labels: list[re.Match[str]] = []
    end = 0
    for word in _LABEL_WORD.finditer(text):
        if word.start() >= end and (label := _LABEL_HERE.match(text, word.start())):
            labels.append(label)
            end = label.end()
    return labels


def begins_with_label(line: str) -> bool:
    """Whether a line begins with a speaker's label."""
    return _LABEL_AT_LINE_START.match(line) is not None


def _side(label: re.Match[str]) -> Speaker:
    return "user" if label["user"] else "agent" if label["agent"] else "system"


def conversation_from(
    said: Iterable[Utterance],
    timestamps: TimestampParser,
    conversation_id: str,
    uri: str,
    line: int,
    started: object = None,
    channel: str = "",
    attributes: Mapping[str, str] | None = None,
) -> Conversation | Reject:
    """A conversation with a turn for each message that has text, or why it is none.

    The system's messages are left out. When every message has a time that can be read they are put in its
    order, equal ones as logged. It starts at `started`, or else with its first time.
    """
    read = timestamps.parse
    turns = [Turn(speaker, text, read(time)) for speaker, text, time in said if text and speaker != "system"]
    times = [turn.time for turn in turns if turn.time]
    if len(times) == len(turns) and times != (in_order := sorted(times)):
        turns.sort(key=lambda turn: turn.time or _EPOCH)
        times = in_order
    if not turns:
        return Reject(conversation_id, Reason.EMPTY, "no message has any text", uri, line)
    role = turns[0].role
    if all(turn.role == role for turn in turns):
        detail = f"only the {role} speaks ({len(turns)} messages)"
        return Reject(conversation_id, Reason.ONE_SIDED, detail, uri, line)
    return Conversation(
        conversation_id,
        tuple(turns),
        uri,
        line,
        timestamps.parse(started) or (times[0] if times else None),
        channel,
        attributes or {},
    )
