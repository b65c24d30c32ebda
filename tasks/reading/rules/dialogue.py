"""Utterances to a conversation: in their order, once each, or why they are none."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import pairwise
from typing import Any, Final, NamedTuple

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


# Makes a turn of (role, text, time), half a microsecond sooner than its class does.
new_turn: Final[Callable[[tuple[Any, str, datetime | None]], Turn]] = partial(tuple.__new__, Turn)


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

_SPARED: Final = 4


def unread_among(utterances: Sequence[Utterance]) -> Unread:
    """The messages of speakers that nobody knows; the text of each is the reason."""
    unread = [said.text for said in utterances if said.speaker is None]
    return Unread(len(unread), unread[0]) if unread else _ALL_READ


def can_spare(utterances: Sequence[Utterance]) -> bool:
    """True where both sides speak and at most one message in four is of nobody known: it costs no more than itself."""
    sides = {said.speaker for said in utterances}
    return {"user", "agent"} <= sides and unread_among(utterances).rows * _SPARED <= len(utterances)


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
    parse = timestamps.parse
    turns: list[Turn] = []
    marks: list[_Mark] = []
    marked = False
    for speaker, text, time, number, key in utterances:
        if not text or speaker is None or speaker == "system":
            continue
        if ("<" in text or "&#" in text) and not (text := plain_text(text)):
            continue
        turns.append(new_turn((speaker, text, None if time is None else parse(time))))
        marks.append((number, key))
        marked = marked or number is not None or key != ""
    turns = _in_order(_Marked(turns, marks).once_each()) if marked else in_order(turns)
    started = parse(header.started) or next((turn.time for turn in turns if turn.time), None)
    if not turns:
        return _none(header, Reason.EMPTY, "no message has any text", started, unread, len(utterances))
    role = turns[0].role
    if all(turn[0] == role for turn in turns):
        detail = f"only the {role} speaks ({len(turns)} messages)"
        return _none(header, Reason.ONE_SIDED, detail, started, unread, len(utterances))
    attributes = header.attributes
    if unread.rows:
        attributes = {**attributes, UNREAD_ROWS: str(unread.rows)}
    return Conversation(
        header.conversation_id, tuple(turns), header.uri, header.line, started, header.channel, attributes
    )


def is_newest_first(times: Sequence[datetime | None]) -> bool:
    """True for a log whose times fall from row to row."""
    known = [time for time in times if time]
    return len(known) > 2 and known[0] > known[-1] and all(one >= other for one, other in pairwise(known))


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


_Mark = tuple[float | None, str]

_LONGEST_NUMBER: Final = 20


class _Marked(NamedTuple):
    """Turns with the number and the key of each one's message."""

    turns: list[Turn]
    marks: list[_Mark]

    def once_each(self) -> "_Marked":
        """Return them without messages that were delivered twice: the same key, side, words and time."""
        seen: set[tuple[str, Turn]] = set()
        kept = []
        for at, (turn, (_, key)) in enumerate(zip(self.turns, self.marks, strict=True)):
            mark = key, turn
            if not key or mark not in seen:
                kept.append(at)
                seen.add(mark)
        return self.at(kept)

    def at(self, order: Sequence[int]) -> "_Marked":
        """Return them in another order."""
        return _Marked([self.turns[at] for at in order], [self.marks[at] for at in order] if self.marks else [])

    def by_number(self) -> list[Turn]:
        """Return the turns of one time in the order of their numbers, or of their keys where these count down."""
        numbers = [number for number, _ in self.marks]
        if None in numbers:
            numbers = _counting_down([key for _, key in self.marks])
        if not numbers:
            return self.turns
        times = [turn.time for turn in self.turns]
        places = range(len(times))
        order = sorted(places, key=lambda at: (times[at] is not None, times[at] or 0, numbers[at]))
        return self.at(order).turns


def _counting_down(keys: Sequence[str]) -> list[float | None]:
    """The numbers that messages' keys are, where each is less than the one before; none otherwise."""
    if len(keys) <= 2 or not all(key.isdecimal() and key.isascii() and len(key) < _LONGEST_NUMBER for key in keys):
        return []
    numbers = list(map(int, keys))
    return [*numbers] if all(one > other for one, other in pairwise(numbers)) else []


def in_order(turns: list[Turn]) -> list[Turn]:
    """The turns in the order of their times."""
    return _in_order(_Marked(turns, []))


def _in_order(said: _Marked) -> list[Turn]:
    times = [turn[2] for turn in said.turns]
    known = [time for time in times if time]
    if not known:
        return said.by_number()
    if len(known) == len(times) and known == sorted(known) and (known[0] != known[-1] or len(known) == 1):
        return said.by_number()
    falling = known[0] > known[-1] and all(one >= other for one, other in pairwise(known))
    if falling and (len(known) > 2 or len(times) <= len(known) + 1):
        said = said.at(range(len(times) - 1, -1, -1))
        times.reverse()
    places = _filled(times, known[0])
    return said.at(sorted(range(len(times)), key=places.__getitem__)).by_number()


def _filled(times: Sequence[datetime | None], first: datetime) -> list[datetime]:
    """Every time, or where there is none that of the message before."""
    places = []
    last = first
    for time in times:
        last = time or last
        places.append(last)
    return places
