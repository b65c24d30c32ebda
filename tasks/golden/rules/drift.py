"""A tested change of the answers to golden conversations: tonight against earlier nights, conversation by conversation.

The same conversations are asked every night. While nothing changes, a conversation's answers of tonight and of earlier
nights are as good as shuffled: of a conversation that was answered rightly on `hits` of `nights` nights, those of the
new nights are a draw without replacement. The sum over all conversations so has an exact distribution; with a single
earlier night the test is McNemar's exact one. Two things are compared for each field, the right answers (more or
fewer) and the unusual ones (more), over two spans: tonight, and the last week, which finds what creeps.

The level of all of a night's tests together is ALPHA (Bonferroni), so that a steady model gives less than one false
alarm in a thousand nights, however the nights depend on each other. After a change the comparison begins anew.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from math import comb
from typing import Final, Literal

import numpy as np

ALPHA: Final = 0.001

FIELDS: Final = ("usable", "issue", "plan", "accepted", "negative_sentiment")

HISTORY_NIGHTS: Final = 28

_EARLIER_NIGHTS: Final = 14

_WEEK: Final = 7

Kind = Literal["right", "said"]


@dataclass(frozen=True, slots=True)
class GoldenAnswer:
    """An answer to a golden conversation by field: the word it comes down to, and true where a person says the same."""

    said: Mapping[str, str]
    right: Mapping[str, bool]


Night = Mapping[str, GoldenAnswer]
"""The answers of a night, by the conversations' content hashes."""


@dataclass(frozen=True, slots=True)
class Change:
    """A field whose answers differ by more than chance.

    Args:
        field: one of FIELDS.
        kind: right answers, or unusual ones.
        nights: how many nights it is about, tonight included.
        before: how many answers of the earlier nights were right (usual), and of how many.
        after: the same of these nights.
        p: the probability of such a difference in any of a night's tests while nothing changes.
    """

    field: str
    kind: Kind
    nights: int
    before: tuple[int, int]
    after: tuple[int, int]
    p: float


@dataclass(frozen=True, slots=True)
class GoldenCheck:
    """The verdict on a night.

    Args:
        conversations: that were asked about.
        right: how many answers agree with people, by field.
        nights: earlier nights that it was compared with.
        changes: what is different, the surest first; empty where nothing is.
        made_by: the model and the prompt of tonight.
        made_by_before: those of the night before, where they are others.
    """

    conversations: int
    right: Mapping[str, int]
    nights: int
    changes: tuple[Change, ...] = ()
    made_by: str = ""
    made_by_before: str = ""

    @property
    def has_changed(self) -> bool:
        """Return true where the answers are not those of the nights before."""
        return bool(self.changes)


def check_night(tonight: Night, earlier: Sequence[Night], made_by: str = "", made_by_before: str = "") -> GoldenCheck:
    """Compare a night with earlier ones.

    Args:
        tonight: its answers.
        earlier: nights since the last change, the latest first.
        made_by: the model and the prompt of tonight.
        made_by_before: those of the night before.
    """
    nights = [tonight, *earlier[: HISTORY_NIGHTS - 1]]
    spans = [(1, nights[: _EARLIER_NIGHTS + 1])] if earlier else []
    if len(nights) >= 2 * _WEEK:
        spans.append((_WEEK, nights))
    found = [change for new, compared in spans for change in _changes(new, compared, len(spans))]
    return GoldenCheck(
        conversations=len(tonight),
        right={field: sum(answer.right[field] for answer in tonight.values()) for field in FIELDS},
        nights=len(nights[: _EARLIER_NIGHTS + 1]) - 1,
        changes=tuple(sorted(found, key=lambda change: change.p)),
        made_by=made_by,
        made_by_before=made_by_before if made_by_before != made_by else "",
    )


def _changes(new: int, nights: Sequence[Night], spans: int) -> Iterator[Change]:
    tests = spans * 2 * len(FIELDS)
    for field in FIELDS:
        compared: dict[Kind, Iterator[list[bool]]] = {"right": _right(field, nights), "said": _usual(field, nights)}
        for kind, flags in compared.items():
            table = [_Row(sum(them), len(them), min(new, len(them)), sum(them[:new])) for them in flags]
            rows = [row for row in table if row.new < row.nights]
            low, high = tails(rows)
            p = min(1.0, tests * (2 * min(low, high) if kind == "right" else low))
            if p <= ALPHA:
                after = sum(row.new_hits for row in rows), sum(row.new for row in rows)
                before = sum(row.hits for row in rows) - after[0], sum(row.nights for row in rows) - after[1]
                yield Change(field, kind, new, before, after, p)


@dataclass(frozen=True, slots=True)
class _Row:
    """One conversation: hits in all of its nights, its nights, how many of them are new, and the hits of those."""

    hits: int
    nights: int
    new: int
    new_hits: int


def tails(rows: Sequence[_Row]) -> tuple[float, float]:
    """Return the probabilities of so few and of so many hits in the new nights, given each conversation's hits."""
    observed = sum(row.new_hits for row in rows)
    total = reduce(np.convolve, (_hypergeometric(row) for row in rows), np.ones(1))
    return min(1.0, float(total[: observed + 1].sum())), min(1.0, float(total[observed:].sum()))


def _hypergeometric(row: _Row) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    ways = [comb(row.hits, hits) * comb(row.nights - row.hits, row.new - hits) for hits in range(row.new + 1)]
    return np.array(ways) / comb(row.nights, row.new)


def _right(field: str, nights: Sequence[Night]) -> Iterator[list[bool]]:
    """Yield each of tonight's conversations: right or not in each night that asked about it, the latest first."""
    for name in nights[0]:
        yield [night[name].right[field] for night in nights if name in night]


def _usual(field: str, nights: Sequence[Night]) -> Iterator[list[bool]]:
    """Yield each of tonight's conversations: whether each night said what most of them said."""
    for name in nights[0]:
        said = [night[name].said[field] for night in nights if name in night]
        counts = Counter(said)
        usual = max(counts, key=lambda word: (counts[word], word))  # by the word: no night decides a tie
        yield [word == usual for word in said]
