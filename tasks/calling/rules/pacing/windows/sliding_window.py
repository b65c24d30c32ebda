"""Sliding log: the calls that one window of a quota holds, with running sums, in amortized constant time."""

import math
from collections import deque
from typing import Final

# Arrivals are not departures: a call may be this much faster on its way than the one it replaces.
SLACK_SECONDS: Final = 0.05

_SLACK_SHARE: Final = 0.005

_LEAST_SLACK_SECONDS: Final = 0.025


class Entry:
    """One call that was let through: its weight, and what each log held as it was sent.

    `…_inside` is what the service held before it; `…_reached` what the log held with it, slack included. `heavier` is
    what it weighs more than its `tokens`, as a refusal showed before its reply.
    """

    __slots__ = (
        "accepted",
        "calls_inside",
        "calls_reached",
        "counts",
        "ended",
        "estimate",
        "flight_inside",
        "flight_reached",
        "heavier",
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
        self.heavier = 0
        self.flight_reached = flight_reached
        self.sent_at: float | None = None
        self.sequence = 0
        self.counts = True
        self.ended = self.accepted = False
        self.calls_inside = self.calls_reached = 0
        self.queries_inside = self.queries_reached = 0
        self.tokens_inside = self.tokens_reached = 0
        self.flight_inside = 0


class SlidingLog:
    """Calls sent within the last `seconds`, in order, and for `slack` longer.

    `held` includes the slack and decides what may still go; `inside` leaves it out and is what the service holds.
    Calls that have left stay known for `memory_seconds`, so that a longer window can be tried again.

    Args:
        seconds: the window.
        slack: how much longer a call counts here than at the service.
        by_tokens: sum tokens instead of calls.
        memory_seconds: how long calls stay known; no shorter than the window.
    """

    __slots__ = ("_by_tokens", "_fresh", "_late", "_memory", "_past", "held", "inside", "seconds", "slack")

    def __init__(self, seconds: float, slack: float, by_tokens: bool = False, memory_seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.slack = slack
        self._by_tokens = by_tokens
        self._memory = memory_seconds
        self._fresh: deque[tuple[float, Entry]] = deque()
        self._late: deque[tuple[float, Entry]] = deque()
        self._past: deque[tuple[float, Entry]] = deque()
        self.held = self.inside = 0

    def __len__(self) -> int:
        return len(self._fresh) + len(self._late)

    def advance(self, now: float) -> None:
        """Let go of what has left the window."""
        fresh, late, past, seconds, slack = self._fresh, self._late, self._past, self.seconds, self.slack
        # Added up as in `next_departure`, to the last bit: a call that waits until then finds the other one gone.
        while fresh and fresh[0][0] + seconds <= now:
            item = fresh.popleft()
            if item[1].counts:
                self.inside -= self._weight(item[1])
                late.append(item)
        while late and (late[0][0] + seconds + slack <= now or not late[0][1].counts):
            item = late.popleft()
            if item[1].counts:
                self.held -= self._weight(item[1])
                if self._memory > seconds:
                    past.append(item)
        while past and past[0][0] + self._memory <= now:
            past.popleft()

    def add(self, entry: Entry, now: float) -> None:
        """Log a call sent now."""
        weight = self._weight(entry)
        self._fresh.append((now, entry))
        self.held += weight
        self.inside += weight

    def change(self, sent_at: float, delta: int, now: float) -> None:
        """Correct the sums by what is now known of a call sent at `sent_at`, if it is still in the log."""
        self.advance(now)
        leaves = sent_at + self.seconds
        if leaves + self.slack > now:
            self.held += delta
            if leaves > now:
                self.inside += delta

    def resize(self, seconds: float, slack: float, now: float) -> None:
        """Count in another window from now on."""
        known = [item for item in (*self._past, *self._late, *self._fresh) if item[1].counts]
        self.seconds, self.slack = seconds, slack
        self._fresh, self._late, self._past = deque(known), deque(), deque()
        self.held = self.inside = sum(self._weight(entry) for _, entry in known)
        self.advance(now)

    def sent(self) -> list[tuple[float, int, Entry]]:
        """Everything still known that counts: send time, weight by its estimate or reply, call; oldest first."""
        known = (*self._past, *self._late, *self._fresh)
        return [(at, entry.tokens if self._by_tokens else 1, entry) for at, entry in known if entry.counts]

    def next_departure(self) -> float:
        """The time at which the oldest call leaves; infinity when the log is empty."""
        oldest = self._late or self._fresh
        return oldest[0][0] + self.seconds + self.slack if oldest else math.inf

    def _weight(self, entry: Entry) -> int:
        return entry.tokens + entry.heavier if self._by_tokens else 1


def slack_of(seconds: float) -> float:
    """The slack of a window: from 10 s on 50 ms, less in short ones, where it is lost quota."""
    return min(SLACK_SECONDS, max(_LEAST_SLACK_SECONDS, _SLACK_SHARE * seconds))
