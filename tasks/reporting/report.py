"""From the day's tables to its metrics and its report."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, tzinfo
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

import pyarrow as pa
from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from tasks.domain.days import days_before
from tasks.domain.errors import DayBusy, KefuError, NoTables, StoreError
from tasks.domain.layout import partition_key
from tasks.domain.ports import ObjectStore
from tasks.golden.nights import published_check
from tasks.golden.rules.drift import GoldenCheck
from tasks.reporting.aggregate import FIGURES_MEMORY, ask_for_days, ask_for_statistics, hold_runs
from tasks.reporting.index import keep_index
from tasks.reporting.queries import Warehouse, link_to_day, open_files, published_files
from tasks.reporting.rules.context import Context
from tasks.reporting.rules.dimensions import NO_ATTRIBUTES, AttributeDimensions
from tasks.reporting.rules.findings import past_days
from tasks.reporting.rules.pages.calendar import entry_of
from tasks.reporting.rules.pages.html import render_html
from tasks.reporting.rules.pages.markdown import render_markdown
from tasks.reporting.rules.reject_samples import reject_samples
from tasks.reporting.rules.reviewed import ReviewedSample
from tasks.reporting.rules.statistics import DayFigures, DayStatistics
from tasks.reporting.rules.stories.alerts import Fired
from tasks.reporting.story_day import ask_behind_the_bars, ask_for_stories, open_past, theme_names
from tasks.running.artifacts import show_markdown, show_table
from tasks.themes.assigner import open_assigner
from tasks.themes.proposals import accepted_themes
from tasks.themes.rules.taxonomy import Taxonomy
from tasks.themes.rules.theme_table import theme_table
from tasks.warehouse.day_lease import Patience, acquire_day
from tasks.warehouse.parquet import (
    file_batches,
    parquet_bytes,
    read_metrics,
    read_runs,
)
from tasks.warehouse.publish import DayTables
from tasks.warehouse.rules.day_tally import DayTally
from tasks.warehouse.rules.tables import RUNS

_MOST_DAY_REPORTS = 31

History = Mapping[date, pa.Table]

Reviews = Callable[[ObjectStore, date, date, Collection[str]], ReviewedSample | None]
"""Finds the reviews of the days from the first to the last, of what these models summarized."""


def no_reviews(store: ObjectStore, first: date, last: date, models: Collection[str]) -> ReviewedSample | None:
    """Find none."""
    return None


@task(name="aggregate-day", task_run_name="aggregate-{day}", cache_policy=NO_CACHE)
def aggregate_day(
    day: date,
    zone: tzinfo,
    summaries: Path,
    rejects: Path,
    runs: Sequence[Mapping[str, Any]],
    attributes: AttributeDimensions = NO_ATTRIBUTES,
) -> DayStatistics:
    """The day's figures, from its tables alone."""
    own = {"summaries": summaries, "rejects": rejects}
    with TemporaryDirectory(prefix="kefu-day-") as folder:
        files = {table: [link_to_day(path, table, day, Path(folder))] for table, path in own.items()}
        with open_files(files, FIGURES_MEMORY) as warehouse:
            hold_runs(warehouse, {day: runs})
            return ask_for_statistics(warehouse, day, day, zone, attributes)


def read_history(store: ObjectStore, first: date, last: date) -> History:
    """The metrics of the days that a span is compared with, by day; days without are left out."""
    tables = ((before, read_metrics(store, before)) for before in days_before(first, past_days(first, last)))
    return {before: table for before, table in tables if table is not None}


def day_files(
    day: date,
    tables: DayTables,
    statistics: DayStatistics,
    runs: Sequence[Mapping[str, Any]],
    context: Context,
    taxonomy: Taxonomy,
) -> list[tuple[str, Path | bytes]]:
    """Everything of a day to publish, by key, in the order to publish it: `runs` marks the day published."""
    return [
        *report_files(day, statistics, context),
        (partition_key("themes", day), parquet_bytes(theme_table(taxonomy))),
        (partition_key("rejects", day), tables.rejects),
        (partition_key("summaries", day), tables.summaries),
        (partition_key("runs", day), parquet_bytes(pa.Table.from_pylist(list(runs), schema=RUNS))),
    ]


def report_files(day: date, statistics: DayStatistics, context: Context) -> list[tuple[str, bytes]]:
    """The day's metrics table and both of its reports, by key."""
    return [
        (partition_key("metrics", day), parquet_bytes(statistics.metrics)),
        (partition_key("reports", day, "report.html"), render_html(statistics, context).encode()),
        (partition_key("reports", day, "report.md"), render_markdown(statistics, context).encode()),
    ]


@task(name="look-around", task_run_name="look-around-{first}-{last}", cache_policy=NO_CACHE)
def look_around(
    store: ObjectStore,
    first: date,
    last: date,
    statistics: DayStatistics,
    themes: str = "",
    own: Mapping[date, Path] | None = None,
    reviews: Reviews = no_reviews,
) -> Context:
    """Everything that a report shows beside the figures: past, stories, conversations behind the bars.

    Args:
        store: the warehouse, with the days before.
        first: the first day reported on.
        last: the last one.
        statistics: the figures of these days.
        themes: a shop's own taxonomy; empty for the default one.
        own: summaries that are not published yet, as local files by day.
        reviews: finds what people's reviews say of the report's models.
    """
    context = Context(
        history=read_history(store, first, last),
        theme_names=theme_names(themes),
        reviewed=_reviewed(store, statistics, reviews),
        golden=_golden(store, first, themes) if first == last else None,
    )
    try:
        with open_past(store, first, last, own or {}) as (warehouse, days):
            return replace(
                context,
                stories=ask_for_stories(warehouse, days, first, last, themes),
                conversations=ask_behind_the_bars(warehouse, statistics),
            )
    except Exception as error:  # a damaged table of last week must not hold back today's figures
        get_run_logger().warning(
            "The report of %s to %s tells no stories: %s. Figures and tables are complete.", first, last, error
        )
        return context


def _reviewed(store: ObjectStore, statistics: DayStatistics, reviews: Reviews) -> ReviewedSample | None:
    try:
        return reviews(store, statistics.start, statistics.end, [group.key for group in statistics.models])
    except (KefuError, OSError, ValueError, KeyError) as error:  # a damaged table must not hold back today's figures
        get_run_logger().warning("The report leaves people's reviews out: %s", error)
        return None


def _golden(store: ObjectStore, day: date, themes: str) -> GoldenCheck | None:
    try:
        return published_check(store, day, lambda: open_assigner(themes, accepted_themes(store)).assign)
    except (KefuError, OSError, ValueError, KeyError) as error:  # a damaged table must not hold back today's figures
        get_run_logger().warning("The report leaves the golden conversations out: %s", error)
        return None


def enter_into_calendar(
    store: ObjectStore, statistics: DayStatistics, context: Context, fired: Iterable[Fired] = ()
) -> None:
    """Keep reports/index.html; that it can't be kept is worth a warning, and no failure of what is published."""
    try:
        keep_index(store, entry_of(statistics, context.stories, fired))
    except (StoreError, ValueError, KeyError, TypeError) as error:
        get_run_logger().warning("reports/index.html is as it was: %s", error)


@task(name="show-report", task_run_name="show-report-{day}", cache_policy=NO_CACHE)
async def show_report(
    day: date | str, statistics: DayStatistics, context: Context, address: str, reports_url: str
) -> None:
    """Keep the report as an artifact of the run, with a link to the full one where a browser can open it."""
    link = report_link(address, reports_url)
    name = "完整报告 · the full report"
    # Artifacts stay in Prefect's database for good: conversations are for the warehouse alone.
    summary = render_markdown(statistics, context, with_conversations=False)
    await show_markdown(
        f"{f'[{name}]({link})' if link else name}  \n`{address}`\n\n{summary}\n",
        key=f"report-{day}",
        description=f"{day} 客服摘要报告",
    )


@task(name="show-rejects", task_run_name="show-rejects-{day}", cache_policy=NO_CACHE)
async def show_rejects(day: date, rejects: Path) -> None:
    """Keep a table of why conversations were rejected as an artifact of the run, if any were."""
    rows = await asyncio.to_thread(lambda: reject_samples(file_batches(rejects)))
    if rows:
        await show_table(rows, key=f"rejects-{day}", description=f"{day} 未能摘要的会话 · rejects")


def report_link(address: str, reports_url: str) -> str:
    """Return a report's page where reports are served; empty where they are not: no browser follows file:// or bos://.

    Args:
        address: the report's in the warehouse.
        reports_url: of the folder `reports/`, or empty.
    """
    return f"{reports_url.rstrip('/')}/{quote(address.rpartition('/reports/')[2])}" if reports_url else ""


def with_this_run(store: ObjectStore, tally: DayTally) -> list[dict[str, Any]]:
    """The rows of `runs` for the day, oldest first, this run's last."""
    before = [{**row, "last_of_day": False} for row in read_runs(store, tally.day)]
    return [*before, tally.row()]


@dataclass(frozen=True, slots=True)
class SpanStatistics:
    """The figures of a range.

    Args:
        whole: those of the range as one.
        figures: the few that its report shows of each day.
        days: all of each day's, where they were asked for.
        runs: the runs that made the tables, by day.
    """

    whole: DayStatistics
    figures: tuple[DayFigures, ...]
    days: dict[date, DayStatistics]
    runs: dict[date, list[dict[str, Any]]]


@task(name="aggregate-published", cache_policy=NO_CACHE)
def aggregate_published(
    store: ObjectStore,
    days: Sequence[date],
    zone: tzinfo,
    attributes: AttributeDimensions = NO_ATTRIBUTES,
    *,
    each_day: bool = True,
) -> SpanStatistics:
    """The figures of the days that are in the warehouse; each day's own too, in a range of a month at most.

    Raises:
        NoTables: none of them is.
    """
    files: dict[str, dict[date, list[str]]] = {table: {} for table in ("summaries", "rejects")}
    made_by: dict[date, list[dict[str, Any]]] = {}
    published: dict[date, DayStatistics] = {}
    with TemporaryDirectory(prefix="kefu-tables-") as folder, open_files({}, FIGURES_MEMORY) as warehouse:
        for day in days:
            found = {table: published_files(store, table, day, Path(folder)) for table in files}
            runs = read_runs(store, day)
            if not runs and not found["summaries"]:
                continue
            made_by[day] = runs  # none of tables that something else than the nightly wrote
            for table, paths in found.items():
                files[table][day] = paths
        if not made_by:
            raise NoTables(f"{store.uri} has no tables from {days[0]} to {days[-1]}: summarize those days first.")
        if days[0] == days[-1] or (each_day and len(days) <= _MOST_DAY_REPORTS):
            for day in made_by:
                _open(warehouse, files, made_by, [day])
                published[day] = ask_for_statistics(warehouse, day, day, zone, attributes)
        _open(warehouse, files, made_by, [*made_by])
        figures = ask_for_days(warehouse, days[0], days[-1])
        whole = published.get(days[0]) if days[0] == days[-1] else None
        whole = whole or ask_for_statistics(warehouse, days[0], days[-1], zone, attributes)
        return SpanStatistics(whole, figures, published, made_by)


def _open(
    warehouse: Warehouse,
    files: Mapping[str, Mapping[date, Sequence[str]]],
    runs: Mapping[date, Sequence[Mapping[str, Any]]],
    days: Sequence[date],
) -> None:
    for table, found in files.items():
        warehouse.point(table, [path for day in days for path in found[day]])
    hold_runs(warehouse, {day: runs[day] for day in days})


@task(name="publish-reports", cache_policy=NO_CACHE)
def publish_reports(
    store: ObjectStore,
    published: SpanStatistics,
    context: Context,
    run_id: str,
    themes: str = "",
    reviews: Reviews = no_reviews,
) -> str:
    """Replace each day's metrics and reports and the range's report; return the address of the last. A day has one.

    A day that another run works on, or has published since it was aggregated, is left to that run: it writes its own.
    In a range of more than a month the reports of its days stay as they are.
    """
    logger = get_run_logger()
    whole = published.whole
    for day, statistics in published.days.items():
        try:
            lease = acquire_day(store, day, run_id, Patience(0, logger.info))
        except DayBusy as busy:
            logger.warning("The report of %s is left to the run that works on it. %s", day, busy)
            continue
        try:
            if read_runs(store, day) == published.runs[day]:
                around = context
                if whole.start != whole.end:
                    around = look_around.fn(store, day, day, statistics, themes, reviews=reviews)
                for key, content in report_files(day, statistics, around):
                    store.write_path(key, content)
                enter_into_calendar(store, statistics, around)
        finally:
            lease.release()
    if whole.start == whole.end:
        return store.uri_of(partition_key("reports", whole.start, "report.html"))
    address = publish_span.fn(store, whole, context)
    enter_into_calendar(store, whole, context)
    return address


@task(name="publish-span", cache_policy=NO_CACHE)
def publish_span(store: ObjectStore, whole: DayStatistics, context: Context) -> str:
    """Replace a range's report, and return its address."""
    folder = f"reports/days={whole.start}_{whole.end}"
    store.write_path(f"{folder}/report.md", render_markdown(whole, context).encode())
    store.write_path(f"{folder}/report.html", render_html(whole, context).encode())
    return store.uri_of(f"{folder}/report.html")
