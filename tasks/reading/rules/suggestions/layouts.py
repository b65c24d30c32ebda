"""Ways in which a file that is not understood may hold its messages, as rows under names."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tasks.reading.rules.json.texts import words_in
from tasks.reading.rules.objects.sample import Sample, records_of
from tasks.reading.rules.tables.csv_rows import Dialect, split_rows
from tasks.reading.rules.tables.row_kinds import are_names, is_ruler

ROWS: Final = 300

_DELIMITERS: Final = (",", "\t", ";", "|", "\x01", "，", "^", "~")

_TITLES: Final = 5  # lines that may stand above a header

_FEWEST_COLUMNS: Final = 3

_MOST_COLUMNS: Final = 200

_DEPTH: Final = 5

_FEWEST_ROWS: Final = 2

BETWEEN_TALKS: Final = "\n-----\n"

_KEYED: Final = re.compile(r"[A-Za-z_]{1,20}[:=]")


@dataclass(frozen=True, slots=True)
class Layout:
    """The first messages of a file under one reading of it.

    `of` is the record or list that each row stands in, where that is a conversation. `outer` are the values that those
    records have themselves, under their names. `settings` are what a mapping must say of the file beside its columns.
    """

    names: tuple[str, ...]
    rows: list[list[str]]
    of: list[int] | None = None
    outer: Mapping[str, list[str]] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    has_header: bool = True

    def column(self, name: str) -> list[str]:
        """The values under a name."""
        at = self.names.index(name)
        return [row[at] for row in self.rows]


def layouts_of(sample: Sample) -> Iterator[Layout]:
    """Yield the layouts that a file may have, the likeliest first."""
    if sample.looks_like_json:
        yield from _of_json(sample.values or sample.document_values or sample.values_inside)
    else:
        yield from _of_table(sample)


def _of_table(sample: Sample) -> Iterator[Layout]:
    """The widest even table of the lines, its first row taken for a header, and then for a row like all others."""
    lines = sample.lines
    found: list[tuple[int, int, str]] = []
    for delimiter in _DELIMITERS:
        for at in range(min(_TITLES, len(lines))):
            rows = _split(lines[at:], delimiter)
            if rows and _fewest(rows) <= len(rows[0]) <= _MOST_COLUMNS:
                even = sum(len(row) == len(rows[0]) for row in rows)
                if even >= max(_FEWEST_ROWS, 0.8 * len(rows)):
                    found.append((len(rows[0]), -at, delimiter))
                    break
    for width, above, delimiter in sorted(found, reverse=True)[:1]:
        rows = [row for row in _split(lines[-above:], delimiter) if len(row) == width and not is_ruler(row)]
        titles: dict[str, Any] = {"skip_lines": sample.head.text.split("\n").index(lines[-above])} if above else {}
        names = list(filter(None, rows[0]))
        if len(set(names)) == len(names) >= _fewest(rows) and are_names(names):
            header = tuple(name or f"column {at}" for at, name in enumerate(rows[0], 1))
            yield Layout(header, rows[1:], settings=titles)
            if not are_names(rows[1]):
                continue
        if sum(all(_KEYED.match(row[at]) for row in rows) for at in range(width)) > 1:
            continue  # pairs of a key and its value
        places = tuple(map(str, range(1, width + 1)))
        yield Layout(places, rows, settings={"delimiter": delimiter, **titles}, has_header=False)


def _fewest(rows: list[list[str]]) -> int:
    """The fewest columns of a table: an id and a dialogue, or a message with its speaker and its conversation."""
    return 2 if any("\n" in cell for row in rows for cell in row) else _FEWEST_COLUMNS


def _split(lines: Sequence[str], delimiter: str) -> list[list[str]]:
    rows = split_rows(enumerate(lines[: ROWS + 1]), Dialect(delimiter))
    return [[cell.strip() for cell in row] for _, row in rows]


def _of_json(values: Sequence[Any]) -> Iterator[Layout]:
    """The lists of objects within records first, then the records themselves."""
    records = [value for value in values if isinstance(value, Mapping)]
    for path in dict.fromkeys(path for record in records[:20] for path in _lists_in(record)):
        held = [_at(record, path) for record in records]
        lists = [[element for element in value or () if isinstance(element, Mapping)] for value in held]
        inside = [element for elements in lists for element in elements]
        if len(inside) >= _FEWEST_ROWS:
            yield from _of_json(inside) if any(_lists_in(element) for element in inside[:20]) else ()
            yield _layout(lists, records, {"messages": path})
    if not records and values and all(isinstance(value, list) for value in values):
        yield from _of_json([element for value in values for element in value])
    elif len(records) >= _FEWEST_ROWS:
        yield _layout([records], [], {}, nested=False)


def _layout(
    lists: Sequence[Sequence[Mapping[str, Any]]],
    records: Sequence[Mapping[str, Any]],
    settings: Mapping[str, Any],
    *,
    nested: bool = True,
) -> Layout:
    flat = [(at, _flat(element)) for at, elements in enumerate(lists) for element in elements][:ROWS]
    names = tuple(dict.fromkeys(name for _, element in flat for name in element))[:_MOST_COLUMNS]
    rows = [[element.get(name, "") for name in names] for _, element in flat]
    above = [_flat(record) for record in records]
    outer = {
        name: [element.get(name, "") for element in above]
        for name in dict.fromkeys(n for element in above for n in element)
    }
    return Layout(names, rows, [at for at, _ in flat] if nested else None, outer, settings)


def _lists_in(record: Mapping[str, Any], depth: int = 0) -> list[str]:
    """The paths of the lists of objects in a record."""
    found = []
    for name, value in record.items():
        if isinstance(value, list) and any(isinstance(element, Mapping) for element in value):
            found.append(name)
        elif isinstance(value, Mapping) and depth < _DEPTH:
            found += [f"{name}.{inner}" for inner in _lists_in(value, depth + 1)]
    return found


def _at(record: Any, path: str) -> Any:
    for key in path.split("."):
        record = record.get(key) if isinstance(record, Mapping) else None
    return record if isinstance(record, list) else None


def _flat(record: Mapping[str, Any], path: str = "", depth: int = 0) -> dict[str, str]:
    """The scalars of a record under their dotted names; of an object or a list also the words it holds."""
    found: dict[str, str] = {}
    for name, value in record.items():
        if isinstance(value, Mapping) and depth < _DEPTH:
            found |= _flat(value, f"{path}{name}.", depth + 1)
        if isinstance(value, Mapping | list):
            if words := words_in(value):
                found.setdefault(f"{path}{name}", words)
        elif value is not None and not isinstance(value, bool):
            found[f"{path}{name}"] = str(value)
        elif isinstance(value, bool):
            found[f"{path}{name}"] = str(value).lower()
    return found


def spoken_in(sample: Sample) -> str:
    """The text of a transcript, or of those that records of JSON hold as lines or as lists of lines."""
    records = records_of(sample.values or sample.document_values or sample.values_inside)
    talks = (text for record in records for text in map(_lines_of, record.values()) if "\n" in text)
    return BETWEEN_TALKS.join(talks) or sample.head.text


def _lines_of(value: Any) -> str:
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        return "\n".join(value)
    return value if isinstance(value, str) else ""
