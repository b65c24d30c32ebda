"""Marks of keys: whether a key may have been added, in a fixed amount of memory.

Nearly every request of a day is new. To know that by one look costs less than to search an index, which grows.
"""

from typing import Final

# Of a million keys, three in a hundred others share a mark.
_MARKS: Final = 1 << 25


class KeyMarks:
    """Holds every key that was added, and a few others."""

    __slots__ = ("_marks",)

    def __init__(self) -> None:
        self._marks = bytearray(_MARKS >> 3)

    def add(self, key: str) -> None:
        """Mark a key."""
        place = hash(key)
        self._marks[(place & (_MARKS - 1)) >> 3] |= 1 << (place & 7)

    def __contains__(self, key: str) -> bool:
        """Return false for a key that was not added."""
        place = hash(key)
        return self._marks[(place & (_MARKS - 1)) >> 3] >> (place & 7) & 1 == 1
