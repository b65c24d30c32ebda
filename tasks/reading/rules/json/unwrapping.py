"""Conversations inside what is exported around them: an API's page, an object keyed by ids."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from tasks.reading.rules.json.lenient import parse_json
from tasks.reading.rules.json.reshaping import as_messages, text_of_each_side
from tasks.reading.rules.json.typed_values import are_typed
from tasks.reading.rules.objects.log_bytes import first_json_values
from tasks.reading.rules.speakers import speaker_of

_STRUCTURE: Final = re.compile(r'["\[\]{}]')

_IN_STRING: Final = re.compile(r'["\\]')

_DEPTH: Final = 4

_LOOKED_THROUGH: Final = 5

# Keys that wrap a list, and are nobody's id.
_WRAPPERS: Final = frozenset(
    [
        "data", "list", "item", "items", "records", "rows", "result", "results", "msg", "msgs", "messages",
        "conversations", "chats", "tickets",
    ]
)  # fmt: skip

_MESSAGES: Final = "jsonl-messages"


def records_in(
    value: Mapping[str, Any], kind: Callable[[Any], str], own_kind: Callable[[Any], str], depth: int = 0
) -> list[Any]:
    """The records nearest to the top of an object that is none itself; empty where there are none.

    Args:
        kind: the format that a value belongs to, or "".
        own_kind: likewise, "" for what only holds records.
    """
    if depth > _DEPTH:
        return []
    keyed = _keyed(value, own_kind)
    if keyed and not _WRAPPERS & {key.lower() for key in value}:
        return keyed
    lists = (_listed(element, kind, own_kind) for element in value.values() if isinstance(element, list))
    return next(filter(None, lists), keyed) or _nested(value, kind, own_kind, depth)


def _nested(
    value: Mapping[str, Any], kind: Callable[[Any], str], own_kind: Callable[[Any], str], depth: int
) -> list[Any]:
    """The records of the first object that holds any, and of those beside it that are of the same kind."""
    found: list[Any] = []
    first = ""
    for element in value.values():
        if not isinstance(element, dict):
            continue
        own = own_kind(element)
        if own and own in (first, first or own):
            found, first = [*found, element], own
        elif not found and not first:
            found = [element] if _kind(element, kind) else records_in(element, kind, own_kind, depth + 1)
            if found:
                return found
    return found


def _listed(elements: list[Any], kind: Callable[[Any], str], own_kind: Callable[[Any], str]) -> list[Any]:
    several = [element for element in elements[:_LOOKED_THROUGH] if isinstance(element, dict | list)]
    if several and isinstance(first := several[0], list):
        return [{"messages": element} for element in elements] if first and _kind(first[0], kind) == _MESSAGES else []
    found = next(filter(None, (_kind(element, kind) for element in several)), "")  # an event may stand above
    if not found:
        return []
    first = several[0]
    rows = not own_kind(first) and (
        (isinstance(first, dict) and are_typed(first)) or text_of_each_side(tuple(first)) is not None
    )
    return [{"messages": elements}] if found == _MESSAGES and not rows else elements


def _keyed(value: Mapping[str, Any], kind: Callable[[Any], str]) -> list[Any]:
    """The conversations of an object whose keys are their ids."""
    elements = [element for element in value.values() if isinstance(element, dict | list)]
    if not elements or len(elements) < len(value):
        return []
    lists = [_list_of_messages(element, kind) for element in elements]
    if all(lists):
        if _is_name_alone(value):
            return [{"messages": messages} for messages in lists]  # the list's name is no id
        return [{"conversation_id": key, "messages": messages} for key, messages in zip(value, lists, strict=True)]
    if len(elements) > 1 and all(_kind(element, kind) == _MESSAGES for element in elements):
        return [{"messages": elements}]
    if all(isinstance(element, dict) and _kind(element, kind) not in ("", _MESSAGES) for element in elements):
        wrapped = _WRAPPERS & {key.lower() for key in value} or _is_name_alone(value)
        return [element if wrapped else {"conversation_id": key, **element} for key, element in value.items()]
    return []


def _is_message(element: Any, kind: Callable[[Any], str]) -> bool:
    """True for a message, be it an object or a list with a word for its side: `["10:00", "visitor", "…"]`."""
    if isinstance(element, list):
        return as_messages([element]) is not None and any(
            isinstance(part, str) and speaker_of(part) for part in element
        )
    return _kind(element, kind) == _MESSAGES


def _is_name_alone(value: Mapping[str, Any]) -> bool:
    """True for an object of one key, of letters: the name of what it holds."""
    return len(value) == 1 and next(iter(value)).replace("_", "").isalpha()


def _list_of_messages(held: Any, kind: Callable[[Any], str]) -> list[Any]:
    """A list of messages, or those of an object that holds each under a key of its own; empty for anything else."""
    if isinstance(held, list):
        return held if held and _is_message(held[0], kind) else []
    keyed = len(held) > 1 and all(_kind(element, kind) == _MESSAGES for element in held.values())
    return list(held.values()) if keyed else []


def _kind(element: Any, kind: Callable[[Any], str]) -> str:
    return kind(element) if isinstance(element, dict) else ""


def list_of_records_at(text: str, kind: Callable[[Any], str]) -> int:
    """The place in a document's beginning where the first element of a list of conversations stands; 0 for none.

    A list of messages that name no conversation is one conversation's, and no such list.
    """
    openers: list[str] = []
    in_string = False
    position = 0
    while found := (_IN_STRING if in_string else _STRUCTURE).search(text, position):
        mark, position = found.group(), found.end()
        if mark == "\\":
            position += 1
        elif mark == '"':
            in_string = not in_string
        elif mark == "{":
            openers.append(mark)
            if len(openers) > _DEPTH + 1:
                return 0
        elif mark in "}]":
            if openers:
                openers.pop()
        else:
            if openers and "[" not in openers and _begins_with_record(text, position, kind):
                return position
            openers.append(mark)
    return 0


def _begins_with_record(text: str, position: int, kind: Callable[[Any], str]) -> bool:
    first = next(iter(first_json_values("[" + text[position:])), "")
    try:
        value = parse_json(first)
    except ValueError:
        return False
    found = kind(value) if isinstance(value, dict) else ""
    return found not in ("", _MESSAGES)
