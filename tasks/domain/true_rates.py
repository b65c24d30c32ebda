"""Shares corrected for the model's errors, as people's reviews of a random sample show them.

Prediction-powered inference with power tuning (PPI++: Angelopoulos, Duchi, Zrnic, 2023, arXiv:2311.01453): the model's
share of everything published is moved by what it got wrong in the reviewed sample, and its interval grows by how
unsure that is. The interval is Wilson's for the effective size of the sample, and the variance counts a little more
than the errors that were seen: a sample without an error does not show that there are none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tasks.domain.intervals import wilson_interval

MINIMUM_REVIEWS: Final = 50
"""Reviews of the random sample below which no corrected share is given."""

_UNSEEN_ERRORS: Final = 0.75  # reviews' worth; calibrated by the simulation in the tests

_ROUNDS: Final = 4  # the tuning and the share settle each other

Verdicts = tuple[bool | None, bool | None]

_Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TrueRate:
    """The share of true among the verdicts that are known, from 0 to 1.

    `raw` is the model's, None where it knows none; `value` with its 95 % interval is the corrected one, None where
    `reviews`, those of the random sample, are too few to tell.
    """

    raw: float | None
    value: float | None
    low: float | None
    high: float | None
    reviews: int


def true_rate(reviewed: Sequence[Verdicts], published: Mapping[bool | None, int]) -> TrueRate:
    """The share of true among known verdicts, raw and corrected.

    Args:
        reviewed: (the model's, the person's) verdict of each review of the random sample.
        published: how many of all published summaries have each verdict of the model.
    """
    known = published.get(True, 0) + published.get(False, 0)
    raw = published.get(True, 0) / known if known else None
    if raw is None or len(reviewed) < MINIMUM_REVIEWS:
        return TrueRate(raw, None, None, None, len(reviewed))
    estimate = _estimate(_Sample(reviewed, published), raw)
    if estimate is None:
        return TrueRate(raw, None, None, None, len(reviewed))
    value, effective = estimate
    low, high = wilson_interval(value * effective, effective)
    return TrueRate(raw, value, min(low, value), max(high, value), len(reviewed))


class _Sample:
    """The reviews as numbers: is true, is known, of the person and of the model; and the model's means over all."""

    def __init__(self, reviewed: Sequence[Verdicts], published: Mapping[bool | None, int]) -> None:
        self.size = len(reviewed)
        self.model = [verdict for verdict, _ in reviewed]
        self.true, self.known = _indicators([truth for _, truth in reviewed])
        self.guessed_true, self.guessed_known = _indicators(self.model)
        # The reviewed ones are part of what was published; the rest is what the model alone has read.
        rest = {
            verdict: max(published.get(verdict, 0) - self.model.count(verdict), 0) for verdict in (True, False, None)
        }
        self.rest = sum(rest.values())
        self.rest_true = rest[True] / self.rest if self.rest else 0.0
        self.rest_known = (rest[True] + rest[False]) / self.rest if self.rest else 0.0

    def residuals(self, share: float) -> tuple[_Array, _Array]:
        """The difference of each review from the share, by the person and by the model."""
        return self.true - share * self.known, self.guessed_true - share * self.guessed_known


def _estimate(sample: _Sample, share: float) -> tuple[float, float] | None:
    """The corrected share, and how many reviews without a model would be as sure; None where no verdict is known."""
    tuning, scale = 0.0, 0.0
    for _ in range(_ROUNDS):
        tuning = _tuning(sample, share)
        scale = float(sample.known.mean() + tuning * (sample.rest_known - sample.guessed_known.mean()))
        if scale <= 0:
            return None
        total = float(sample.true.mean() + tuning * (sample.rest_true - sample.guessed_true.mean()))
        share = min(1.0, max(0.0, total / scale))
    variance = _variance(sample, share, tuning) / scale**2
    spread = max(share * (1 - share), 1 / (sample.size + 2) ** 2)
    return share, spread / variance


def _tuning(sample: _Sample, share: float) -> float:
    """The weight of the model's part, from 0 to 1, that minimizes the variance (PPI++, section 6)."""
    truth, guess = sample.residuals(share)
    spread = float(guess.var())
    if not sample.rest or not spread:
        return 0.0
    together = float(((truth - truth.mean()) * (guess - guess.mean())).mean())
    return min(1.0, max(0.0, together / (spread * (1 + sample.size / sample.rest))))


def _variance(sample: _Sample, share: float, tuning: float) -> float:
    truth, guess = sample.residuals(share)
    seen = truth - tuning * guess
    # One error of each direction, of little weight.
    unseen = np.array([1 - share + tuning * share, -share - tuning * (1 - share)])
    weights = np.concatenate([np.ones(sample.size), np.full(2, _UNSEEN_ERRORS / 2)])
    values = np.concatenate([seen, unseen])
    mean = float(np.average(values, weights=weights))
    variance = float(np.average((values - mean) ** 2, weights=weights)) * sample.size / (sample.size - 1)
    by_model = float(guess.var()) / sample.rest if sample.rest else 0.0
    return variance / sample.size + tuning**2 * by_model


def _indicators(verdicts: Sequence[bool | None]) -> tuple[_Array, _Array]:
    true: Any = np.array([verdict is True for verdict in verdicts], dtype=np.float64)
    known: Any = np.array([verdict is not None for verdict in verdicts], dtype=np.float64)
    return true, known
