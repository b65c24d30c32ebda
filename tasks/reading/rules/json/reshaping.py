"""Other ways to write down conversations in JSON, brought into the usual one: records, and messages with a role."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import orjson

from tasks.domain.nesting import load_shallow
from tasks.reading.rules.json.typed_values import are_typed, untyped
from tasks.reading.rules.speakers import AGENT_WORDS, USER_WORDS, roles_in_context, speaker_of
from tasks.reading.rules.vocabulary import Vocabulary, normalized

_SAID: Final = (
    r"(?:messages?|msgs?|texts?|contents?|utterances?|says?|said|words?|speech|repl(?:y|ies)|response|question|answer|"
    r"消息|内容|發言|发言|话术|原话|文本|回复|回答|回應|答复|提问|问题|问|答|说|訊息|內容)"
)


def _words(words: str) -> str:
    return "|".join(sorted((re.escape(word) for word in words.split() if len(word) > 1), key=len, reverse=True))


_USER_TEXT: Final = re.compile(
    rf"(?:{_words(USER_WORDS)})(?:的)?{_SAID}|{_SAID}(?:of|from|by)(?:{_words(USER_WORDS)})|"
    r"(?:questions?|query|queries|ask|input)(?:text)?|提问|问题|问|用户问题"
)

_AGENT_TEXT: Final = re.compile(
    rf"(?:{_words(AGENT_WORDS)})(?:的)?{_SAID}|{_SAID}(?:of|from|by)(?:{_words(AGENT_WORDS)})|"
    r"(?:answers?|reply|replies|response|output|fulfillment)(?:text)?|回答|回复|答案|答复|答"
)

_NAMES_OF_COLUMNS: Final = ("columns", "header", "headers", "fields", "names", "schema")

_NAMES_OF_ROWS: Final = ("data", "rows", "values", "records", "items")

ASKED: Final = ("instruction", "input", "query", "prompt", "question")

ANSWERED: Final = ("output", "response", "answer")

_FEWEST_ROWS: Final = 2

_MOST_COLUMNS: Final = 200

_MOST_NAMES: Final = 3

_LONGEST_NAME: Final = 12


@lru_cache(maxsize=1_000)
def text_of_each_side(names: tuple[str, ...]) -> tuple[str, str] | None:
    """The name that holds what the user says, and the agent's, where a record has one for each side."""
    words = {name: normalized(name) for name in names}
    users = [name for name, word in words.items() if _USER_TEXT.fullmatch(word)]
    agents = [name for name, word in words.items() if _AGENT_TEXT.fullmatch(word)]
    return (users[0], agents[0]) if len(users) == 1 and len(agents) == 1 else None


def texts_of_sides(names: tuple[str, ...], vocabulary: Vocabulary) -> tuple[str, str] | None:
    """The same, by a mapping first."""
    users = [name for name in names if vocabulary.means(name, "user_text")]
    agents = [name for name in names if vocabulary.means(name, "agent_text")]
    return (users[0], agents[0]) if len(users) == len(agents) == 1 else text_of_each_side(names)


def as_messages(elements: Sequence[Any]) -> list[dict[str, Any]] | None:
    """Elements of a list as messages that name their role; None where they are messages as such, or none at all.

    A message may be a pair (`["user", "…"]`), an object with the speaker for its key (`{"用户": "…"}`), or a question
    with its answer.
    """
    if not elements or not isinstance(elements[0], dict | list):
        return None
    turns: list[dict[str, Any]] = []
    for element in elements:
        found = _of_list(element) if isinstance(element, list) else _of_object(element)
        if found is None:
            return _of_unnamed_pairs(elements)
        turns += found
    return turns


def _of_list(element: list[Any]) -> list[dict[str, Any]] | None:
    if not 2 <= len(element) <= 4 or not all(isinstance(part, str | int | float | None) for part in element):
        return None
    for at in range(len(element) - 1):
        if isinstance(element[at], str) and speaker_of(element[at]):
            before, others = element[:at], element[at + 1 :]
            time = before[0] if before else others[1] if len(others) > 1 else None
            return [{"role": element[at], "text": others[0], "time": time}]
    return None


def _of_object(element: Any) -> list[dict[str, Any]] | None:
    if not isinstance(element, dict):
        return None
    if len(element) == 1:
        ((name, text),) = element.items()
        return [{"role": name, "text": text}] if speaker_of(name) and isinstance(text, str | dict) else None
    names = tuple(element)
    sides = text_of_each_side(names)
    if sides is None and len(names) <= 3:
        users = [name for name in names if speaker_of(name) == "user"]
        agents = [name for name in names if speaker_of(name) == "agent"]
        sides = (users[0], agents[0]) if len(users) == 1 and len(agents) == 1 else None
    if sides is None or not all(isinstance(element[name], str | dict | None) for name in sides):
        return None
    return of_both_sides(element, sides)


def listed_in(value: Any) -> list[Any] | None:
    """The elements of a list, of GraphQL's edges, of a tree, or of an object that holds each under a key of its own."""
    if isinstance(value, list):
        return _nodes(value)
    if not isinstance(value, dict):
        return None
    if isinstance(value.get("edges"), list):
        return _nodes(value["edges"])
    if (messages := _of_tree(value)) is not None:
        return messages
    if len(value) == 1 and isinstance(only := next(iter(value.values())), list):
        return _nodes(only)  # XML's <messages><message>, as JSON
    elements = list(value.values())
    return elements if elements and all(isinstance(element, dict) and element for element in elements) else None


def _of_tree(nodes: Mapping[str, Any]) -> list[Any] | None:
    """The messages of ChatGPT's tree on the branch that was written last; None for any other object."""
    if not nodes or not all(isinstance(node, dict) and {"message", "parent"} <= node.keys() for node in nodes.values()):
        return None
    last_child = {node["parent"]: key for key, node in nodes.items() if isinstance(node["parent"], str | None)}
    at = next((key for key, node in nodes.items() if node["parent"] not in nodes), None)
    messages: list[Any] = []
    while at is not None and len(messages) < len(nodes):
        messages.append(nodes[at]["message"])
        at = last_child.get(at)
    return [message for message in messages if isinstance(message, dict)]


def _nodes(elements: list[Any]) -> list[Any]:
    wrapped = [isinstance(element, dict) and isinstance(element.get("node"), dict) for element in elements]
    return [element["node"] for element in elements] if wrapped and all(wrapped) else elements


def last_exchange(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The exchange asked and answered beside a record's `history`, as data for tuning has it."""
    asked = "\n".join(record[name] for name in ASKED if isinstance(record.get(name), str) and record[name])
    answered = next((record[name] for name in ANSWERED if isinstance(record.get(name), str) and record[name]), "")
    both = (("user", asked), ("agent", answered))
    return [{"role": side, "text": text} for side, text in both if text] if asked and answered else []


def of_both_sides(record: Mapping[str, Any], sides: tuple[str, str]) -> list[dict[str, Any]]:
    """The messages of a record that holds what each side says, the user's first; each with the other keys."""
    rest = {name: value for name, value in record.items() if name not in sides}
    said = zip(("user", "agent"), sides, strict=True)
    return [{**rest, "role": role, "text": record[name]} for role, name in said if record[name]]


def _of_unnamed_pairs(elements: Sequence[Any]) -> list[dict[str, Any]] | None:
    """Pairs of texts: a speaker's name and words where names return or are known, else a question and its answer."""
    pairs = [e for e in elements if isinstance(e, list) and len(e) == 2 and all(isinstance(text, str) for text in e)]
    if len(pairs) < len(elements):
        return None
    names = [name for name, _ in pairs]
    sides = roles_in_context(names)
    if sides or _are_names(names):
        return [{"role": sides.get(name, name), "text": text} for name, text in pairs]
    both = ("user", "agent")
    return [{"role": side, "text": text} for pair in pairs for side, text in zip(both, pair, strict=True)]


def _are_names(words: Sequence[str]) -> bool:
    """True where one is a known word for a side, or two or three short ones return."""
    few = 1 < len(set(words)) <= min(_MOST_NAMES, len(words) - 1)
    return any(map(speaker_of, words)) or (few and max(map(len, words)) <= _LONGEST_NAME)


def as_records(value: Mapping[str, Any], vocabulary: Vocabulary) -> list[Any]:
    """The records of an object that is written as a table, as text of JSON, or with a text for each side."""
    return (
        ([untyped(value)] if are_typed(value) else [])
        or _of_edges(value)
        or _of_table(value)
        or _of_columns(value, vocabulary)
        or _of_texts(value)
        or _of_sides(value, vocabulary)
        or _of_exchange(value)
    )


def _of_edges(value: Mapping[str, Any]) -> list[Any]:
    edges = value.get("edges")
    nodes = _nodes(edges) if isinstance(edges, list) else []
    return nodes if nodes is not edges else []


def _of_table(value: Mapping[str, Any]) -> list[Any]:
    """The rows of `{"columns": […], "data": [[…], …]}`."""
    names = next((value[key] for key in _NAMES_OF_COLUMNS if isinstance(value.get(key), list)), None)
    rows = next((value[key] for key in _NAMES_OF_ROWS if isinstance(value.get(key), list)), None)
    if not names or not rows or not all(isinstance(row, list) and len(row) == len(names) for row in rows):
        return []
    names = [name["name"] if isinstance(name, dict) and isinstance(name.get("name"), str) else name for name in names]
    if not all(isinstance(name, str) for name in names):
        return []
    return [dict(zip(names, row, strict=True)) for row in rows]


def _of_columns(value: Mapping[str, Any], vocabulary: Vocabulary) -> list[Any]:
    """The rows of an object that holds a column under each name: `{"role": {"0": …}, "text": {"0": …}}`."""
    columns = list(value.values())
    if not is_columns(value):
        return []
    if isinstance(columns[0], dict):
        if any(column.keys() != columns[0].keys() for column in columns):
            return []
        columns = [list(column.values()) for column in columns]
    shape = vocabulary.shape(tuple(value))
    if not (shape.speaks and shape.texts):
        return []
    return [dict(zip(value, row, strict=True)) for row in zip(*columns, strict=True)]


def is_columns(value: Mapping[str, Any]) -> bool:
    """True for an object whose every value is a list, or every one an object, all of one length."""
    if len(value) < _FEWEST_ROWS:
        return False
    columns = iter(value.values())
    first = next(columns)
    if not isinstance(first, list | dict) or len(first) < _FEWEST_ROWS:
        return False
    return all(type(column) is type(first) and len(column) == len(first) for column in columns)


def _of_texts(value: Mapping[str, Any]) -> list[Any]:
    """The object or list that a text of an envelope holds."""
    for kept in value.values():
        if isinstance(kept, str) and kept[:1] in ("{", "[") and kept[-2:].rstrip()[-1:] in ("}", "]"):
            try:
                inner = load_shallow(kept)
            except orjson.JSONDecodeError:
                continue
            if isinstance(inner, dict) and len(inner) > 1:
                return [inner]
            if isinstance(inner, list) and inner and isinstance(inner[0], dict):
                return inner
    return []


def _of_sides(value: Mapping[str, Any], vocabulary: Vocabulary) -> list[Any]:
    sides = texts_of_sides(tuple(value), vocabulary)
    if sides is None or not vocabulary.shape(tuple(value)).conversation_id:
        return []
    if not all(isinstance(value[name], str | None) for name in sides):
        return []
    return of_both_sides(value, sides)


def _of_exchange(value: Mapping[str, Any]) -> list[Any]:
    """The conversation of a question and its answer alone, as data for tuning has it."""
    exchange = last_exchange(value) if "messages" not in value and "instruction" in value else []
    return [{**value, "messages": exchange}] if exchange else []


class ListedRows:
    """The rows of a table that is written as lists: `["id", "role", "text"]`, then a list of values a row."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._header: tuple[str, ...] = ()

    def is_header(self, value: list[Any]) -> bool:
        """True for a list that names the columns of those behind it."""
        if not 3 <= len(value) <= _MOST_COLUMNS or not all(isinstance(name, str) for name in value):
            return False
        shape = self._vocabulary.shape(tuple(value))
        return bool(shape.conversation_id and shape.speaks and shape.text)

    def takes(self, value: list[Any]) -> bool:
        """True for a header and for each row behind it."""
        return bool(value) and (len(value) == len(self._header) or self.is_header(value))

    def record(self, value: list[Any]) -> dict[str, Any] | None:
        """The record of a row; None for the header."""
        if self.is_header(value):
            self._header = tuple(value)
            return None
        return dict(zip(self._header, value, strict=True))
