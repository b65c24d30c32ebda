"""From published tables to a sample that people review, and from their sheet to labels."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import blake2b
from typing import Any, Final

import pyarrow as pa
from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.calling.rules.offline.summary import OFFLINE_MODEL, summarize_offline
from tasks.domain.errors import NoTables, ObjectMissing, UsageError
from tasks.domain.layout import partition_key, sample_key
from tasks.domain.ports import ObjectStore
from tasks.domain.records import Conversation, Fields, Request
from tasks.parsing.answers import parse_answer
from tasks.reviewing.label_store import load_hashes, store_labels
from tasks.reviewing.rules.labels import LabelOrigin, label_row, labeled_request
from tasks.reviewing.rules.review_sheet import NUMBER, Review, RowError, read_reviews, sample_of
from tasks.reviewing.rules.sampling import Candidate, Draw
from tasks.reviewing.sheets import Cells
from tasks.warehouse.parquet import parquet_bytes, read_batches, read_table
from tasks.warehouse.rules.tables import SAMPLES, SUMMARIES

_COLUMNS = [
    "conversation_id",
    "content_hash",
    "issue",
    "plan",
    "accepted",
    "negative_sentiment",
    "truncated",
    "model",
    "prompt_version",
    "suspicious",
    "contradicted",
]


@task(name="offer-days", cache_policy=NO_CACHE)
def offer_days(warehouse: ObjectStore, days: Sequence[date], size: int, seed: int) -> Draw:
    """A draw that has seen every summary of the days, but for those that have a label.

    Raises:
        NoTables: none of the days has summaries.
    """
    draw = Draw(size, seed, load_hashes(warehouse, days))
    seen = 0
    for day in days:
        try:
            for batch in read_batches(warehouse, partition_key("summaries", day), SUMMARIES, _COLUMNS):
                for row in batch.to_pylist():
                    draw.offer(day, row)
                    seen += 1
        except ObjectMissing:
            continue
    if not seen:
        raise NoTables(f"{warehouse.uri} has no summaries from {days[0]} to {days[-1]}: summarize those days first.")
    return draw


@dataclass(frozen=True, slots=True)
class Sample:
    """A sample: `rows` are of SAMPLES, and their numbers begin with its id."""

    sample_id: str
    rows: Sequence[Mapping[str, Any]]


_SAMPLES_LIMIT: Final = 100  # each is looked up in the warehouse


@task(name="draw-sample", cache_policy=NO_CACHE)
def draw_sample(
    draw: Draw,
    conversations: Iterable[tuple[date, str, Conversation]],
    prepare: Callable[[Conversation], Request],
) -> Sample:
    """The sample, with its dialogues from the logs.

    Args:
        draw: has seen the tables.
        conversations: those that the draw's candidates name, by day and id.
        prepare: masks a conversation and makes it short enough.

    Raises:
        UsageError: nothing is left to label.
    """
    candidates = {(candidate.day, candidate.row["conversation_id"]): candidate for candidate in draw.candidates()}
    requests: dict[str, Request] = {}
    disagreeing: set[str] = set()
    for day, name, conversation in conversations:
        candidate = candidates[day, name]
        request = prepare(conversation)
        if request.content_hash != candidate.row["content_hash"]:
            continue  # the log has changed since
        requests[request.content_hash] = request
        if _rules_disagree(candidate, request):
            disagreeing.add(request.content_hash)
    chosen = draw.sample(requests, disagreeing)
    if not chosen:
        raise UsageError(
            "There is nothing to review: every summary has a label already, or the logs of those days are gone "
            "(--source)."
        )
    names = "".join(sorted(candidate.row["content_hash"] for _, candidate in chosen))
    sample_id = f"S{blake2b(names.encode(), digest_size=5).hexdigest().upper()}"
    rows = [
        {
            **candidate.row,
            "number": f"{sample_id}-{number:04}",
            "day": candidate.day,
            "stratum": stratum,
            "text": requests[candidate.row["content_hash"]].text,
            "truncated": requests[candidate.row["content_hash"]].truncated,
        }
        # Mixed, so that nobody knows by the place what kind of row it is.
        for number, (stratum, candidate) in enumerate(sorted(chosen, key=lambda drawn: drawn[1].rank), 1)
    ]
    return Sample(sample_id, rows)


def store_sample(warehouse: ObjectStore, sample: Sample) -> None:
    """Keep what the import needs to know of a sample."""
    table = pa.Table.from_pylist(list(sample.rows), schema=SAMPLES)
    warehouse.write_path(sample_key(sample.sample_id), parquet_bytes(table))


@dataclass(frozen=True, slots=True)
class Imported:
    """Counts of a sheet's rows. `changed` of the `reviewed` ones were not known already."""

    reviewed: int
    changed: int
    not_reviewed: int
    refusals: Sequence[RowError]


@task(name="store-reviews", cache_policy=NO_CACHE)
def store_reviews(warehouse: ObjectStore, sheet: Sequence[tuple[int, Cells]], now: datetime) -> Imported:
    """Make labels of a filled-in sheet's rows; those that do not fit are refused, the others are kept.

    Raises:
        UsageError: no sample that the sheet's numbers name is in the warehouse, or they name too many to look up.
    """
    sample: dict[str, Mapping[str, Any]] = {}
    ids = sorted({sample_of(cells[NUMBER].strip()) for _, cells in sheet})
    if len(ids) > _SAMPLES_LIMIT:
        raise UsageError(f"The sheet names {len(ids):,} samples: import at most {_SAMPLES_LIMIT} at a time.")
    for sample_id in ids:
        sample |= {row["number"]: row for row in _load_sample(warehouse, sample_id)}
    if not sample:
        raise UsageError(f"None of the samples that the sheet names ({', '.join(ids)[:80]}) is in {warehouse.uri}.")
    outcomes = list(read_reviews(sheet, sample))
    reviews = [outcome for outcome in outcomes if isinstance(outcome, Review)]
    by_day: dict[date, list[dict[str, Any]]] = {}
    for review in reviews:
        by_day.setdefault(review.sampled["day"], []).append(_label_of(review, now))
    return Imported(
        reviewed=len(reviews),
        changed=sum(store_labels(warehouse, day, rows) for day, rows in sorted(by_day.items())),
        not_reviewed=outcomes.count(None),
        refusals=[outcome for outcome in outcomes if isinstance(outcome, RowError)],
    )


def _rules_disagree(candidate: Candidate, request: Request) -> bool:
    if candidate.row["model"] == OFFLINE_MODEL:
        return False
    fields = parse_answer(summarize_offline(request.turns))
    return isinstance(fields, Fields) and candidate.disagrees(fields)


def _label_of(review: Review, now: datetime) -> dict[str, Any]:
    sampled = review.sampled
    return label_row(
        labeled_request(sampled, ""),
        review.label,
        LabelOrigin(
            reviewer=review.reviewer,
            note=review.note,
            sample_id=sample_of(sampled["number"]),
            stratum=sampled["stratum"],
            model=sampled["model"],
            prompt_version=sampled["prompt_version"],
            labeled_at=now,
        ),
    )


def _load_sample(warehouse: ObjectStore, sample_id: str) -> list[dict[str, Any]]:
    if not sample_id.isascii() or not sample_id.isalnum():
        return []
    try:
        rows: list[dict[str, Any]] = read_table(warehouse, sample_key(sample_id), SAMPLES).to_pylist()
    except ObjectMissing:
        return []
    return rows
