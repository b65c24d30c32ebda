"""Last refusals: what they show of the quota, in each window that a service may count in.

A window that refuses is full. So whatever window the service counts in, it was full at every refusal, and what it held
then is its quota, give or take what the log doesn't know. A window that was emptier at one refusal than at its quota is
not the one that the service counts in, or the quota is lower.
"""

import math
from collections import deque
from collections.abc import Iterable
from typing import Final

from tasks.calling.rules.pacing.sent_history import SentHistory
from tasks.calling.rules.pacing.sliding_window import Entry, SlidingLog

_REMEMBERED: Final = 8


class LastRefusals:
    """The calls that were refused lately.

    Args:
        log: of the calls that count, true weights known once they are answered.
        memory_seconds: how long calls stay known in it.
        by_tokens: the quota counts tokens, not calls.
    """

    def __init__(self, log: SlidingLog, memory_seconds: float, by_tokens: bool) -> None:
        self._log = log
        self._memory = memory_seconds
        self._by_tokens = by_tokens
        self._entries = deque[tuple[float, Entry]](maxlen=_REMEMBERED)

    def add(self, refused: Entry) -> None:
        """Remember one more."""
        assert refused.sent_at is not None
        self._entries.append((refused.sent_at, refused))

    def rates(self, windows: Iterable[float], doubt: float) -> tuple[dict[float, float], dict[float, float]]:
        """Return what the service takes a second if it counts in a window: likely, and at most.

        Args:
            windows: those to look at, in seconds.
            doubt: the relative error of a weight that no reply has shown yet.
        """
        windows = tuple(windows)
        likely, most = dict.fromkeys(windows, math.inf), dict.fromkeys(windows, math.inf)
        last = max(at for at, _ in self._entries)
        for at, entry in self._entries:
            history = SentHistory(self._log, entry, self._by_tokens)
            for seconds in windows:
                if last - at + seconds <= self._memory:
                    likely[seconds] = min(likely[seconds], history.likely(seconds) / seconds)
                    most[seconds] = min(most[seconds], history.at_most(seconds, doubt) / seconds)
        return likely, most
