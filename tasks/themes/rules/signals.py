"""Groups of expressions that mean alike, as features of a text: which groups it has, and which stands before which."""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc


@dataclass(frozen=True, slots=True)
class Signals:
    """Groups of expressions, each as one RE2 pattern."""

    patterns: tuple[str, ...]

    @property
    def features(self) -> int:
        """Their number of features: one a group, and one for each group before each."""
        return len(self.patterns) * (len(self.patterns) + 1)

    def find(self, texts: pa.Array) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """The features of texts, by the place where each group is first met.

        Args:
            texts: normalized, none of them null.

        Returns:
            For each feature the number of its text, ascending, and its own number.
        """
        many = len(self.patterns)
        places = np.empty((len(texts), many), np.int32)
        for number, pattern in enumerate(self.patterns):
            places[:, number] = pc.find_substring_regex(texts, pattern).to_numpy(zero_copy_only=False)
        has = places >= 0
        before = (places[:, :, None] <= places[:, None, :]) & has[:, :, None] & has[:, None, :]
        before[:, np.arange(many), np.arange(many)] = False
        rows, columns = np.nonzero(np.concatenate([has, before.reshape(len(texts), -1)], axis=1))
        return rows, columns


def parse_signals(text: str) -> Signals:
    """Read groups from TOML: a name, and words with blanks between."""
    groups = tomllib.loads(text)
    return Signals(tuple(_pattern(words.split()) for words in groups.values()))


def _pattern(words: Sequence[str]) -> str:
    return "|".join(re.escape(word) for word in words)
