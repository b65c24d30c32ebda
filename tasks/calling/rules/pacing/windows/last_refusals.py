"""Last refusals: what they show of the quota, in each window that a service may count in.

A window that refuses is full. So whatever window the service counts in, it was full at every refusal, and what it held
then is its quota, give or take what the log doesn't know. A window that was emptier at one refusal than at its quota is
not the one that the service counts in, or the quota is lower.

One refusal says little while nobody knows what the calls before it weighed. Some seconds later, when they are answered,
eight of them show a quota of fifty calls to half a percent.
"""

import math
from collections import deque
from collections.abc import Iterable
from typing import Final

from tasks.calling.rules.pacing.windows.sent_history import SentCalls, SentHistory
from tasks.calling.rules.pacing.windows.sliding_window import Entry, SlidingLog

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
        self._known_until = 0
        self.is_news = False
        self.in_a_row = 0

    def add(self, refused: Entry, next_sequence: int) -> None:
        """Remember one more.

        It `is_news` unless it was sent before another one was known. News are `in_a_row` where no call sent between
        them was taken: refusals come at once, in the order of sending.

        Args:
            refused: the call.
            next_sequence: the first one that a call not let through yet can get.
        """
        assert refused.sent_at is not None
        self._entries.append((refused.sent_at, refused))
        self.is_news = refused.sequence > self._known_until
        if self.is_news:
            self.in_a_row = self.in_a_row + 1 if refused.sequence == self._known_until + 1 else 1
            self._known_until = next_sequence - 1

    def rates(self, windows: Iterable[float], doubt: float) -> tuple[dict[float, float], dict[float, float]]:
        """Return what the service takes a second if it counts in a window: likely, and at most.

        Args:
            windows: those to look at, in seconds.
            doubt: the relative error of a weight that no reply has shown yet.
        """
        windows = tuple(windows)
        likely, most = dict.fromkeys(windows, math.inf), dict.fromkeys(windows, math.inf)
        calls, last = SentCalls(self._log), max(at for at, _ in self._entries)
        for at, entry in self._entries:
            history = SentHistory(calls, entry, self._by_tokens)
            for seconds in windows:
                if last - at + seconds <= self._memory:
                    likely[seconds] = min(likely[seconds], history.likely(seconds) / seconds)
                    most[seconds] = min(most[seconds], history.at_most(seconds, doubt) / seconds)
        return likely, most

    def quota(self, seconds: float, doubt: float, now: float) -> float:
        """Return what a window of so many seconds holds by the mean of all refusals.

        One refusal shows it within the weight of a call. Those whose calls are answered count more: what others held is
        in doubt, and probably more than was thought, or they would not have been refused.
        """
        calls = SentCalls(self._log)
        known = [entry for at, entry in self._entries if now - at + seconds <= self._memory]
        histories = [SentHistory(calls, entry, self._by_tokens) for entry in known or [self._entries[-1][1]]]
        certain = [1 / history.variance(seconds, doubt) for history in histories]
        likely = [history.barely_full(seconds, doubt) for history in histories]
        return sum(weight * held for weight, held in zip(certain, likely, strict=True)) / sum(certain)

    def weigh(self, seconds: float, limit: float, doubt: float, now: float) -> None:
        """Let the calls before the last refusal fill the limit: those without a reply weigh more than was thought.

        Each takes of what is missing as much as its own weight is in doubt, until its reply shows the truth.
        """
        history = SentHistory(SentCalls(self._log), self._entries[-1][1], self._by_tokens)
        unsure = [(sent_at, tokens, entry) for sent_at, tokens, entry in history.sent(seconds) if not entry.ended]
        missing = limit - history.likely(seconds) - sum(entry.heavier for _, _, entry in unsure)
        by_square = max(missing, 0.0) * doubt * doubt / history.variance(seconds, doubt)
        for sent_at, tokens, entry in unsure:
            more = round(by_square * tokens * tokens)
            self._log.change(sent_at, more, now)
            entry.heavier += more
