"""Themes that a model gave to texts before: a sorted table of text keys, small and quick to search."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

NO_THEME = -1


def text_key(plain: str) -> int:
    """The 64 bits that stand for a normalized text."""
    return int.from_bytes(hashlib.blake2b(plain.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


@dataclass(frozen=True, eq=False)
class KnownThemes:
    """Answers of a model about texts, by their keys.

    Args:
        keys: ascending.
        numbers: of each key the place of its theme in `themes`, or NO_THEME where the model named none.
        themes: ids.
    """

    keys: npt.NDArray[np.uint64]
    numbers: npt.NDArray[np.int16]
    themes: tuple[str, ...]

    def find(self, plain: Sequence[str]) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int16]]:
        """Of normalized texts those that the model was asked about, and the place of each one's theme."""
        if not len(self.keys):
            return np.zeros(len(plain), np.bool_), np.full(len(plain), NO_THEME, np.int16)
        wanted = np.fromiter((text_key(text) for text in plain), np.uint64, len(plain))
        places = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        asked = self.keys[places] == wanted
        return asked, np.where(asked, self.numbers[places], NO_THEME).astype(np.int16)


def known_themes(rows: Iterable[Mapping[int, str | None]]) -> KnownThemes:
    """A table of what a model said; of a text that is there twice the later word counts."""
    said: dict[int, str | None] = {}
    for row in rows:
        said |= row
    themes = tuple(sorted({theme for theme in said.values() if theme is not None}))
    places = {theme: number for number, theme in enumerate(themes)} | {None: NO_THEME}
    keys = np.array(sorted(said), np.uint64)
    return KnownThemes(keys, np.array([places[said[int(key)]] for key in keys], np.int16), themes)
