"""The list of messages in a conversation's record, whatever it is written as."""

from collections.abc import Mapping
from typing import Any

import orjson

from tasks.domain.nesting import load_shallow
from tasks.reading.rules.json.fields import transcript_of
from tasks.reading.rules.json.reshaping import as_messages, last_exchange, listed_in
from tasks.reading.rules.vocabulary import Shape, Vocabulary, lifted


class MessageLists:
    """Finds the messages of records, each record's once."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._looked_at: Mapping[str, Any] = {}  # the record whose messages were found last
        self._found: tuple[str, list[Any]] | None = None

    def of(self, value: Mapping[str, Any], shape: Shape) -> tuple[str, list[Any]] | None:
        """The key and the list of messages; a list may be written as a string of JSON, and null is an empty one."""
        if self._looked_at is not value:
            self._looked_at, self._found = value, self._look_for(value, shape)
        return self._found

    def _holds_conversations(self, messages: list[Any]) -> bool:
        """True for a list whose elements are conversations, not messages."""
        first = next((element for element in messages if isinstance(element, dict | list)), None)
        if first is None or isinstance(first, list):
            return first is not None
        first = lifted(first, self._vocabulary.paths)
        shape = self._vocabulary.shape(tuple(first))
        return not shape.message and (any(listed_in(first[key]) for key in shape.messages) or self._keyed(first))

    def _keyed(self, held: Mapping[str, Any]) -> bool:
        """True for an object that holds each of several messages under a key of its own."""
        return len(held) > 1 and all(
            isinstance(element, dict) and self._vocabulary.shape(tuple(element)).message for element in held.values()
        )

    def _turned(self, messages: list[Any]) -> list[dict[str, Any]] | None:
        """Messages that are written in another way than as objects with a speaker; None for any other list."""
        first = messages[0] if messages else None
        if isinstance(first, dict) and (len(first) > 4 or self._vocabulary.shape(tuple(first)).speaks):
            return None
        return as_messages(messages)

    def _look_for(self, value: Mapping[str, Any], shape: Shape) -> tuple[str, list[Any]] | None:
        empty = None
        for key in shape.messages:
            messages = value[key] if isinstance(value[key], str | None) else listed_in(value[key])
            if key == "history" and not messages and (exchange := last_exchange(value)):
                return key, exchange
            if isinstance(messages, list):
                if turned := self._turned(messages):
                    return key, [*turned, *(last_exchange(value) if key == "history" else ())]
                if not self._holds_conversations(messages):
                    return key, messages
            elif isinstance(messages, str) and not shape.speaks and (listed := _listed(messages)) is not None:
                return key, listed
            elif value[key] is None:
                empty = key, list[Any]()
        for key in () if shape.speaks else shape.transcripts:
            if isinstance(value[key], str) and (listed := _listed(value[key])):
                return key, listed
        return empty if transcript_of(value, shape) is None and not (shape.role or shape.prompt) else None


def _listed(text: str) -> list[Any] | None:
    """The list that a text holds as JSON."""
    if text.lstrip()[:2] not in ("[{", "[]", "[["):
        return None
    try:
        found = load_shallow(text)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, list) else None


def opening_message(value: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """The message that opens a conversation and stands beside the others: a ticket's description, say."""
    found: Any = value if name else None
    for key in name.split(".") if name else ():
        found = found.get(key) if isinstance(found, Mapping) else None
    if isinstance(found, str) and found.strip():
        return [{"role": "user", "text": found}]
    return [dict(found)] if isinstance(found, Mapping) else []
