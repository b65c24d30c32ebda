"""Counts that an aggregation keeps: outcomes by value, the lowest rows, words of a sample of texts."""

import heapq
from collections.abc import Callable, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from tasks.reporting.rules.statistics import (
    OTHER,
    Group,
    Outcomes,
    TermCounts,
)

TOP_WORDS = 20

_MAX_VALUES = 1_000

_MIN_WORD_CONVERSATIONS = 2


class Tallies:
    """Nine counts for each value of one dimension; a bounded number of values."""

    def __init__(self) -> None:
        self.cells: dict[str, list[int]] = {}

    def add(self, value: str | None, cell: int, count: int) -> None:
        """Count rows of a value in one of the nine cells; a value beyond the bound counts as OTHER."""
        key = value or ""
        cells = self.cells.get(key)
        if cells is None:
            if len(self.cells) >= _MAX_VALUES:
                key = OTHER
            cells = self.cells.setdefault(key, [0] * 9)
        cells[cell] += count

    def merge(self, other: "Tallies") -> None:
        """Add the counts of another."""
        for key, cells in other.cells.items():
            for cell, count in enumerate(cells):
                if count:
                    self.add(key, cell, count)

    def at_least(self, min_count: int) -> "Tallies":
        """The same counts, values with fewer rows than `min_count` counted together as OTHER."""
        merged = Tallies()
        for key, cells in sorted(self.cells.items(), key=lambda item: -sum(item[1])):
            target = merged.cells.setdefault(key if sum(cells) >= min_count else OTHER, [0] * 9)
            target[:] = [mine + theirs for mine, theirs in zip(target, cells, strict=True)]
        return merged

    def groups(self, order: Sequence[str] | None = None) -> tuple[Group, ...]:
        """By `order`, what it does not name at the end; without it the largest first."""
        found = [Group(key, Outcomes(tuple(cells))) for key, cells in self.cells.items()]
        if order is None:
            found.sort(key=lambda group: (-group.outcomes.total, group.key))
        else:
            found.sort(key=lambda group: order.index(group.key) if group.key in order else len(order))
        return tuple(found)


class Lowest:
    """The first `size` rows by `order`, whatever the order they came in."""

    def __init__(self, size: int, order: Sequence[tuple[str, str]], schema: pa.Schema) -> None:
        self._size = size
        self._order = list(order)
        self._kept = schema.empty_table()
        self._waiting: list[pa.Table] = []

    def add(self, rows: pa.Table) -> None:
        """Take rows of the schema."""
        if rows.num_rows:
            self._waiting.append(rows)
            if sum(table.num_rows for table in self._waiting) > self._size:
                self.rows()

    def rows(self) -> pa.Table:
        """The rows kept, in order."""
        if self._waiting:
            everything = pa.concat_tables([self._kept, *self._waiting])
            first = pc.sort_indices(everything, sort_keys=self._order)[: self._size]
            self._kept = everything.take(first).combine_chunks()
            self._waiting = []
        return self._kept


_WORD_ROWS = pa.schema(
    [
        ("content_hash", pa.string()),
        ("conversation_id", pa.string()),
        ("text", pa.string()),
        ("cell", pa.int8()),
    ]
)


class Texts:
    """One column of texts: how many rows have one, and a sample of them for the words."""

    def __init__(self, column: str, words_of: Callable[[str], set[str]], sample: int) -> None:
        self._column = column
        self._words_of = words_of
        self._known = 0
        self._sample = Lowest(sample, [("content_hash", "ascending"), ("conversation_id", "ascending")], _WORD_ROWS)

    def add(self, batch: pa.RecordBatch, cell: pa.Array) -> None:
        """Take the texts of a batch of SUMMARIES, with the cell of each row."""
        texts = batch[self._column]
        named = pc.fill_null(pc.greater(pc.utf8_length(texts), 0), False)
        count = pc.sum(named).as_py() or 0
        self._known += count
        if count:
            self._sample.add(
                pa.table(
                    [
                        pc.fill_null(batch["content_hash"], ""),
                        pc.fill_null(batch["conversation_id"], ""),
                        texts,
                        cell.cast(pa.int8()),
                    ],
                    schema=_WORD_ROWS,
                ).filter(named)
            )

    def merge(self, other: "Texts") -> None:
        """Add the counts and the sample of another."""
        self._known += other._known
        self._sample.add(other._sample.rows())

    def words(self) -> TermCounts:
        """Return the most frequent words of the sample with their outcomes."""
        rows = self._sample.rows()
        cells: dict[str, list[int]] = {}
        alike = rows.group_by(["text", "cell"], use_threads=False).aggregate([([], "count_all")]).to_pydict()
        for text, cell, count in zip(alike["text"], alike["cell"], alike["count_all"], strict=True):
            for word in self._words_of(text):
                cells.setdefault(word, [0] * 9)[cell] += count
        groups = [Group(word, Outcomes(tuple(found))) for word, found in cells.items()]
        top = heapq.nsmallest(TOP_WORDS, groups, key=lambda group: (-group.outcomes.total, group.key))
        frequent = tuple(group for group in top if group.outcomes.total >= _MIN_WORD_CONVERSATIONS)
        return TermCounts(frequent, rows.num_rows, self._known)
