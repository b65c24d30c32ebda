"""Backfills: the checks of their days, and the outcome of each."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from tasks.domain.days import days_between
from tasks.domain.errors import DaysFailed, TooManyRejects, UsageError
from tasks.warehouse.rules.day_tally import CEILING, DONE, DRY_RUN, LIMITED, TOO_MANY_REJECTS

LONGEST_UNCONFIRMED_DAYS: Final = 31

MOST_PARALLEL_DAYS: Final = 16

_WHYS_IN_A_MESSAGE: Final = 3

SKIPPED: Final = "complete already"

FAILED: Final = "failed"

NOT_YET: Final = "not yet"

REBUILT: Final = "report rebuilt"

WITHOUT_TABLES: Final = "no tables"

NOT_BEGUN: Final = "not begun"

# Settings that one backfill's days share, so that they differ from day to day.
CEILINGS: Final = frozenset({"max_cost", "max_tokens", "max_calls"})

COUNTED: Final = (
    "conversations",
    "summarized",
    "rejected",
    "reused",
    "calls",
    "retries",
    "prompt_tokens",
    "completion_tokens",
    "seconds",
)

_ENGINE_WORDS: Final = re.compile(r"^Flow run encountered an exception[^:]*: *(\w+: )?")

_COLUMNS: Final = {
    "日期 day": "day",
    "结果 status": "status",
    "原因 why": "why",  # can be long, and then it is what people read for
    "会话 conversations": "conversations",
    "摘要 summarized": "summarized",
    "拒绝 rejected": "rejected",
    "调用 calls": "calls",
    "报告 report": "report",
}

_SHOWN: Final = {
    DONE: "完成 done",
    SKIPPED: "此前已完成 complete already",
    TOO_MANY_REJECTS: "拒绝过多 too many rejects",
    LIMITED: "仅前若干条 limited",
    FAILED: "失败 failed",
    NOT_YET: "未完成 not yet",
    REBUILT: "报告已重建 report rebuilt",
    WITHOUT_TABLES: "没有数据表 no tables",
    CEILING: "达到上限 ceiling reached",
    NOT_BEGUN: "未开始 not begun",
    DRY_RUN: "试算 dry run",
}

_WORDS: Final = {
    DONE: "done",
    TOO_MANY_REJECTS: "done",
    LIMITED: "cut by --limit",
    REBUILT: "rebuilt",
    SKIPPED: "skipped",
    WITHOUT_TABLES: "without tables",
    CEILING: "at the ceiling",
    NOT_BEGUN: "not begun",
    DRY_RUN: "estimated",
    FAILED: "failed",
}

Outcome = dict[str, Any]


def days_asked_for(
    start: date,
    end: date,
    *,
    long_span_confirmed: bool,
    overwrite: bool = False,
    report_only: bool = False,
    max_parallel_days: int = 1,
) -> list[date]:
    """The days of a backfill, oldest first, if what was asked for makes sense.

    Raises:
        UsageError: it does not; the message has the reason and what to do.
    """
    days = days_between(start, end)
    if len(days) > LONGEST_UNCONFIRMED_DAYS and not long_span_confirmed:
        raise UsageError(
            f"{start} to {end} are {len(days)} days, more than {LONGEST_UNCONFIRMED_DAYS}: "
            "check the dates, and confirm the long span if you mean it."
        )
    if overwrite and report_only:
        raise UsageError("Overwrite summarizes the days anew and report only calls no model: choose one of the two.")
    if not 1 <= max_parallel_days <= MOST_PARALLEL_DAYS:
        raise UsageError(f"Days at once can be 1 to {MOST_PARALLEL_DAYS}, not {max_parallel_days}.")
    return days


def outcome(day: date, status: str) -> Outcome:
    """The outcome of a day with nothing to count."""
    return {"day": day.isoformat(), "status": status}


def failed(day: date, why: str) -> Outcome:
    """The outcome of a day that failed."""
    return {"day": day.isoformat(), "status": FAILED, "why": why}


def published(day: date, row: Mapping[str, Any], warehouse: str, report: str, why: str = "") -> Outcome:
    """The outcome of a published day: its row of `runs`, as `--json` prints it.

    Args:
        day: the day.
        row: its run's, from the table `runs`.
        warehouse: where its tables are.
        report: where its report is.
        why: the commonest reasons of its rejects, where there are too many.
    """
    counted = {name: row[name] for name in COUNTED}
    fields = {"day": day.isoformat(), "status": row["status"], **counted, "warehouse": warehouse, "report": report}
    return fields | ({"why": why} if why else {})


def why_of(state_message: str) -> str:
    """A failed run's reason: its error's message without the engine's words around it."""
    return _ENGINE_WORDS.sub("", state_message).strip() or "its run gives no reason"


def counts(outcomes: Sequence[Outcome]) -> str:
    """Format the numbers of days done, skipped and failed, short enough for the name of a run."""
    words = Counter(_WORDS[outcome["status"]] for outcome in outcomes)
    return ", ".join(f"{words[word]} {word}" for word in dict.fromkeys(_WORDS.values()) if words[word])


def table(days: Sequence[date], outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """One row a day for people to read, whatever its outcome; days that have not ended yet, too."""
    by_day = {outcome["day"]: outcome for outcome in outcomes}
    rows = []
    for day in days:
        shown = by_day.get(day.isoformat(), outcome(day, NOT_YET))
        shown = {**shown, "status": _SHOWN[shown["status"]]}
        rows.append({column: shown.get(name, "") for column, name in _COLUMNS.items()})
    return rows


def raise_if_any_failed(outcomes: list[Outcome]) -> list[Outcome]:
    """The outcomes, if every day of them is in order.

    Raises:
        DaysFailed: some days failed.
        TooManyRejects: all days are published, but too much of some was rejected.
    """
    bad = [outcome for outcome in outcomes if outcome["status"] == FAILED]
    if bad:
        with_why = len(bad) <= _WHYS_IN_A_MESSAGE
        named = [f"{outcome['day']} ({outcome['why'].rstrip('.')})" if with_why else outcome["day"] for outcome in bad]
        raise DaysFailed(
            f"{len(bad)} of {len(outcomes)} days failed: {', '.join(named)}. Run the same again to do only those.",
            outcomes,
        )
    poor = [outcome for outcome in outcomes if outcome["status"] == TOO_MANY_REJECTS]
    if poor:
        with_why = len(poor) <= _WHYS_IN_A_MESSAGE
        named = [
            f"{outcome['day']} ({why})" if with_why and (why := outcome.get("why")) else outcome["day"]
            for outcome in poor
        ]
        raise TooManyRejects(
            f"Too many conversations were rejected on {', '.join(named)}. The tables are published and say why each "
            "was; mend the cause and run the same again: those days are not complete.",
            outcomes,
        )
    return outcomes
