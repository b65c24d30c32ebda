"""Likeness of texts to the examples of themes, for a taxonomy that no classifier was trained for."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tasks.themes.rules.ngrams import hashed_ngrams
from tasks.themes.rules.normalizing import normalize
from tasks.themes.rules.taxonomy import Theme

_BUCKETS = 1 << 12
_TEXTS_AT_A_TIME = 2_000

# A text that is less like every example than this belongs to none.
_UNLIKE = 0.25


class NearestExamples:
    """Holds the examples of themes as unit vectors of hashed n-grams; `other` is what is like none of them."""

    def __init__(self, themes: Sequence[Theme]) -> None:
        self._themes = tuple(theme.id for theme in themes)
        self._owners = np.repeat(np.arange(len(themes)), [len(theme.examples) for theme in themes])
        texts = [example for theme in themes for example in theme.examples]
        plain = normalize(pa.array(texts, pa.string()))
        rarity = np.log((1 + len(texts)) / (1 + np.count_nonzero(_counts(plain), axis=0)))
        self._rarity = rarity.astype(np.float32)
        self._examples = self._vectors(plain)

    def likeness(self, plain: pa.Array) -> Iterator[tuple[str, npt.NDArray[np.float32]]]:
        """For each theme the likeness of normalized texts to its nearest example, over what is needed to belong."""
        parts = [
            self._vectors(plain.slice(start, _TEXTS_AT_A_TIME)) @ self._examples.T
            for start in range(0, len(plain), _TEXTS_AT_A_TIME)
        ]
        products = np.concatenate(parts) if parts else np.zeros((0, len(self._examples)), np.float32)
        for number, theme in enumerate(self._themes):
            yield theme, products[:, self._owners == number].max(axis=1) - _UNLIKE

    def _vectors(self, plain: pa.Array) -> npt.NDArray[np.float32]:
        vectors = (_counts(plain) > 0) * self._rarity
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        unit: npt.NDArray[np.float32] = (vectors / np.maximum(lengths, 1e-9)).astype(np.float32)
        return unit


def _counts(plain: pa.Array) -> npt.NDArray[np.float32]:
    rows, columns = hashed_ngrams(plain, _BUCKETS)
    counts = np.zeros((len(plain), _BUCKETS), np.float32)
    np.add.at(counts, (rows, columns), 1)
    return counts
