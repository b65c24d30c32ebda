"""Agreement of predictions with people, with its uncertainty: accuracy, F1, kappa, paired comparison.

Answers are three-way (true, false, unknown), and a prediction may also be missing: an answer that
nothing could be read from. A missing prediction is always wrong; it never counts as "unknown".
Every figure that needs chance draws it from a fixed seed, so that the same rows give the same digits.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tasks.domain.intervals import wilson_interval

_TRUE, _FALSE, _UNKNOWN, _MISSING = range(4)

_CATEGORIES = 4

_RESAMPLES = 2000

_SEED = 20261120

_CELLS_AT_ONCE = 2_000_000  # numbers drawn in one step of the paired bootstrap: 32 MB

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure and its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Agreement:
    """Predictions against references on one yes/no/unknown field. Shares are from 0 to 1, kappa from -1 to 1.

    `macro_f1` averages the F1 of true, false and unknown, of those that occur; `positive_f1` is that of true.
    A figure is None where the rows don't define it: kappa, when everything is the same answer.
    """

    rows: int
    accuracy: Estimate | None
    macro_f1: Estimate | None
    positive_f1: Estimate | None
    kappa: Estimate | None


class Confusion:
    """Counts of (reference, prediction), in constant memory however many rows are added."""

    def __init__(self) -> None:
        self._counts: list[int] = [0] * (_CATEGORIES * _CATEGORIES)

    def add(self, reference: bool | None, prediction: bool | None, *, missing: bool = False) -> None:
        """Count one row; `missing` says that there is no prediction at all."""
        predicted = _MISSING if missing else _category(prediction)
        self._counts[_category(reference) * _CATEGORIES + predicted] += 1

    def agreement(self) -> Agreement:
        """The figures of all rows so far.

        Accuracy has Wilson's interval, the others a bootstrap's: resampling rows is drawing the cells of
        the table from a multinomial, so it costs the same for a hundred rows and a million.
        """
        counts = np.array(self._counts, dtype=np.int64).reshape(1, _CATEGORIES, _CATEGORIES)
        rows = int(counts.sum())
        if not rows:
            return Agreement(0, None, None, None, None)
        cells = np.random.default_rng(_SEED).multinomial(rows, counts.reshape(-1) / rows, size=_RESAMPLES)
        resampled = _figures(cells.reshape(_RESAMPLES, _CATEGORIES, _CATEGORIES))
        macro, positive, kappa = (
            _estimate(point, drawn) for point, drawn in zip(_figures(counts), resampled, strict=True)
        )
        return Agreement(rows, wilson(int(np.trace(counts[0])), rows), macro, positive, kappa)


def wilson(hits: int, rows: int) -> Estimate:
    """The share `hits / rows` with Wilson's 95 % interval, which holds near 0 and 1 and for few rows."""
    share = hits / rows
    low, high = wilson_interval(hits, rows)
    return Estimate(share, min(share, low), max(share, high))


@dataclass(frozen=True, slots=True)
class Difference:
    """Candidate minus current on the rows that both have, with a 95 % interval.

    `p_value` is two-sided: how often chance alone would move the mean at least this far.
    """

    rows: int
    current: float
    candidate: float
    difference: float
    low: float
    high: float
    p_value: float


def compare_paired(current: ArrayLike, candidate: ArrayLike, weights: ArrayLike | None = None) -> Difference | None:
    """Compare two models' row scores: a paired bootstrap of the mean difference shows whether it is more than chance.

    Args:
        current: one score a row; NaN where the row has none.
        candidate: the other model's scores of the same rows, in the same order.
        weights: how much each row stands for; all the same where left out.

    Returns:
        None when no row is scored on both sides.

    Raises:
        ValueError: the two don't have the same number of rows.
    """
    old, new = np.asarray(current, dtype=np.float64), np.asarray(candidate, dtype=np.float64)
    if old.shape != new.shape:
        raise ValueError(f"Paired scores need the same rows on both sides, not {old.size} and {new.size}.")
    both = ~(np.isnan(old) | np.isnan(new))
    weight = np.ones_like(old) if weights is None else np.asarray(weights, dtype=np.float64)
    both &= weight > 0
    old, new, weight = old[both], new[both], weight[both]
    rows = old.size
    if not rows:
        return None
    differences = (new - old) * weight
    mean = float(differences.sum() / weight.sum())
    generator = np.random.default_rng(_SEED)
    step = max(1, _CELLS_AT_ONCE // rows)
    drawn = (
        generator.integers(0, rows, size=(min(step, _RESAMPLES - done), rows)) for done in range(0, _RESAMPLES, step)
    )
    means = np.concatenate(
        [differences[rows_drawn].sum(axis=1) / weight[rows_drawn].sum(axis=1) for rows_drawn in drawn]
    )
    low, high = np.percentile(means, [2.5, 97.5])
    # Equal means may differ in their last digits by the order they were added in: that is not a difference.
    as_far = int((np.abs(means - mean) >= abs(mean) * (1 - 1e-9)).sum())
    return Difference(
        rows=rows,
        current=float(np.average(old, weights=weight)),
        candidate=float(np.average(new, weights=weight)),
        difference=mean,
        low=float(low),
        high=float(high),
        p_value=(1 + as_far) / (1 + _RESAMPLES),
    )


def _category(value: bool | None) -> int:
    return _UNKNOWN if value is None else _TRUE if value else _FALSE


def _figures(counts: Array) -> tuple[Array, Array, Array]:
    """Macro F1, positive F1 and kappa of each table in a (tables, reference, prediction) stack; NaN if undefined."""
    rows = counts.sum(axis=(1, 2)).astype(np.float64)
    of_reference, of_prediction = counts.sum(axis=2), counts.sum(axis=1)
    hits = np.diagonal(counts, axis1=1, axis2=2)
    with np.errstate(invalid="ignore", divide="ignore"):
        f1 = 2 * hits / (of_reference + of_prediction)  # NaN for a category that nobody names
        named = f1[:, :_MISSING]
        macro = np.nansum(named, axis=1) / (~np.isnan(named)).sum(axis=1)
        by_chance = (of_reference * of_prediction).sum(axis=1) / rows**2
        kappa = np.where(by_chance < 1, (hits.sum(axis=1) / rows - by_chance) / (1 - by_chance), np.nan)
    return macro, f1[:, _TRUE], kappa


def _estimate(point: Array, drawn: Array) -> Estimate | None:
    """The point with the percentile interval of the draws in which the figure is defined."""
    value = float(point[0])
    if np.isnan(value):
        return None
    low, high = np.percentile(drawn[~np.isnan(drawn)], [2.5, 97.5])
    return Estimate(value, min(float(low), value), max(float(high), value))
