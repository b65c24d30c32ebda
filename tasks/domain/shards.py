"""A day divided among workers: who answers which request, and what the run that holds the day believes of each shard.

A shard only fills the day's answer log. The run that holds the day reads everything again, finds those answers and asks
for what is missing, so that nothing about a shard has to be believed for the tables to be right.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Literal

from tasks.domain.leases import TIME_TO_LIVE_SECONDS

MOST_ATTEMPTS: Final = 3
# A worker that has taken a shard begins it within this time.
STARTING_SECONDS: Final = 300.0
# When no worker takes any of what is left for so long, waiting is no use.
STALLED_SECONDS: Final = 300.0

_ENDED = frozenset({"COMPLETED", "FAILED", "CRASHED", "CANCELLED"})
_WAITING = frozenset({"SCHEDULED"})

Fate = Literal["done", "wait", "lost"]


@dataclass(frozen=True, slots=True)
class Shard:
    """One part of a day; `run_id` is the run that holds the day."""

    day: date
    number: int
    of: int
    run_id: str

    def holds(self, request_hash: str) -> bool:
        """Whether a request belongs to it. It goes by what is asked: twins are in one shard, which asks once."""
        return int(request_hash[:8], 16) % self.of == self.number

    @property
    def name(self) -> str:
        """What tells it from the day's other shards, however many there are."""
        return f"shard-{self.number:03}-of-{self.of:03}"

    @property
    def lease_key(self) -> str:
        """Where its lease lies, so that no two workers are at it; it names the run that holds the day."""
        return f"{shard_leases_prefix(self.day)}{self.name}.json"

    @property
    def mark_key(self) -> str:
        """Where it says that it is done, once all its answers are stored."""
        return f"_staging/shards/day={self.day.isoformat()}/{self.run_id}/{self.name}.json"


def shard_leases_prefix(day: date) -> str:
    """Where the leases of a day's shards lie."""
    return f"_staging/leases/day={day.isoformat()}.shards/"


@dataclass(slots=True, eq=False)
class ShardWatch:
    """What is known of one shard's current attempt, and since when (seconds that never go back)."""

    shard: Shard
    since: float
    attempt: int = 1
    _seen: tuple[str, str] = field(default=("", ""))

    def fate(self, now: float, *, state: str, lease: str, done: bool) -> Fate:
        """What became of it.

        Args:
            now: on the same clock as `since`.
            state: of its flow run, as far as anybody knows; Prefect's words.
            lease: differs from look to look while the shard lives, and is empty before it has begun.
            done: it has said so.
        """
        if done:
            return "done"
        if (state, lease) != self._seen:
            self._seen, self.since = (state, lease), now
        patience = TIME_TO_LIVE_SECONDS if lease else STARTING_SECONDS
        if state in _ENDED or (state not in _WAITING and now - self.since >= patience):
            return "lost"
        return "wait"

    def again(self, now: float) -> bool:
        """Begin the next attempt; False when there have been enough."""
        if self.attempt == MOST_ATTEMPTS:
            return False
        self.attempt, self.since, self._seen = self.attempt + 1, now, ("", "")
        return True


def stalled(watches: Iterable[ShardWatch], now: float) -> bool:
    """Whether nothing has been heard of any shard for too long."""
    return all(now - watch.since >= STALLED_SECONDS for watch in watches)
