"""Day tally."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from typing import Any, Final

from tasks.domain.errors import TooManyRejects
from tasks.warehouse.rules.tables import RUNS

CEILING: Final = "ceiling_reached"


@dataclass(frozen=True, slots=True)
class DayTally:
    """What one run did to one day. Times are UTC; `cost` is in the currency of the prices set."""

    day: date
    run_id: str
    started_at: datetime
    finished_at: datetime
    summarized: int
    rejected: int
    reused: int
    calls: int
    retries: int
    quota_refusals: int
    prompt_tokens: int
    completion_tokens: int
    cost: float
    requests_per_minute: int | None
    summarizer: str
    model: str
    prompt_version: str
    log_objects: int
    version: str
    warehouse: str
    report: str
    status: str = "done"
    masked: Mapping[str, int] = field(default_factory=dict)
    cached_tokens: int = 0
    model_options: str = ""

    @property
    def conversations(self) -> int:
        """Everything that was read."""
        return self.summarized + self.rejected

    @property
    def seconds(self) -> float:
        """How long the run took until its tables were ready."""
        return round((self.finished_at - self.started_at).total_seconds(), 3)

    @property
    def quota_use(self) -> float | None:
        """The part of the configured requests a minute that was used; None where none is configured."""
        if not self.requests_per_minute or not self.seconds:
            return None
        return round(self.calls / (self.requests_per_minute * self.seconds / 60), 4)

    def row(self) -> dict[str, Any]:
        """The row of the `runs` table."""
        values = asdict(self) | {
            "conversations": self.conversations,
            "seconds": self.seconds,
            "quota_use": self.quota_use,
            "masked": sorted(self.masked.items()),
        }
        return {name: values[name] for name in RUNS.names}

    def as_json(self) -> dict[str, Any]:
        """The object that `--json` prints."""
        return {
            "day": self.day.isoformat(),
            "status": self.status,
            "conversations": self.conversations,
            "summarized": self.summarized,
            "rejected": self.rejected,
            "reused": self.reused,
            "calls": self.calls,
            "retries": self.retries,
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "seconds": self.seconds,
            "warehouse": self.warehouse,
            "report": self.report,
        }

    def raise_if_too_many_rejects(self, max_reject_ratio: float, rejects: Iterable[tuple[str, int]]) -> "DayTally":
        """The tally, once its tables are published and if enough of the day is in them.

        Args:
            max_reject_ratio: the share of rejects that is allowed.
            rejects: their number by reason.

        Raises:
            TooManyRejects: the share of rejects is over the limit.
        """
        if self.rejected > max_reject_ratio * self.conversations:
            tally = replace(self, status="too_many_rejects")
            why = ", ".join(f"{count} {reason}" for reason, count in rejects)
            raise TooManyRejects(
                f"{self.day}: {self.rejected} of {self.conversations} conversations were rejected ({why}), more "
                f"than {max_reject_ratio:.0%} (--max-reject-ratio). The tables are published; "
                f"{self.warehouse}/rejects/day={self.day} says why each was.",
                tally,
            )
        return self
