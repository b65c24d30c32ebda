"""Removing what a warehouse no longer needs."""

from collections import Counter
from datetime import datetime, timedelta
from functools import cache, partial

from tasks.domain.layout import PREFIXES
from tasks.domain.ports import ObjectStore
from tasks.warehouse.publish import is_published
from tasks.warehouse.rules.retention import Keep, is_expired


def expire(store: ObjectStore, keep: Keep, now: datetime) -> Counter[str]:
    """Remove what may go, and uploads that dead writers left; return how many of each kind went. Blocking.

    Args:
        store: the warehouse.
        keep: for how long what is kept.
        now: aware, in the time zone of the days.
    """
    removed: Counter[str] = Counter()
    published = cache(partial(is_published, store))
    for prefix in PREFIXES:
        for found in list(store.list_objects(prefix)):
            if is_expired(found, keep, now=now, is_published=published):
                store.delete(found.key)
                removed[prefix.strip("_/")] += 1
    if keep.staging_days:
        removed["uploads"] += store.abort_uploads(now - timedelta(days=keep.staging_days))
    return +removed
