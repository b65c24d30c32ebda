"""Published summaries beside their labels: the reviews of some days, and the verdicts of all their summaries."""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from tasks.domain.errors import ObjectMissing, UsageError
from tasks.domain.layout import partition_key
from tasks.domain.ports import ObjectStore
from tasks.reviewing.label_store import labeled_days, load_label_rows
from tasks.warehouse.parquet import open_table

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

    days: list[date] = field(default_factory=list)
    reviews: list[PublishedReview] = field(default_factory=list)
    verdicts: dict[str, Counter[bool | None]] = field(default_factory=lambda: {name: Counter() for name in _FLAGS})


def load_published_reviews(
    warehouse: ObjectStore,
    start: date | None = None,
    end: date | None = None,
    models: Collection[str] | None = None,
) -> PublishedReviews:
    """Join the labels of the days with what was published of the same conversations. No model is called.

    Args:
        warehouse: holds summaries and labels.
        start: the first day; left out, the oldest that has labels.
        end: the last day, itself included; left out, the newest that has labels.
        models: only what these summarized; left out, what any did.

    Raises:
        UsageError: there are no labels in those days.
    """
    days = [day for day, _ in labeled_days(warehouse) if (not start or start <= day) and (not end or day <= end)]
    if not days:
        raise UsageError(
            f"There are no labels of those days in {warehouse.uri_of('labels')}: have a sample reviewed first "
            "(flows.sample_for_review, flows.import_reviews)."
        )
    found = PublishedReviews(days=days)
    for day in days:
        labels = {row["content_hash"]: row for row in load_label_rows(warehouse, day)}
        hashes = pa.array(list(labels), pa.string())
        for batch in _summaries(warehouse, day, models):
            for name in _FLAGS:
                for counted in pc.value_counts(batch[name]).to_pylist():
                    found.verdicts[name][counted["values"]] += counted["counts"]
            for row in batch.filter(pc.is_in(batch["content_hash"], hashes)).to_pylist():
                label = labels.pop(row["content_hash"], None)
                if label is not None:
                    found.reviews.append(PublishedReview(row, label))
    return found


def _summaries(warehouse: ObjectStore, day: date, models: Collection[str] | None) -> Iterator[pa.RecordBatch]:
    try:
        with open_table(warehouse, partition_key("summaries", day)) as table:
            for batch in table.iter_batches(_ROWS_AT_A_TIME, columns=list(_COLUMNS)):
                wanted = None if models is None else pc.is_in(batch["model"], pa.array(list(models), pa.string()))
                yield batch if wanted is None else batch.filter(wanted)
    except ObjectMissing:
        return
