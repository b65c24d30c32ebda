"""Figures that an analyst asks of views.sql, beside the report's."""

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from tasks.clients.folder_store import FolderStore
from tasks.domain.layout import partition_key
from tasks.reporting.macros import metrics_macro
from tasks.reporting.rules.dimensions import AttributeDimensions
from tasks.warehouse.catalog import write_catalog
from tasks.warehouse.rules.tables import RUNS
from tests.builders.day_statistics import DAY, statistics_of
from tests.builders.summary_days import rejects, run, summaries


def test_metrics_of_a_day_are_those_of_its_report_but_for_words(tmp_path):
    rows, lost, made = summaries(400), rejects(20), run(calls=7)
    tables = {
        "summaries": pa.Table.from_batches([rows]),
        "rejects": pa.Table.from_batches([lost]),
        "runs": pa.Table.from_pylist([made], schema=RUNS),
    }
    for name, table in tables.items():
        path = tmp_path / partition_key(name, DAY)
        path.parent.mkdir(parents=True)
        pq.write_table(table, path)
    views, _ = write_catalog(FolderStore(tmp_path), macros=metrics_macro())
    shops = AttributeDimensions(("shop",), 10)
    report = statistics_of(rows, rejects=[lost], runs=[made], attributes=shops).metrics.to_pylist()
    question = f"FROM metrics_of(DATE '{DAY}', DATE '{DAY}', with_attributes := ['shop'])"
    with duckdb.connect() as connection:
        connection.execute(Path(views).read_text(encoding="utf-8"))
        asked = [
            dict(zip(("metric", "dimension", "value_key", "value", "numerator", "denominator"), row, strict=True))
            for row in connection.execute(question).fetchall()
        ]
    assert asked == [row for row in report if not row["dimension"].endswith("_word")]
    assert {row["value"] for row in asked if row["metric"] == "calls"} == {7}
