"""Sides of messages that are signed with an id or a nickname, told by who that is elsewhere in the conversation."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from tasks.reading.rules.company import may_be_customers
from tasks.reading.rules.formats import Comparison, People
from tasks.reading.rules.json.reshaping import listed_in
from tasks.reading.rules.json.texts import words_in
from tasks.reading.rules.speakers import Speaker, side_named_in, side_of_others
from tasks.reading.rules.vocabulary import Vocabulary

# A messenger calls a chat after whom it is with (Telegram, Messenger).
_NAMED_AFTER: Final = ("name", "title")

_OTHER: Mapping[Speaker, Speaker] = {"user": "agent", "agent": "user"}


def sides_by_people(records: Sequence[Any], vocabulary: Vocabulary) -> People | Comparison | None:
    """The way to tell who speaks in every one of these conversations; None where their messages say it themselves.

    Either a list of people (`participants`) has the author's id and a role, or one value of the conversation, such as
    `visitor.username`, is what the customer's messages are signed with.
    """
    found: People | Comparison | None = None
    for record in records:
        messages = _messages(record, vocabulary)
        if not messages:
            return None
        told = next(_told_by_list(record, messages, vocabulary), None) or next(_told_by_name(record, messages), None)
        if told is None or (found is not None and told != found):
            return None
        found = told
    return found


def named_by_the_other_side(messages: list[Any], vocabulary: Vocabulary) -> tuple[list[Any], str]:
    """The messages with a role for the only unknown name, and that role, where one side alone is known; else none."""
    keys = [vocabulary.shape(tuple(message)).role for message in messages]
    names = [message[key] for message, key in zip(messages, keys, strict=True) if key]
    sides = {str(name): vocabulary.speaker(name) for name in names}
    others = side_of_others((("", str(name)) for name in names), sides.get)
    if not others:
        return [], ""
    return [
        message if not key or sides[str(message[key])] else {**message, key: others}
        for message, key in zip(messages, keys, strict=True)
    ], others


def _messages(record: Any, vocabulary: Vocabulary) -> list[Mapping[str, Any]]:
    """The messages of a conversation, where none says whose it is."""
    if not isinstance(record, Mapping):
        return []
    for name in vocabulary.shape(tuple(record)).messages:
        elements = [message for message in listed_in(record[name]) or () if isinstance(message, Mapping)]
        shapes = [vocabulary.shape(tuple(message)) for message in elements]
        if any(shape.texts for shape in shapes):
            known = any(
                shape.speaks and vocabulary.speaker(message.get(shape.role))
                for message, shape in zip(elements, shapes, strict=True)
            )
            return [] if known else elements
    return []


def _told_by_list(
    record: Mapping[str, Any], messages: list[Mapping[str, Any]], vocabulary: Vocabulary
) -> Iterator[People]:
    for members, value in record.items():
        people = [person for person in value if isinstance(person, Mapping)] if isinstance(value, list) else []
        if not people or people[0] is messages[0]:
            continue
        for role in people[0]:
            if not {"user", "agent"} <= {
                vocabulary.speaker(person.get(role)) for person in people if isinstance(person.get(role), str)
            }:
                continue
            for key in people[0]:
                ids = {person.get(key) for person in people if isinstance(person.get(key), str | int)}
                for of in _signatures(messages, ids):
                    yield People(members, key, role, of)


def _told_by_name(record: Mapping[str, Any], messages: list[Mapping[str, Any]]) -> Iterator[Comparison]:
    for path, value in _scalars(record):
        side = "user" if path in _NAMED_AFTER else side_named_in(path)
        for of in _keys(messages) if side else ():
            same = [message[of] == value for message in messages if of in message]
            if side and any(same) and not all(same) and (path not in _NAMED_AFTER or _is_customer(value, of, messages)):
                yield Comparison(of, path, side, _OTHER[side])


def _is_customer(name: Any, of: str, messages: list[Mapping[str, Any]]) -> bool:
    """False for somebody who speaks as agents do."""
    said = [(message.get(of) == name, " ".join(map(words_in, message.values()))) for message in messages]
    return may_be_customers([text for own, text in said if own], [text for own, text in said if not own])


def _scalars(record: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The values of a record, and of the objects in it, that may be somebody's id."""
    for name, value in record.items():
        if isinstance(value, Mapping):
            yield from ((f"{name}.{key}", kept) for key, kept in value.items() if _may_be_id(kept))
        elif _may_be_id(value):
            yield name, value


def _may_be_id(value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool) and value not in ("", 0)


def _keys(messages: list[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(key for message in messages for key in message))


def _signatures(messages: list[Mapping[str, Any]], ids: set[Any]) -> Iterator[str]:
    """The keys of messages whose every value is one of these ids, and not the same throughout."""
    for key in _keys(messages):
        values = [message.get(key) for message in messages]
        signed = [value for value in values if isinstance(value, str | int)]
        if len(signed) == len(values) and set(signed) <= ids and len(set(signed)) > 1:
            yield key
