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
        """Return true if a request belongs to the shard. Equal requests share a hash, so a shard sends them once."""
        return int(request_hash[:8], 16) % self.of == self.number

    @property
    def name(self) -> str:
        """A name that is unique among all shards of the day, however many there are."""
        return f"shard-{self.number:03}-of-{self.of:03}"

    @property
    def lease_key(self) -> str:
        """The key of its lease, which keeps a second worker out and names the run that holds the day."""
        return f"{shard_leases_prefix(self.day)}{self.name}.json"

    @property
    def mark_key(self) -> str:
        """The key of its mark of completion, written once all its answers are stored."""
        return f"_staging/shards/day={self.day.isoformat()}/{self.run_id}/{self.name}.json"
