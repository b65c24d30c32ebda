"""Dialogues in one string: whose label begins which message, and which lines are none of anybody's."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final, NamedTuple

from tasks.domain.records import Turn
from tasks.reading.rules.dialogue import MESSAGES_LIMIT, new_turn, plain_text
from tasks.reading.rules.speakers import AGENT_WORDS, SYSTEM_WORDS, USER_WORDS, Speaker
from tasks.reading.rules.transcripts.labels import (
    DATE,
    DATE_INSIDE,
    NO_ROLES,
    OF_DAY,
    Label,
    LabelReader,
    plain_label,
)
from tasks.reading.rules.transcripts.notices import notice_in, without_withdrawn
from tasks.reading.rules.utterances import Utterance

_TIMED_NOTICE: Final = re.compile(
    rf"[\u200e\ufeff]?\[?(?P<time>{DATE}[ ,，]{{1,3}}{OF_DAY})\]?(?:[ \t]-[ \t]|[ \t]{{1,2}})\S"
)


def _alternatives(words: str, *, latin: bool) -> str:
    chosen = [word for word in words.split() if word.isascii() is latin and len(word) > 1 and word not in _NO_LABELS]
    return "|".join(sorted(chosen, key=lambda word: (-len(word), word)))


# Roles that are ordinary words in a sentence, and so no labels in the midst of one.
_NO_LABELS_WORDS: Final = (
    "通知 旁白 事件 人工 管家 店员 商户 顾问 顧問 專員 店铺 店鋪 model admin shop store contact lead "
    "member a q note info template activity trigger inbound incoming outbound outgoing expert consultant "
    "passenger patient caller requester shopper subscriber tool function event service operator waiter "
    "guest consumer ai cs csr rep sys usr merchant employee teammate automation workflow notification notice "
    "developer"
)

_NO_LABELS: Final = frozenset(_NO_LABELS_WORDS.split())


_USER_LABELS: Final = f"{_alternatives(USER_WORDS, latin=False)}|{_alternatives(USER_WORDS, latin=True)}"

_AGENT_LABELS: Final = (
    f"(?:人工|智能|在线|售前|售后|机器人)?客服(?:人员|人員|专员|專員)?|{_alternatives(AGENT_WORDS, latin=False)}"
    f"|{_alternatives(AGENT_WORDS, latin=True)}"
)

_SYSTEM_LABELS: Final = f"{_alternatives(SYSTEM_WORDS, latin=False)}|system"

_BRACKETS: Final = ("<|", "<", "【", "[", "(", "（")

_LABEL_HERE: Final = re.compile(
    r"(?<![a-z])(?<!联系)(?<!致电)(?<!添加)(?<!询问)"
    rf"(?:(?P<user>{_USER_LABELS})|(?P<agent>{_AGENT_LABELS})|(?P<system>{_SYSTEM_LABELS}))"
    r"(?:[ _-]?(?:\d{1,8}|[A-Za-z]\d{0,4}(?![A-Za-z])))?(?:[(（\[【][^()（）\[\]【】\n]{0,24}[)）\]】])?"
    r"(?:[】\])）]?[ \t]{0,8}[:：﹕∶]|\|?(?P<shut>[>\]】]))",
    re.I,
)

# <user>, <|user|>, [user], 【用户】: a label in brackets needs no colon.
_OPENED: Final[Mapping[str, tuple[str, ...]]] = {">": ("<", "<|"), "]": ("[",), "】": ("【",)}

_NOTICE_BEGINS: Final = frozenset("0123456789[\u200e")

_END_TAG: Final = re.compile(r"\s{0,4}</\|?\w{1,24}\|?>\s{0,4}\Z")

_LATIN: Final = "|".join(_alternatives(words, latin=True) for words in (USER_WORDS, AGENT_WORDS)) + "|system"

# Plain words alone, which re finds ten times faster than labels.
_LABEL_WORD: Final = re.compile(
    "|".join(
        [
            *sorted(
                (
                    word
                    for words in (USER_WORDS, f"{AGENT_WORDS} 售前客服 售后客服 机器人客服", SYSTEM_WORDS)
                    for word in _alternatives(words, latin=False).split("|")
                ),
                key=lambda word: (-len(word), word),
            ),
            _LATIN,
            _LATIN.title(),
            _LATIN.upper(),
        ]
    )
)

_LABELS_A_LINE: Final = 2

_LINE_END: Final = re.compile(r"<(?:br|/p|/div|/li)\b", re.I)


class Transcript(NamedTuple):
    """A dialogue in one string: what stands before it, its messages, and where the first one begins.

    `strangers` are names that begin a message and that nobody said whose they are, each with how often. `guessed` is
    the side that the only unknown name was taken for.
    """

    preamble: str
    utterances: list[Utterance]
    start: int
    strangers: Mapping[str, int] = {}
    guessed: str = ""


def split_transcript(text: str, reader: LabelReader = NO_ROLES) -> Transcript:
    """The messages that speakers' labels (`用户：`, `[客服 小林]:`) begin; none when there is no label.

    Labels count at line starts when both sides have one there, or two lines have one; else wherever they stand.
    What follows without a label belongs to the message before, but a line that another speaker's name begins does
    not: it is the message of a stranger.
    """
    labels, text = _labels_at_line_starts(text, reader)
    if len(labels) < _LABELS_A_LINE and "<" in text and _LINE_END.search(text):
        labels, text = _labels_at_line_starts(plain_text(text), reader)
    if len(labels) < _LABELS_A_LINE and len({label.speaker for _, label in labels}) < _LABELS_A_LINE:
        anywhere = _labels_anywhere(text)
        if len(anywhere) > len(labels):
            return _split(text, anywhere, {})
    labels = _timed_alike(labels[_headings_among(labels, text) :])
    found, strangers, guessed = _with_sides(labels)
    if not any(label.speaker in ("user", "agent") or label.sure for _, label in labels):
        return Transcript(text.strip(), [], 0, strangers)
    return _split(text, found, strangers)._replace(guessed=guessed)


def _headings_among(labels: list[tuple[int, Label]], text: str) -> int:
    """The labels above the messages that say who takes part: `Agent: Lin`, without the times that all others have."""
    timed = [label.time is not None for _, label in labels]
    above = timed.index(True) if True in timed else 0
    if not above or not all(timed[above:]) or len(labels) - above < _LABELS_A_LINE:
        return 0
    ends = [*(start for start, _ in labels[1:]), len(text)]
    said = (text[start + label.end : end] for (start, label), end in zip(labels[:above], ends, strict=False))
    return above if all(_NAME_ALONE.fullmatch(words) for words in said) else 0


def _timed_alike(labels: list[tuple[int, Label]]) -> list[tuple[int, Label]]:
    """The labels without those in the midst of a message: where most have a time, another name without one."""
    timed = [label.name for _, label in labels if label.time is not None]
    if len(timed) * 2 <= len(labels) or len(timed) == len(labels) or labels[0][1].time is None:
        return labels
    names = {*timed}
    return [found for found in labels if found[1].time is not None or found[1].name in names]


_NAME_ALONE: Final = re.compile(r"[^\n，。！？,.!?]{0,24}\s*")


def labeled_lines(lines: Sequence[str], reader: LabelReader) -> Transcript | None:
    """The messages of lines that all begin with a side's label and a colon; None where one does not.

    It gives what `split_transcript` gives for them, in half the time. Above the first message other lines may stand.
    """
    utterances: list[Utterance] = []
    above = 0
    for line in lines:
        label = reader.label(line)
        if label and label.speaker and label.begins_at_colon(line) and "</" not in line:
            utterances.append(Utterance(label.speaker, without_withdrawn(line[label.end :].strip()), label.time))
        elif line and not line.isspace() and (label or utterances or notice_in(line, "")):
            return None
        elif not utterances:
            above += 1
    timed = sum(said.time is not None for said in utterances)
    if len(utterances) < _LABELS_A_LINE or timed not in (0, len(utterances)):
        return None
    preamble = "\n".join(lines[:above])
    return Transcript(preamble.strip(), utterances, len(preamble) + 1 if above else 0)


def plain_transcript(text: str) -> list[Turn] | None:
    """The turns of a transcript whose every line begins with a plain label; None where one does not."""
    turns: list[Turn] = []
    labels = 0
    for line in text.split("\n"):
        if not line or line.isspace():
            continue
        plain = plain_label(line)
        if plain is None:
            return None
        speaker, end = plain
        labels += 1
        said = line[end + 1 :].strip()
        if "<" in said or "&#" in said:
            said = plain_text(said)
        if said and speaker != "system":
            turns.append(new_turn((speaker, said, None)))
    return turns if _LABELS_A_LINE <= labels <= MESSAGES_LIMIT else None


def _labels_at_line_starts(text: str, reader: LabelReader) -> tuple[list[tuple[int, Label]], str]:
    """The labels that lines begin with, each with its line's place, and the text with its notices blanked.

    A time of day is of the day that a notice above names, and after midnight of the next one.
    """
    labels: list[tuple[int, Label]] = []
    start = 0
    day = clock = ""
    lines = text.split("\n")
    blanked = False
    for at, line in enumerate(lines):
        label = reader.label(line) if line else None
        if line and not (label and label.begins_at_colon(line)):  # nobody says it yet
            notice = notice_in(line, lines[at + 1] if at + 1 < len(lines) else "")
            if notice:
                day, clock, label = notice.day or day, "" if notice.day else clock, None
            if notice and not notice.is_heading:
                lines[at], blanked = " " * len(line), True
            elif line.endswith("</v>"):
                lines[at], blanked = line.removesuffix("</v>") + "    ", True
            elif label is None and line[:1] in _NOTICE_BEGINS and (found := _TIMED_NOTICE.match(line)):
                label = Label("system", "", found["time"], 0, sure=False)
        if label:
            if day and label.time and not DATE_INSIDE.search(label.time):
                day, clock = _day_after(day) if _is_past_midnight(clock, label.time) else day, label.time
                label = label._replace(time=f"{day} {label.time}".lstrip())
            labels.append((start, label))
        start += len(line) + 1
    return labels, "\n".join(lines) if blanked else text


_CLOCK: Final = re.compile(r"(\d{1,2})[:：]\d{2}(?:[:：]\d{2})?")

_LATE_HOUR, _SMALL_HOUR = 20, 4

_DAY_OF_NOTICE: Final = re.compile(r"(\d{4})\D{1,2}(\d{1,2})\D{1,2}(\d{1,2})")


def _is_past_midnight(before: str, time: str) -> bool:
    """True for the small hours of a clock below the late evening of one."""
    hours = [int(found[1]) for clock in (before, time) if (found := _CLOCK.fullmatch(clock))]
    return len(hours) == 2 and hours[0] >= _LATE_HOUR and hours[1] <= _SMALL_HOUR


def _day_after(day: str) -> str:
    """The day after one that a notice names, where it can be told; "" otherwise: then the clock alone stands there."""
    found = _DAY_OF_NOTICE.match(day)
    try:
        return (date(*map(int, found.groups())) + timedelta(days=1)).isoformat() if found else ""
    except (ValueError, OverflowError):
        return ""


_OTHER: Final[Mapping[Any, Speaker]] = {"user": "agent", "agent": "user"}


def _with_sides(
    labels: list[tuple[int, Label]],
) -> tuple[list[tuple[int, int, Speaker, str | None]], dict[str, int], str]:
    """The labels with their sides, the strangers among them, and the side that the only unknown name is taken for.

    Where one side alone is known, and one other name speaks, that is the other side's. A stranger above the first
    label and nowhere else is a heading.
    """
    if all(label.speaker for _, label in labels):
        return [(start, start + label.end, label.speaker, label.time) for start, label in labels], {}, ""  # type: ignore[misc]
    counts = Counter(label.name for _, label in labels if label.speaker is None)
    if labels and (first := labels[0][1]).speaker is None and not first.sure and counts[first.name] == 1 < len(labels):
        labels = labels[1:]
        del counts[first.name]
    sides = {label.speaker for _, label in labels} & {"user", "agent"}
    other = _OTHER.get(*sides) if len(counts) == len(sides) == 1 else None
    strangers: dict[str, int] = {}
    found: list[tuple[int, int, Speaker, str | None]] = []
    for start, (speaker, name, time, end, *_) in labels:
        side = speaker or other
        if side is None:
            strangers[name] = strangers.get(name, 0) + 1
        found.append((start, start + end, side or "system", time))
    return found, strangers, other or ""


def _split(text: str, labels: list[tuple[int, int, Speaker, str | None]], strangers: Mapping[str, int]) -> Transcript:
    if not labels:
        return Transcript(text.strip(), [], 0)
    ends = [*(label[0] for label in labels[1:]), len(text)]
    cleans = [clean for hint, clean in _CLEANS if hint(text)]
    utterances = []
    for (_, begin, speaker, time), end in zip(labels, ends, strict=True):
        piece = text[begin:end] if end == len(text) else text[begin:end].rstrip(" |")  # bars part messages of one line
        words = piece.strip()
        for clean in cleans:
            words = clean(words)
        utterances.append(Utterance(speaker, without_withdrawn(words), time))
    return Transcript(text[: labels[0][0]].strip(), utterances, labels[0][0], strangers)


_BLANKED: Final = re.compile(r"\n[ ]{3,}(?=\n)")

# What few texts hold, looked for once in each: how to tell, and how to take it out of a message.
_CLEANS: Final[tuple[tuple[Callable[[str], Any], Callable[[str], str]], ...]] = (
    (lambda text: "\n   " in text, lambda words: _BLANKED.sub("", words).strip()),
    (lambda text: "</" in text, lambda words: _END_TAG.sub("", words)),
)

_PREFIX_CHARACTERS: Final = 60

# What a line may have in brackets before its label: [00:01.2-00:04.8], ( 12s )
_PREFIX: Final = re.compile(r"\s*[\[(（【<][^\n\[(（【<\])）】>]*[\])）】>]\s*")


def _labels_anywhere(text: str) -> list[tuple[int, int, Speaker, str | None]]:
    labels: list[tuple[int, int, Speaker, str | None]] = []
    within: list[int] = []  # labels that stand in somebody's sentence, by their places in `labels`
    end = 0
    for word in _LABEL_WORD.finditer(text):
        if word.start() >= end and (found := _LABEL_HERE.match(text, word.start())):
            opened = next((sign for sign in _BRACKETS if text.endswith(sign, 0, found.start())), "")
            if found["shut"] and opened not in _OPENED[found["shut"]]:
                continue
            start = found.start() - len(opened)
            line = text.rfind("\n", 0, start) + 1
            if line < start <= line + _PREFIX_CHARACTERS and _PREFIX.fullmatch(text, line, start):
                start = line
            side: Speaker = "user" if found["user"] else "agent" if found["agent"] else "system"
            if labels and text[start - 1] not in _SEPARATORS:
                if _MENTIONS.search(text, max(start - _MENTIONED_CHARACTERS, 0), start):
                    continue
                within.append(len(labels))
            labels.append((start, found.end(), side, None))
            end = found.end()
    # A machine that parts messages by blanks parts all: `我朋友小李客服：已退款` is then what one of them says.
    if len(within) < len(labels) - 1 - len(within):
        return [label for place, label in enumerate(labels) if place not in set(within)]
    return labels


_SEPARATORS: Final = frozenset(" \t\n\r\v\u3000|/;；<>【[(（]】)）")

_MENTIONED_CHARACTERS: Final = 4

# `昨天客服：已退款`: a sentence that speaks of an agent goes on, however the messages are parted.
_MENTIONS: Final = re.compile(
    r"(?:[昨今前当]天|刚[才刚]|上次|之前|当时|[说问找跟被让叫]|[你他我]们|[你他她那这有]个?|因为|结果|但是|可是|然后|所谓的?)\Z"
)


def is_dialogue(cell: str) -> bool:
    """True for a text in which both sides speak, told by labels."""
    return {"user", "agent"} <= {said.speaker for said in split_transcript(cell).utterances}
