"""Two models on the same rows: by how much one is better, and whether chance alone could have done it."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from typing import Literal

from tasks.evaluating.rules.agreement import Difference, compare_paired
from tasks.evaluating.rules.scoring import METRICS, RowScores

COMPARED = (
    *METRICS,
    "issue/ROUGE-L",
    "plan/ROUGE-L",
    "accepted/accuracy",
    "negative_sentiment/accuracy",
    "format/plain",
    "format/parseable",
)
"""The figures that two models are compared by."""

_LESS_IS_BETTER = frozenset({"EDIT-DISTANCE"})

_BEYOND_CHANCE = 0.05

Verdict = Literal["better", "worse", "no difference beyond chance"]


class RowFigures:
    """The compared figures of every row, as columns: 8 bytes a figure. Hand its `add` to `score_rows`."""

    def __init__(self) -> None:
        self._columns = {name: array("d") for name in COMPARED}

    def add(self, row: RowScores) -> None:
        """Remember one row's figures."""
        figures = row.figures()
        for name, column in self._columns.items():
            value = figures[name]
            column.append(nan if value is None else value)

    def column(self, name: str) -> "array[float]":
        """One figure of all rows in their order, NaN where a row has none."""
        return self._columns[name]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One figure of both models; `verdict` is about the candidate, at the 5 % level."""

    figure: str
    difference: Difference
    verdict: Verdict

    def as_json(self) -> dict[str, object]:
        """The object that `--json` shows."""
        found = self.difference
        return {
            "rows": found.rows,
            "baseline": found.current,
            "candidate": found.candidate,
            "difference": found.difference,
            "difference 95%": [found.low, found.high],
            "p": found.p_value,
            "verdict": self.verdict,
        }


def compare_rows(
    baseline: RowFigures, candidate: RowFigures, weights: Sequence[float] | None = None
) -> dict[str, Comparison]:
    """Every compared figure that both have rows for, by its name; `weights` say how much each row stands for.

    Raises:
        ValueError: the two don't have the same number of rows.
    """
    compared: dict[str, Comparison] = {}
    for name in COMPARED:
        difference = compare_paired(baseline.column(name), candidate.column(name), weights)
        if difference is not None:
            compared[name] = Comparison(name, difference, _verdict(name, difference))
    return compared


def _verdict(name: str, found: Difference) -> Verdict:
    if found.p_value > _BEYOND_CHANCE or found.low <= 0 <= found.high:
        return "no difference beyond chance"
    return "better" if (found.difference > 0) != (name in _LESS_IS_BETTER) else "worse"
