"""Refusals without a reason: a service that turns some calls away at any load has no limit to be found.

A limit that was found refuses nothing until it is probed. Refusals that come all the same, one by one and with many
calls taken in between, are no limit's work. Once they are recognized, single refusals change nothing any more; many
at once do.
"""

from collections import deque
from typing import Final

# Calls taken between two refusals of which neither belongs to the other's event.
_TAKEN_BETWEEN: Final = 4

_TO_RECOGNIZE: Final = 3.0

# Jitter makes a limit refuse, too, but seldom.
_FORGOTTEN_PER_CALL: Final = 1 / 500

_LAST_VERDICTS: Final = 60

_MOST_OF_THEM: Final = 9


class Noise:
    """The refusals of one kind, and how many calls were taken beside them."""

    __slots__ = ("_count", "_event", "_refused", "_taken", "_verdicts", "is_recognized")

    def __init__(self) -> None:
        self.is_recognized = False
        self._verdicts: deque[bool] = deque([False] * _LAST_VERDICTS, _LAST_VERDICTS)
        self._refused = self._event = self._taken = 0
        self._count = 0.0

    def accepted(self, sequence: int) -> None:
        """A call was taken; `sequence` is its place in the order of sending."""
        self._add(False)
        self._taken += sequence > self._event
        self._count = max(0.0, self._count - _FORGOTTEN_PER_CALL)

    def is_noise(self, sequence: int, last_sequence: int, provoked: bool) -> bool:
        """A call was refused; return True where that says nothing of a limit.

        Args:
            sequence: the call's place in the order of sending.
            last_sequence: that of the last call sent.
            provoked: more was tried than is known to be taken.
        """
        self._add(True)
        few = self._refused <= _MOST_OF_THEM
        if sequence > self._event:
            is_alone, self._event, self._taken = self._taken >= _TAKEN_BETWEEN, last_sequence, 0
            self._count += is_alone and not provoked
            self.is_recognized = self.is_recognized or self._count >= _TO_RECOGNIZE
        return self.is_recognized and few

    def _add(self, refused: bool) -> None:
        self._refused += refused - self._verdicts[0]
        self._verdicts.append(refused)
