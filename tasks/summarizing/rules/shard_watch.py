"""Shard watch: the signs of life of a day's shards, and the verdict on each attempt."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Literal

from tasks.domain.shards import Shard
from tasks.warehouse.rules.lease import TIME_TO_LIVE_SECONDS

MOST_ATTEMPTS: Final = 3

# A worker that has taken a shard begins it within this time.
STARTING_SECONDS: Final = 300.0

# When no worker takes any of what is left for so long, waiting is no use.
STALLED_SECONDS: Final = 300.0

_ENDED = frozenset({"COMPLETED", "FAILED", "CRASHED", "CANCELLED"})

_WAITING = frozenset({"SCHEDULED"})

ShardStatus = Literal["done", "wait", "lost"]


@dataclass(slots=True, eq=False)
class ShardWatch:
    """The latest signs of one shard's current attempt, and the time of the last change (seconds that never go back)."""

    shard: Shard
    since: float
    attempt: int = 1
    _seen: tuple[str, str] = field(default=("", ""))

    def status(self, now: float, *, state: str, lease: str, done: bool) -> ShardStatus:
        """Return the attempt's status.

        Args:
            now: on the same clock as `since`.
            state: of its flow run, as far as anybody knows; Prefect's words.
            lease: differs from check to check while the shard lives, and is empty before it has begun.
            done: its mark of completion exists.
        """
        if done:
            return "done"
        if (state, lease) != self._seen:
            self._seen, self.since = (state, lease), now
        timeout = TIME_TO_LIVE_SECONDS if lease else STARTING_SECONDS
        if state in _ENDED or (state not in _WAITING and now - self.since >= timeout):
            return "lost"
        return "wait"

    def next_attempt(self, now: float) -> bool:
        """Begin the next attempt; False when there have been enough."""
        if self.attempt == MOST_ATTEMPTS:
            return False
        self.attempt, self.since, self._seen = self.attempt + 1, now, ("", "")
        return True


def stalled(watches: Iterable[ShardWatch], now: float) -> bool:
    """Return true if no shard has shown a sign of life for too long."""
    return all(now - watch.since >= STALLED_SECONDS for watch in watches)
