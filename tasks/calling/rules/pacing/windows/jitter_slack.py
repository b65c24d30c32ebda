"""Jitter slack: how much longer a call counts in a log than at the service, since calls overtake each other."""

import math
from typing import Final

from tasks.calling.rules.pacing.windows.sliding_window import SlidingLog, slack_of

_WIDER: Final = 1.4

_WIDEST: Final = 3.0

_PEACE_SECONDS: Final = 30.0


class JitterSlack:
    """The slack of a log: wider where a full log is refused all the same, and back again after a while in peace."""

    __slots__ = ("_ease_at", "_log")

    def __init__(self, log: SlidingLog) -> None:
        self._log = log
        self._ease_at = math.inf

    def restart(self, seconds: float, now: float) -> None:
        """Count in another window, with its least slack."""
        self._log.resize(seconds, slack_of(seconds), now)
        self._ease_at = math.inf

    def widen(self, now: float, is_once: bool) -> bool:
        """Widen it, up to three times its least or only `is_once`; return False where it is that wide already."""
        least = slack_of(self._log.seconds)
        if self._log.slack >= least * (_WIDER if is_once else _WIDEST):
            return False
        self._set(min(self._log.slack * _WIDER, _WIDEST * least), now)
        return True

    def ease(self, now: float) -> None:
        """A call was taken: narrow it, if it is time to."""
        if now >= self._ease_at:
            self._set(max(self._log.slack / _WIDER, slack_of(self._log.seconds)), now)

    def _set(self, slack: float, now: float) -> None:
        self._log.resize(self._log.seconds, slack, now)
        self._ease_at = now + _PEACE_SECONDS if slack > slack_of(self._log.seconds) else math.inf
