"""Objects whose every value stands under the name of its type, as DynamoDB and Firestore export them."""

from collections.abc import Mapping
from typing import Any, Final

_TEXTS: Final = frozenset(["S", "B", "stringValue", "timestampValue", "bytesValue", "referenceValue"])

_NUMBERS: Final = frozenset(["N", "integerValue", "doubleValue"])

_AS_IT_IS: Final = frozenset(["BOOL", "booleanValue", "SS", "NS", "BS", "geoPointValue"])

_NOTHING: Final = frozenset(["NULL", "nullValue"])

_LISTS: Final = frozenset(["L", "arrayValue"])

_OBJECTS: Final = frozenset(["M", "mapValue"])

_TYPES: Final = _TEXTS | _NUMBERS | _AS_IT_IS | _NOTHING | _LISTS | _OBJECTS

_DEPTH: Final = 20


def are_typed(record: Mapping[str, Any]) -> bool:
    """True for an object whose every value is an object of one key, the name of a type."""
    for value in record.values():
        if not isinstance(value, dict) or len(value) != 1 or next(iter(value)) not in _TYPES:
            return False
    return bool(record)


def untyped(record: Mapping[str, Any], depth: int = 0) -> dict[str, Any]:
    """The object with the values themselves."""
    return {key: _value(value, depth + 1) for key, value in record.items()}


def _value(typed: Any, depth: int) -> Any:
    if not isinstance(typed, dict) or len(typed) != 1 or depth > _DEPTH:
        return typed
    ((kind, value),) = typed.items()
    if kind in _LISTS:
        elements = value.get("values", []) if isinstance(value, dict) else value
        return [_value(element, depth + 1) for element in elements] if isinstance(elements, list) else value
    if kind in _OBJECTS and isinstance(value, dict):
        fields = value.get("fields", {}) if kind == "mapValue" else value
        return untyped(fields, depth) if isinstance(fields, dict) else value
    if kind in _NUMBERS:
        return int(value) if isinstance(value, str) and value.isdecimal() and value.isascii() else value
    return None if kind in _NOTHING else value
