"""From an answer's text to its four fields, whatever shape the model gave it.

Nine answers in ten are one JSON object and are done at once. The others go through `answer_shapes`, which finds
the fields in fences, prose, labelled lines, tables and broken objects, grouped into records. The first record that is
whole and real counts: echoes of the template and empty placeholders are not, nor is what the answer quotes behind it; a
later one replaces it only as a correction that says so. Several issues in one list or table are one record: issues and
plans stand side by side, acceptance is what all say, negative sentiment what one says.
"""

import re
from collections.abc import Mapping
from typing import Final

import orjson

from tasks.domain.records import Fields, Reason, Unusable
from tasks.domain.traditional import simplified
from tasks.parsing.answer_shapes import found_records
from tasks.parsing.choices import chosen
from tasks.parsing.json_records import Record
from tasks.parsing.verdicts import accepted_of, negative_sentiment_of

_FIELDS: Final = {"用户问题": "issue", "客服方案": "plan", "是否接受": "accepted", "是否负面情绪": "negative_sentiment"}

_PLACEHOLDER: Final = re.compile(r"[xX×]{2,}|[\s….。_~*—-]+|<[^<>]*>|\{[^{}]*\}|null|string", re.IGNORECASE)

_PLACEHOLDERS_BEGIN: Final = frozenset("xX×….。_~*—-<{nNsS")

_NO_PROSE: Final = re.compile(
    r"(?:(?:暂?无|未(?:明确)?(?:提及|提到|知|说明|明确)|没有(?:提及|提到)?|不(?:详|明|适用)|空)(?:相关)?(?:内容|信息|问题|方案)?"
    r"|[xX×]|none|nil|undefined|n\s?/?\s?a|unknown|not mentioned)[.。]?",
    re.IGNORECASE,
)

_NO_VERDICT: Final = re.compile(
    r"(?:是|有|true|yes|接受)\s?(?:/|\||或者?|or)\s?(?:否|无|false|no|不接受).*", re.IGNORECASE
)

# What the logs' own HTML leaves in a text, however often it was escaped.
_ENTITY: Final = re.compile(r"&(?:(?:amp|#38);)*(?:(?P<name>lt|gt|quot|apos|nbsp|#34|#39|#160);|(?<=;))")

_ENTITIES: Final = {"lt": "<", "gt": ">", "quot": '"', "#34": '"', "apos": "'", "#39": "'", "nbsp": " ", "#160": " "}

_REFUSAL: Final = re.compile(
    r"作为(?:一个|一名|一款)?(?:人工智能|AI|大?语言模型|大模型|智能助手)"
    r"|(?:抱歉|对不起|很遗憾|不好意思)[，,。！!]?[^。！!\n]{0,20}(?:无法|不能|没法|没办法|未能|不便)"
    r"|(?:我|暂时|目前)(?:还|也|暂时)?(?:无法|不能|不便|没有办法)(?:回答|提供|处理|生成|完成|协助|讨论|满足|为您|对此)"
    r"|(?:内容|话题|信息|问题)[^。\n]{0,8}(?:敏感|违规|不合规|不适宜|违反)|内容安全|换个?(?:一个)?(?:话题|问题)"
    r"|as an ai\b|i(?:'m| am) (?:sorry|unable)|i can(?:not|'t)",
    re.IGNORECASE,
)

_DECLINED: Final = re.compile(
    r"(?:无法|不能|不便|不予|拒绝)(?:对此|为您|进行|予以|作出|做出|提供|生成)?(?:总结|概括|概述|摘要|归纳|回答)",
    re.IGNORECASE,
)

_DECLINES: Final = re.compile(rf"[^，,。；;]{{0,16}}(?:{_DECLINED.pattern})[^，,。；;]{{0,12}}[。.]?")

# What was done is the plan, where nothing else is called one.
_OUTCOME: Final = re.compile(r"(?<!\w)(?:处理|解决)结果(?=[\"”'’*】\]]{0,3}\s?[:：])")

_REFUSED: Final = Unusable(Reason.REFUSED, "The model declined to summarize this conversation.")

_REFUSAL_WITHIN: Final = 2_000  # characters

_NESTED_WITHIN: Final = 6  # levels of lists and objects as a value


def parse_answer(text: str, *, cut_off: bool = False) -> Fields | Unusable:
    """The four fields of an answer.

    Args:
        text: what the model said.
        cut_off: the service ended the text at its length limit. What the answer holds is kept, an issue or plan cut
            in the middle, too; a verdict cut in the middle is not one.
    """
    try:
        value = orjson.loads(text)
    except ValueError:
        value = None
    if type(value) is dict:
        record: dict[str, object] = {}
        for key, content in value.items():
            field = _FIELDS.get(key)
            # A key that stands there twice is for the careful reading: this one would take the last value.
            if field is None or type(content) is dict or text.count(f'"{key}"') > 1:
                break
            record[field] = content
        else:
            fields = _fields(record)
            if fields is not None and not _is_refusal(fields):
                return fields
    return _parse_any_shape(text, cut_off)


def render_fields(fields: Fields) -> str:
    """The canonical text of the fields: `parse_answer` reads it back to the very same fields."""
    values = {
        "用户问题": fields.issue,
        "客服方案": fields.plan,
        "是否接受": fields.accepted_text,
        "是否负面情绪": fields.negative_sentiment_text,
    }
    return orjson.dumps({key: value for key, value in values.items() if value is not None}).decode()


def _parse_any_shape(text: str, cut_off: bool) -> Fields | Unusable:
    if "结果" in text and "方案" not in text:
        text = _OUTCOME.sub("客服方案", text, count=1)
    records = found_records(text, cut_off=cut_off)
    for record in _by_rank(records):
        fields = _fields(record.values)
        if fields is not None:
            if _is_refusal(fields):
                return _REFUSED
            return fields
    if _REFUSAL.search(simplified(text[:_REFUSAL_WITHIN])):
        return _REFUSED
    if records:
        return Unusable(Reason.INVALID_FIELDS, "The answer has the fields' names, but none has a usable value.")
    if not text.strip():
        return Unusable(Reason.UNPARSEABLE, "The answer is empty.")
    ending = " before it was cut off" if cut_off else ""
    return Unusable(Reason.UNPARSEABLE, f"None of the four fields was found in {len(text)} characters{ending}.")


def _by_rank(records: list[Record]) -> list[Record]:
    """The records by how much they are the answer: corrections, whole ones in order, then remarks, the last first."""
    whole = [record for record in records if record.is_whole]
    corrections = [record for record in reversed(whole) if record.corrects]
    remarks = [record for record in reversed(records) if not record.is_whole]
    remarks.sort(key=lambda record: -len(record.values))
    return [*corrections, *(record for record in whole if not record.corrects), *remarks]


def _fields(record: Mapping[str, object]) -> Fields | None:
    """The fields, or None where no value is usable."""
    issue, plan = _prose(record.get("issue")), _prose(record.get("plan"))
    accepted_text = _verdict_text(record.get("accepted"))
    negative_text = _verdict_text(record.get("negative_sentiment"))
    accepted = None if accepted_text is None else accepted_of(accepted_text)
    negative = None if negative_text is None else negative_sentiment_of(negative_text)
    if issue is None and plan is None and accepted is None and negative is None:
        return None
    return Fields(issue, plan, accepted, negative, accepted_text, negative_text)


def _is_refusal(fields: Fields) -> bool:
    """Return true where the text declines instead of summarizing: its only value, or an issue without a plan, does.

    So do both together, where no verdict says more.
    """
    only = fields.issue or fields.plan
    if only is None:
        return False
    if fields.issue and fields.plan:
        nothing_else = fields.accepted is None and fields.negative_sentiment is None
        return nothing_else and all(_DECLINES.fullmatch(text) for text in (fields.issue, fields.plan))
    if fields.accepted_text or fields.negative_sentiment_text:
        return _DECLINED.search(only) is not None
    return _REFUSAL.match(only) is not None


def _prose(value: object) -> str | None:
    text = _text(value, "；")
    return None if text is None or (len(text) < 16 and _NO_PROSE.fullmatch(text)) else text


def _verdict_text(value: object) -> str | None:
    value = chosen(value)
    text = _text(value, "；" if isinstance(value, list | tuple) else "，")
    return None if text is None or (1 < len(text) < 24 and _NO_VERDICT.fullmatch(text)) else text


def _text(value: object, separator: str) -> str | None:
    """One line of printable text, or None where there is nothing or a placeholder."""
    text = value if type(value) is str else _flat(value, separator, _NESTED_WITHIN)
    if not text.isprintable():
        text = "".join(char for char in text if char.isprintable() or char.isspace())
    if "&" in text:
        text = _ENTITY.sub(lambda found: _ENTITIES.get(found["name"], "&"), text)
    if not text.isprintable() or "  " in text or text[:1] == " " or text[-1:] == " ":
        text = " ".join(text.split())
    if not text or text in _FIELDS or (text[0] in _PLACEHOLDERS_BEGIN and _PLACEHOLDER.fullmatch(text)):
        return None
    return text


def _flat(value: object, separator: str, levels: int) -> str:
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, str | int | float):
        return str(value)
    if not isinstance(value, list | tuple | dict) or not levels:
        return ""
    items = value.values() if isinstance(value, dict) else value
    parts = [_flat(item, separator, levels - 1) for item in items]
    return separator.join(part for part in parts if part.strip())
