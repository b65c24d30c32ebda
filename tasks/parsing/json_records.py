"""The records of the four fields in a value that was proper JSON, or a Python literal."""

import ast
import json
from collections.abc import Mapping
from typing import Final, NamedTuple, TypeAlias

from tasks.domain.nesting import is_deep
from tasks.parsing.field_names import field_of, is_numbered


def first_of_each(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """An object in which the first value of a key counts: what an answer adds to itself later replaces nothing."""
    found: dict[str, object] = {}
    for key, value in pairs:
        found.setdefault(key, value)
    return found


_DECODE: Final = json.JSONDecoder(strict=False, object_pairs_hook=first_of_each).raw_decode

_LITERAL_WITHIN: Final = 20_000  # characters

_WHOLE: Final = 3  # fields of four

_VERDICTS: Final = ("accepted", "negative_sentiment")  # whose values say something also when they are equal

# An entry that says its field: {"field": "用户问题", "value": "退货"}.
_ENTRY_VALUES: Final = ("value", "值", "内容", "content", "text", "answer", "结果", "result")

_ALL: Final = 4  # fields

_OPENINGS: Final = 8  # braces looked at from the end

_CONCLUDED_WITHIN: Final = 16_000  # characters

_SCHEMA: Final = frozenset(["type", "title", "description"])

_TYPES: Final = ("string", "boolean", "bool", "str", "number", "integer", "array", "object")

_OF_SCHEMAS: Final = frozenset(
    [
        "type",
        "title",
        "description",
        "enum",
        "default",
        "examples",
        "example",
        "items",
        "maxLength",
        "minLength",
        "format",
    ]
)


class Record(NamedTuple):
    """The values of an answer's fields; a list where several issues have one each."""

    values: Mapping[str, object]
    numbered: bool = False  # the keys are numbered, as those of several issues are
    corrects: bool = False  # the answer says that it replaces what stands before

    @property
    def is_whole(self) -> bool:
        """True where it is a summary, and no remark about one or two fields."""
        return len(self.values) >= _WHOLE

    def continues(self, other: "Record") -> bool:
        """Return true where the two have no field in common."""
        return self.values.keys().isdisjoint(other.values)

    def joined(self, other: "Record") -> "Record":
        """This record with the other's fields."""
        return Record({**self.values, **other.values}, self.numbered or other.numbered, self.corrects)

    def merged(self, other: "Record") -> "Record":
        """One record of two issues."""
        values = dict(self.values)
        for field, value in other.values.items():
            known = _listed(values[field]) if field in values else []
            values[field] = [*known, *(item for item in _listed(value) if field in _VERDICTS or item not in known)]
        return Record(values, self.numbered or other.numbered, self.corrects)


# By a value's id: the value, which so stays alive and keeps its id, and its records.
_Known: TypeAlias = dict[int, tuple[object, list[Record]]]


def loaded(text: str) -> object:
    """The value of a text that is one JSON value or one Python literal; None for any other, and for a deep one."""
    if text[:1] not in ("{", "[", '"', "("):
        return None
    try:
        value, end = _DECODE(text)
    except (ValueError, RecursionError):
        value, end = _literal(text), len(text)
    return value if end == len(text) and not is_deep(text, value) else None


def concluding_object(text: str) -> str:
    """The object with all four fields that a text of thoughts ends with; empty where it ends otherwise."""
    ending = text[-_CONCLUDED_WITHIN:].rstrip().removesuffix("```").rstrip()
    opening = len(ending)
    for _ in range(_OPENINGS if ending.endswith("}") else 0):
        opening = ending.rfind("{", 0, opening)
        if opening < 0:
            break
        value = loaded(ending[opening:])
        if isinstance(value, dict) and len({field_of(str(key)) for key in value} - {None}) == _ALL:
            return ending[opening:]
    return ""


def _literal(text: str) -> object:
    if len(text) > _LITERAL_WITHIN or text[-1:] not in ("}", "]", ")"):
        return None
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return None


def records_in(value: object, known: _Known | None = None) -> list[Record]:
    """The records of a JSON value, in order; also of JSON in its strings, as tool calls have it.

    An object with the fields is the answer, and what its other keys hold is not. Several such objects in one list are
    several issues, and one record.

    Args:
        value: to look into.
        known: what was found so far. An object that is asked about on each of its levels would else be read twice as
            often on each.
    """
    if not isinstance(value, dict | list | tuple):
        return []
    known = {} if known is None else known
    if id(value) not in known:
        found = _of_object(value, known) if isinstance(value, dict) else _of_list(value, known)
        known[id(value)] = value, found
    return known[id(value)][1]


def _of_list(value: list[object] | tuple[object, ...], known: _Known) -> list[Record]:
    pairs = [pair for pair in map(_pair, value) if pair is not None]
    if len(pairs) > 1:
        return _grouped([Record({field: content}) for field, content in pairs])
    if value and (rows := _rows(value[0], value[1:])):
        return rows
    records = _grouped([record for item in value for record in records_in(item, known)])
    whole = [record for record in records if record.is_whole]
    if len(whole) < 2:
        return records
    merged = whole[0]
    for record in whole[1:]:
        merged = merged.merged(record)
    return [merged]


def _rows(names: object, rows: object) -> list[Record]:
    """The records of a table: a list of the fields' names, and lists of their values."""
    fields = [field_of(name) if isinstance(name, str) else None for name in names] if isinstance(names, list) else []
    if sum(field is not None for field in fields) < _WHOLE or not isinstance(rows, list | tuple):
        return []
    found = [
        Record({field: content for field, content in zip(fields, row, strict=False) if field is not None})
        for row in rows
        if isinstance(row, list)
    ]
    merged = found[:1]
    for record in found[1:]:
        merged = [merged[0].merged(record)]
    return merged


def _of_object(value: dict[object, object], known: _Known) -> list[Record]:
    if isinstance(value.get("columns"), list) and (rows := _rows(value["columns"], value.get("data"))):
        return rows
    issues = [content for key, content in value.items() if field_of(str(key)) and _is_summary(content, known)]
    if len(issues) > 1:  # {"问题1": {…}, "问题2": {…}}
        return records_in(issues, known)
    record: Record | None = None
    inner: list[object] = []
    for key, content in value.items():
        field = field_of(str(key))
        if field is None or content in issues:
            inner.append(loaded(content) if isinstance(content, str) else content)
            continue
        found = Record({field: _content(content)}, numbered=is_numbered(str(key)))
        record = found if record is None else record.joined(found) if found.continues(record) else record.merged(found)
    if record is not None and (record.is_whole or not inner):
        return [record]
    if record is None and (pair := _pair(value)) is not None:
        return [Record({pair[0]: pair[1]})]
    within = [found for content in inner for found in records_in(content, known)]
    return _grouped([*([record] if record else []), *within])


def _is_summary(content: object, known: _Known) -> bool:
    return isinstance(content, dict) and any(record.is_whole for record in records_in(content, known))


def _grouped(records: list[Record]) -> list[Record]:
    """The records with those joined that hold each other's missing fields: an object a field."""
    grouped: list[Record] = []
    for record in records:
        if grouped and record.continues(grouped[-1]):
            grouped[-1] = grouped[-1].joined(record)
        else:
            grouped.append(record)
    return grouped


def _pair(item: object) -> tuple[str, object] | None:
    """The field and the value of an entry: ["用户问题", "退货"], {"key": "用户问题", "value": "退货"}."""
    if isinstance(item, list | tuple):
        if len(item) != 2 or not isinstance(item[0], str):
            return None
        field = field_of(item[0])
        return None if field is None else (field, item[1])
    if not isinstance(item, dict) or not 2 <= len(item) <= 4:
        return None
    value = next((key for key in _ENTRY_VALUES if key in item), None)
    names = [field_of(name) for key, name in item.items() if key != value and isinstance(name, str)]
    field = next((name for name in names if name is not None), None)
    return None if value is None or field is None else (field, item[value])


def _content(value: object) -> object:
    """The value in a filled-in schema, {"type": "boolean", "value": true}, or beside a number that says how sure it is.

    A schema that nobody filled in has none.
    """
    if not isinstance(value, dict):
        return value
    if "value" in value and (not _SCHEMA.isdisjoint(value) or _is_sureness(value)):
        return value["value"]
    return None if value.get("type") in _TYPES and not value.keys() - _OF_SCHEMAS else value


def _is_sureness(value: dict[object, object]) -> bool:
    return all(content is None or isinstance(content, int | float) for key, content in value.items() if key != "value")


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]
