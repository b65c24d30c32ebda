"""Text files that hold transcripts: one a line, or several over many lines."""

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from tasks.domain.records import Reject
from tasks.reading.rules.context import LogContext
from tasks.reading.rules.dialogue import Header, conversation_from
from tasks.reading.rules.json.records import Read
from tasks.reading.rules.objects.log_bytes import LINE_LIMIT_BYTES, ObjectHead
from tasks.reading.rules.readers import text_lines
from tasks.reading.rules.reasons import strangers_in
from tasks.reading.rules.transcripts.dialogues import labeled_lines, split_transcript
from tasks.reading.rules.transcripts.headings import (
    COUNT,
    END_ALONE,
    ENDED,
    HEADING,
    ID_HEADING,
    LONGEST_END,
    NUMBERED,
    RULE,
    STARTED,
)
from tasks.reading.rules.transcripts.labels import (
    DATE_INSIDE,
    begins_with_label,
    plain_label,
)
from tasks.reading.rules.transcripts.titles import TITLED, people_titled

_LINE_COST_BYTES: Final = 64  # beside its text; short lines take far more memory than their characters

_KINDS: Final = (ID_HEADING, NUMBERED, STARTED)

_SAY_NOTHING: Final = (NUMBERED, STARTED, TITLED)

_DECORATING: Final = frozenset("#*=-~_—–─━【[(（<.·+&%")

_MAY_DECORATE: Final = frozenset([*_DECORATING, " ", "\t", "\u3000"])

_DATE_ALONE: Final = re.compile(r"(?!\d{9,})[^:：时時]*(?:[ T]00:00(?::00)?)?")

# What may be an id in a heading of whatever words: ### KF-778120931
_CODE: Final = re.compile(r"(?<![\w-])(?:[A-Za-z]{1,8}[-_]?)?\d{5,20}(?![\w-])")

_ID_DIGITS: Final = 5  # a number of fewer counts the conversations of a file

_BESIDE: Final = re.compile(r"\s{1,4}[|｜]\s{1,4}")

_LINES_AHEAD: Final = 200

_Line = tuple[int, str]


@dataclass(frozen=True, slots=True)
class TranscriptLines:
    """A whole transcript a line."""

    log: LogContext

    def __call__(self, file: BinaryIO, head: ObjectHead) -> Iterator[Read]:
        """Yield what the object holds, in its order."""
        rejects: list[Reject] = []
        for number, line in text_lines(file, head, self.log, rejects):
            yield from rejects
            rejects.clear()
            if line.strip():
                yield read_transcript([(number, line)], self.log)
        yield from rejects


@dataclass(frozen=True, slots=True)
class TranscriptFile:
    """Transcripts over several lines, parted by headings as the file's first line is one, or by rules (`-----`).

    What a customer types is no border: a heading counts only in a file that begins with one, a rule only where the
    next line begins a conversation, and a pair of rules around a canned text never.
    """

    log: LogContext

    def __call__(self, file: BinaryIO, head: ObjectHead) -> Iterator[Read]:
        """Yield what the object holds, in its order."""
        rejects: list[Reject] = []
        block = _Block(self.log)
        borders = _Borders(self.log)
        label = self.log.labels.label
        for number, line, following in _with_following(text_lines(file, head, self.log, rejects)):
            if rejects:
                yield from rejects
                rejects.clear()
            if borders.within and (said := label(line)) and said.plain:
                borders.spoken = block.spoken = True
                block.add(number, line)
                continue
            begins = borders.begins_conversation(line, following)
            if borders.is_heading and self.log.titled:
                self.log.labels.learn(people_titled(line))
            if begins and block.spoken and (borders.is_sure or block.both_speak()):
                yield block.read()
                block = _Block(self.log)
            if borders.is_heading and not block.spoken:
                block.takes_heading(line, timed=borders.is_no_text)
            if borders.is_no_text:
                continue
            block.add(number, line)
        yield from rejects
        if block.size:
            yield block.read()


class _Borders:
    """Finds where in a file one conversation ends and another begins."""

    def __init__(self, log: LogContext) -> None:
        self._log = log
        self._kind: re.Pattern[str] | None = None
        self._begun = False
        self.spoken = False  # somebody speaks above
        self._template = ""
        self._counted: tuple[str, int] | None = None  # the form of the last number and the number
        self._box = ""
        self.is_no_text = False  # the last line says nothing itself
        self.is_heading = False  # the last line is a heading above a conversation
        self.is_sure = True  # False for 会话结束 alone, which may be a notice in the midst

    def begins_conversation(self, line: str, following: str) -> bool:
        """True for a line that is a border, and so begins another conversation.

        Args:
            following: the next line that is not blank.
        """
        self.is_no_text = self.is_heading = False
        self.is_sure = True
        return self._is_border(line, following)

    @property
    def within(self) -> bool:
        """True where a plain label can only be somebody's: below the first line, and in no box."""
        return self._begun and not self._box

    def _is_border(self, line: str, following: str) -> bool:
        first = line.lstrip()[:1]
        rule = RULE.fullmatch(line) if first in _DECORATING else None
        if rule:
            return self._is_rule_between(rule[1] or rule[2], following)
        if not self._begun:
            if line.strip():
                self._takes_first(line)
            return False
        if self._kind is None and not self.spoken:
            self._takes_below_the_title(line)
            return False
        if self._is_like_the_first(line):
            self._box, self.is_heading = "", True
            self.is_no_text = self._counted is not None or self._kind in _SAY_NOTHING
            return True
        if (end := _end_in(line, first)) and self._begins_with(following):
            self.is_no_text = True
            self.is_sure = end != "word"
            return bool(following)
        if self._box and begins_with_label(line, self._log.labels):
            self._box = ""
        return False

    def _takes_first(self, line: str) -> None:
        """Take the first line as what headings look like in this file, if it is one."""
        self._begun = True
        self._takes_below_the_title(line)
        if self._kind is None and not self.spoken and (number := _count_in(line)):
            self._counted = _DIGITS.sub("0", line.strip()), number
            self.is_no_text = True
        elif self._kind is None and not self.spoken:
            self._template = _template(line)
            self.is_heading = bool(self._template)

    def _takes_below_the_title(self, line: str) -> None:
        """Take a line above the first message likewise: a title may stand above the first heading."""
        kinds = (*_KINDS, TITLED) if self._log.titled else _KINDS
        self._kind = next((kind for kind in kinds if _is_heading(line, kind)), None)
        self.is_heading = self._kind is not None
        self.is_no_text = self._kind in _SAY_NOTHING
        self.spoken = self._kind is None and begins_with_label(line, self._log.labels)

    def _is_rule_between(self, sign: str, following: str) -> bool:
        """True for a rule that a conversation follows; others are the ends of a box around a canned text."""
        if self._box:
            self.is_no_text = sign == self._box
            self._box = "" if self.is_no_text else self._box
            return False
        self.is_no_text = True
        if self._begins_with(following):
            return True
        self._box = sign
        return False

    def _is_like_the_first(self, line: str) -> bool:
        """True for a heading of the kind that the file begins with."""
        if self._counted and self._counted == (_DIGITS.sub("0", line.strip()), _count_in(line) - 1):
            self._counted = self._counted[0], self._counted[1] + 1
            return True
        if self._template and _template(line) == self._template:
            return True
        return self._kind is not None and _is_heading(line, self._kind)

    def _begins_with(self, line: str) -> bool:
        if self._kind:
            return _is_heading(line, self._kind) or begins_with_label(line, self._log.labels)
        if not line or begins_with_label(line, self._log.labels) or ID_HEADING.match(line):
            return True
        heading = HEADING.fullmatch(line)
        return heading is not None and bool(self._log.vocabulary.shape((heading[1].strip(),)).meanings())


def _end_in(line: str, first: str) -> str:
    """A mark or a word that says that a conversation ended, by its kind; "" for any other line."""
    if first in _DECORATING and ENDED.fullmatch(line):
        return "mark"
    found = END_ALONE.fullmatch(line) if len(line) < LONGEST_END else None
    return ("mark" if found["mark"] else "word") if found else ""


def _count_in(line: str) -> int:
    found = COUNT.fullmatch(line) if len(line) < _LONGEST_COUNT else None
    return int(found["number"]) if found else 0


_LONGEST_COUNT: Final = 32


def _template(line: str) -> str:
    """A heading's name, or the heading without its numbers; "" for a line without either, or of too few signs."""
    if (named := HEADING.fullmatch(line)) and _NAMED.search(named[1]):
        return f"{named[1]}:"
    if (number := line.strip()).isdecimal():
        return f"{len(number)} digits" if len(number) > _ID_DIGITS else ""
    found = _DIGITS.sub("0", line.strip())
    return found if found != line.strip() and len(found) >= _SHORTEST_TEMPLATE else ""


_DIGITS: Final = re.compile(r"\d+")

# 客户姓名, Order No: names of what stands above a conversation, and nobody's who speaks in it.
_NAMED: Final = re.compile(
    r"[^\W\d](?:名|名称|昵称|账号|编号|号|时间|日期|渠道)$|\b(?:id|no|time|date|name|subject|topic)$", re.I
)

_SHORTEST_TEMPLATE: Final = 4


def _is_heading(line: str, kind: re.Pattern[str]) -> bool:
    return (kind.match(line) if kind is ID_HEADING else kind.fullmatch(line)) is not None


class _Block:
    """The lines of one transcript; only so many, whatever the file holds."""

    def __init__(self, log: LogContext) -> None:
        self._log = log
        self._lines: list[_Line] = []
        self._begun = 0
        self._conversation_id = self._started = ""
        self.size = 0
        self.spoken = False

    def takes_heading(self, line: str, *, timed: bool) -> None:
        """Take the id that a heading above the first message names, and the time where it is one of the usual kind."""
        self._conversation_id = numbered_id(line) or self._conversation_id
        if timed and (found := DATE_INSIDE.search(line)):
            self._started = found[0]

    def add(self, number: int, line: str) -> None:
        """Take one line; blank ones before the first that is not are left out."""
        if not self._lines:
            if not line.strip():
                return
            self._begun = self._begun if self.size else number
        if not self.spoken:
            self.spoken = begins_with_label(line, self._log.labels)
        self.size += len(line) + _LINE_COST_BYTES
        if self.size <= LINE_LIMIT_BYTES:
            self._lines.append((number, line))
        else:
            self._lines = []

    def both_speak(self) -> bool:
        """True where both sides have said something."""
        labels = (self._log.labels.label(line) for _, line in self._lines)
        return {"user", "agent"} <= {label.speaker for label in labels if label}

    def read(self) -> Read:
        """The conversation of the lines."""
        if self.size > LINE_LIMIT_BYTES:
            limit = f"{LINE_LIMIT_BYTES >> 20} MB with {_LINE_COST_BYTES} bytes added for each line"
            return self._log.unreadable(self._begun, f"a transcript of more than {limit}: no conversation is that long")
        return read_transcript(self._lines, self._log, self._conversation_id, self._started)


def numbered_id(heading: str) -> str:
    """The id that a heading such as `## Conversation 10086001` or `### KF-10086001` names; "" where it only counts."""
    if found := NUMBERED.fullmatch(heading):
        number = found["id"] or ""
        return number if sum(map(str.isdigit, number)) >= _ID_DIGITS else ""
    codes = [] if HEADING.fullmatch(heading) else _CODE.findall(heading)
    return codes[0] if len(codes) == 1 and not _DAY_ALONE.fullmatch(codes[0]) else ""


_DAY_ALONE: Final = re.compile(r"(?:19|20)\d{6}")


def read_transcript(lines: list[_Line], log: LogContext, named: str = "", began: str = "") -> Read:
    """A conversation of these lines. What stands before it may name its id, start, channel and attributes."""
    words = [line for _, line in lines]
    text = "\n".join(words)
    found = labeled_lines(words, log.labels) or split_transcript(text, log.labels)
    log.counts_guess(found.guessed)
    if _BLANK_LINE.search(text) and _are_dialogues(_BLANK_LINE.split(text.strip())):
        log.counts_guess("blank lines")
    first = lines[min(text.count("\n", 0, found.start), len(lines) - 1)][0]
    headings, others = _headings(found.preamble)
    shape = log.vocabulary.shape(tuple(headings))
    conversation_id = headings.get(shape.conversation_id) or named or f"{log.uri}:{first}"
    if found.strangers:
        return log.unreadable(first, strangers_in(found.strangers, log), conversation_id)
    if not found.utterances:
        return log.unreadable(first, "a transcript without a speaker's label, such as 用户：")
    started = shape.started_at or shape.time
    used = {shape.conversation_id, shape.channel, started}
    starts = headings.get(started) or began
    if _DATE_ALONE.fullmatch(starts) and any(said.time for said in found.utterances):
        starts = ""  # the first message's time says more
    attributes = {key: value for key, value in headings.items() if key not in used and value}
    if others:
        attributes["preamble"] = "\n".join(others)
    header = Header(conversation_id, log.uri, first, starts, headings.get(shape.channel, ""), attributes)
    return conversation_from(found.utterances, log.timestamps, header)


_BLANK_LINE: Final = re.compile(r"\n[ \t]*\n\s*")


def _are_dialogues(paragraphs: list[str]) -> bool:
    """True where each of several paragraphs is a dialogue of both sides: they may be conversations of their own."""
    return len(paragraphs) > 1 and all(
        len({label[0] for line in paragraph.split("\n") if (label := plain_label(line))}) > 1
        for paragraph in paragraphs
    )


def _headings(preamble: str) -> tuple[dict[str, str], list[str]]:
    """The `key：value` lines before a dialogue, and the other lines there."""
    headings: dict[str, str] = {}
    others: list[str] = []
    if not preamble:
        return headings, others
    for line in (part for whole in preamble.split("\n") for part in _parts(whole)):
        if heading := HEADING.fullmatch(line):
            headings[heading[1].strip(" #*-=_~—【[")] = heading[2].strip(" #*-=_~—】]")
        elif line.strip(" \t-*#>=_"):
            others.append(line.strip())
    return headings, others


def _parts(line: str) -> list[str]:
    """The `key: value` pairs of a line that holds several."""
    parts = _BESIDE.split(line)
    return parts if all(HEADING.fullmatch(part) for part in parts) else [line]


def _with_following(lines: Iterator[_Line]) -> Iterator[tuple[int, str, str]]:
    """Yield each line, and with one that may be a border the next that is not blank, as far as one is near."""
    ahead: deque[_Line] = deque()
    while pair := ahead.popleft() if ahead else next(lines, None):
        following = ""
        if pair[1][:1] in _MAY_DECORATE or (len(pair[1]) < LONGEST_END and END_ALONE.fullmatch(pair[1])):
            following = next((line for _, line in ahead if line.strip()), "")
            while not following and len(ahead) < _LINES_AHEAD and (further := next(lines, None)):
                ahead.append(further)
                following = further[1] if further[1].strip() else ""
        yield *pair, following
