"""From an answer's text to its four fields, whatever shape the model gave it.

Three readers, the cheapest first: the whole text as JSON; the last JSON object in it that begins with one of the
known keys; and a scanner that looks for the keys as labels (`用户问题：`, `"客服方案":`, `| 是否接受 |`, `## 负面情绪`)
and takes what stands between them. The scanner reads everything that is nearly JSON, too: the template's comma-less
form, full-width quotes, single quotes, objects cut off in the middle. It is linear, and does not recurse on input.
"""

import html
import json
import re
from collections.abc import Iterator

import orjson

from tasks.domain.records import Fields, Reason, Unusable
from tasks.domain.verdicts import accepted_of, negative_sentiment_of

_KEYS = {
    "issue": (
        "用户问题",
        "用户咨询的问题",
        "用户咨询问题",
        "用户咨询",
        "问题描述",
        "问题",
        "issue",
        "user_issue",
        "question",
    ),
    "plan": (
        "客服方案",
        "客服提供的方案",
        "客服解决方案",
        "解决方案",
        "方案",
        "客服回复",
        "plan",
        "solution",
    ),
    "accepted": (
        "是否接受",
        "用户是否接受",
        "是否接受方案",
        "用户是否接受方案",
        "用户接受",
        "接受情况",
        "接受",
        "accepted",
    ),
    "negative_sentiment": (
        "是否负面情绪",
        "是否有负面情绪",
        "用户是否有负面情绪",
        "用户负面情绪",
        "负面情绪",
        "用户情绪",
        "情绪",
        "negative_sentiment",
        "sentiment",
    ),
}
_FIELD = {key: field for field, keys in _KEYS.items() for key in keys}
_LABELS = "|".join(sorted(map(re.escape, _FIELD), key=len, reverse=True))
# A label stands at a beginning (of the text, a line, an object, a cell, behind a comma) with markup around it, and
# is followed by a colon, a cell border or, as a heading, by the end of its line.
_LABEL = re.compile(
    rf"(?:^|[\n{{,，;；|。\"”])[ \t\"'“”「『*_#>\-•·\d.、)）(（【\[]{{0,12}}(?P<key>{_LABELS})"
    r"[ \t\"'“”」』*_】\])）]{0,8}(?:(?P<colon>[:：=])|(?P<cell>\|)|(?P<heading>(?=\n)))",
    re.IGNORECASE,
)
_OBJECT = re.compile(rf"\{{\s{{0,40}}\"(?:{_LABELS})\"\s{{0,8}}:", re.IGNORECASE)
_OBJECTS_TRIED = 8
_TABLE_RULE = re.compile(r"^[\s|:\-+]*$")
_PLACEHOLDER = re.compile(r"^[xX×…\.\-_—*\s]*$|^<[^>]*>$|^\{[^}]*\}$")
_NOTHING = {"无", "未提及", "没有", "暂无", "未知", "null", "none", "n/a", "na", "无问题", "无方案", "不详", "nil"}
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": " ", "b": " ", "f": " "}
_INVISIBLE = str.maketrans("", "", "\ufeff\u200b\u200c\u200d\u2060\x00")
_OPENING, _CLOSING = "\"'“”「『‘’", "\"'“”」』‘’"
# A quoted value ends at its first closing quote that punctuation follows; other quotes belong to it.
_VALUE_END = {
    opening: re.compile(rf"(?<!\\)[{closing}](?=\s{{0,20}}(?:[,，;；。}}\]\n]|$))")
    for opening, closing in zip(_OPENING, ('"”', "'’", '”"', '”"', "」", "』", "’'", "’'"), strict=True)
}
_REFUSALS = re.compile(
    r"(?:作为(?:一个|一名)?(?:人工智能|AI|大?语言模型)|我(?:无法|不能|没有办法)(?:回答|提供|处理|生成|完成|协助)|"
    r"(?:抱歉|对不起|很遗憾)[，,]?.{0,12}(?:无法|不能|没法|未能)|(?:内容|话题).{0,8}(?:敏感|违规|不适宜)|"
    r"换个(?:话题|问题)|I(?:'m| am) (?:sorry|unable)|I can(?:not|'t))",
    re.IGNORECASE,
)
_FIELD_LONGEST = 20_000


def parse_answer(text: str, *, cut_off: bool = False) -> Fields | Unusable:
    """The four fields of an answer.

    Args:
        text: what the model said.
        cut_off: the service ended the text at its length limit; what there is of it is kept.
    """
    stripped = text.strip()
    if stripped.startswith("{") and stripped.endswith("}"):
        fields = _from_json(stripped)
        if fields is not None:
            return fields
    return _parse_ugly(stripped, cut_off)


def render_fields(fields: Fields) -> str:
    """The canonical text of the fields: `parse_answer` reads it back to the very same fields."""
    values = {
        "用户问题": fields.issue,
        "客服方案": fields.plan,
        "是否接受": fields.accepted_text,
        "是否负面情绪": fields.negative_sentiment_text,
    }
    return orjson.dumps({key: value for key, value in values.items() if value is not None}).decode()


def _parse_ugly(text: str, cut_off: bool) -> Fields | Unusable:
    plain = text.translate(_INVISIBLE).replace("\r\n", "\n").replace("\r", "\n")
    if "&" in plain:
        plain = html.unescape(plain)
    if plain.startswith('"') and plain.endswith('"'):
        inner = _decoded(plain)  # JSON inside a JSON string
        if isinstance(inner, str) and inner != plain:
            plain = inner
    found_any = False
    for values in _records(plain):
        found_any = True
        fields = _fields(values)
        if fields is not None:
            return fields
    if _REFUSALS.search(plain[:2_000]):
        return Unusable(Reason.REFUSED, "the model refused")
    if found_any:
        return Unusable(Reason.INVALID_FIELDS, "the fields are there, but none has a value")
    detail = "cut off before any field" if cut_off else "none of the four fields is in it" if plain else "empty answer"
    return Unusable(Reason.UNPARSEABLE, detail)


def _records(plain: str) -> Iterator[dict[str, object]]:
    """Sets of values by field, the most trustworthy first: the last one that is real counts."""
    for start in [found.start() for found in _OBJECT.finditer(plain)][: -_OBJECTS_TRIED - 1 : -1]:
        try:
            value, _ = json.JSONDecoder(strict=False).raw_decode(plain, start)
        except (ValueError, RecursionError):
            continue
        yield _by_field(value)
    yield from reversed(_labelled(plain))


def _labelled(plain: str) -> list[dict[str, object]]:
    labels = list(_LABEL.finditer(plain))
    records: list[dict[str, object]] = []
    for number, label in enumerate(labels):
        field = _FIELD[label["key"].lower()]
        end = labels[number + 1].start() if number + 1 < len(labels) else len(plain)
        value = plain[label.end() : min(end, label.end() + _FIELD_LONGEST)]
        if not records or field in records[-1]:
            records.append({})
        if label["cell"]:
            value = value.partition("|")[0] if value.strip() else value
        records[-1][field] = _cleaned(value)
    return [*records, *_rows_below_headers(plain)]


def _rows_below_headers(plain: str) -> list[dict[str, object]]:
    records: list[dict[str, object]] = []
    if "|" not in plain:
        return records
    columns: list[str | None] = []
    for line in plain.split("\n"):
        if "|" not in line:
            columns = []
            continue
        cells = [cell.strip(" *_`") for cell in line.strip().strip("|").split("|")]
        header = [_FIELD.get(cell.lower()) for cell in cells]
        if sum(field is not None for field in header) >= 2:
            columns = header
        elif columns and not _TABLE_RULE.match(line):
            records.append({field: cell for field, cell in zip(columns, cells, strict=False) if field})
    return records


def _from_json(text: str) -> Fields | None:
    value = _decoded(text)
    return _fields(_by_field(value)) if isinstance(value, dict) else None


def _decoded(text: str) -> object:
    try:
        return orjson.loads(text)
    except ValueError:
        return None


def _by_field(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        return {}
    found = {
        field: content
        for key, content in value.items()
        if (field := _FIELD.get(str(key).strip(" *_:：").lower())) is not None
    }
    if not found and len(value) == 1:  # {"摘要": {…}}
        (inner,) = value.values()
        return _by_field(inner) if isinstance(inner, dict) else {}
    return found


def _fields(values: dict[str, object]) -> Fields | None:
    """The fields, or None where no value is real (an echo of the template)."""
    issue, plan = _prose(values.get("issue")), _prose(values.get("plan"))
    accepted_text, negative_text = (
        _verdict_text(values.get("accepted")),
        _verdict_text(values.get("negative_sentiment")),
    )
    if issue is None and plan is None and accepted_text is None and negative_text is None:
        return None
    return Fields(
        issue=issue,
        plan=plan,
        accepted=None if accepted_text is None else accepted_of(accepted_text),
        negative_sentiment=None if negative_text is None else negative_sentiment_of(negative_text),
        accepted_text=accepted_text,
        negative_sentiment_text=negative_text,
    )


def _prose(value: object) -> str | None:
    text = _text(value)
    return None if text is None or text.lower().strip("。. ") in _NOTHING else text


def _verdict_text(value: object) -> str | None:
    if isinstance(value, bool):
        return "是" if value else "否"
    return _text(value)


def _text(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, list | tuple):
        text = "；".join(part for part in map(_text, value) if part)
    elif isinstance(value, dict):
        text = "；".join(f"{key}：{part}" for key, inner in value.items() if (part := _text(inner)))
    else:
        text = str(value)
    text = " ".join(text[:_FIELD_LONGEST].translate(_INVISIBLE).split())
    return None if not text or _PLACEHOLDER.match(text) or text.lower() == "null" else text


def _cleaned(value: str) -> str:
    text = value.strip().strip("|").strip()
    for ending in ("```", "}", "]"):
        text = text.rstrip().removesuffix(ending)
    text = text.rstrip(" \n\t,，;；}|").strip()
    while text[:1] in ("*", "_", "-", "•", "#", ">") and text[:1]:
        text = text[1:].lstrip()
    text = text.rstrip("*_#- \n")
    if text[:1] and text[:1] in _OPENING:
        closing = _VALUE_END[text[0]].search(text, 1)
        text = text[1 : closing.start()] if closing else text[1:].rstrip("\\")
    elif text[-1:] and text[-1] in _CLOSING and not any(mark in text[:-1] for mark in _OPENING):
        text = text[:-1]
    return _ESCAPE.sub(_unescaped, text) if "\\" in text else text


def _unescaped(found: re.Match[str]) -> str:
    body = found[1]
    if len(body) == 5:
        code = int(body[1:], 16)
        return "" if 0xD800 <= code < 0xE000 else chr(code)
    return _ESCAPED.get(body, body)
