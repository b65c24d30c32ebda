"""Chance: refusals of a window whose calls weigh more than they were thought to."""

from typing import Final

from tasks.calling.rules.pacing.sliding_window import Entry

_PER_CALL: Final = 1 / 50

_MOST: Final = 3.0


class Chance:
    """Refusals that change nothing as long as they are few: one of fifty calls, and three in advance."""

    __slots__ = ("_count", "_known_until")

    def __init__(self) -> None:
        self._count = 0.0
        self._known_until = 0

    def accepted(self) -> None:
        """A call was taken."""
        self._count = max(0.0, self._count - _PER_CALL)

    def explains(self, refused: Entry, next_sequence: int) -> bool:
        """Count one more refusal; return False where they are too many. Calls sent before one is known count as one."""
        if refused.sequence > self._known_until:
            self._known_until = next_sequence - 1
            self._count += 1
        return self._count <= _MOST

    def forget(self) -> None:
        """Begin anew, in another window."""
        self._count = 0.0
