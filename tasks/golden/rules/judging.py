"""Answers to golden conversations as rows of GOLDEN, and those rows as what nights are compared by."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import pyarrow as pa

from tasks.domain.records import Answer, Reject, Request, Summarized
from tasks.golden.rules.drift import GoldenAnswer, Night
from tasks.reviewing.rules.labels import Label
from tasks.warehouse.rules.tables import GOLDEN

AssignThemes = Callable[[pa.Array], pa.Array]

_FLAGS: Final = ("accepted", "negative_sentiment")

_TEXTS: Final = ("issue", "plan")

_UNUSABLE: Final = "unusable"


def golden_row(
    label: Label, request: Request, answer: Answer, outcome: Summarized | Reject, asked_at: datetime
) -> dict[str, Any]:
    """Return the row of one golden conversation; without `changed`, which is the whole night's."""
    fields = outcome.fields if isinstance(outcome, Summarized) else None
    said = {name: getattr(fields, name) if fields else None for name in (*_TEXTS, *_FLAGS)}
    meant = {f"label_{name}": getattr(label, name) for name in (*_TEXTS, *_FLAGS)}
    return {
        "conversation_id": request.conversation.conversation_id,
        "content_hash": request.content_hash,
        "asked_at": asked_at,
        "model": answer.model,
        "prompt_version": answer.prompt_version,
        "prompt_tokens": answer.prompt_tokens,
        "completion_tokens": answer.completion_tokens,
        "run_id": answer.run_id,
        "reason": None if fields else str(getattr(outcome, "reason", "")),
        **said,
        **meant,
    }


def with_verdicts(rows: Sequence[Mapping[str, Any]], assign: AssignThemes) -> pa.Table:
    """Return a night's rows as a table of GOLDEN in the order of the content hashes, with what is right in each."""
    ordered = sorted(rows, key=lambda row: row["content_hash"])
    table = pa.Table.from_pylist([{**row, "changed": False} for row in ordered], schema=GOLDEN)
    right = [answer.right for answer in night_of(table, assign).values()]
    for name in (*_TEXTS, *_FLAGS):
        place = GOLDEN.get_field_index(f"{name}_right")
        table = table.set_column(place, GOLDEN.field(place), pa.array([row[name] for row in right], pa.bool_()))
    return table


def night_of(table: pa.Table, assign: AssignThemes, labels: pa.Table | None = None) -> Night:
    """Return a GOLDEN table as a night to compare.

    Args:
        table: of the night.
        assign: texts to their themes; issues and plans agree where their themes do.
        labels: a GOLDEN table whose labels count instead: what people meant may have been corrected since.
    """
    meant = {row["content_hash"]: row for row in _with_themes(table if labels is None else labels, assign)}
    found = {row["content_hash"]: row for row in _with_themes(table, assign)}
    return {name: _compared(row, meant[name]) for name, row in found.items() if name in meant}


def _compared(row: Mapping[str, Any], meant: Mapping[str, Any]) -> GoldenAnswer:
    usable = row["reason"] is None
    words = {name: row[name] or "" for name in _TEXTS} | {name: _word(row[name]) for name in _FLAGS}
    labels = {name: meant[f"label_{name}"] or "" for name in _TEXTS}
    labels |= {name: _word(meant[f"label_{name}"]) for name in _FLAGS}
    said = {name: word if usable else _UNUSABLE for name, word in words.items()}
    right = {name: usable and words[name] == labels[name] for name in words}
    return GoldenAnswer(said | {"usable": "yes" if usable else _UNUSABLE}, right | {"usable": usable})


def _with_themes(table: pa.Table, assign: AssignThemes) -> Iterator[dict[str, Any]]:
    """Yield the rows with themes in the place of texts."""
    for name in (*_TEXTS, *(f"label_{name}" for name in _TEXTS)):
        place = table.schema.get_field_index(name)
        table = table.set_column(place, name, assign(table[name].combine_chunks()))
    yield from table.to_pylist()


def _word(flag: bool | None) -> str:
    return "unknown" if flag is None else "yes" if flag else "no"
