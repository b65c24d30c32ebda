"""Published summaries beside their labels: the reviews of some days, and the verdicts of all their summaries."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

import pyarrow.parquet as pq

from tasks.domain.errors import ObjectMissing, UsageError
from tasks.domain.layout import partition_key
from tasks.domain.ports import ObjectStore
from tasks.reviewing.label_store import labeled_days, load_label_rows

_ROWS_AT_A_TIME: Final = 5_000

_FLAGS: Final = ("accepted", "negative_sentiment")

_COLUMNS: Final = ("content_hash", "issue", "plan", *_FLAGS, "model", "prompt_version")


@dataclass(frozen=True, slots=True)
class PublishedReview:
    """A published row and the label that a person gave the same conversation; both by column."""

    published: dict[str, Any]
    label: dict[str, Any]


@dataclass(frozen=True, slots=True)
class PublishedReviews:
    """The reviews of some days, and how many of all their summaries have each verdict, by field."""

    reviews: list[PublishedReview] = field(default_factory=list)
    verdicts: dict[str, Counter[bool | None]] = field(default_factory=lambda: {name: Counter() for name in _FLAGS})


def load_published_reviews(
    warehouse: ObjectStore, start: date | None = None, end: date | None = None
) -> PublishedReviews:
    """Join the labels of the days with what was published of the same conversations. No model is called.

    Args:
        warehouse: holds summaries and labels.
        start: the first day; left out, the oldest that has labels.
        end: the last day, itself included; left out, the newest that has labels.

    Raises:
        UsageError: there are no labels in those days.
    """
    days = [day for day, _ in labeled_days(warehouse) if (not start or start <= day) and (not end or day <= end)]
    if not days:
        raise UsageError(
            f"There are no labels of those days in {warehouse.uri_of('labels')}: have a sample reviewed first "
            "(flows.sample_for_review, flows.import_reviews)."
        )
    found = PublishedReviews()
    for day in days:
        labels = {row["content_hash"]: row for row in load_label_rows(warehouse, day)}
        for row in _summaries(warehouse, day):
            for name in _FLAGS:
                found.verdicts[name][row[name]] += 1
            label = labels.pop(row["content_hash"], None)
            if label is not None:
                found.reviews.append(PublishedReview(row, label))
    return found


def _summaries(warehouse: ObjectStore, day: date) -> Iterator[dict[str, Any]]:
    try:
        file = warehouse.open_object(partition_key("summaries", day))
    except ObjectMissing:
        return
    with file, pq.ParquetFile(file) as table:
        for batch in table.iter_batches(_ROWS_AT_A_TIME, columns=list(_COLUMNS)):
            yield from batch.to_pylist()
