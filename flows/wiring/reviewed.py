"""People's reviews of the model that a report is about."""

from collections.abc import Collection
from datetime import date, timedelta
from typing import Final

from tasks.domain.errors import UsageError
from tasks.domain.ports import ObjectStore
from tasks.reporting.rules.reviewed import ReviewedSample, reviewed_sample
from tasks.reviewing.published import load_published_reviews
from tasks.reviewing.rules.sampling import RANDOM

_FLAGS: Final = ("accepted", "negative_sentiment")

_DAYS: Final = 28


def reviewed_by_people(
    warehouse: ObjectStore, first: date, last: date, models: Collection[str]
) -> ReviewedSample | None:
    """Judge the random reviews of the days reported on, and of four weeks at least up to them; None without any.

    Args:
        warehouse: holds summaries and labels.
        first: the first day reported on.
        last: the last one.
        models: those whose summaries the report shows.
    """
    start = min(first, last - timedelta(days=_DAYS - 1))
    try:
        found = load_published_reviews(warehouse, start, last, models)
    except UsageError:  # nobody has reviewed anything yet
        return None
    at_random = [review for review in found.reviews if review.label["stratum"] == RANDOM]
    if not at_random:
        return None
    verdicts = {name: [(review.published[name], review.label[name]) for review in at_random] for name in _FLAGS}
    return reviewed_sample(found.days[0], found.days[-1], verdicts, found.verdicts)
