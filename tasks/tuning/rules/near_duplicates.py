"""Find texts that are nearly the same, without comparing every pair.

Two texts are near-duplicates when they share at least `SIMILAR` of their five-character shingles (Jaccard). Min-hashes
in bands propose pairs, and the shingles themselves decide: nothing is called a near-duplicate by chance. With 16 bands
of 4 a pair at the threshold is proposed with a probability of 0.9998, a rarer one the less the less alike it is.
"""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

SIMILAR = 0.8

_SHINGLE = 5

_BANDS, _ROWS = 16, 4

_PRIME = np.uint64((1 << 31) - 1)

_BLANK = re.compile(r"\s+")

_random = np.random.default_rng(20261122)

_FACTORS = _random.integers(1, int(_PRIME), size=(_BANDS * _ROWS, 1), dtype=np.uint64)

_OFFSETS = _random.integers(0, int(_PRIME), size=(_BANDS * _ROWS, 1), dtype=np.uint64)


def near_duplicates(texts: Sequence[str]) -> dict[int, int]:
    """For each text that is nearly one before it, that one's place: the later is a copy, the earlier the original.

    A copy is never anything's original, so that texts that drift apart step by step don't all count as one.
    """
    buckets: dict[tuple[int, bytes], list[int]] = {}
    shingles: list[frozenset[int]] = []
    copies: dict[int, int] = {}
    for place, text in enumerate(texts):
        mine = _shingles(text)
        shingles.append(mine)
        bands = _bands(mine)
        original = next((other for other in _proposed(bands, buckets) if _alike(mine, shingles[other])), None)
        if original is not None:
            copies[place] = original
            continue
        for number, band in enumerate(bands):
            buckets.setdefault((number, band), []).append(place)
    return copies


def _proposed(bands: Sequence[bytes], buckets: dict[tuple[int, bytes], list[int]]) -> list[int]:
    return sorted({other for number, band in enumerate(bands) for other in buckets.get((number, band), ())})


def _alike(one: frozenset[int], other: frozenset[int]) -> bool:
    smaller, larger = sorted((len(one), len(other)))
    if smaller < SIMILAR * larger:
        return False
    shared = len(one & other)
    return shared >= SIMILAR * (len(one) + len(other) - shared)


def _shingles(text: str) -> frozenset[int]:
    text = _BLANK.sub("", text)
    if len(text) <= _SHINGLE:
        return frozenset((_code(text),))
    return frozenset(_code(text[start : start + _SHINGLE]) for start in range(len(text) - _SHINGLE + 1))


def _code(shingle: str) -> int:
    # Not hash(): that differs from process to process, and the same texts must always give the same training set.
    code = 0
    for character in shingle:
        code = (code * 1_114_109 + ord(character)) % int(_PRIME)
    return code


def _bands(shingles: frozenset[int]) -> list[bytes]:
    codes: NDArray[Any] = np.fromiter(shingles, dtype=np.uint64, count=len(shingles))
    lowest = ((codes * _FACTORS + _OFFSETS) % _PRIME).min(axis=1).astype(np.uint32).reshape(_BANDS, _ROWS)
    return [row.tobytes() for row in lowest]
