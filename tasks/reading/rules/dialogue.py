"""Utterances to a conversation: in their order, once each, or why they are none."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Final, NamedTuple

from tasks.domain.records import Conversation, Reason, Reject, Turn
from tasks.reading.rules.timestamps import TimestampParser
from tasks.reading.rules.utterances import Utterance

MESSAGES_LIMIT: Final = 20_000

UNREAD_ROWS: Final = "unread_rows"

_TAG: Final = re.compile(
    r"</?(?:p|div|span|br|img|a|b|i|u|em|strong|font|ul|ol|li|table|tbody|thead|tr|td|th|h[1-6]|blockquote|pre|code|"
    r"style|script|hr|figure|section|label|input|video|audio|source)(?:[\s/][^<>]{0,4000})?>",
    re.I,
)

_BREAKS: Final = re.compile(r"</?(?:p|div|br|li|tr|h[1-6]|blockquote|hr)\b", re.I)

# No character has a number of so many digits, and reading them takes quadratic time.
_ENDLESS_ENTITY: Final = re.compile(r"&#[xX]?[0-9a-fA-F]{8,}+;?")


class Header(NamedTuple):
    """Data of a conversation beside its messages; `started` is as logged."""

    conversation_id: str
    uri: str
    line: int
    started: object = None
    channel: str = ""
    attributes: Mapping[str, str] = {}


class Unread(NamedTuple):
    """The rows of a conversation that could not be read: how many, and why the first."""

    rows: int = 0
    why: str = ""


_ALL_READ: Final = Unread()


def conversation_from(
    utterances: Sequence[Utterance], timestamps: TimestampParser, header: Header, unread: Unread = _ALL_READ
) -> Conversation | Reject:
    """A conversation with a turn for each message that has text, or why it is none.

    The system's messages are left out. Messages are put in the order of their times; one without a time stays behind
    the one before it. A log that has the newest first is turned around, so that messages of one minute keep their
    order. A conversation starts at `started`, or else with its first time.
    """
    if len(utterances) > MESSAGES_LIMIT:
        return _reject(header, Reason.UNREADABLE, f"{len(utterances):,} messages: no conversation is that long", None)
    spoken: list[Utterance] = []
    keyed = False
    for said in utterances:
        text = said[1]
        if not text or said[0] is None or said[0] == "system":
            continue
        if "<" in text or "&#" in text:
            text = plain_text(text)
            if not text:
                continue
            spoken.append(said._replace(text=text))
        else:
            spoken.append(said)
        keyed = keyed or said[4] != ""
    parse = timestamps.parse
    times = [parse(said[2]) for said in spoken]
    if keyed:
        spoken, times = _once_each(spoken, times)
    spoken, times = _in_order(spoken, times)
    started = timestamps.parse(header.started) or next((time for time in times if time), None)
    if not spoken:
        return _none(header, Reason.EMPTY, "no message has any text", started, unread, len(utterances))
    role = spoken[0][0]
    if len({said[0] for said in spoken}) == 1:
        detail = f"only the {role} speaks ({len(spoken)} messages)"
        return _none(header, Reason.ONE_SIDED, detail, started, unread, len(utterances))
    attributes = header.attributes
    if unread.rows:
        attributes = {**attributes, UNREAD_ROWS: str(unread.rows)}
    turns = tuple([Turn(said[0], said[1], time) for said, time in zip(spoken, times, strict=True)])  # type: ignore[arg-type]
    return Conversation(header.conversation_id, turns, header.uri, header.line, started, header.channel, attributes)


def plain_text(text: str) -> str:
    """A message without HTML's tags and without entities that can be none."""
    if "&#" in text:
        text = _ENDLESS_ENTITY.sub("\ufffd", text)
    if "<" not in text or not _TAG.search(text):
        return text
    return _TAG.sub(lambda tag: "\n" if _BREAKS.match(tag[0]) else "", text).strip()


def _none(
    header: Header, reason: Reason, detail: str, started: datetime | None, unread: Unread, messages: int
) -> Reject:
    if not unread.rows:
        return _reject(header, reason, detail, started)
    found = f"{unread.rows} of its {unread.rows + messages} rows can't be read ({unread.why}); of the others {detail}"
    return _reject(header, Reason.UNREADABLE, found, started)


def _reject(header: Header, reason: Reason, detail: str, started: datetime | None) -> Reject:
    return Reject(
        header.conversation_id, reason, detail, header.uri, header.line, started_at=started, channel=header.channel
    )


_Times = list[datetime | None]


def _once_each(spoken: list[Utterance], times: _Times) -> tuple[list[Utterance], _Times]:
    """Without messages that were delivered twice: the same key, the same side, the same words."""
    seen: set[tuple[object, ...]] = set()
    kept = []
    for at, said in enumerate(spoken):
        mark = said.key, said.speaker, said.text
        if not said.key or mark not in seen:
            kept.append(at)
            seen.add(mark)
    return [spoken[at] for at in kept], [times[at] for at in kept]


def _in_order(spoken: list[Utterance], times: _Times) -> tuple[list[Utterance], _Times]:
    known = [time for time in times if time]
    if not known:
        if all(said[3] is not None for said in spoken):
            spoken = sorted(spoken, key=lambda said: said[3] or 0.0)
        return spoken, times
    if len(known) == len(times) and known == sorted(known) and (known[0] != known[-1] or len(known) == 1):
        return _by_number(spoken, times)
    falling = known[0] > known[-1] and all(one >= other for one, other in pairwise(known))
    if falling and (len(known) == len(times) or len(known) > 2):
        spoken, times = spoken[::-1], times[::-1]
    places = _filled(times, known[0])
    order = sorted(range(len(spoken)), key=places.__getitem__)
    return _by_number([spoken[at] for at in order], [times[at] for at in order])


def _filled(times: _Times, first: datetime) -> list[datetime]:
    """Every time, or where there is none that of the message before."""
    places = []
    last = first
    for time in times:
        last = time or last
        places.append(last)
    return places


def _by_number(spoken: list[Utterance], times: _Times) -> tuple[list[Utterance], _Times]:
    """Messages of one time in the order of their numbers, where all have one."""
    if not spoken or spoken[0][3] is None or any(said[3] is None for said in spoken):
        return spoken, times
    order = sorted(range(len(spoken)), key=lambda at: (times[at] is not None, times[at] or 0, spoken[at][3]))
    return [spoken[at] for at in order], [times[at] for at in order]
