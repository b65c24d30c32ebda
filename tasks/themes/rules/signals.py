"""Groups of expressions that mean alike, as features of a text: which groups it has, and which stands before which."""

import tomllib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tasks.themes.rules.ngrams import code_points, hashes

_ABSENT = -1

# Of the hashes' ends, which words have: few places of a text are looked for among the words.
_ENDS = 1 << 16

_Words = tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64], npt.NDArray[np.bool_]]


@dataclass(frozen=True)
class Signals:
    """Groups of expressions."""

    groups: tuple[tuple[str, ...], ...]

    @property
    def features(self) -> int:
        """Their number of features: one a group, and one for each group before each."""
        return len(self.groups) * (len(self.groups) + 1)

    def find(self, texts: pa.Array) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """The features of texts, by the place where each group is first met.

        Args:
            texts: normalized, none of them null.

        Returns:
            For each feature the number of its text, ascending, and its own number.
        """
        places = self._first_places(texts.to_pylist())
        rows, groups = np.nonzero(places != _ABSENT)
        first, second = _pairs(rows, len(texts))
        place = places[rows, groups]
        before = (place[first] <= place[second]) & (first != second)
        first, second = first[before], second[before]
        pairs = (groups[first] + 1) * len(self.groups) + groups[second]
        found = np.concatenate([rows, rows[first]])
        ascending = np.argsort(found, kind="stable")
        return found[ascending], np.concatenate([groups, pairs])[ascending]

    def _first_places(self, texts: list[str]) -> npt.NDArray[np.int64]:
        """Texts x groups: where each group's first word begins, counted through all texts."""
        points, owners = code_points(texts)
        found = [np.zeros((3, 0), np.int64)]
        for length, (words, groups, ends) in self._words.items():
            state, inside = hashes(points, owners, length)
            at = np.flatnonzero(inside & ends.take(_end_of(state)))
            lowest = np.searchsorted(words, state[at])
            is_word = words.take(lowest, mode="clip") == state[at]
            at, lowest = at[is_word], lowest[is_word]
            highest = np.searchsorted(words, state[at], side="right")
            # A word may be of several groups: then it stands several times.
            for offset in range(int((highest - lowest).max(initial=0))):
                more = lowest + offset < highest
                at, lowest, highest = at[more], lowest[more], highest[more]
                found.append(np.stack([owners[at], groups[lowest + offset], at]))
        owner, group, place = np.concatenate(found, axis=1)
        places = np.full((len(texts), len(self.groups)), _ABSENT, np.int64)
        later_first = np.argsort(-place, kind="stable")
        places[owner[later_first], group[later_first]] = place[later_first]
        return places

    @cached_property
    def _words(self) -> dict[int, _Words]:
        """By length, the hashes of words in their order, the group of each, and which ends of hashes there are."""
        lengths = sorted({len(word) for group in self.groups for word in group})
        return {length: self._hashed(length) for length in lengths}

    def _hashed(self, length: int) -> _Words:
        words = [(word, number) for number, group in enumerate(self.groups) for word in group if len(word) == length]
        points, owners = code_points([word for word, _ in words])
        state, _ = hashes(points, owners, length)
        own = state[1 :: length + 2][: len(words)]  # each word stands between two edges
        order = np.argsort(own, kind="stable")
        ends = np.zeros(_ENDS, np.bool_)
        ends[_end_of(own)] = True
        return own[order], np.array([number for _, number in words], np.int64)[order], ends


def _end_of(hashed: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
    return (hashed & np.uint64(_ENDS - 1)).astype(np.int64)


def _pairs(rows: npt.NDArray[np.int64], many: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Every entry with every entry of the same row, itself too; rows ascend."""
    counts = np.bincount(rows, minlength=many)
    sizes = counts[rows]
    first = np.repeat(np.arange(len(rows)), sizes)
    begins = np.cumsum(counts) - counts
    within = np.arange(len(first)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return first, begins[rows[first]] + within


def parse_signals(text: str) -> Signals:
    """Read groups from TOML: a name, and words with blanks between."""
    return Signals(tuple(tuple(words.split()) for words in tomllib.loads(text).values()))
