"""What of a warehouse may go after a while. Tables never do."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from tasks.domain.layout import _DAY, _PAID, _STAGING
from tasks.domain.ports import StoredObject


@dataclass(frozen=True, slots=True)
class Keep:
    """For how many days what is kept, 0 for ever: reports by their day, staging by its last change, answers by both."""

    answers_days: int = 0
    reports_days: int = 0
    staging_days: int = 7


def is_expired(found: StoredObject, keep: Keep, *, now: datetime, is_complete: Callable[[date], bool]) -> bool:
    """Whether an object may go.

    Args:
        found: an object of a warehouse.
        keep: for how long what is kept.
        now: aware, in the time zone of the days.
        is_complete: whether a day is published; of one that is not, the answers are all there is.
    """
    named = _DAY.match(found.key)
    day = date.fromisoformat(named[1]) if named else None
    if found.key.startswith(_STAGING):
        old = bool(keep.staging_days) and now - found.modified > timedelta(days=keep.staging_days)
    elif day is not None:
        paid = found.key.startswith("_answers/")
        days = keep.answers_days if paid else keep.reports_days
        old = bool(days) and (now.date() - day).days > days
        if paid:  # nor what was bought lately for an old day: its tables may still be the ones from before
            old = old and now - found.modified > timedelta(days=days)
    else:
        old = False
    return old and (not found.key.startswith(_PAID) or (day is not None and is_complete(day)))
