"""Usage of the runs behind a report, and the logs that they could not read."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from tasks.reporting.rules.statistics import RunUsage

_SUMS: Final = (
    "calls",
    "retries",
    "quota_refusals",
    "reused",
    "log_objects",
    "prompt_tokens",
    "completion_tokens",
    "seconds",
    "cost",
)

_OF_THE_LOGS: Final = ("unread_files", "unread_conversations", "outside_day")


def usage_of(runs: Sequence[Mapping[str, Any]], newest: Sequence[Mapping[str, Any]]) -> RunUsage:
    """Add up what runs took; of the logs count what the newest runs, one a day, did not read.

    Args:
        runs: rows of RUNS as mappings. Keys may be missing.
        newest: those that made the tables.
    """

    def distinct(name: str) -> tuple[str, ...]:
        return tuple(sorted({str(row[name]) for row in runs if row.get(name)}))

    sums = {name: _sum(row.get(name) for row in runs) for name in _SUMS}
    of_the_logs = {name: sum(row.get(name) or 0 for row in newest) for name in _OF_THE_LOGS}
    finished = [row["finished_at"] for row in runs if row.get("finished_at")]
    used = [(row["quota_use"], row["seconds"]) for row in runs if row.get("quota_use") and row.get("seconds")]
    return RunUsage(
        runs=distinct("run_id"),
        versions=distinct("version"),
        finished_at=max(finished, default=None),
        logs_incomplete=bool(newest) and newest[-1].get("logs_complete") is False,
        quota_use=sum(use * seconds for use, seconds in used) / sum(seconds for _, seconds in used) if used else None,
        currency=currencies[0] if len(currencies := distinct("currency")) == 1 else "",
        **sums,
        **of_the_logs,
    )


def _sum(values: Iterable[Any]) -> Any:
    """The sum of the numbers there are; None when there are none."""
    known = [value for value in values if value is not None]
    return sum(known) if known else None
