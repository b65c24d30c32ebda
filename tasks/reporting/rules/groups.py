"""Answers to the warehouse's questions as the values of a report: groups by outcome, words, usage of runs."""

import heapq
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import pyarrow as pa

from tasks.reporting.rules.statistics import ANSWERS, DayFigures, Group, Outcomes, RunUsage, TermCounts

TOP_WORDS = 20

_MIN_WORD_CONVERSATIONS = 2

_CELLS: Final = [f"{accepted}_{negative}" for accepted in ANSWERS for negative in ANSWERS]

_ANSWER: Final = {True: 0, False: 1, None: 2}

WORDS = pa.schema([("dimension", pa.string()), ("value_key", pa.string()), *((name, pa.int64()) for name in _CELLS)])


def groups_by_dimension(rows: pa.Table) -> dict[str, tuple[Group, ...]]:
    """Turn rows of `outcomes_by_value.sql` into groups by dimension, the largest first."""
    found: dict[str, list[Group]] = {}
    for row in rows.to_pylist():
        outcomes = Outcomes(tuple(row[cell] for cell in _CELLS))
        found.setdefault(row["dimension"], []).append(Group(row["value_key"], outcomes))
    return {
        dimension: tuple(sorted(groups, key=lambda group: (-group.outcomes.total, group.key)))
        for dimension, groups in found.items()
    }


def figures_of_days(rows: pa.Table) -> tuple[DayFigures, ...]:
    """Turn rows of `outcomes_of_days.sql` into values."""
    return tuple(
        DayFigures(
            row["day"],
            Outcomes(tuple(row[cell] or 0 for cell in _CELLS)),
            row["rejected"],
            frozenset(row["made_by"]),
        )
        for row in rows.to_pylist()
    )


def in_order(groups: Sequence[Group], order: Sequence[str]) -> tuple[Group, ...]:
    """Return groups by the order of their keys; those that it does not name stand at the end."""
    places = {key: place for place, key in enumerate(order)}
    return tuple(sorted(groups, key=lambda group: places.get(group.key, len(order))))


def count_words(
    texts: Sequence[Mapping[str, Any]], words_of: Callable[[str], set[str]], looked_at: int, known: int
) -> TermCounts:
    """Return the most frequent words of some texts with their outcomes.

    Args:
        texts: rows of `texts_for_words.sql`, of one dimension.
        words_of: the words of a text, each once.
        looked_at: how many conversations the texts are of.
        known: how many have a text at all.
    """
    cells: dict[str, list[int]] = {}
    for row in texts:
        cell = _ANSWER[row["accepted"]] * 3 + _ANSWER[row["negative_sentiment"]]
        for word in words_of(row["text"]):
            cells.setdefault(word, [0] * 9)[cell] += row["conversations"]
    groups = (Group(word, Outcomes(tuple(found))) for word, found in cells.items())
    top = heapq.nsmallest(TOP_WORDS, groups, key=lambda group: (-group.outcomes.total, group.key))
    frequent = tuple(group for group in top if group.outcomes.total >= _MIN_WORD_CONVERSATIONS)
    return TermCounts(frequent, looked_at, known)


def word_rows(words: Mapping[str, TermCounts]) -> pa.Table:
    """Return words by dimension in the form that `outcomes_by_value.sql` answers in."""
    rows = [
        {
            "dimension": dimension,
            "value_key": group.key,
            **dict(zip(_CELLS, group.outcomes.cells, strict=True)),
        }
        for dimension, counts in words.items()
        for group in counts.groups
    ]
    return pa.Table.from_pylist(rows, schema=WORDS)


def usage_of(row: Mapping[str, Any]) -> RunUsage:
    """Turn the row of `run_usage.sql` into a value."""
    currencies = row["currencies"]
    taken = {name: value for name, value in row.items() if name not in {"currencies", "logs_complete"}}
    return RunUsage(
        **taken | {"runs": tuple(row["runs"]), "versions": tuple(row["versions"])},
        logs_incomplete=row["logs_complete"] is False,
        currency=currencies[0] if len(currencies) == 1 else "",
    )
