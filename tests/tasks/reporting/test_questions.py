"""The questions that analysts ask by the files in tasks/reporting/sql, beside pandas and Polars on the same tables."""

from datetime import date, timedelta
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasks.clients.folder_store import FolderStore
from tasks.domain.layout import partition_key
from tasks.reporting.queries import open_files, read_question
from tasks.warehouse.catalog import compact_month, month_key, write_catalog
from tasks.warehouse.rules.dictionary import ABOUT, COLUMNS, describe
from tasks.warehouse.rules.tables import RUNS, SUMMARIES
from tasks.warehouse.rules.views import TABLES, view_sql
from tests.benchmarks.months import simulate_month, write_month
from tests.builders.questions import QUESTIONS
from tests.builders.tallies import tally
from tests.conftest import ROOT

FIRST = date(2026, 11, 1)


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory) -> Path:
    """Of ten days: the first three in an older schema, one conversation in two days."""
    folder: Path = tmp_path_factory.mktemp("warehouse")
    month = simulate_month(3, days=26, per_day=120)
    for day in list(month.days)[10:]:
        del month.days[day]
    month.days[FIRST + timedelta(days=5)].append(dict(month.days[FIRST + timedelta(days=4)][0]))
    write_month(month, folder)
    for number in range(3):
        path = folder / f"summaries/day={FIRST + timedelta(days=number)}/summaries.parquet"
        pq.write_table(pq.read_table(path, partitioning=None).drop_columns(["theme", "plan_theme"]), path)
    return folder


def ask(warehouse: Path, question: str) -> pd.DataFrame:
    files = {table: [str(path) for path in warehouse.glob(f"{table}/*/*.parquet")] for table in TABLES}
    with open_files(files) as tables:
        answer: pd.DataFrame = tables.ask(question).to_pandas()
        return answer


def by_pandas(warehouse: Path) -> pd.DataFrame:
    return pd.read_parquet(warehouse / "summaries", schema=SUMMARIES.append(pa.field("day", pa.string())))


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_question_is_answered_on_two_schema_versions(warehouse, question):
    answer = ask(warehouse, question)
    assert len(answer.columns) >= 3
    assert question == "missing_and_why" or len(answer)
    assert read_question(question).startswith("-- ")


def test_the_warehouse_s_document_lists_every_question():
    text = (ROOT / "tasks" / "warehouse" / "README.md").read_text(encoding="utf-8")
    assert [question for question in QUESTIONS if f"`{question}.sql`" not in text] == []


def test_outcomes_by_day_are_pandas_and_polars(warehouse):
    answer = ask(warehouse, "outcomes_by_day")
    frame = by_pandas(warehouse)
    days = frame.groupby("day", observed=True)
    assert answer["conversations"].tolist() == days.size().tolist()
    accepted = (frame["accepted"] == True).groupby(frame["day"], observed=True).mean()  # noqa: E712
    assert answer["accepted"].tolist() == pytest.approx(accepted.tolist())
    lazy = pl.scan_parquet(
        str(warehouse / "summaries/*/*.parquet"),
        hive_partitioning=True,
        missing_columns="insert",
        extra_columns="ignore",
    )
    negative = lazy.group_by("day").agg(pl.col("negative_sentiment").fill_null(False).mean()).sort("day").collect()
    assert answer["negative"].tolist() == pytest.approx(negative["negative_sentiment"].to_list())


def test_outcomes_by_agent_read_the_attributes(warehouse):
    answer = ask(warehouse, "outcomes_by_agent")
    agents = by_pandas(warehouse)["attributes"].map(lambda pairs: dict(pairs)["agent"]).value_counts()
    assert dict(zip(answer["agent"], answer["conversations"], strict=True)) == agents.to_dict()


def test_runs_of_an_older_version_say_which_is_the_last_of_its_day(tmp_path):
    run = tally(9, 1, logs_complete=None, logs_fingerprint=None).row() | {"published_at": None}
    again = {**run, "run_id": "again", "finished_at": run["finished_at"] + timedelta(hours=1)}
    older = pa.Table.from_pylist([again, run], schema=RUNS).drop_columns(["published_at", "last_of_day"])
    newer = pa.Table.from_pylist([{**run, "published_at": again["finished_at"], "last_of_day": True}], schema=RUNS)
    for day, table in ((FIRST, older), (FIRST + timedelta(days=1), newer)):
        path = tmp_path / partition_key("runs", day)
        path.parent.mkdir(parents=True)
        pq.write_table(table, path)
    with duckdb.connect() as connection:
        connection.execute(view_sql("runs", [str(tmp_path / "runs/*/*.parquet")]))
        rows = connection.sql(
            "FROM runs SELECT run_id, last_of_day, published_at - finished_at ORDER BY day, 2"
        ).fetchall()
    an_hour = timedelta(hours=1)
    assert rows == [(run["run_id"], False, 0 * an_hour), ("again", True, 0 * an_hour), (run["run_id"], True, an_hour)]
    assert ask(tmp_path, "cost_by_day")["conversations"].tolist() == [run["conversations"]] * 2


def test_conversations_in_two_days_are_found(warehouse):
    (row,) = ask(warehouse, "conversations_in_two_days").to_dict("records")
    assert (row["last_day"] - row["first_day"]).days == 1


def test_views_of_the_catalog_answer_the_same(warehouse, tmp_path):
    store = FolderStore(warehouse)
    days = [FIRST + timedelta(days=number) for number in range(30)]
    made = compact_month(store, "summaries", days, tmp_path)
    assert made is not None
    assert (made.key, made.days) == (month_key("summaries", "2026-11"), 10)
    views, dictionary = write_catalog(store)
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(Path(views).read_text(encoding="utf-8"))
        asked = connection.execute(read_question("outcomes_by_day")).fetchall()
        assert [row[1] for row in asked] == ask(warehouse, "outcomes_by_day")["conversations"].tolist()
        by_month = read_question("outcomes_by_day").replace("FROM summaries", "FROM summaries_months")
        assert connection.execute(by_month).fetchall() == asked
        assert connection.execute("SELECT typeof(day) FROM summaries LIMIT 1").fetchone() == ("DATE",)
        assert connection.execute("SELECT count(*) FROM summaries_months").fetchone() == (made.rows,)
    text = Path(dictionary).read_text(encoding="utf-8")
    assert all(f"`{name}`" in text for schema in TABLES.values() for name in schema.names)
    schema = pq.read_schema(warehouse / made.key)
    assert schema.field("accepted").metadata[b"description"].decode() == describe("summaries", "accepted")


def test_views_of_a_folder_are_read_from_any_other(warehouse, tmp_path, monkeypatch):
    monkeypatch.chdir(warehouse.parent)
    views, _ = write_catalog(FolderStore(Path(warehouse.name)))
    statements = Path(views).read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with duckdb.connect() as connection:
        connection.execute(statements)
        assert connection.execute("SELECT count(DISTINCT day) FROM summaries").fetchone() == (10,)


def test_the_catalog_has_a_view_of_every_table_with_its_columns(tmp_path):
    views, _ = write_catalog(FolderStore(tmp_path))
    with duckdb.connect() as connection:
        connection.execute(Path(views).read_text(encoding="utf-8"))
        for table, schema in TABLES.items():
            assert connection.sql(f"FROM {table}").columns == [*schema.names, "day"]


def test_compacting_again_replaces_the_month_and_nothing_else(warehouse, tmp_path):
    store = FolderStore(warehouse)
    before = {path: path.read_bytes() for path in warehouse.glob("summaries/*/*.parquet")}
    first = compact_month(store, "summaries", [FIRST], tmp_path)
    assert first is not None
    assert first.days == 1
    again = compact_month(store, "summaries", [FIRST, FIRST + timedelta(days=1)], tmp_path)
    assert again is not None
    assert pq.read_metadata(warehouse / again.key).num_rows == again.rows
    assert {path: path.read_bytes() for path in before} == before
    assert compact_month(store, "summaries", [date(2020, 1, 1)], tmp_path) is None


def test_the_dictionary_describes_every_column():
    assert list(ABOUT) == list(COLUMNS) == list(TABLES)
    for table, schema in TABLES.items():
        assert [name for name in schema.names if not describe(table, name)] == []
        assert set(COLUMNS[table]) == set(schema.names)


def test_a_long_question_draws_no_progress_into_what_a_command_prints():
    with open_files({}) as opened:
        drawn = opened._connection.sql("SELECT current_setting('enable_progress_bar')").fetchall()
    assert drawn == [(False,)]
