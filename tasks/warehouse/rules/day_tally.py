"""The tally of one run on one day, and the checks before it may be published."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from typing import Any, Final

from tasks.domain.errors import DayShrank, TooManyRejects
from tasks.warehouse.rules.tables import RUNS

DONE: Final = "done"

TOO_MANY_REJECTS: Final = "too_many_rejects"

LIMITED: Final = "limited"

CEILING: Final = "ceiling_reached"

USELESS: Final = "answers_useless"

CHANGED: Final = "answers_changed"

DRY_RUN: Final = "dry_run"

_REASONS_NAMED: Final = 3


def makes_complete(row: Mapping[str, Any]) -> bool:
    """Return true where a row of `runs` made its day complete: a run that is done, with at least one summary.

    Rows from before there was a status have none; what they published counts.
    """
    return row["status"] in (None, DONE) and bool(row["summarized"])


def name_reasons(rejects: Iterable[tuple[str, int]]) -> str:
    """Format the three commonest reasons of rejects, and how many have others; reasons come the commonest first."""
    named = list(rejects)
    words = [f"{count} {reason}" for reason, count in named[:_REASONS_NAMED]]
    if rest := sum(count for _, count in named[_REASONS_NAMED:]):
        words.append(f"{rest} for other reasons")
    return ", ".join(words)


@dataclass(frozen=True, slots=True)
class DayTally:
    """The tally of one run on one day. Times are UTC; `cost` is in the currency of the prices set.

    `unread_rejects` of the rejects stand for a row or a file that could not be read, in which about
    `unread_conversations` are lost. `outside_day` conversations of the logs began on other days and were left out.
    `golden_calls` and `golden_cost` are the part of `calls` and `cost` that golden conversations took.
    """

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
    summarizer: str
    model: str
    prompt_version: str
    log_objects: int
    version: str
    warehouse: str
    report: str
    status: str = DONE
    masked: Mapping[str, int] = field(default_factory=dict)
    estimated_tokens: int | None = None
    estimated_cost: float | None = None
    estimated_minutes: float | None = None
    cached_tokens: int = 0
    model_options: str = ""
    unread_rejects: int = 0
    unread_files: int = 0
    unread_conversations: int = 0
    outside_day: int = 0
    logs_complete: bool | None = None
    logs_fingerprint: str | None = None
    log_bytes: int | None = None
    currency: str = ""
    quota_use: float | None = None
    golden_calls: int = 0
    golden_cost: float = 0.0

    @property
    def conversations(self) -> int:
        """Everything that was read."""
        return self.summarized + self.rejected

    @property
    def lost(self) -> int:
        """About how many conversations are not in the summaries: rejects, and what is lost in what can't be read."""
        return self.rejected - self.unread_rejects + self.unread_conversations

    @property
    def seconds(self) -> float:
        """Seconds from the run's start until its tables were ready."""
        return round((self.finished_at - self.started_at).total_seconds(), 3)

    def row(self) -> dict[str, Any]:
        """The row of the `runs` table."""
        values = asdict(self) | {
            "conversations": self.conversations,
            "seconds": self.seconds,
            "masked": sorted(self.masked.items()),
            "published_at": self.finished_at,
            "last_of_day": True,
        }
        return {name: values[name] for name in RUNS.names}

    def as_json(self) -> dict[str, Any]:
        """The object that `--json` prints."""
        estimates = ("estimated_tokens", "estimated_cost", "estimated_minutes", "currency")
        estimated = {name: getattr(self, name) for name in estimates} if self.status == DRY_RUN else {}
        return estimated | {
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

    def judged(self, max_reject_ratio: float, limit: int) -> "DayTally":
        """Return the tally with the status that its run is stored and published with.

        Args:
            max_reject_ratio: the share of rejects that is allowed.
            limit: the most conversations that were read; 0 for all.
        """
        if self.lost > max_reject_ratio * (self.summarized + self.lost):
            return replace(self, status=TOO_MANY_REJECTS)
        return replace(self, status=LIMITED if limit and self.conversations >= limit else DONE)

    def raise_if_too_many_rejects(self, max_reject_ratio: float, rejects: Iterable[tuple[str, int]]) -> "DayTally":
        """Return the tally, once its tables are published and if enough of the day is in them.

        Args:
            max_reject_ratio: the share of rejects that is allowed.
            rejects: their number by reason, the commonest first.

        Raises:
            TooManyRejects: the tally was judged to have too many.
        """
        if self.status == TOO_MANY_REJECTS:
            about = "about " if self.unread_conversations else ""
            raise TooManyRejects(
                f"{self.day}: {about}{self.lost} of {self.summarized + self.lost} conversations were rejected "
                f"({name_reasons(rejects)}"
                f"{self._unread_clause()}), more than {max_reject_ratio:.0%} (--max-reject-ratio). The tables are "
                "published; "
                f"{self.warehouse}/rejects/day={self.day} says why each was.",
                self,
            )
        return self

    def raise_if_it_lost_most(self, published: Iterable[Mapping[str, Any]], *, allowed: bool) -> None:
        """Refuse to replace a day by one that holds less than half of it.

        Args:
            published: the day's rows of the `runs` table.
            allowed: a person has confirmed it.

        Raises:
            DayShrank: the day that is published is more than twice as large.
        """
        before = max(published, key=lambda row: row["finished_at"], default=None)
        if allowed or before is None or self.summarized * 2 >= before["summarized"]:
            return
        raise DayShrank(
            f"{self.day}: {self.summarized} conversations can be summarized, and {before['summarized']} are published "
            f"for it ({self.rejected} rejects{self._unread_clause()}). Nothing was changed: check whether the export "
            "is whole. If it is right, --allow-shrink publishes the smaller day."
        )

    @property
    def unread(self) -> str:
        """The input that could not be read, in words; empty where everything could."""
        if not self.unread_files:
            return ""
        files = f"{self.unread_files} files" if self.unread_files > 1 else "a file"
        return f"about {self.unread_conversations} conversations are in {files} that can't be read"

    def _unread_clause(self) -> str:
        return f"; {self.unread}" if self.unread else ""
