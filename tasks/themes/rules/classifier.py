"""A linear classifier over hashed n-grams, with weights of eight bits: small enough to lie in the repository."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tasks.themes.rules.ngrams import hashed_ngrams

_TEXTS_AT_A_TIME = 2_000


@dataclass(frozen=True, eq=False)
class Classifier:
    """Scores of themes: the mean weight of a text's n-grams, times the root of their number, plus a bias.

    Args:
        themes: their ids, one a column.
        weights: buckets x themes, int8.
        scales: what a weight of one is worth, by theme.
        biases: by theme.
        corpus: a digest of what it was trained on.
    """

    themes: tuple[str, ...]
    weights: npt.NDArray[np.int8]
    scales: npt.NDArray[np.float32]
    biases: npt.NDArray[np.float32]
    corpus: str = ""

    def scores(self, texts: pa.Array) -> npt.NDArray[np.float32]:
        """Texts x themes: how far each text lies on a theme's side. Texts are normalized, none of them null."""
        parts = [self._scores(texts.slice(start, _TEXTS_AT_A_TIME)) for start in range(0, len(texts), _TEXTS_AT_A_TIME)]
        return np.concatenate(parts) if parts else np.zeros((0, len(self.themes)), np.float32)

    def _scores(self, texts: pa.Array) -> npt.NDArray[np.float32]:
        rows, columns = hashed_ngrams(texts, len(self.weights))
        sums = np.zeros((len(texts), len(self.themes)), dtype=np.float32)
        if len(rows):
            starts = np.flatnonzero(np.diff(rows, prepend=-1))
            gathered = self.weights[columns].astype(np.int16)
            sums[rows[starts]] = np.add.reduceat(gathered, starts, axis=0, dtype=np.int32)
        lengths = np.sqrt(np.maximum(np.bincount(rows, minlength=len(texts)), 1))[:, None]
        scores: npt.NDArray[np.float32] = (sums * (self.scales / lengths) + self.biases).astype(np.float32)
        return scores


def quantized(
    themes: Sequence[str], weights: npt.NDArray[np.float64], biases: npt.NDArray[np.float64], corpus: str
) -> Classifier:
    """A classifier of trained weights (buckets x themes), rounded to eight bits."""
    scales = np.abs(weights).max(axis=0) / 127
    scales[scales == 0] = 1
    return Classifier(
        tuple(themes),
        np.rint(weights / scales).astype(np.int8),
        scales.astype(np.float32),
        biases.astype(np.float32),
        corpus,
    )
