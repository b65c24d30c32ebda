"""Tallies of runs."""

from dataclasses import fields
from datetime import UTC, date, datetime
from typing import Any

from tasks.warehouse.rules.day_tally import DONE, DayTally

_VALUES: dict[object, Any] = {date: date(2026, 11, 22), datetime: datetime(2026, 11, 23, tzinfo=UTC), str: "x"}


def tally(summarized: int, rejected: int, **others: Any) -> DayTally:
    """Return a tally with these counts; other fields are zero, or `others`."""
    known: dict[str, Any] = {"summarized": summarized, "rejected": rejected, "status": DONE, "masked": {}} | others
    values: dict[str, Any] = {
        column.name: known.get(column.name, _VALUES.get(column.type, 0)) for column in fields(DayTally)
    }
    return DayTally(**values)
