"""Uncertainty of published conversations, by which a sample's strata are weighted back."""

from collections.abc import Iterable
from contextlib import suppress
from datetime import date

from tasks.domain.errors import ObjectMissing
from tasks.domain.layout import partition_key
from tasks.domain.ports import ObjectStore
from tasks.reviewing.rules.sampling import Candidate
from tasks.warehouse.parquet import open_table

_COLUMNS = ["content_hash", "truncated", "issue", "plan", "accepted", "negative_sentiment"]


def published_uncertainty(warehouse: ObjectStore, days: Iterable[date]) -> dict[str, bool]:
    """For each published conversation of the days, by content hash: its summary leaves something open."""
    found: dict[str, bool] = {}
    for day in sorted(days):
        with suppress(ObjectMissing), open_table(warehouse, partition_key("summaries", day)) as table:
            for batch in table.iter_batches(columns=_COLUMNS):
                found |= {row["content_hash"]: Candidate(b"", day, row).uncertain for row in batch.to_pylist()}
    return found
