"""Text around JSON in files that are nearly JSON: a logger's prefix, a script's assignment, comments, brackets.

And what Python prints instead of JSON.
"""

import ast
import re
from typing import Any, Final

# A logger's time or level before the record: 2026-11-22 03:00:00 INFO exporter - {…}, Nov 22 03:00:00 host app: {…}
_LOG_PREFIX: Final = re.compile(
    r"(?:<\d{1,3}>\d?\s?)?(?:\[?\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d|\[?[A-Z][a-z]{2} {1,2}\d{1,2} \d\d:\d\d|"
    r"\[?(?:INFO|DEBUG|WARN|WARNING|ERROR|TRACE|NOTICE)\b)[^{\n]{0,300}(?=\{\")"
)

# var chats = […]; window.data = {…}; callback([…]);
_SCRIPT: Final = re.compile(
    r"(?:(?:(?:var|let|const)\s{1,4})?[\w$.]{0,80}(?:\[['\"][\w$.]{1,80}['\"]\])?\s{0,4}[=(]|export default"
    r"|for\s?\(;;\);|while\s?\((?:1|true)\);)\s{0,4}(?=[\[{])"
)

# The key of a record of Kafka, an id in a column before it: c1<TAB>{…}
_KEY: Final = re.compile(r"[\w.:#-]{1,64}[ ]?[\t:|][ ]?(?=\{\")")

_SCRIPT_END: Final = " \t\r\n;)"

_NO_VALUE: Final = re.compile(
    r"[\[\],;()\s]*(?:\}'?|')?,?|\s*(?://|#)[^\n]{0,1000}|\s*/\*.{0,1000}\*/\s*|"
    r"\s*(?:(?:var|let|const)\s{1,4})?[\w$.]{1,80}\s{0,4}[=(][\s\[]*|\s*export default[\s\[]*|"
    r"\s*(?:for\s?\(;;\);|while\s?\((?:1|true)\);)\s*|\s*```\w{0,10}\s*",
    re.S,
)

_COMMENTS: Final = re.compile(r"(?:\s*(?://[^\n]{0,1000}(?:\n|\Z)|/\*.{0,1000}?\*/))*", re.S)

_PYTHON_LIMIT: Final = 1 << 20

_DEPTH_LIMIT: Final = 60

_BRACKETS: Final = re.compile(r"[\[({]|[\])}]")


def is_no_value(text: str) -> bool:
    """True for what may stand between records and says nothing: a bracket, a comment, a script's assignment."""
    return _NO_VALUE.fullmatch(text, _COMMENTS.match(text).end()) is not None  # type: ignore[union-attr]


def without_wrapping(text: str) -> str:
    """A text without the comments, the script or the logger's prefix before its first JSON, and a script's end."""
    text = text[_COMMENTS.match(text).end() :]  # type: ignore[union-attr]  # it matches nothing, too
    if found := _LOG_PREFIX.match(text) or _KEY.match(text):
        return text[found.end() :]
    if found := _SCRIPT.match(text.lstrip()):
        return text.lstrip()[found.end() :].rstrip(_SCRIPT_END)
    return text


def python_value(text: str) -> Any:
    """The object or list that Python prints as this text; None for anything else."""
    if text[:1] not in ("{", "[") or "'" not in text or len(text) > _PYTHON_LIMIT or _is_deep(text):
        return None
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return None
    return value if isinstance(value, dict | list) and _is_json(value) else None


def _is_deep(text: str) -> bool:
    depth = 0
    for bracket in _BRACKETS.finditer(text):
        depth += 1 if bracket[0] in "[({" else -1
        if depth > _DEPTH_LIMIT:
            return True
    return False


def _is_json(value: Any) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_json(kept) for key, kept in value.items())
    if isinstance(value, list):
        return all(map(_is_json, value))
    return value is None or isinstance(value, str | int | float | bool)
