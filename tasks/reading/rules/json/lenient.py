"""JSON, read leniently where strict JSON fails."""

import json
import re
from typing import Any, Final

import orjson

from tasks.domain.nesting import is_deep
from tasks.reading.rules.json.dirt import python_value, without_wrapping

_LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")

# A backslash before a sign that needs none, such as an apostrophe.
_BACKSLASH: Final = re.compile(r"\\(.)", re.S)

_ESCAPED: Final = frozenset('"\\/bfnrtu')

_LONG_NUMBER_DIGITS: Final = 18

_EXACT_UP_TO: Final = 2.0**53


def parse_json(text: str | bytes) -> Any:
    """The value, read leniently where strict JSON fails: NaN, raw control characters, half an emoji.

    Raises:
        ValueError: it is no JSON; the message says where, and never quotes it.
    """
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        pass
    else:
        if is_deep(text, value):  # which Python would end on its way through
            raise ValueError("nested too deeply")
        if not _is_rounded(value):
            return value
    try:
        decoded = text.decode() if isinstance(text, bytes) else text
        decoded.encode()
        value = json.loads(decoded, strict=False, parse_int=_number)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON (at character {error.pos + 1})") from None
    except UnicodeError:
        raise ValueError("not text in the encoding of the file") from None
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if is_deep(text, value):
        raise ValueError("nested too deeply")
    return _mended(value)


def parse_line(line: bytes | str) -> Any:
    """The value of a line, with what separates records around it: RFC 7464's mark before, a comma behind.

    Raises:
        ValueError: it is no JSON.
    """
    stripped = line.strip()
    mark, comma = ("\x1e", ",") if isinstance(stripped, str) else (b"\x1e", b",")
    if stripped.startswith(mark):  # type: ignore[arg-type]
        stripped = stripped.lstrip(mark)  # type: ignore[arg-type]
    try:
        value = parse_json(stripped)
        return _inner(value) if type(value) is str else value
    except ValueError as error:
        if stripped.endswith(comma):  # type: ignore[arg-type]
            return parse_json(stripped[:-1])
        if "encoding" in str(error) or "deeply" in str(error):
            raise
        found = _nearly_json(stripped if isinstance(stripped, str) else stripped.decode())
        if found is None or is_deep(stripped, found):
            raise
        return found


def _inner(text: str) -> Any:
    """The list or object of a text that is JSON itself, as an export that was encoded twice has it."""
    if text[:1] in ("[", "{"):
        try:
            return parse_json(text)
        except ValueError:
            pass
    return text


def _nearly_json(text: str) -> Any:
    """The value of a line that holds JSON behind something else, or what Python prints; None where there is none."""
    inner = without_wrapping(text)
    if inner[:1] in ("{", "[") and "\\" in inner:
        inner = _BACKSLASH.sub(lambda found: found[0] if found[1] in _ESCAPED else found[1], inner)
    if inner != text and inner[:1] in ("{", "["):
        try:
            return parse_json(inner)
        except ValueError:
            return None
    return python_value(text)


def _is_rounded(value: Any) -> bool:
    """True for a record with a number of its own that may have lost digits: two ids must not become one."""
    if isinstance(value, list):
        return any(_is_rounded(element) for element in value if isinstance(element, dict))
    if isinstance(value, dict):
        for kept in value.values():
            if type(kept) is float and abs(kept) >= _EXACT_UP_TO:
                return True
    return False


def _number(digits: str) -> int | str:
    return int(digits) if len(digits) <= _LONG_NUMBER_DIGITS else digits


def _mended(value: Any) -> Any:
    """Half an emoji becomes U+FFFD, NaN and infinities null: nothing downstream can write them."""
    if isinstance(value, str):
        return _LONE_SURROGATE.sub("\ufffd", value)
    if isinstance(value, float):
        return value if abs(value) < float("inf") else None
    if isinstance(value, list):
        return [_mended(element) for element in value]
    if isinstance(value, dict):
        return {_mended(key): _mended(element) for key, element in value.items()}
    return value
