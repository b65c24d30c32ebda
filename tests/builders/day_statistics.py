"""Figures of invented days, asked of tables in memory as they are asked of files."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from tasks.reporting.aggregate import WORD_SAMPLE, ask_for_statistics, hold_runs
from tasks.reporting.queries import Warehouse, open_files
from tasks.reporting.rules.dimensions import NO_ATTRIBUTES, AttributeDimensions
from tasks.reporting.rules.statistics import DayFigures, DayStatistics
from tasks.warehouse.rules.tables import REJECTS, SUMMARIES
from tests.builders.summary_days import run

DAY = date(2026, 11, 22)
SHANGHAI = ZoneInfo("Asia/Shanghai")

# To open DuckDB takes 25 ms, as long as many a question.
_stays_open = ExitStack()
_kept: list[Warehouse] = []


def statistics_of_days(
    summaries: Mapping[date, Iterable[pa.RecordBatch]],
    rejects: Mapping[date, Iterable[pa.RecordBatch]] | None = None,
    runs: Mapping[date, Sequence[Mapping[str, Any]]] | None = None,
    *,
    zone: ZoneInfo = SHANGHAI,
    attributes: AttributeDimensions = NO_ATTRIBUTES,
    word_sample: int = WORD_SAMPLE,
) -> DayStatistics:
    """Return the figures of all the days together; without `runs` one usual run made each."""
    days = [*summaries]
    with tables_of_days(summaries, rejects or {}) as warehouse:
        hold_runs(warehouse, {day: [run()] for day in days} if runs is None else runs)
        return ask_for_statistics(warehouse, min(days), max(days), zone, attributes, word_sample)


@contextmanager
def tables_of_days(
    summaries: Mapping[date, Iterable[pa.RecordBatch]], rejects: Mapping[date, Iterable[pa.RecordBatch]]
) -> Iterator[Warehouse]:
    """Open days in memory as a warehouse, one after the other: what is held is replaced by the next."""
    with ExitStack() as stack:
        warehouse = _kept.pop() if _kept else _stays_open.enter_context(open_files({}))
        stack.callback(_kept.append, warehouse)
        warehouse.hold("summaries", _by_day(summaries, SUMMARIES))
        warehouse.hold("rejects", _by_day(rejects, REJECTS))
        yield warehouse


def figures_of(statistics: DayStatistics) -> DayFigures:
    """Return those of a day's figures that a span's report shows."""
    made_by = frozenset(group.key for group in (*statistics.models, *statistics.prompt_versions))
    return DayFigures(statistics.start, statistics.outcomes, statistics.rejected, made_by)


def statistics_of(
    *summaries: pa.RecordBatch,
    rejects: Iterable[pa.RecordBatch] = (),
    runs: Sequence[Mapping[str, Any]] | None = None,
    day: date = DAY,
    **kind: Any,
) -> DayStatistics:
    """Return the figures of one day."""
    return statistics_of_days({day: summaries}, {day: rejects}, None if runs is None else {day: runs}, **kind)


def _by_day(batches: Mapping[date, Iterable[pa.RecordBatch]], schema: pa.Schema) -> pa.Table:
    made = [
        pa.Table.from_batches([batch]).append_column("day", pa.array([day] * batch.num_rows, pa.date32()))
        for day, several in batches.items()
        for batch in several
    ]
    return (
        pa.concat_tables(made, promote_options="default")
        if made
        else schema.append(pa.field("day", pa.date32())).empty_table()
    )
