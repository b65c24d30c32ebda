"""The first lines of an object, and the JSON values in them, for detecting its format."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any, Final

from tasks.reading.rules.json.dirt import is_no_value, without_wrapping
from tasks.reading.rules.json.lenient import parse_line
from tasks.reading.rules.objects.log_bytes import ObjectHead, first_json_values
from tasks.reading.rules.vocabulary import plainly

SAMPLED_VALUES: Final = 60

LINES_ABOVE_HEADER: Final = 20

_CHECKED_FOR_KEYS: Final = 20  # lines; an export that repeats a key does so throughout

_CHARACTERS: Final = 1 << 16

_DEPTH: Final = 9


@dataclass(slots=False)
class Sample:
    """An object's first lines, and the JSON in them."""

    head: ObjectHead
    lines: list[str]

    @cached_property
    def looks_like_json(self) -> bool:
        """True where a line begins as JSON does, or the first line holds some."""
        begins = any(line.lstrip("\x1e \t\ufeff")[:1] in ("[", "{") for line in self.lines)
        return begins or isinstance(self.first, list | dict)

    @cached_property
    def opening(self) -> str:
        """The first line, from where its JSON would begin."""
        first = next((line for line in self.lines if not is_no_value(line) or line.strip()[:1] in ("[", "{")), "")
        return without_wrapping(first.lstrip("\x1e \t\ufeff"))

    @cached_property
    def first(self) -> Any:
        """The value of the first line, None where it is none."""
        return parsed(self.lines[0])

    @cached_property
    def values(self) -> list[Any]:
        """The lists and objects among the lines."""
        return [value for line in self.lines if isinstance(value := parsed(line), list | dict)]

    @cached_property
    def repeated_keys(self) -> list[str]:
        """The keys that an object among the first lines has twice; its reader keeps the last value alone."""
        repeated: dict[str, None] = {}

        def once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
            found = dict(pairs)
            if len(found) < len(pairs):
                names = Counter(name for name, _ in pairs)
                repeated.update(dict.fromkeys(name for name, count in names.items() if count > 1))
            return found

        texts = self.lines if self.values else first_json_values(self.head.text)
        for text in texts[:_CHECKED_FOR_KEYS]:
            with suppress(ValueError, RecursionError):
                json.loads(text.strip("\x1e \t\ufeff,"), strict=False, object_pairs_hook=once_each)
        return list(repeated)

    @cached_property
    def escapes_quotes(self) -> bool:
        """True where a backslash stands before more quotes than another quote does."""
        beginning = self.head.text[:_CHARACTERS]
        return beginning.count('\\"') > beginning.count('""')

    def has(self, text: str) -> bool:
        """True where a text is in the beginning."""
        return self.head.text.find(text, 0, _CHARACTERS) >= 0

    @cached_property
    def plain_lines(self) -> str:
        """The lines among which a header may be, without what people write names in different ways with."""
        return plainly("\n".join(self.lines[:LINES_ABOVE_HEADER]))

    @cached_property
    def document_values(self) -> list[Any]:
        """The lists and objects that a document over several lines begins with."""
        texts = islice(first_json_values(self.head.text), SAMPLED_VALUES)
        return [value for text in texts if isinstance(value := parsed(text), list | dict)]

    @cached_property
    def names(self) -> frozenset[str]:
        """Every key, and every path of two, of the records in a sample."""
        values = self.values or self.document_values or self.values_inside
        records = islice(records_of(values), SAMPLED_VALUES * 4)
        return frozenset(name for record in records for name in _dotted(record))

    @cached_property
    def values_inside(self) -> list[Any]:
        """The first object of each list in an object that does not end in the head."""
        found = (self.head.text.find("[{", at) for at in (0,))
        inside = next((first_json_values(self.head.text[at:])[:SAMPLED_VALUES] for at in found if at >= 0), [])
        return [value for text in inside if isinstance(value := parsed(text), list | dict)]


def records_of(values: list[Any], depth: int = 0) -> Iterator[Mapping[str, Any]]:
    """The objects of a sample, outermost first, with those in their lists."""
    for value in values:
        if isinstance(value, Mapping):
            yield value
        inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
        if depth < _DEPTH:
            yield from records_of([value for value in inner if isinstance(value, dict | list)], depth + 1)


def _dotted(record: Mapping[str, Any]) -> Iterator[str]:
    for name, value in record.items():
        yield name
        inner = value[0] if isinstance(value, list) and value else value
        if isinstance(inner, Mapping):
            yield from (f"{name}.{key}" for key in inner)


def parsed(text: str) -> Any:
    """Return the value of a JSON text, None where it is none."""
    try:
        return parse_line(text)
    except ValueError:
        return None
