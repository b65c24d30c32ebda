"""Sliding window."""

import math
from collections import deque
from typing import Final

# Arrivals are not departures: a call may be this much faster on its way than the one it replaces.
SLACK_SECONDS: Final = 0.05


class Entry:
    """One call that was let through: what it weighs, and what the log held as it was sent."""

    __slots__ = (
        "calls_inside",
        "calls_reached",
        "counts",
        "ended",
        "estimate",
        "flight_inside",
        "flight_reached",
        "queries_inside",
        "queries_reached",
        "sent_at",
        "sequence",
        "tokens",
        "tokens_inside",
        "tokens_reached",
    )

    def __init__(self, estimate: int, tokens: int, flight_reached: int) -> None:
        self.estimate = estimate
        self.tokens = tokens
        self.flight_reached = flight_reached
        self.sent_at: float | None = None
        self.sequence = 0
        self.counts = True
        self.ended = False
        self.calls_inside = self.calls_reached = 0
        self.queries_inside = self.queries_reached = 0
        self.tokens_inside = self.tokens_reached = 0
        self.flight_inside = 0


class SlidingLog:
    """Calls sent within the last `seconds`, in order, and for `slack` longer, with running sums.

    `calls` and `tokens` include the slack and say what may still go; `calls_inside` and `tokens_inside`
    leave it out and say what the service holds.
    """

    __slots__ = (
        "_fresh",
        "_late",
        "_seconds",
        "_slack",
        "calls",
        "calls_inside",
        "tokens",
        "tokens_inside",
    )

    def __init__(self, seconds: float, slack: float) -> None:
        self._seconds = seconds
        self._slack = slack
        self._fresh: deque[tuple[float, Entry]] = deque()
        self._late: deque[tuple[float, Entry]] = deque()
        self.calls = self.calls_inside = 0
        self.tokens = self.tokens_inside = 0

    def advance(self, now: float) -> None:
        """Let go of what has left the window. Amortized constant time."""
        fresh, late, seconds, slack = self._fresh, self._late, self._seconds, self._slack
        # Added up as in `next_departure`, to the last bit: a call that waits until then finds the other one gone.
        while fresh and fresh[0][0] + seconds <= now:
            item = fresh.popleft()
            if item[1].counts:
                self.calls_inside -= 1
                self.tokens_inside -= item[1].tokens
                late.append(item)
        while late and (late[0][0] + seconds + slack <= now or not late[0][1].counts):
            entry = late.popleft()[1]
            if entry.counts:
                self.calls -= 1
                self.tokens -= entry.tokens

    def add(self, entry: Entry, now: float) -> None:
        """Log a call sent now."""
        self._fresh.append((now, entry))
        self.calls += 1
        self.calls_inside += 1
        self.tokens += entry.tokens
        self.tokens_inside += entry.tokens

    def change(self, sent_at: float, calls: int, tokens: int, now: float) -> None:
        """Correct the sums by what is now known of a call sent at `sent_at`, if it is still in the log."""
        self.advance(now)
        leaves = sent_at + self._seconds
        if leaves + self._slack > now:
            self.calls += calls
            self.tokens += tokens
            if leaves > now:
                self.calls_inside += calls
                self.tokens_inside += tokens

    def next_departure(self) -> float:
        """When the oldest call leaves; infinity when the log is empty."""
        oldest = self._late or self._fresh
        return oldest[0][0] + self._seconds + self._slack if oldest else math.inf
