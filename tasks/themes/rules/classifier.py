"""A linear classifier over hashed n-grams and signals, with weights of eight bits: small enough for the repository."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tasks.themes.rules.ngrams import BUCKETS, hashed_ngrams
from tasks.themes.rules.signals import Signals

# Their weights stay in the processor's cache.
_TEXTS_AT_A_TIME = 250

_LANES = 4  # of 16 bits in a number of 64

_ABOVE_ZERO = 128

_MOST_IN_A_LANE = (2**16 - 1) // 255  # weights, of a byte each

_Block = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]


def feature_blocks(texts: pa.Array, signals: Signals) -> tuple[_Block, _Block]:
    """The n-grams and the signals of normalized texts: for each the numbers of texts, ascending, and of weights."""
    rows, columns = signals.find(texts)
    return hashed_ngrams(texts), (rows, columns + BUCKETS)


@dataclass(frozen=True, eq=False)
class Classifier:
    """Scores of themes: of n-grams and of signals the mean weight, times the root of their number, plus a bias.

    Args:
        themes: their ids, one a column.
        signals: the groups of expressions that it was trained with.
        weights: (buckets and signals) x themes, int8.
        scales: what a weight of one is worth, by theme.
        biases: by theme.
        corpus: a digest of what it was trained on.
    """

    themes: tuple[str, ...]
    signals: Signals
    weights: npt.NDArray[np.int8]
    scales: npt.NDArray[np.float32]
    biases: npt.NDArray[np.float32]
    corpus: str = ""

    def scores(self, texts: pa.Array) -> npt.NDArray[np.float32]:
        """Texts x themes: how far each text lies on a theme's side. Texts are normalized, none of them null."""
        parts = [self._scores(texts.slice(start, _TEXTS_AT_A_TIME)) for start in range(0, len(texts), _TEXTS_AT_A_TIME)]
        return np.concatenate(parts) if parts else np.zeros((0, len(self.themes)), np.float32)

    def _scores(self, texts: pa.Array) -> npt.NDArray[np.float32]:
        scores = np.tile(self.biases, (len(texts), 1))
        for rows, columns in feature_blocks(texts, self.signals):
            counts = np.maximum(np.bincount(rows, minlength=len(texts)), 1)[:, None]
            scores += self._sums(rows, columns, len(texts)) * self.scales / np.sqrt(counts, dtype=np.float32)
        return scores

    def _sums(self, rows: npt.NDArray[np.int64], columns: npt.NDArray[np.int64], many: int) -> npt.NDArray[np.float32]:
        sums = np.zeros((many, len(self.themes)), np.float32)
        if len(rows):
            starts = np.flatnonzero(np.diff(rows, prepend=-1))
            counts = np.diff(starts, append=len(rows))
            if counts.max() <= _MOST_IN_A_LANE:
                lanes = np.add.reduceat(self._lanes.take(columns, axis=0), starts, axis=0).view(np.uint16)
                sums[rows[starts]] = lanes[:, : len(self.themes)].astype(np.int32) - _ABOVE_ZERO * counts[:, None]
            else:
                weights = self.weights[columns].astype(np.int16)
                sums[rows[starts]] = np.add.reduceat(weights, starts, axis=0, dtype=np.int32)
        return sums

    @cached_property
    def _lanes(self) -> npt.NDArray[np.uint64]:
        """The weights, none of them negative, four in a number: adding two adds all four, in a third of the time."""
        padding = -len(self.themes) % _LANES
        weights = np.pad(self.weights.astype(np.int16) + _ABOVE_ZERO, ((0, 0), (0, padding)))
        return np.ascontiguousarray(weights.astype(np.uint16)).view(np.uint64)


def quantized(
    themes: Sequence[str],
    signals: Signals,
    weights: npt.NDArray[np.float64],
    biases: npt.NDArray[np.float64],
    corpus: str,
) -> Classifier:
    """A classifier of trained weights ((buckets and signals) x themes), rounded to eight bits."""
    scales = np.abs(weights).max(axis=0) / 127
    scales[scales == 0] = 1
    return Classifier(
        tuple(themes),
        signals,
        np.rint(weights / scales).astype(np.int8),
        scales.astype(np.float32),
        biases.astype(np.float32),
        corpus,
    )
