"""The ways in which services count a quota."""

from collections import deque
from dataclasses import dataclass, field
from typing import Literal

Style = Literal["sliding", "fixed", "bucket"]


@dataclass
class Quota:
    """So much a window, counted in one of the ways that services count. `size` is per window, 0 for none.

    A bucket holds `size` and is refilled at `size / seconds`.
    """

    size: float
    seconds: float
    style: Style = "sliding"
    offset: float = 0.0
    held: float = 0.0
    _log: deque[tuple[float, float]] = field(default_factory=deque)
    _at: float = 0.0

    def advance(self, now: float) -> None:
        if self.style == "sliding":
            while self._log and self._log[0][0] <= now - self.seconds:
                self.held -= self._log.popleft()[1]
        elif self.style == "fixed":
            begun = (now + self.offset) // self.seconds
            if begun != self._at:
                self.held, self._at = 0.0, begun
        else:
            self.held = max(0.0, self.held - (now - self._at) * self.size / self.seconds)
            self._at = now

    def is_full(self, now: float, weight: float) -> bool:
        self.advance(now)
        return bool(self.size) and self.held + weight > self.size

    def take(self, now: float, weight: float) -> None:
        self.held += weight
        if self.style == "sliding":
            self._log.append((now, weight))
