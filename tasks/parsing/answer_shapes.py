"""Positions of the four fields in an answer that is not plain JSON.

A field is found by its label: a key in quotes (`"用户问题":`), at the beginning of a line (`1. **用户问题**：`,
`## 用户问题`), in brackets (`【用户问题】`, `<用户问题>`), behind punctuation (`；是否接受：`) or in a table's cell.
Its value is what stands between it and the next label. An object that is proper JSON is read as such.

What an answer merely quotes is no answer: an object with the fields is not searched for others inside, and a label
inside a sentence counts only where the lines have none of their own.

Everything here is linear in the text, whatever it holds: runs of blanks are collapsed before any pattern looks at
them, a value is sought only up to the next label, and attempts at proper JSON that fail are counted.
"""

import json
import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import Final, NamedTuple

from tasks.domain.nesting import is_deep
from tasks.domain.traditional import simplified
from tasks.parsing.answer_text import ESCAPE, plain_text, unescaped
from tasks.parsing.field_names import HALF_WIDTH, KEYS, NUMBERED, field_of, is_numbered
from tasks.parsing.json_records import Record, first_of_each, loaded, records_in
from tasks.parsing.table_records import records_in_tables

_KEY: Final = rf"(?=\w)(?:{'|'.join(KEYS.values())}){NUMBERED}"

# Inside a sentence only a name that can be nothing else is a label.
_FULL_KEY: Final = rf"(?:(?:用户问题|客服方案|(?:用户)?是否接受|(?:用户)?是否有?负面情绪|用户情绪){NUMBERED})"

# Before `=`, in a call or a tag.
_ARGUMENT: Final = rf"(?:issue|plan|accepted|negative_sentiment|{_FULL_KEY})"

_OPENING: Final = "\"'“”‘’「『`"

_CLOSING: Final = {'"': '"”', "'": "'’", "“": '”“"', "”": '”“"', "‘": "’'", "’": "’'", "「": "」", "『": "』", "`": "`"}

_QUOTE: Final = "[\"'“”‘’「」『』`]"

# Behind a name: (issue), /plan, a question mark, a colon too many.
_GLOSS: Final = r"(?: ?[(（/][a-z\u4e00-\u9fff _-]{2,24}[)）]?)?+[?？：:]?"

_MARKS: Final = "[ \t>*#_\\-•·+({\\[【<\U0001f300-\U0001faff\u2600-\u27bf\u2b00-\u2bff\ufe0f]{0,12}+"

_NUMBER: Final = (
    r"(?:(?:\d{1,2}\ufe0f?\u20e3?|[一二三四五六]|第[一二三四][点、]|[\u2460-\u2473\u2776-\u2793])[.、):：]{0,2}[ \t]?)?"
)

_LABEL: Final = re.compile(
    rf"(?P<quoted>(?<!\w){_QUOTE}\s?(?P<name>[\w \t*/()（）？?：:-]{{1,40}}?)\s?{_QUOTE}\s?[:=]>?)"
    rf"|(?P<open>(?<=[{{,\n]){_QUOTE}\s?(?P<unclosed>{_KEY})\s?{_QUOTE}?\s?(?={_QUOTE}))"
    rf"|(?P<tag>(?P<side>[<【\[])(?P<tagged>{_KEY})[>】\]]\s?[*_]{{0,3}}\s?:?)"
    rf"|(?P<cell><[a-z]{{1,12}} [a-z]{{1,8}}=[\"'](?P<attribute>{_KEY})[\"']>)"
    rf"|(?P<line>(?:(?<=\n)|\A|(?<!\{{)(?=\{{))(?:,\s?)?{_MARKS}{_NUMBER}{_MARKS}{_QUOTE}?(?P<lined>{_KEY})"
    rf"{_GLOSS}"
    rf"(?:{_QUOTE}?[\])】>]?[*_ \t]{{0,4}}(?:[:=]>?|[-—–]{{1,2}}>?[ ]|——|[→⇒➡➜])[*_]{{0,3}}"
    r"|\*\*[ ]|\t|[*_\])】: \t]{0,6}(?=\n|\Z)))"
    rf"|(?P<spaced>(?:(?<=\n)|\A)(?P<parted>{_FULL_KEY})[ ](?=\S))"
    rf"|(?P<given>(?<=[\s(,&])(?P<assigned>{_ARGUMENT})=(?!=))"
    rf"|(?P<inline>(?<=[;；。，,.\s>}}()])(?P<named>{_FULL_KEY})[*_\"'”’]{{0,3}}[:=])",
    re.IGNORECASE,
)

_CUT_ESCAPE: Final = re.compile(r"\\(?:u[0-9a-fA-F]{0,3})?\Z")

# What leads to the next label of a list in one line.
_NEXT_LEAD: Final = re.compile(
    r"(?:(?:[ \n•·*_/-]{1,6}\(?\d{1,2}[.、)）]|[(（]\d{1,2}[)）]){1,2}"
    r"|[ \n•·*_/-]{1,6}\[[ xX]\]|[ •·*_/-]{1,6})[ *_]{0,4}\Z"
)

_JUNK: Final = " \t\n,，;；、|`&\ufe0f"

# Where a value without quotes is over before the next label.
_STOP: Final = re.compile(
    rf"\n\s?(?:{_QUOTE}|[{{}}])|\n?```|\n#{{1,6}} |\n-{{3,}}|</|\n(?:备注|总结|说明|以上|注)[^\n]{{0,4}}[:：，]"
)

# An answer's frame, called like a field: ### Response:, and the object behind it.
_FRAMES: Final = re.compile(rf"\s{{0,4}}(?:```[a-z]{{0,12}}\s{{0,4}})?\{{\s{{0,8}}{_QUOTE}{_KEY}", re.IGNORECASE)

# Behind a bare verdict: a remark in another language, and an entry of a list that is no reason.
_REMARK: Final = re.compile(
    r"(?<=[是否有无])[。.]?\n\s?(?=[A-Za-z\[<])|\n\s?(?:[-*•·]|\d{1,2}[.、)])\s?\**(?!理由|原因|说明|依据|解释|备注)"
    r"[\w ]{1,16}\**\s?[:：]"
)

_PARAGRAPH: Final = re.compile(r"\n\n(?!\s?(?:[-*•·]|\d{1,2}[.、)]))")

_ENDS: Final = {
    opening: re.compile(rf"(?<!\\)[{closing}](?=\s*(?:[,，;；、}}\]\n]|/[/>]|\)?\Z))")
    for opening, closing in _CLOSING.items()
}

_NEXT_ITEM: Final = re.compile(r"[\"'“”’]?\s?[,，、]\s?[\"'“‘]|[\[\]{}\"“”]+")

_SETTLED: Final = re.compile(
    r"[\"'“‘]?(?:是的?|否|有|无|没有|yes|no|true|false|.*[。！!])[\s}\"'”’]*", re.IGNORECASE | re.DOTALL
)

_FAILURES: Final = 64  # attempts at proper JSON; each may look through all that is left

_UNWRAPPED: Final = 3  # strings within strings

_DECODE: Final = json.JSONDecoder(strict=False, object_pairs_hook=first_of_each).raw_decode

# What is left behind a value of the commas and quotes of a broken object.
_LEFT_OVER: Final = re.compile(r"[\"”']\s?[,，、]\s?(?:[\"”']\s?(?:[,，、]\s?)?)*\Z|[\"”']\)?,?\s?\(?\Z")

_LEFT_OVER_WITHIN: Final = 40  # characters

# A later record replaces an earlier one only where the answer itself says so.
_CORRECTS: Final = re.compile(
    r"(?:\A|[\n。]|\. )\s?(?:更正|修正|纠正|最终|正式|修改|改为|corrected|final)"
    r"[^\n，,“\"用客]{0,8}[:：]?[\s`a-z{\[|]{0,12}\Z",
    re.IGNORECASE,
)

_CORRECTS_WITHIN: Final = 40  # characters


class _Label(NamedTuple):
    field: str | None  # None: a key in quotes that is none of ours
    start: int
    end: int
    quoted: bool
    inline: bool
    numbered: bool


_NAMES: Final = ("name", "unclosed", "tagged", "attribute", "lined", "parted", "assigned", "named")

_WHOLE: Final = 3  # fields of four


def found_records(text: str, *, cut_off: bool = False) -> list[Record]:
    """The records of an answer, in the order they stand there.

    Args:
        text: the answer.
        cut_off: the answer ends where its length limit was; a verdict that ends there with it is left out.
    """
    for _ in range(_UNWRAPPED):
        value = loaded(text.strip("\ufeff\u200b \t\r\n"))
        if not isinstance(value, str):
            break
        text = value  # JSON inside a JSON string
    if isinstance(value, dict | list | tuple):
        records = records_in(value)
        if records or not isinstance(value, dict) or len(value) > 1:
            return records
        text = str(*value.values())  # a wrapper: {"summary": "用户问题：…"}
    plain = plain_text(text)
    in_tables, rest = records_in_tables(plain)
    return _Scan(rest, cut_off).records() + in_tables


class _Scan:
    """One pass over a text from label to label."""

    def __init__(self, text: str, cut_off: bool) -> None:
        self._text = text
        self._cut_off = cut_off
        self._labels = _answering(list(_labels(simplified(text.translate(HALF_WIDTH)))))
        self._structural = [label.start for label in self._labels if not label.inline]
        self._failures = 0
        self._endless: dict[str, int] = {}  # quote: no value in it closes before here

    def records(self) -> list[Record]:
        """The records, in order: a field that comes again begins a new one."""
        records: list[Record] = []
        done = 0
        for number, label in enumerate(self._labels):
            if label.start < done:
                continue
            opening = self._text.rfind("{", done, label.start + 1) if label.quoted else -1
            decoded = self._decoded(opening) if opening >= 0 else None
            if decoded is not None and decoded[1] > label.start:
                for record in records_in(decoded[0]):
                    self._add(records, record, opening)
                done = decoded[1]
                continue
            value, done = self._value(number)
            if label.field is not None:
                self._add(records, Record({label.field: value}, numbered=label.numbered), label.start)
        return records

    def _add(self, records: list[Record], record: Record, start: int) -> None:
        last = records[-1] if records else None
        if last is not None and record.continues(last):
            records[-1] = last.joined(record)
        elif last is not None and record.numbered and last.numbered:
            records[-1] = last.merged(record)
        else:
            corrects = _CORRECTS.search(self._text[max(start - _CORRECTS_WITHIN, 0) : start]) is not None
            records.append(record._replace(corrects=corrects and bool(records)))

    def _decoded(self, start: int) -> tuple[object, int] | None:
        if self._failures >= _FAILURES:
            return None
        try:
            value, end = _DECODE(self._text, start)
        except (ValueError, RecursionError):
            self._failures += 1
            return None
        if is_deep(self._text[start:end], value):
            self._failures += 1
            return None
        return value, end

    def _value(self, number: int) -> tuple[object, int]:
        """The value behind a label, None where there is none to count, and where it ends."""
        text, label = self._text, self._labels[number]
        later = bisect_right(self._structural, label.start)
        limit = self._structural[later] if later < len(self._structural) else len(text)
        start = label.end
        while start < limit and text[start] in " \t\n*_":
            start += 1
        opening = text[start : start + 1]
        if start >= limit:
            return "", limit
        if opening in "[{":
            decoded = self._decoded(start)
            if decoded is not None and decoded[1] <= limit:
                return decoded
            parts = (part.strip(_JUNK + ":：") for part in _NEXT_ITEM.split(text[start:limit]))
            return "；".join(part for part in parts if part and field_of(part) is None), limit
        if opening in _OPENING:
            end = self._quoted_end(start, limit)
            if end is not None:
                return _without_left_over(ESCAPE.sub(unescaped, text[start + 1 : end])), end + 1
        following = self._labels[number + 1].start if number + 1 < len(self._labels) else len(text)
        return self._unquoted(label, start, following), following

    def _quoted_end(self, start: int, limit: int) -> int | None:
        """Find the closing quote: the last one before the next label, or the first that punctuation follows."""
        text, quote = self._text, self._text[start]
        last = limit
        while last > start + 1 and text[last - 1] in _JUNK + "}])/>":
            last -= 1
        if limit < len(text) and last > start + 1 and text[last - 1] in _CLOSING[quote] and text[last - 2] != "\\":
            return last - 1
        if self._endless.get(quote, 0) >= limit:
            return None
        found = _ENDS[quote].search(text, start + 1, limit)
        if found is None:
            self._endless[quote] = limit
            return None
        return found.start()

    def _unquoted(self, label: _Label, start: int, end: int) -> object:
        text = self._text
        is_last = end == len(text)
        is_verdict = label.field in ("accepted", "negative_sentiment")
        stop = _STOP.search(text, start, end)
        value = text[start : stop.start() if stop else end]
        if is_last or is_verdict:
            paragraph = _PARAGRAPH.search(value) or (_REMARK.search(value) if is_verdict else None)
            if paragraph:
                value = value[: paragraph.start()]
                stop = paragraph
        if label.quoted:
            value = _before_closing_brace(value)
        if is_last and self._cut_off and stop is None and is_verdict and not _SETTLED.fullmatch(value):
            return None
        if stop is None and not is_last:
            value = _NEXT_LEAD.sub("", value)
        value = value.strip(_JUNK).lstrip(">-•·*_ ").rstrip("*_ ")
        if value == "None":  # as Python writes null
            return None
        if value[:1] and value[0] in _OPENING:
            value = _CUT_ESCAPE.sub("", value[1:])
        elif label.quoted and value[-1:] in ('"', "”", "」") and not any(mark in value[:-1] for mark in _OPENING):
            value = value[:-1]
        return ESCAPE.sub(unescaped, value) if label.quoted else value


def _labels(text: str) -> Iterator[_Label]:
    end, last = 0, None
    for found in _LABEL.finditer(text):
        name = next(filter(None, map(found.group, _NAMES)), "")
        field = field_of(name)
        if field is None and not found["quoted"]:
            continue
        if found["lined"] and _FRAMES.match(text, found.end()):
            continue
        # A value may begin like a label: 用户问题：问题：… is one.
        if (found["inline"] or field == last) and not text[end : found.start()].strip():
            continue
        end, last = found.end(), field
        quoted = found["quoted"] is not None or found["open"] is not None
        inline = found["inline"] is not None and not found["inline"].endswith("=")
        yield _Label(field, found.start(), end, quoted, inline, is_numbered(name))


def _answering(labels: list[_Label]) -> list[_Label]:
    """The labels without those that a sentence quotes, where the lines have labels of their own."""
    own = {label.field for label in labels if not label.inline} - {None}
    return [label for label in labels if not label.inline or len(own) < _WHOLE]


def _before_closing_brace(value: str) -> str:
    """The value up to the brace that closes the object it stands in, if that is there."""
    level = 0
    for place, char in enumerate(value):
        if char == "{":
            level += 1
        elif char == "}":
            if not level:
                return value[:place]
            level -= 1
    return value


def _without_left_over(value: str) -> str:
    kept = value[:-_LEFT_OVER_WITHIN]
    return kept + _LEFT_OVER.sub("", value[len(kept) :])
