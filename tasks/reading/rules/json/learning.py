"""Names in JSON that its values and its structure tell: of messages, of what holds them, of conversations' ids."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from tasks.reading.rules.json.reshaping import as_messages, listed_in
from tasks.reading.rules.tables.told_by_values import (
    CONVERSATIONS,
    FEWEST_ROWS,
    ROWS,
    is_id_name,
    only,
    shared_id,
    side_of_role,
    time_in,
    told_by_values,
    transcripts_by_values,
)
from tasks.reading.rules.transcripts.dialogues import is_dialogue
from tasks.reading.rules.vocabulary import Vocabulary, normalized

_DEPTH: Final = 5

_OWN_ID: Final = re.compile(r".*(?:id|编号|編號|号|號|uuid|guid|key|no)")


def learn_from(values: Sequence[Any], vocabulary: Vocabulary) -> None:
    """Learn what the names in a sample of JSON values mean: of messages, and of the lists that hold them."""
    groups = list(islice(groups_of(values, vocabulary), ROWS))
    learned: dict[str, str] = {}
    for group in groups:
        for name, meaning in told_by_values(group, vocabulary).items():
            if meaning != "role" or not _decides_elsewhere(name, groups, vocabulary):
                learned.setdefault(name, meaning)
    if learned:
        vocabulary.learn(learned)
    if shared := {name: "conversation_id" for group in groups if (name := shared_id(group, vocabulary))}:
        vocabulary.learn(shared)
    lists = {name: "messages" for group in groups for row in group[:3] for name in _lists_in(row, vocabulary)}
    if lists:
        vocabulary.learn(lists)
    elif dialogue := _dialogue_in(groups[0] if groups else [], vocabulary):
        vocabulary.learn({dialogue: "transcript"})
    if about := _about_conversations(groups, vocabulary):
        vocabulary.learn(about)


def groups_of(values: Sequence[Any], vocabulary: Vocabulary, depth: int = 0) -> Iterator[list[Mapping[str, Any]]]:
    """The objects of a sample that stand beside each other: in one list, under one key of such."""
    rows: list[Mapping[str, Any]] = [value for value in values if isinstance(value, dict)]
    if rows:
        yield rows
    if depth >= _DEPTH:
        return
    for value in values:
        if isinstance(value, list):
            yield from groups_of(value, vocabulary, depth + 1)
    for name in dict.fromkeys(name for row in rows for name in row):
        held = [row[name] for row in rows if isinstance(row.get(name), dict | list)]
        if held and not vocabulary.means(name, "role"):
            lists = [element for element in held if isinstance(element, list)]
            objects = [element for element in held if isinstance(element, dict)]
            if objects:
                yield from groups_of(objects, vocabulary, depth + 1)
            for elements in lists[:20]:
                yield from groups_of(elements, vocabulary, depth + 1)


def _dialogue_in(rows: Sequence[Mapping[str, Any]], vocabulary: Vocabulary) -> str:
    """The name of the dialogue in records that hold nothing else, where nobody knows it."""
    shape = vocabulary.shape(tuple(dict.fromkeys(name for row in rows for name in row)))
    if shape.messages or shape.speaks or shape.transcripts[:1] or shape.prompt or shape.entity:
        return ""
    texts = [{name: value for name, value in row.items() if isinstance(value, str)} for row in rows]
    return transcripts_by_values(texts) if texts and all(text.keys() == texts[0].keys() for text in texts) else ""


def _decides_elsewhere(name: str, groups: Sequence[Sequence[Mapping[str, Any]]], vocabulary: Vocabulary) -> bool:
    """True for a name that some objects have beside one that tells their speaker already."""
    return any(
        name in row and shape.speaks and name != shape.role and row.get(shape.role) is not None
        for group in groups
        for row in group[:FEWEST_ROWS]
        if (shape := vocabulary.shape(tuple(row))).role and side_of_role(vocabulary, row.get(shape.role))
    )


def _lists_in(row: Mapping[str, Any], vocabulary: Vocabulary) -> Iterator[str]:
    """The name of the only list of messages in a conversation that no known name holds, or its path."""
    shape = vocabulary.shape(tuple(row))
    if shape.messages or shape.message:
        return
    if not shape.conversation_id and not any(map(_may_be_own_id, [*row, *_keys_inside(row)])):
        return
    lists = [name for name, value in row.items() if _is_list_of_messages(value, vocabulary)]
    lists = lists or [
        f"{name}.{inner}"
        for name, value in row.items()
        if isinstance(held := value[0] if isinstance(value, list) and len(value) == 1 else value, dict)
        and not vocabulary.shape(tuple(held)).names_its_conversation
        for inner, kept in held.items()
        if _is_list_of_messages(kept, vocabulary)
    ]
    if len(lists) == 1:
        yield lists[0]


def _keys_inside(row: Mapping[str, Any]) -> list[str]:
    """The keys of the objects in a record that may be about the conversation."""
    return [key for value in row.values() if isinstance(value, dict) for key in value if is_id_name(normalized(key))]


def _may_be_own_id(name: str) -> bool:
    return _OWN_ID.fullmatch(normalized(name)) is not None


def _is_list_of_messages(value: Any, vocabulary: Vocabulary) -> bool:
    elements = listed_in(value) if isinstance(value, list | dict) else None
    return elements is not None and len(elements) > 0 and _holds_messages(elements, vocabulary)


def _holds_messages(elements: list[Any], vocabulary: Vocabulary) -> bool:
    if isinstance(elements[0], Mapping):
        shape = vocabulary.shape(tuple(elements[0]))
        if shape.speaks and shape.texts and not shape.names_its_conversation:
            return True
    if all(isinstance(element, str) for element in elements):
        return is_dialogue("\n".join(elements))
    return as_messages(elements) is not None


def _about_conversations(groups: Sequence[Sequence[Mapping[str, Any]]], vocabulary: Vocabulary) -> dict[str, str]:
    """The times of conversations and messages and the ids of conversations, where nobody knows their names."""
    found: dict[str, str] = {}
    for group in groups:
        rows = group[:ROWS]
        shape = vocabulary.shape(tuple(dict.fromkeys(name for row in rows for name in row)))
        if not (shape.messages or (shape.speaks and shape.texts)):
            continue
        values = {name: [row[name] for row in rows if row.get(name)] for row in rows for name in row}
        if not (shape.time or shape.started_at) and (time := time_in(values)):
            found.setdefault(time, "time")
        if shape.speaks and shape.conversation_id and not shape.names_its_conversation:
            if name := _conversation_beside(values):
                found.setdefault(name, "conversation_id")
        elif not shape.conversation_id:
            own = "" if shape.speaks or not shape.messages else _own_id(values, len(rows))
            if name := _conversation_beside(values) or own:
                found.setdefault(name, "conversation_id")
    return found


def _conversation_beside(values: Mapping[str, list[Any]]) -> str:
    """The path of the id in an object that is about the conversation: `conversation.id`, `about.sessionId`."""
    for name, kept in values.items():
        if not all(isinstance(value, Mapping) for value in kept):
            continue
        keys = dict.fromkeys(key for value in kept for key in value)
        about = (
            "id" if normalized(name) in CONVERSATIONS else only([key for key in keys if is_id_name(normalized(key))])
        )
        if about and all(isinstance(value.get(about), str | int) for value in kept):
            return f"{name}.{about}"
    return ""


def _own_id(values: Mapping[str, list[Any]], rows: int) -> str:
    """The only id of a record that holds its messages: a code that each has and no two share.

    Of two names with the same values the shorter one counts.
    """
    ids = [
        name
        for name, kept in values.items()
        if len(kept) == rows
        and all(isinstance(value, str | int) for value in kept)
        and len(set(map(str, kept))) == rows
    ]
    ids = [
        name
        for name in sorted(ids, key=len)
        if not any(values[name] == values[shorter] for shorter in ids if len(shorter) < len(name))
    ]
    named = [name for name in ids if is_id_name(normalized(name))]
    return only(named) or only([name for name in ids if _OWN_ID.fullmatch(normalized(name))])
