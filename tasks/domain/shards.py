"""A day divided among workers: who answers which request, and what the run that holds the day believes of each shard.

A shard only fills the day's answer log. The run that holds the day reads everything again, finds those answers and asks
for what is missing, so that nothing about a shard has to be believed for the tables to be right.
"""

from dataclasses import dataclass
from datetime import date

from tasks.domain.layout import shard_leases_prefix


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
