"""Character n-grams of many texts at once, hashed into a fixed number of buckets."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

BUCKETS = 1 << 15

_LENGTHS = (1, 2, 3)
_EDGE = 2
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


def hashed_ngrams(texts: pa.Array, buckets: int = BUCKETS) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The n-grams of one to three characters, edges of the text included.

    Args:
        texts: normalized, none of them null.
        buckets: a power of two.

    Returns:
        For each n-gram the number of its text, ascending, and its bucket.
    """
    points, owners = code_points(texts.to_pylist())
    rows: list[npt.NDArray[np.int64]] = []
    columns: list[npt.NDArray[np.int64]] = []
    for length in _LENGTHS:
        state, inside = hashes(points, owners, length)
        if length == 1:
            inside &= points > _EDGE
        rows.append(owners[: len(state)][inside])
        columns.append((state[inside] & np.uint64(buckets - 1)).astype(np.int64))
    row, column = np.concatenate(rows), np.concatenate(columns)
    order = np.argsort(row, kind="stable")
    return row[order], column[order]


def hashes(
    points: npt.NDArray[np.uint64], owners: npt.NDArray[np.int64], length: int
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.bool_]]:
    """A hash of so many characters from each place on, and the places where they are of one text."""
    many = max(0, len(points) - length + 1)
    state = np.full(many, length, dtype=np.uint64)
    for offset in range(length):
        state = (state ^ points[offset : offset + many]) * _MULTIPLIER
        state ^= state >> np.uint64(29)
    return state, owners[:many] == owners[length - 1 :]


def code_points(texts: list[str]) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
    """All characters in a row, each text between two edges, and the number of the text of each."""
    joined = "".join(f"\x01{text}\x02" for text in texts)
    points = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    lengths = np.fromiter((len(text) + 2 for text in texts), dtype=np.int64, count=len(texts))
    return points, np.repeat(np.arange(len(texts), dtype=np.int64), lengths)
