"""Objects of a warehouse that may go after a while: by table and, if set, by the kind of text in them."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from tasks.domain.layout import DAY_OF_KEY, OTHER_ANSWERS, PAID, STAGING, TABLES, TEXTS
from tasks.domain.ports import StoredObject

_ANY_DAY: Final = re.compile(r"day=(\d{4}-\d\d-\d\d)/")


@dataclass(frozen=True, slots=True)
class Keep:
    """For how many days what is kept, 0 for ever: by its day, staging by its last change, answers by both.

    Answers to evaluations, shadows and questions go by their last change: no night needs them.

    `texts` are whole dialogues (labels, samples and their sheets) and what candidates wrote of them (shadows,
    evaluations, comparisons); those whose key names no day go by their last change.
    """

    answers_days: int = 0
    reports_days: int = 0
    staging_days: int = 7
    tables_days: int = 0
    texts_days: int = 0


def is_expired(found: StoredObject, keep: Keep, *, now: datetime, is_published: Callable[[date], bool]) -> bool:
    """Return true if an object may be removed.

    Args:
        found: an object of a warehouse.
        keep: for how long what is kept.
        now: aware, in the time zone of the days.
        is_published: whether a day is published; of one that is not, the answers are all there is.
    """
    named = DAY_OF_KEY.match(found.key)
    day = date.fromisoformat(named[1]) if named else None
    if found.key.startswith(STAGING):
        old = bool(keep.staging_days) and now - found.modified > timedelta(days=keep.staging_days)
    elif OTHER_ANSWERS.match(found.key):
        return bool(keep.answers_days) and now - found.modified > timedelta(days=keep.answers_days)
    elif found.key.startswith((*TABLES, *TEXTS)):
        days = keep.tables_days if found.key.startswith(TABLES) else keep.texts_days
        dated = _ANY_DAY.search(found.key)
        aged = now.date() - date.fromisoformat(dated[1]) if dated else now - found.modified
        return bool(days) and aged > timedelta(days=days)
    elif day is not None:
        paid = found.key.startswith("_answers/")
        days = keep.answers_days if paid else keep.reports_days
        old = bool(days) and (now.date() - day).days > days
        if paid:  # nor what was bought lately for an old day: its tables may still be the ones from before
            old = old and now - found.modified > timedelta(days=days)
    else:
        old = False
    return old and (not found.key.startswith(PAID) or (day is not None and is_published(day)))
