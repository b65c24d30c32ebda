"""Borders between the transcripts of one file, found line by line."""

import re
from typing import Final

from tasks.reading.rules.context import LogContext
from tasks.reading.rules.transcripts.headings import (
    END_ALONE,
    ENDED,
    HEADING,
    ID_HEADING,
    LONGEST_END,
    NUMBERED,
    NUMERALS,
    RULE,
    STARTED,
    count_in,
    titled_count_in,
)
from tasks.reading.rules.transcripts.labels import begins_with_label
from tasks.reading.rules.transcripts.titles import TITLED

_KINDS: Final = (ID_HEADING, NUMBERED, STARTED)

_SAY_NOTHING: Final = (NUMBERED, STARTED, TITLED)

DECORATING: Final = frozenset("#*=-~_—–─━【[(（<.·+&%$@※◆◇★☆●■□▲＝－＊＃／\\|>")

ID_DIGITS: Final = 5  # a number of fewer counts the conversations of a file


class Borders:
    """Finds where in a file one conversation ends and another begins."""

    def __init__(self, log: LogContext) -> None:
        self._log = log
        self._kind: re.Pattern[str] | None = None
        self._begun = False
        self.spoken = False  # somebody speaks above
        self._template = ""
        self._counted: tuple[str, int] | None = None  # the form of the last number and the number
        self._titled = 0  # the number before the last title
        self.blank_above = False
        self._box = ""
        self.is_no_text = False  # the last line says nothing itself
        self.is_heading = False  # the last line is a heading above a conversation
        self.is_sure = True  # False for 会话结束 alone and for ......, which may be somebody's words

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

    @property
    def are_named(self) -> bool:
        """True where headings of a usual kind, or numbers that count, part the file's conversations."""
        return self._kind is not None or self._counted is not None

    def _is_border(self, line: str, following: str) -> bool:
        first = line.lstrip()[:1]
        rule = RULE.fullmatch(line) if first in DECORATING else None
        if rule:
            self.is_sure = rule[1] is not None
            return self._is_rule_between(rule[1] or rule[2] or rule[3], following)
        if not self._begun:
            if line.strip():
                self._takes_first(line)
            return False
        if self._kind is None and not self.spoken:
            self._takes_below_the_title(line)
            return False
        if self._is_next_title(line, following) or self._is_like_the_first(line):
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
        if self._kind is None and not self.spoken and (number := count_in(line)):
            self._counted = _COUNTS.sub("0", line.strip()), number
            self.is_no_text = True
        elif self._kind is None and not self.spoken:
            self._template = _template(line)
            self._titled = titled_count_in(line)
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
        if RULE.fullmatch(following):
            return False  # the second of a pair is the border
        self._box = sign
        return False

    def _is_next_title(self, line: str, following: str) -> bool:
        """True for `2. 发票` below a blank line and above a message, in a file that `1. 漏水` begins."""
        if not (self._titled and self.blank_above and titled_count_in(line) == self._titled + 1):
            return False
        self.is_sure = False
        self._titled += self._speaks(following)
        return self._speaks(following)

    def _is_like_the_first(self, line: str) -> bool:
        """True for a heading of the kind that the file begins with."""
        if self._counted and self._counted == (_COUNTS.sub("0", line.strip()), count_in(line) - 1):
            self._counted = self._counted[0], self._counted[1] + 1
            return True
        if self._template and _template(line) == self._template:
            return True
        return self._kind is not None and _is_heading(line, self._kind)

    def _begins_with(self, line: str) -> bool:
        if self._kind:
            return _is_heading(line, self._kind) or self._speaks(line)
        if not line or self._speaks(line) or ID_HEADING.match(line):
            return True
        heading = HEADING.fullmatch(line)
        return heading is not None and bool(self._log.vocabulary.shape((heading[1].strip(),)).meanings())

    def _speaks(self, line: str) -> bool:
        return begins_with_label(line, self._log.labels)


def _end_in(line: str, first: str) -> str:
    """A mark or a word that says that a conversation ended, by its kind; "" for any other line."""
    if first in DECORATING and ENDED.fullmatch(line):
        return "mark"
    found = END_ALONE.fullmatch(line) if len(line) < LONGEST_END else None
    return ("mark" if found["mark"] else "word") if found else ""


def _template(line: str) -> str:
    """A heading's name, or the heading without its numbers; "" for a line without either, or of too few signs."""
    if (named := HEADING.fullmatch(line)) and _NAMED.search(named[1]):
        return f"{named[1]}:"
    if (number := line.strip()).isdecimal():
        return f"{len(number)} digits" if len(number) > ID_DIGITS else ""
    found = _DIGITS.sub("0", line.strip())
    return found if found != line.strip() and len(found) >= _SHORTEST_TEMPLATE else ""


_DIGITS: Final = re.compile(r"\d+")

_COUNTS: Final = re.compile(rf"\d+|[{NUMERALS}]+")

# 客户姓名, Order No: names of what stands above a conversation, and nobody's who speaks in it.
_NAMED: Final = re.compile(
    r"[^\W\d](?:名|名称|昵称|账号|编号|号|时间|日期|渠道)$|\b(?:id|no|time|date|name|subject|topic)$", re.I
)

_SHORTEST_TEMPLATE: Final = 4


def _is_heading(line: str, kind: re.Pattern[str]) -> bool:
    return (kind.match(line) if kind is ID_HEADING else kind.fullmatch(line)) is not None
