"""Depth of JSON that a stranger wrote: Python ends, with an error of its own, what goes into it level by level."""

from typing import Any, Final

import orjson

# A chat completion has ten, what gateways wrap around it included.
_MOST_LEVELS: Final = 32


def is_deep(text: str | bytes, value: object) -> bool:
    """Return true where lists and objects stand within each other in more levels than any answer or reply has.

    Args:
        text: the JSON, or the literal.
        value: what it holds.
    """
    if isinstance(text, bytes):
        openings = text.count(b"[") + text.count(b"{")
    else:
        openings = text.count("[") + text.count("{") + text.count("(")
    if openings <= _MOST_LEVELS:  # nearly always
        return False
    level: list[object] = [value]
    for _ in range(_MOST_LEVELS + 1):
        level = [item for outer in level for item in _within(outer)]
    return bool(level)


def load_shallow(text: str | bytes) -> Any:
    """The value of a JSON text.

    Raises:
        orjson.JSONDecodeError: it is none, or a deep one.
    """
    value = orjson.loads(text)
    if is_deep(text, value):
        raise orjson.JSONDecodeError("nested too deeply", "", 0)
    return value


def _within(value: object) -> list[object]:
    """The lists and objects in a list or object."""
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return [item for item in items if isinstance(item, dict | list | tuple)]
