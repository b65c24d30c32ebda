"""Labels that begin the messages of a transcript: whose they are, when, and where the text begins."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from tasks.reading.rules.speakers import AGENT_WORDS, USER_WORDS, Speaker, speaker_of
from tasks.reading.rules.transcripts.label_names import NO_LABELS_AT_ALL, NO_NAMES, side_of_label
from tasks.reading.rules.transcripts.titles import people_titled

DATE: Final = r"(?:\d{4}[-/.年년]\s?\d{1,2}[-/.月월]\s?\d{1,2}[日일]?|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d\d))"

OF_DAY: Final = (
    r"(?:(?:上午|下午|中午|晚上|凌晨|午前|午後|오전|오후)\s?)?"
    r"\d{1,2}[:：]\d{2}(?:[:：]\d{2})?(?:\.\d{1,6})?(?:\s?[AaPp]\.?[Mm]\.?)?"
)

_DATED: Final = rf"{DATE}(?:[ \t,，T]{{1,3}}|(?<=[日일])){OF_DAY}"

_MARKS: Final = r"(?:(?:[-*•·<>#+]{1,3}|\d{1,4}[.)、])[ \t]{1,4}|\*\*|__|~){0,6}"

# ( 42s ), ( 1m 5s ): how long after the chat's beginning, as Salesforce writes it.
_ELAPSED: Final = r"\(\s?(?:\d{1,3}m\s)?\d{1,5}s\s?\)"

# A label's line: marks of a list or a quotation, a time, a name, a colon. Bounded everywhere, so that it stays linear.
_LINE: Final = re.compile(
    rf"[ \t\u00a0\u3000\ufeff\u200e]*+{_MARKS}(?P<elapsed>{_ELAPSED}[ \t]{{1,4}})?"
    rf"(?:[\[(（【]?(?P<time>{_DATED}|{OF_DAY})(?:\s?[-–~]\s?{OF_DAY})?[\])）】]?[,，]?[ \t]{{0,3}}"
    rf"(?P<dash>[-–—|][ \t]{{1,3}})?{_MARKS})?"
    r"(?P<open>[\[【(（<「])?(?P<name>[^\s:：﹕∶\[\]【】<>「」,，。！？!?;；、\"“”][^:：﹕∶\n,，。！？!?;；\"“”]{0,40}?)"
    r"(?:[\]】)）>」]?(?:\*\*|__)?[ \t\u00a0\u3000]{0,8}[:：﹕∶]|(?P<shut>[\]】>」]))(?:\*\*|__)?"
)

# 千牛, 旺旺: NAME(2026-11-22 10:00:00): text. QQ, 七鱼: NAME 2026-11-22 10:00:00, with the text on the lines below.
_NAME_AND_TIME: Final = re.compile(
    rf"[ \t\u3000\ufeff\u200e]*+[(（]?(?P<name>[^\s\u200e(（\[【\d,，;；|\t][^(（,，;；|\t\n]{{0,30}}?"
    rf"(?:[(（][^()（）\d\n]{{1,16}}[)）])?)[)）]?[ \t]{{0,4}}"
    rf",?[ \t]?[(（\[]?(?P<time>{_DATED})[)）\]]?[ \t]{{0,4}}"
    r"(?:[:：][ \t]{0,4}|$)"
)

# NAME 10:00 or NAME (10:00:22): text, where the name's side is known.
_NAME_AND_CLOCK: Final = re.compile(
    rf"[ \t\u3000\ufeff]*+{_MARKS}"
    rf"(?P<name>[^\s(（\[【\d,，;；|\t][^(（,，;；|\t\n]{{0,30}}?)(?:[ \t]{{1,4}}|[ \t]{{0,4}}[(（])"
    rf"(?P<time>{OF_DAY})[)）]?[ \t]{{0,4}}(?:[:：][ \t]{{0,4}}|$)"
)

# [NAME] [10:00] text, 【NAME】2026-11-22 10:00:00
_TIME_BEHIND: Final = re.compile(
    rf"[ \t]?(?:[\[(（](?P<time>{_DATED}|{OF_DAY})[\])）]|(?P<bare>{_DATED}))[:：]?[ \t]{{0,4}}"
)

# 蓝河旗舰店:小林：, the account of one who works for a shop.
_SUB_ACCOUNT: Final = re.compile(r"[^:：\s，。,]{1,16}[:：]")

_MINUTES: Final = re.compile(r"\d{2}(?:[:：]\d{2})?(?:[\s)）\]】]|$)")

_OPENED_BY: Final = {")": "(", "）": "（"}

_ENDS_IN_HOUR: Final = re.compile(r"[\s(（午上晨]\d{1,2}$")

_TIME_AND_NAME: Final = re.compile(
    rf"[ \t\u3000\ufeff]*+[\[(（【]?(?P<time>{_DATED}|{OF_DAY})[\])）】]?[ \t]{{1,4}}(?P<name>\S{{1,24}})[ \t]*$"
)

# A caption's voice: <v 客服>. A heading of a speaker: ### 客服, **客服**. Columns: 10:00 TAB 客服 TAB text.
_VOICE: Final = re.compile(r"<v(?:\.[\w.-]{1,30})?[ \t](?P<name>[^<>\n]{1,40})>")

_ALONE: Final = re.compile(
    r"(?:#{1,6}[ \t]{1,4}|\*\*|__)(?P<name>[^\s#*_:：][^#*_:：\n]{0,24})(?:\*\*|__)?[:：]?[ \t]*"
)

_CLOCKED: Final = re.compile(r"[\s\[(（【]{0,4}[\d上下中凌早晚午오]")

_TABBED: Final = re.compile(
    rf"(?P<time>{_DATED}|{OF_DAY})(?:\t|[ ]?[|｜][ ]?)(?P<name>[^\t\n|｜]{{1,24}}?)(?:\t|[ ]?[|｜][ ]?)"
)

# Customer - text, 客服 | text
_DASHED: Final = re.compile(
    r"[ \t]{0,8}(?P<name>[^\s\-–—|｜>][^\n\-–—|｜>:：]{0,24}?)[ \t]{0,4}"
    r"(?:(?:[-–—]{1,2}|->|=>)[ \t]{1,4}|[|｜\t][ \t]{0,4})(?=\S)"
)

_NO_NAME: Final = re.compile(
    r"(?:日期|时间|時間|编号|編號|号码|날짜|日時)[\s:：]*$|\b(?:date|time|saved|exported|started|on)$", re.I
)

SHOP: Final = re.compile(r"[^:：\s]{1,30}[:：][^:：\s]{1,30}|.{0,30}(?:旗舰店|专卖店|专营店|官方店|自营店|企业店)")

_COLON: Final = re.compile(r"[:：﹕∶\]】>」]")

DATE_INSIDE: Final = re.compile(_DATED)

_LABEL_CHARACTERS: Final = 160

_LINES_KEPT: Final = 256

_LONGEST_ALONE: Final = 5  # characters of Chinese: 客服小林

_TIME_BEGINS: Final = frozenset("0123456789([（【")

_OF_OTHER_FORMS: Final = {"<": _VOICE, "#": _ALONE, "*": _ALONE, "_": _ALONE}


class Label(NamedTuple):
    """The beginning of a message: who speaks (None: a stranger), when, and where its text begins in its line.

    A `plain` one is a word for a side and a colon, with nothing around them but a time.
    """

    speaker: Speaker | None
    name: str
    time: str | None
    end: int
    sure: bool
    plain: bool = False

    def begins_at_colon(self, line: str) -> bool:
        """True for a side's label that a colon ends: a line that somebody says."""
        return self.speaker is not None and line[self.end - 1] in ":：﹕∶"


@dataclass(frozen=True, slots=True)
class LabelReader:
    """Finds the labels of a transcript's lines.

    Args:
        roles: names and the sides they are on; `*` is for all others.
        names: names that begin messages in this log, though nobody said whose they are.
        dashed: true where a dash or a bar stands behind each name in place of a colon.
        titled: true where headings name the two who speak below them; they are nobody's words.

    A line is asked for its label where conversations are parted and where messages are: the last answers are kept.
    """

    roles: dict[str, Speaker] = field(default_factory=dict)
    names: frozenset[str] = frozenset()
    dashed: bool = False
    titled: bool = False
    _found: dict[str, Label | None] = field(default_factory=dict, compare=False, repr=False)

    def label(self, line: str) -> Label | None:
        """The label that a line begins with, if any."""
        try:
            return self._found[line]
        except KeyError:
            pass
        if len(self._found) >= _LINES_KEPT:
            self._found.clear()
        label = self._found[line] = self._label(line)
        return label

    def _label(self, line: str) -> Label | None:
        if self.titled and people_titled(line):
            return None
        if self.dashed:
            return self._dashed(line)
        if not self.roles and (end := _first_colon(line)) > 0:
            name = line[:end]
            if speaker := _PLAIN.get(name):
                return Label(speaker, name, None, end + 1, sure=True, plain=True)
            if name.lower() in NO_NAMES:
                return None
        return self._decorated(line)

    def _decorated(self, line: str) -> Label | None:
        """A label with a time, marks or brackets, or on a line of its own."""
        start = line[:_LABEL_CHARACTERS]
        if (start[:1] in _OF_OTHER_FORMS or "\t" in start or "|" in start or "｜" in start) and (
            label := self._of_other_form(start, line)
        ):
            return label
        dated = len(line) < _LABEL_CHARACTERS and DATE_INSIDE.search(start) is not None
        named_first = dated and start.lstrip("\u200e \t")[:1] not in _TIME_BEGINS
        label = (self._headline(start, _NAME_AND_TIME) if named_first else None) or self._before_colon(start, line)
        if label or not ((line[-1:].isalnum() or line[-1:] in (")", "）", ">")) and _CLOCKED.match(start)):
            return label
        headline = self._headline(start, _TIME_AND_NAME)
        return headline if headline and (dated or headline.speaker) else None

    def _before_colon(self, start: str, line: str) -> Label | None:
        """A name before a colon or in brackets, perhaps with a time before it or behind."""
        found = _LINE.match(start) if _COLON.search(start) else None
        if found is None:
            return None
        name = found["name"]
        if name[-1].isdigit() and _ENDS_IN_HOUR.search(name):
            clocked = self._headline(start, _NAME_AND_CLOCK)
            known = clocked is not None and (clocked.speaker is not None or clocked.name in self.names)
            if known or _MINUTES.match(line, found.end()):
                return clocked if known else None  # the colon is a clock's
        name = name.strip(" *_\t\u00a0\u3000")
        if (bracket := line[found.end("name") : found.end("name") + 1]) in _OPENED_BY and _OPENED_BY[bracket] in name:
            name += bracket
        if SHOP.fullmatch(name) and (account := _SUB_ACCOUNT.match(line, found.end())):
            return Label(self.speaker(name) or "agent", name, found["time"], account.end(), sure=True)
        speaker = self.speaker(name)
        timed = found["time"] is not None or found["elapsed"] is not None
        behind = _TIME_BEHIND.match(line, found.end()) if found["shut"] and not timed else None
        if behind and (speaker or _may_be_name(name)):
            return Label(speaker, name, behind["time"] or behind["bare"], behind.end(), sure=speaker is not None)
        ends = not found["shut"] or (found["open"] and speaker) or line[found.end() : found.end() + 1].isspace()
        if ends and (speaker or self._is_stranger(name, timed, found)):
            sure = speaker is not None
            return Label(speaker, name, found["time"], found.end(), sure, plain=sure and timed and not found["shut"])
        return None

    def _dashed(self, line: str) -> Label | None:
        found = _DASHED.match(line)
        speaker = self.speaker(found["name"]) if found else None
        return Label(speaker, found["name"], None, found.end(), sure=True) if found and speaker else None

    def _of_other_form(self, start: str, line: str) -> Label | None:
        """A caption's voice, a heading that is a speaker's name alone, or columns."""
        form = _OF_OTHER_FORMS.get(start[:1], _TABBED)
        found = form.match(start)
        if found is None or (form is _ALONE and found.end() < len(line)):
            return None
        name = found["name"].strip()
        speaker = self.speaker(name)
        if form is _ALONE and not name.isascii() and len(name) > _LONGEST_ALONE:
            return None  # a title, such as 客服质检样本
        if speaker is None and (form is not _TABBED or name not in self.names):
            return None
        return Label(speaker, name, found.groupdict().get("time"), found.end(), sure=speaker is not None)

    def learn(self, people: Mapping[str, Speaker]) -> None:
        """Take the sides that a heading says names to be on."""
        if people.items() - self.roles.items():
            self.roles.update(people)
            self._found.clear()

    def speaker(self, name: str) -> Speaker | None:
        """The side of a name."""
        if self.roles and (speaker := self.roles.get(name)):
            return speaker
        speaker = side_of_label(name)
        return speaker or (self.roles.get("*") if name in self.names else None)

    def _is_stranger(self, name: str, timed: bool, found: re.Match[str]) -> bool:
        if name in self.names:
            return True
        dated = timed and (found["dash"] is not None or found["elapsed"] is not None or len(found["time"]) > 5)
        return dated and _may_be_name(name)

    def _headline(self, line: str, form: re.Pattern[str]) -> Label | None:
        found = form.match(line)
        if not found:
            return None
        name = found["name"].strip().strip("[]【】*_")
        if (
            name.rstrip(":： ").lower() in NO_NAMES
            or _NO_NAME.search(name.rstrip(":： "))
            or (_COLON.search(name) and line[found.end("time") :][:1] not in ")）")
        ):
            return None
        speaker = self.speaker(name)
        if speaker is None and SHOP.fullmatch(name):
            speaker = "agent"
        return Label(speaker, name, found["time"], found.end(), sure=True)


def _may_be_name(name: str) -> bool:
    return len(name) <= 24 and name.lower() not in NO_NAMES and not _NO_NAME.search(name)


# The labels of nearly every line of a transcript, without the marks that others may have around them.
_PLAIN: Final[Mapping[str, Speaker]] = {
    form: speaker
    for words in (USER_WORDS, AGENT_WORDS)
    for word in words.split()
    if word not in NO_LABELS_AT_ALL and (speaker := speaker_of(word))
    for form in {word, word.title()}
}

_PLAIN_CHARACTERS: Final = 12


def plain_label(line: str) -> tuple[Speaker, int] | None:
    """The side of a plain label that a line begins with, and the place of its colon."""
    end = _first_colon(line)
    speaker = _PLAIN.get(line[:end]) if end > 0 else None
    return (speaker, end) if speaker else None


def _first_colon(line: str) -> int:
    end = line.find("：", 0, _PLAIN_CHARACTERS)
    return end if end >= 0 else line.find(":", 0, _PLAIN_CHARACTERS)


NO_ROLES: Final = LabelReader()


def begins_with_label(line: str, reader: LabelReader = NO_ROLES) -> bool:
    """True for a line that begins with a speaker's label."""
    label = reader.label(line)
    return label is not None and (label.speaker is not None or label.sure)


def are_dashed(lines: list[str]) -> bool:
    """True for lines that all begin with a side's name and a dash or a bar, both sides among them."""
    reader = LabelReader(dashed=True)
    labels = [reader.label(line) for line in lines]
    return all(labels) and {"user", "agent"} <= {label.speaker for label in labels if label}


def frequent_names(lines: list[str]) -> frozenset[str]:
    """Names that begin so many lines that they must be speakers', though no word says whose side they are on."""
    counts = names_in_front(lines)
    known = sum(counts.pop(name) for name in [*counts] if side_of_label(name))
    enough = max(3, len(lines) // 50)
    return frozenset(name for name, count in counts.items() if count >= enough) if known >= 2 else frozenset()


def names_in_front(lines: list[str]) -> Counter[str]:
    """The names that begin lines, and how often: a time and a name in columns of their own are no sentence, and count
    double.
    """
    counts: Counter[str] = Counter()
    for line in lines:
        tabbed = _TABBED.match(line)
        found = tabbed or _LINE.match(line)
        if found and _ENDS_IN_HOUR.search(found["name"]):
            found = _NAME_AND_CLOCK.match(line)
        name = found["name"].strip(" *_\t") if found else ""
        if name and (side_of_label(name) or _may_begin(name)):
            counts[name] += 2 if tabbed else 1
    return counts


def _may_begin(name: str) -> bool:
    return len(name) <= 16 and name.lower() not in NO_NAMES and not name.isdecimal()
