"""Scan statistics: the run of days in which a series departs from its own other days, and how surprising that is.

A window's count is compared with what the same weekdays outside of it suggest, so that a weekend is judged by
weekends. The measure of surprise is the signed root of the log-likelihood ratio, which is a standard normal's where
nothing happened, divided by the series' own spread from day to day where that is wider than chance alone.

Sources: M. Kulldorff, A spatial scan statistic, 1997; Y. Benjamini and Y. Hochberg, Controlling the false discovery
rate, 1995.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_LENGTHS = (*range(1, 15), 17, 21, 24, 28, 31, 35, 42)

_FEW_LENGTHS = (1, 2, 3, 5, 7, 10, 14, 21, 28, 42)

_MANY_DAYS = 150

_WEEK = 7

_MIN_DAYS_OF_SPREAD = 5


class Window(NamedTuple):
    """Days `first` to `last` by position, both included."""

    first: int
    last: int

    @property
    def length(self) -> int:
        """Days in the window."""
        return self.last - self.first + 1

    def overlap(self, other: "Window") -> float:
        """Return the days in both as a part of the days in either."""
        both = min(self.last, other.last) - max(self.first, other.first) + 1
        return max(0, both) / (self.length + other.length - max(0, both))


@dataclass(frozen=True, slots=True)
class Counts:
    """Counts a day of many series, and of what each is a part of: two arrays, series x days.

    Args:
        part: conversations with the property.
        whole: conversations that could have it.
        rate: True where `part` is a part of `whole` whose size matters, so that it can't exceed it (a binomial
            count); False for a volume, whose whole is the day's traffic (a Poisson count).
        pseudo: so many invented conversations draw a weekday's rate to that of all days.
    """

    part: Floats
    whole: Floats
    rate: bool
    pseudo: float


@dataclass(frozen=True, slots=True)
class Excess:
    """Figures of each series in one window: `count` of `exposed`, where `expected` would be usual; z is surprise."""

    count: Floats
    exposed: Floats
    expected: Floats
    z: Floats


@dataclass(frozen=True, slots=True)
class Sums:
    """Counts added up by weekday from the first day on: two arrays, series x (days + 1) x weekdays."""

    part: Floats
    whole: Floats


def windows(with_data: Sequence[bool], min_baseline: int) -> list[Window]:
    """Return the windows to look at: begun and ended on days with data, and with enough days outside to compare with.

    Of a span of half a year and more they lie less close: the search moves the ends of what it finds by itself.

    Args:
        with_data: which of the days have conversations.
        min_baseline: days with data that must remain outside.
    """
    days, known = len(with_data), sum(with_data)
    found = []
    long = days >= _MANY_DAYS
    for length in _FEW_LENGTHS if long else _LENGTHS:
        for first in range(0, days - length + 1, max(1, length // 3) if long else 1):
            window = Window(first, first + length - 1)
            inside = sum(with_data[window.first : window.last + 1])
            if not (with_data[window.first] and with_data[window.last]) or known - inside < min_baseline:
                continue
            if inside > known * 0.6 or (window.first == 0 and inside > known / 3):
                continue  # that is what is usual, not what departs from it
            found.append(window)
    return found


class Scanner:
    """Compares windows of days with the days outside of them."""

    def __init__(self, weekdays: Sequence[int]) -> None:
        self._masks = np.stack([np.array(weekdays) == number for number in range(_WEEK)]).astype(np.float64)

    def sums(self, counts: Counts) -> Sums:
        """Add counts up once for the many windows that they are looked at in."""
        return Sums(self._added_up(counts.part), self._added_up(counts.whole))

    def _added_up(self, values: Floats) -> Floats:
        days = np.zeros((len(values), values.shape[1] + 1, _WEEK))
        np.cumsum(values[:, :, None] * self._masks.T, axis=1, out=days[:, 1:])
        return days

    def excess(self, counts: Counts, window: Window, spread: Floats, sums: Sums | None = None) -> Excess:
        """Compare one window with the days outside of it, weekday by weekday.

        Args:
            counts: of the series.
            window: the days.
            spread: each series' own.
            sums: of the counts, where there are many windows to compare.
        """
        added = sums or self.sums(counts)
        part_in = added.part[:, window.last + 1] - added.part[:, window.first]
        whole_in = added.whole[:, window.last + 1] - added.whole[:, window.first]
        part_out, whole_out = added.part[:, -1] - part_in, added.whole[:, -1] - whole_in
        count, exposed = part_in.sum(axis=1), whole_in.sum(axis=1)
        base_part, base_whole = part_out.sum(axis=1), whole_out.sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            usual = np.where(base_whole > 0, (base_part + 0.5) / (base_whole + 1), np.nan)
            by_weekday = (part_out + counts.pseudo * usual[:, None]) / (whole_out + counts.pseudo)
            expected = (whole_in * by_weekday).sum(axis=1)
            # The exposure that stands behind the expectation: for a Saturday, not much more than the other Saturdays'.
            weights = whole_in / np.maximum(exposed, 1e-9)[:, None]
            matched = np.minimum(base_whole, 1 / (weights**2 / (whole_out + counts.pseudo)).sum(axis=1))
            z = _root_of_likelihood_ratio(count, exposed, expected, matched, counts.rate) / spread
        return Excess(count, exposed, expected, np.where(np.isfinite(z), z, 0.0))

    def spread(self, counts: Counts) -> Floats:
        """Return how much wider than chance each series varies from day to day, 1 at least."""
        part, whole = counts.part, counts.whole
        with np.errstate(divide="ignore", invalid="ignore"):
            usual = ((part.sum(axis=1) + 0.5) / (whole.sum(axis=1) + 1))[:, None]
            by_weekday = (part @ self._masks.T + counts.pseudo * usual) / (whole @ self._masks.T + counts.pseudo)
            expected = whole * (by_weekday @ self._masks)
            variance = expected * (1 - np.clip(expected / whole, 0, 0.999)) if counts.rate else expected
            residuals = np.where(whole >= (3 if counts.rate else 1), (part - expected) / np.sqrt(variance), np.nan)
        residuals = np.where(expected >= 0.7, residuals, np.nan)
        # From one day to the next, not about the mean: a long story moves the mean, and is no spread.
        steps = np.abs(np.diff(residuals, axis=1)) / math.sqrt(2)
        known = np.isfinite(steps).sum(axis=1)
        return np.where(known >= _MIN_DAYS_OF_SPREAD, np.maximum(1.0, 1.4826 * _median_of_known(steps)), 1.0)


def _median_of_known(values: Floats) -> Floats:
    """Return each row's median without its gaps; 0 for a row of gaps."""
    known = np.isfinite(values).sum(axis=1)
    ordered = np.sort(np.where(np.isfinite(values), values, np.inf), axis=1)
    rows = np.arange(len(values))
    low = ordered[rows, np.maximum(known - 1, 0) // 2]
    high = ordered[rows, np.minimum(known // 2, values.shape[1] - 1)]
    return np.where(known > 0, (low + np.where(np.isfinite(high), high, low)) / 2, 0.0)


def _root_of_likelihood_ratio(count: Floats, exposed: Floats, expected: Floats, matched: Floats, rate: bool) -> Floats:
    """Return the signed root of the likelihood ratio of a window's count against a baseline of `matched` exposure."""
    usual = expected / np.maximum(exposed, 1e-9)
    base = usual * matched
    if rate:
        pooled = (count + base) / (exposed + matched)
        gain = (
            _xlogy(count, count / exposed / pooled)
            + _xlogy(exposed - count, (1 - count / exposed) / (1 - pooled))
            + _xlogy(base, usual / pooled)
            + _xlogy(matched - base, (1 - usual) / (1 - pooled))
        )
    else:
        part = exposed / (exposed + matched)
        whole = count + base
        gain = _xlogy(count, count / (whole * part)) + _xlogy(base, base / (whole * (1 - part)))
    root: Floats = np.sign(count - expected) * np.sqrt(2 * np.maximum(gain, 0.0))
    return root


def _xlogy(x: Floats, y: Floats) -> Floats:
    return np.where(x > 0, x * np.log(np.maximum(y, 1e-300)), 0.0)


def tail(z: float) -> float:
    """Return the probability that a standard normal exceeds `z`."""
    return 0.5 * math.erfc(z / math.sqrt(2))


def false_discovery_limit(probabilities: Iterable[float], tests: int, rate: float) -> float:
    """Return Benjamini and Hochberg's limit: what lies at or below it is discovered.

    Args:
        probabilities: the smallest ones; all others are larger.
        tests: how many there are in all.
        rate: the part of the discoveries that may be false.
    """
    limit = 0.0
    for rank, probability in enumerate(sorted(probabilities), start=1):
        if probability <= rate * rank / tests:
            limit = probability
    return limit
