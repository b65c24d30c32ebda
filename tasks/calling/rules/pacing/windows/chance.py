"""Chance: refusals of a window whose calls weigh more than they were thought to."""

from typing import Final

_PER_CALL: Final = 1 / 50

_MOST: Final = 3.0


class Chance:
    """Refusals that change nothing as long as they are few: one of fifty calls, and three in advance."""

    __slots__ = ("_count",)

    def __init__(self) -> None:
        self._count = 0.0

    def accepted(self) -> None:
        """A call was taken."""
        self._count = max(0.0, self._count - _PER_CALL)

    def explains(self, is_news: bool) -> bool:
        """Take one more refusal, that counts if it is news; return False where they are too many."""
        self._count += is_news
        return self._count <= _MOST

    def forget(self) -> None:
        """Begin anew, in another window."""
        self._count = 0.0
