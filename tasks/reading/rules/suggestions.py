"""A mapping to save and correct, for a log that was not understood."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC
from itertools import islice, pairwise
from typing import Any, Final

import orjson

from tasks.reading.rules.json.lenient import parse_json
from tasks.reading.rules.objects.log_bytes import ObjectHead, first_json_values
from tasks.reading.rules.tables.csv_rows import Dialect, split_rows
from tasks.reading.rules.timestamps import TimestampParser
from tasks.reading.rules.vocabulary import MEASURED, Vocabulary

_ROWS: Final = 200

_MOST_ROLES: Final = 12

_MOST_NAMES: Final = 40


def suggest_mapping(head: ObjectHead, columns: Mapping[str, str], speakers: Mapping[str, str]) -> str:
    """Suggest a mapping as TOML from the log's first rows; "" where they show no column's meaning.

    Args:
        columns: the names that were understood, with their meanings.
        speakers: values of the role column and names in transcripts, with their sides; ? for an unknown one.
    """
    names, rows = _rows_of(head)
    if not columns and names:
        columns = _guessed(names, rows)
        role = next((name for name, meaning in columns.items() if meaning == "role"), "")
        vocabulary = Vocabulary()
        values = dict.fromkeys(row[names.index(role)] for row in rows) if role else {}
        speakers = {value: vocabulary.speaker(value) or "?" for value in islice(values, _MOST_ROLES)}
    speaks = "role" in columns.values()  # then no text is a whole dialogue
    meant = {
        name: meaning
        for name, meaning in columns.items()
        if meaning in _WRITTEN and not (speaks and meaning == "transcript")
    }
    unknown = [name for name, side in speakers.items() if side == "?"][:_MOST_ROLES]
    if not meant and not unknown:
        return ""
    lines = ["[mine]"]
    if meant:
        pairs = ", ".join(
            f"{_quoted(name)} = {_quoted(meaning)}" for name, meaning in islice(meant.items(), _MOST_NAMES)
        )
        lines.append(f"columns = {{ {pairs} }}")
        missing = [meaning for meaning in ("conversation_id", "role", "text") if meaning not in meant.values()]
        if missing and "transcript" not in meant.values() and "messages" not in meant.values():
            lines.append(f"# not found: {', '.join(missing)}; name their columns here")
    if unknown:
        known = [f"{_quoted(name)} = {_quoted(side)}" for name, side in speakers.items() if side != "?"]
        both = {"user", "agent"} <= set(speakers.values())
        asked = [
            f'{_quoted(name)} = "agent"' if name != _EMPTY else f'"" = "{"system" if both else "agent"}"'
            for name in unknown
        ]
        lines.append("# say user, agent or system for each")
        lines.append(f"roles = {{ {', '.join([*asked, *known[:_MOST_ROLES]])} }}")
    return "\n".join(lines) + "\n"


_EMPTY: Final = '""'

_WRITTEN: Final = frozenset(
    [
        "conversation_id",
        "role",
        "is_agent",
        "is_user",
        "text",
        "time",
        "date",
        "started_at",
        "channel",
        "messages",
        "transcript",
        *MEASURED,
    ]
)


def _quoted(text: str) -> str:
    return orjson.dumps(text).decode()


def _rows_of(head: ObjectHead) -> tuple[list[str], list[list[str]]]:
    """The names and the first rows of a log, as a table whatever it is."""
    text = head.text if head.whole else head.text.rpartition("\n")[0]
    if text.lstrip()[:1] in ("[", "{"):
        return _rows_of_records(list(_records(text)))
    lines = [line for line in text.split("\n") if line.strip()][: _ROWS + 1]
    for delimiter in (",", "\t", ";", "|"):
        table = [row for _, row in split_rows(enumerate(lines), Dialect(delimiter))]
        if table and 3 <= len(table[0]) <= 200:
            names = [name.strip() for name in table[0]]
            return names, [row for row in table[1:] if len(row) == len(names)]
    return [], []


def _records(text: str) -> Sequence[Mapping[str, Any]]:
    found = []
    for line in (*text.split("\n")[:_ROWS], *first_json_values(text)[:_ROWS]):
        try:
            value = parse_json(line)
        except ValueError:
            continue
        if isinstance(value, dict):
            found.append(value)
    return found


def _rows_of_records(records: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[list[str]]]:
    names = list(dict.fromkeys(name for record in records for name in record))[:_MOST_NAMES]
    return names, [[_plain(record.get(name)) for name in names] for record in records]


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


def _guessed(names: list[str], rows: list[list[str]]) -> dict[str, str]:
    """Guess the meaning of columns: by their names where those are known, else by their values."""
    shape = Vocabulary().shape(tuple(dict.fromkeys(names)))
    if not shape.speaks and (role := _best(_both_sides, [name for name in names if name], names, rows)):
        # Where a column tells who speaks, what may be a whole dialogue is a message.
        shape = Vocabulary({role: "role"}).shape(tuple(dict.fromkeys(names)))
    found = {name: meaning for name, meaning in shape.meanings().items() if name in names}
    left = [name for name in names if name and name not in found]
    for meaning, score in _SCORES:
        if meaning not in found.values() and (best := _best(score, left, names, rows)):
            found[best] = meaning
            left.remove(best)
    return found


def _best(score: Callable[[list[str]], float], among: list[str], names: list[str], rows: list[list[str]]) -> str:
    """The name whose values score highest; "" where none scores."""
    scores = {name: score([row[names.index(name)] for row in rows]) for name in among} if rows else {}
    best = max(scores, key=scores.__getitem__, default="")
    return best if best and scores[best] > 0 else ""


def _both_sides(values: list[str]) -> float:
    sides = {Vocabulary().speaker(value) for value in set(values)}
    return 1.0 if {"user", "agent"} <= sides and None not in sides else 0.0


def _like_text(values: list[str]) -> float:
    average = sum(map(len, values)) / len(values)
    return 0.0 if _are_times(values) else average * (0.2 + len(set(values)) / len(values))


def _like_roles(values: list[str]) -> float:
    kinds = set(values)
    known = sum(Vocabulary().speaker(value) is not None for value in kinds)
    few = 2 <= len(kinds) <= 8 and len(values) >= 2 * len(kinds) and all(len(value) <= 24 for value in kinds)
    changes = sum(one != other for one, other in pairwise(values)) / max(len(values) - 1, 1)
    return known + (changes / len(kinds) if few else 0.0)


def _like_ids(values: list[str]) -> float:
    kinds = len(set(values))
    if not all(values) or _are_times(values) or kinds < 2:
        return 0.0
    if not 2 <= len(values) / kinds <= 100:
        return 0.1
    return 0.2 + sum(one == other for one, other in pairwise(values)) / len(
        values
    )  # a conversation's rows stand together


def _like_times(values: list[str]) -> float:
    return 1.0 if _are_times(values) else 0.0


def _are_times(values: list[str]) -> bool:
    parser = TimestampParser(UTC)
    return sum(parser.parse(value) is not None for value in values[:20]) * 2 > min(len(values), 20)


_SCORES: Final = (
    ("role", _like_roles),
    ("conversation_id", _like_ids),
    ("text", _like_text),
    ("time", _like_times),
)
