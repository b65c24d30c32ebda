"""Themes assigned anew to days that are published: their summaries, metrics and reports, without a model call."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from pathlib import Path

import pyarrow as pa
from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from tasks.domain.errors import DayBusy
from tasks.domain.layout import partition_key
from tasks.domain.ports import ObjectStore
from tasks.reporting.report import Reviews, aggregate_day, look_around, no_reviews, report_files
from tasks.reporting.rules.dimensions import AttributeDimensions
from tasks.themes.rules.assigning import Assigner
from tasks.themes.rules.theme_table import theme_table
from tasks.warehouse.day_lease import Patience, acquire_day
from tasks.warehouse.parquet import open_table, parquet_bytes, read_runs
from tasks.warehouse.publish import publish_day, write_parquet
from tasks.warehouse.rules.tables import RUNS, SUMMARIES, AssignThemes, complete_batch, republished, with_themes

_ROWS_AT_A_TIME = 2_000


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """Everything that a day's report is made by, besides its tables.

    Args:
        zone: of the people who read it.
        attributes: that metrics are broken down by.
        themes: a shop's own taxonomy; empty for the default one.
        reviews: finds what people's reviews say of the day's models.
    """

    zone: tzinfo
    attributes: AttributeDimensions
    themes: str = ""
    reviews: Reviews = no_reviews


@task(name="restate-day", task_run_name="restate-{day}", cache_policy=NO_CACHE)
def restate_day(
    store: ObjectStore, day: date, run_id: str, scratch: Path, assigner: Assigner, options: ReportOptions
) -> bool:
    """Replace a day's themes and what is drawn from them.

    Returns:
        True when the day was replaced, False where it has no tables or another run works on it.
    """
    logger = get_run_logger()
    runs = read_runs(store, day)
    if not runs:
        return False
    try:
        lease = acquire_day(store, day, run_id, Patience(0, logger.info))
    except DayBusy as busy:
        logger.warning("The themes of %s are left as they are. %s", day, busy)
        return False
    try:
        runs = read_runs(store, day)
        summaries, rejects = scratch / f"{day}.summaries.parquet", scratch / f"{day}.rejects.parquet"
        write_parquet(summaries, SUMMARIES, _restated(store, day, assigner.assign))
        rejects.write_bytes(store.read_path(partition_key("rejects", day)))
        statistics = aggregate_day.fn(day, options.zone, summaries, rejects, runs, options.attributes)
        around = look_around.fn(store, day, day, statistics, options.themes, {day: summaries}, options.reviews)
        files: list[tuple[str, Path | bytes]] = [
            *report_files(day, statistics, around),
            (partition_key("themes", day), parquet_bytes(theme_table(assigner.taxonomy))),
            (partition_key("summaries", day), summaries),
            (
                partition_key("runs", day),
                parquet_bytes(pa.Table.from_pylist(republished(runs, datetime.now(UTC)), schema=RUNS)),
            ),
        ]
        publish_day.fn(store, day, lease, files)
    finally:
        lease.release()
    return True


def _restated(store: ObjectStore, day: date, assign: AssignThemes) -> Iterator[pa.RecordBatch]:
    with open_table(store, partition_key("summaries", day)) as table:
        for batch in table.iter_batches(_ROWS_AT_A_TIME, use_threads=False):
            yield with_themes(complete_batch(batch, SUMMARIES), assign)
