"""Where the four fields stand in an answer that is not plain JSON.

A field is found by its label: a key in quotes (`"用户问题":`), at the beginning of a line (`1. **用户问题**：`,
`## 用户问题`), in brackets (`【用户问题】`, `<用户问题>`), behind punctuation (`；是否接受：`) or in a table's cell.
Its value is what stands between it and the next label. An object that is proper JSON is read as such.

Everything here is linear in the text, whatever it holds: runs of blanks are collapsed before any pattern looks at
them, a value is sought only up to the next label, and attempts at proper JSON that fail are counted.
"""

import html
import json
import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

_USER: Final = "(?:(?:用户|客户|顾客|买家|消费者)的?)?"

_PART: Final = "(?:描述|概述|概要|内容|摘要|总结)?"

_KEYS: Final = {
    "issue": rf"{_USER}(?:主要|核心|所?咨询的?|所?反馈的?|提出的?)?(?:问题|诉求|咨询|需求){_PART}"
    r"|(?:user|customer)?[ _-]?(?:issue|question|problem)s?",
    "plan": rf"(?:客服|商家)?(?:的|所)?(?:提供|给出)?的?(?:解决|处理|应对)?(?:方案|办法|措施){_PART}"
    r"|客服(?:的)?(?:回复|答复|回应|建议|处理)|(?:agent|service)?[ _-]?(?:plan|solution|resolution)",
    "accepted": rf"{_USER}(?:是否)?(?:已经?|愿意)?接受了?(?:客服)?(?:所?提供|给出)?的?[该此]?(?:解决)?(?:方案)?"
    r"(?:情况|与否|状态|结果)?"
    r"|(?:is|user|has)?[ _-]?accepted|acceptance",
    "negative_sentiment": rf"{_USER}(?:是否)?(?:带?有|存在|表现出)?(?:明显的?)?(?:负面|消极)?的?情绪(?:倾向|状态|情况)?"
    r"|(?:is|has|user)?[ _-]?(?:negative[ _-]?)?(?:sentiment|emotion|mood)s?|(?:is[ _-]?)?negative",
}

_PATTERNS: Final = {field: re.compile(keys, re.IGNORECASE) for field, keys in _KEYS.items()}

_KEY: Final = rf"(?=\w)(?:{'|'.join(_KEYS.values())})"

# Inside a sentence only a name that can be nothing else is a label.
_FULL_KEY: Final = r"(?:用户问题|客服方案|(?:用户)?是否接受|(?:用户)?是否有?负面情绪|用户情绪)"

_OPENING: Final = "\"'“”‘’「『`"

_CLOSING: Final = {'"': '"”', "'": "'’", "“": '”“"', "”": '”“"', "‘": "’'", "’": "’'", "「": "」", "『": "』", "`": "`"}

_QUOTE: Final = "[\"'“”‘’「」『』`]"

_MARKS: Final = r"[ \t>*#_\-•·+({\[【<]{0,12}+"

_NUMBER: Final = r"(?:(?:\d{1,2}|[一二三四五六]|第[一二三四][点、])[.、):：]{0,2}[ \t]?)?+"

_LABEL: Final = re.compile(
    rf"(?P<quoted>{_QUOTE}\s?(?P<name>[\w \t-]{{1,24}}?)\s?{_QUOTE}\s?[:=])"
    rf"|(?P<tag>(?P<side>[<【\[])(?P<tagged>{_KEY})[>】\]]\s?[*_]{{0,3}}\s?:?)"
    rf"|(?P<line>(?:(?<=\n)|\A|(?<!\{{)(?=\{{))(?:,\s?)?{_MARKS}{_NUMBER}{_MARKS}{_QUOTE}?(?P<lined>{_KEY})"
    rf"(?:{_QUOTE}?[\])】>]?[*_ \t]{{0,4}}(?:[:=]|[-—–]{{1,2}}>?[ ]|——)[*_]{{0,3}}"
    r"|\*\*[ ]|\t|[*_\])】: \t]{0,6}(?=\n|\Z)))"
    rf"|(?P<inline>(?<=[;；。，,.\s>}}])(?P<named>{_FULL_KEY})[*_\"'”’]{{0,3}}:)",
    re.IGNORECASE,
)

_FULL_WIDTH_MARKS: Final = str.maketrans("＂＇｛｝［］", "\"'{}[]")

# One character for another, so that places stay the same.
_HALF_WIDTH: Final = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {ord("，"): "，", ord("；"): "；"}

_INVISIBLE: Final = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\x00-\x08\x0b\x0c\x0e-\x1f]+")

_BLANKS: Final = re.compile(r"(?<=([ \t\u00a0\u3000]))[ \t\u00a0\u3000]+")

_BLANK_LINES: Final = re.compile(r"\n{3,}")

_LINE_TAG: Final = re.compile(r"</?(?:br|p|li|ul|ol|div|tr)\s?/?>", re.IGNORECASE)

_INLINE_TAG: Final = re.compile(r"</?(?:b|strong|em|i|u|span)>", re.IGNORECASE)

_ESCAPED_LINE: Final = re.compile(r"(?<=[{,\[])(?:\\[nrt]|\s){1,40}|(?:\\[nrt]){1,8}(?=\})")

_ESCAPE: Final = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)

_ESCAPED: Final = {"n": "\n", "t": "\t", "r": " ", "b": " ", "f": " "}

_CUT_ESCAPE: Final = re.compile(r"\\(?:u[0-9a-fA-F]{0,3})?\Z")

_RULE: Final = re.compile(r"[\s|:+-]*")

# What leads to the next label of a list in one line.
_NEXT_LEAD: Final = re.compile(r"(?:[ •·*_/-]{1,6}\(?\d{1,2}[.、)）]|[ •·*_/-]{1,6})[ *_]{0,4}\Z")

_JUNK: Final = " \t\n,，;；|`"

# Where a value without quotes is over before the next label.
_STOP: Final = re.compile(
    rf"\n\s?(?:{_QUOTE}|[{{}}])|\n?```|\n#{{1,6}} |\n-{{3,}}|</|\n(?:备注|总结|说明|以上|注)[^\n]{{0,4}}[:：，]"
)

_PARAGRAPH: Final = re.compile(r"\n\n(?!\s?(?:[-*•·]|\d{1,2}[.、)]))")

_ENDS: Final = {
    opening: re.compile(rf"(?<!\\)[{closing}](?=\s*(?:[,，;；}}\]\n]|//|\Z))") for opening, closing in _CLOSING.items()
}

_NEXT_ITEM: Final = re.compile(r"[\"'“”’]?\s?[,，、]\s?[\"'“‘]|[\[\]{}\"“”]+")

_SETTLED: Final = re.compile(
    r"[\"'“‘]?(?:是的?|否|有|无|没有|yes|no|true|false|.*[。！!])[\s}\"'”’]*", re.IGNORECASE | re.DOTALL
)

_FAILURES: Final = 64  # attempts at proper JSON; each may look through all that is left

_UNWRAPPED: Final = 3  # strings within strings

_DECODE: Final = json.JSONDecoder(strict=False).raw_decode

Value = tuple[str, object]


class _Label(NamedTuple):
    field: str | None  # None: a key in quotes that is none of ours
    start: int
    end: int
    quoted: bool
    inline: bool


@lru_cache(maxsize=1024)
def field_of(key: str) -> str | None:
    """The field that a key, cell or label names, in whatever dress; None for any other."""
    plain = _INVISIBLE.sub("", key[:64]).translate(_HALF_WIDTH).strip(" \t*_`:#【】[]\"'“”").lower()
    return next((field for field, pattern in _PATTERNS.items() if pattern.fullmatch(plain)), None)


def found_values(text: str, *, cut_off: bool = False) -> list[Value]:
    """The values in an answer by field, in the order they stand there.

    Args:
        text: the answer.
        cut_off: the answer ends where its length limit was; a verdict that ends there with it is left out.
    """
    for _ in range(_UNWRAPPED):
        value = _loaded(text.strip("\ufeff\u200b \t\r\n"))
        if not isinstance(value, str):
            break
        text = value  # JSON inside a JSON string
    if isinstance(value, dict | list):
        return list(_values_in(value))
    plain = _plain(text)
    rows, rest = _table_values(plain) if "|" in plain else ([], plain)
    return _Scan(rest, cut_off).values() + rows


def _loaded(text: str) -> object:
    if text[:1] not in ("{", "[", '"'):
        return None
    try:
        value, end = _DECODE(text)
    except (ValueError, RecursionError):
        return None
    return value if end == len(text) else None


def _values_in(value: object) -> Iterator[Value]:
    """The fields of every object in a JSON value, in order; also of JSON in its strings, as tool calls have it."""
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            inner = []
            for key, content in value.items():
                field = field_of(key)
                if field is not None:
                    yield field, content
                else:
                    inner.append(_loaded(content) if isinstance(content, str) else content)
            waiting.extend(reversed(inner))
        elif isinstance(value, list):
            waiting.extend(reversed(value))


def _plain(text: str) -> str:
    """The text without what only dresses it, every run of blanks collapsed."""
    text = _INVISIBLE.sub("", text).translate(_FULL_WIDTH_MARKS)
    thought, _, said = text.rpartition("</think>")
    if thought and said.strip():
        text = said
    if "<" in text:
        text = _INLINE_TAG.sub("", _LINE_TAG.sub("\n", text))
    if "&" in text and '"' not in text:
        text = html.unescape(text)
    if '\\"' in text and text.count('\\"') == text.count('"'):
        text = _ESCAPE.sub(_unescaped, text)
    elif "\\n" in text:
        text = _ESCAPED_LINE.sub(" ", text)
    text = "\n".join(line.strip() for line in text.splitlines())
    return _BLANKS.sub("", _BLANK_LINES.sub("\n\n", text)).strip()


def _table_values(plain: str) -> tuple[list[Value], str]:
    """The values in Markdown tables (a field a column, or a field a row), and the text without those lines."""
    values: list[Value] = []
    rest: list[str] = []
    columns: list[str | None] = []
    for line in plain.split("\n"):
        if "|" not in line:
            columns = []
            rest.append(line)
            continue
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        named = [field_of(cell) if len(cell) < 40 else None for cell in cells]
        first = next((place for place, field in enumerate(named) if field), None)
        if columns:
            if not _RULE.fullmatch(line):
                values += [(field, cell) for field, cell in zip(columns, cells, strict=False) if field]
        elif sum(field is not None for field in named) > 1:
            columns = named
        elif first is not None and first + 1 < len(cells):
            values.append((named[first] or "", cells[first + 1]))
        else:
            rest.append(line)
    return values, "\n".join(rest)


class _Scan:
    """One pass over a text from label to label."""

    def __init__(self, text: str, cut_off: bool) -> None:
        self._text = text
        self._cut_off = cut_off
        self._labels = list(_labels(text.translate(_HALF_WIDTH)))
        self._structural = [label.start for label in self._labels if not label.inline]
        self._failures = 0
        self._endless: dict[str, int] = {}  # quote: no value in it closes before here

    def values(self) -> list[Value]:
        """The values by field, in order."""
        values: list[Value] = []
        done = 0
        for number, label in enumerate(self._labels):
            if label.start < done:
                continue
            opening = self._text.rfind("{", done, label.start + 1) if label.quoted else -1
            decoded = self._decoded(opening) if opening >= 0 else None
            if decoded is not None and decoded[1] > label.start:
                values += _values_in(decoded[0])
                done = decoded[1]
                continue
            value, done = self._value(number)
            if label.field is not None:
                values.append((label.field, value))
        return values

    def _decoded(self, start: int) -> tuple[object, int] | None:
        if self._failures >= _FAILURES:
            return None
        try:
            return _DECODE(self._text, start)
        except (ValueError, RecursionError):
            self._failures += 1
            return None

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
                return _ESCAPE.sub(_unescaped, text[start + 1 : end]), end + 1
        following = self._labels[number + 1].start if number + 1 < len(self._labels) else len(text)
        return self._unquoted(label, start, following), following

    def _quoted_end(self, start: int, limit: int) -> int | None:
        """Where the closing quote is: the last one before the next label, or the first that punctuation follows."""
        text, quote = self._text, self._text[start]
        last = limit
        while last > start + 1 and text[last - 1] in _JUNK + "}]":
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
            paragraph = _PARAGRAPH.search(value)
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
        return _ESCAPE.sub(_unescaped, value) if label.quoted else value


def _labels(text: str) -> Iterator[_Label]:
    end, last = 0, None
    for found in _LABEL.finditer(text):
        name = found["name"] or found["tagged"] or found["lined"] or found["named"]
        field = field_of(name)
        if field is None and not found["quoted"]:
            continue
        # A value may begin like a label: 用户问题：问题：… is one.
        if (found["inline"] or field == last) and not text[end : found.start()].strip():
            continue
        end, last = found.end(), field
        yield _Label(field, found.start(), end, found["quoted"] is not None, found["inline"] is not None)


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


def _unescaped(found: re.Match[str]) -> str:
    code = found[1]
    if len(code) == 5:
        return chr(int(code[1:], 16))
    return _ESCAPED.get(code, code)
