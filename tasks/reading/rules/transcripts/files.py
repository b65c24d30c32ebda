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
from tasks.reading.rules.transcripts.borders import DECORATING, ID_DIGITS, Borders
from tasks.reading.rules.transcripts.dialogues import labeled_lines, split_transcript
from tasks.reading.rules.transcripts.headings import (
    END_ALONE,
    HEADING,
    LONGEST_END,
    NUMBERED,
    NUMERALS,
    titled_count_in,
)
from tasks.reading.rules.transcripts.labels import (
    DATE_INSIDE,
    begins_with_label,
    plain_label,
)
from tasks.reading.rules.transcripts.titles import people_titled

_LINE_COST_BYTES: Final = 64  # beside its text; short lines take far more memory than their characters

_MAY_COUNT: Final = frozenset([*"123456789(（#*【[", *NUMERALS])

_MAY_DECORATE: Final = frozenset([*DECORATING, " ", "\t", "\u3000"])

_DATE_ALONE: Final = re.compile(r"(?!\d{9,})[^:：时時]*(?:[ T]00:00(?::00)?)?")

# What may be an id in a heading of whatever words: ### KF-778120931
_CODE: Final = re.compile(r"(?<![\w-])(?:[A-Za-z]{1,8}[-_]?)?\d{5,20}(?![\w-])")

_BESIDE: Final = re.compile(r"\s{1,4}[|｜]\s{1,4}")

_LINES_AHEAD: Final = 200

_WIDE: Final = 2  # blank lines that part conversations, where no others stand between messages

_PAGE: Final = 2  # the blank lines that a form feed counts for

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
        borders = Borders(self.log)
        label = self.log.labels.label
        gaps = _Gaps()
        for number, line, following in _with_following(text_lines(file, head, self.log, rejects)):
            if rejects:
                yield from rejects
                rejects.clear()
            line, blank = gaps.above(line)  # noqa: PLW2901
            borders.blank_above = blank > 0
            if blank >= _WIDE and not borders.are_named and block.ends_at_gap(line):
                yield from block.above_gap()
                block = _Block(self.log, block)
            if borders.within and (said := label(line)) and said.plain:
                borders.spoken = block.spoken = True
                block.add(number, line)
                continue
            begins = borders.begins_conversation(line, following)
            if borders.is_heading and self.log.titled:
                self.log.labels.learn(people_titled(line))
            if begins and not borders.is_sure and block.awaits_words():
                block.add(number, line)
                continue
            if begins and block.spoken and (borders.is_sure or block.both_speak()):
                yield from block.read()
                block = _Block(self.log)
            if borders.is_heading and not block.spoken:
                block.takes_heading(line, timed=borders.is_no_text)
            if borders.is_no_text:
                continue
            block.add(number, line)
        yield from rejects
        if block.size:
            yield from block.read()


class _Gaps:
    """Counts the blank lines above each that is not."""

    def __init__(self) -> None:
        self._blank = 0

    def above(self, line: str) -> tuple[str, int]:
        """The line without a form feed before it, and the blank lines above it; 0 for one that is blank itself."""
        if line and line[0] != "\f" and not line.isspace():
            if not self._blank:
                return line, 0
        else:
            self._blank += _PAGE if "\f" in line else 1
            line = line.lstrip("\f")
            if not line or line.isspace():
                return line, 0
        blank, self._blank = self._blank, 0
        return line, blank


class _Block:
    """The lines of one transcript; only so many, whatever the file holds.

    One `above` a gap is held until both sides speak below it: else the gap was one in the midst.
    """

    def __init__(self, log: LogContext, above: "_Block | None" = None) -> None:
        self._log = log
        self._above = above
        self._lines: list[_Line] = []
        self._begun = 0
        self._conversation_id = self._started = ""
        self.size = 0
        self.spoken = False
        self._parted = False  # by a wide gap: another then is no border

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

    def awaits_words(self) -> bool:
        """True right below a name and a time, without a colon: what stands there is said."""
        above = self._lines[-1][1].rstrip() if self._lines else ""
        label = self._log.labels.label(above)
        return label is not None and label.end >= len(above) and not label.begins_at_colon(above)

    def ends_at_gap(self, line: str) -> bool:
        """True where the first wide gap since somebody spoke parts what both said from a customer's words."""
        if not self.spoken or self._parted:
            return False
        self._parted = True
        label = self._log.labels.label(line)
        return label is not None and label.speaker == "user" and self.both_speak()

    def both_speak(self) -> bool:
        """True where both sides have said something."""
        labels = (self._log.labels.label(line) for _, line in self._lines)
        return {"user", "agent"} <= {label.speaker for label in labels if label}

    def above_gap(self) -> Iterator[Read]:
        """The conversation above the gap before these lines, in which both sides speak."""
        if self._above:
            yield self._above._conversation()
            self._above = None

    def read(self) -> Iterator[Read]:
        """The conversation of the lines, and the one above; one of both where one side is silent below the gap."""
        if self._above and self._lines and not self.both_speak():
            for number, line in self._lines:
                self._above.add(number, line)
            yield self._above._conversation()
        else:
            yield from self.above_gap()
            yield self._conversation()

    def _conversation(self) -> Read:
        if self.size > LINE_LIMIT_BYTES:
            limit = f"{LINE_LIMIT_BYTES >> 20} MB with {_LINE_COST_BYTES} bytes added for each line"
            return self._log.unreadable(self._begun, f"a transcript of more than {limit}: no conversation is that long")
        return read_transcript(self._lines, self._log, self._conversation_id, self._started)


def numbered_id(heading: str) -> str:
    """The id that a heading such as `## Conversation 10086001` or `### KF-10086001` names; "" where it only counts."""
    if found := NUMBERED.fullmatch(heading):
        number = found["id"] or ""
        return number if sum(map(str.isdigit, number)) >= ID_DIGITS else ""
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
        if _may_part(pair[1]):
            following = next((line for _, line in ahead if line.strip()), "")
            while not following and len(ahead) < _LINES_AHEAD and (further := next(lines, None)):
                ahead.append(further)
                following = further[1] if further[1].strip() else ""
        yield *pair, following


def _may_part(line: str) -> bool:
    first = line[:1]
    if first in _MAY_DECORATE or (first in _MAY_COUNT and titled_count_in(line)):
        return True
    return len(line) < LONGEST_END and END_ALONE.fullmatch(line) is not None
