"""The ten questions answered by pandas and by Polars as by DuckDB, of two schema versions, in a folder and in a bucket."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from tasks.clients.folder_store import FolderStore
from tasks.domain.ports import ObjectStore
from tasks.reporting.queries import open_days
from tasks.warehouse.rules.tables import REJECTS, RUNS, SUMMARIES
from tests.benchmarks.months import simulate_month, write_month
from tests.builders.bos_stores import open_store
from tests.builders.questions import QUESTIONS
from tests.servers.bos import BosServer

SCHEMAS = {"summaries": SUMMARIES, "rejects": REJECTS, "runs": RUNS}
DAYS = [date(2026, 11, 1) + timedelta(days=number) for number in range(8)]
DAY = pl.col("day")


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory) -> Path:
    """Eight days: two of an older schema, a conversation in two days, rejects, and a day that was made twice."""
    folder: Path = tmp_path_factory.mktemp("warehouse")
    month = simulate_month(3, days=26, per_day=150)
    for day in list(month.days)[len(DAYS) :]:
        del month.days[day]
    month.days[DAYS[5]].append(dict(month.days[DAYS[4]][0]))
    write_month(month, folder)
    for day in DAYS[:2]:
        path = folder / f"summaries/day={day}/summaries.parquet"
        pq.write_table(pq.read_table(path, partitioning=None).drop_columns(["theme", "plan_theme", "agent"]), path)
    lost = [
        {"reason": reason, "channel": channel, "source_uri": uri}
        for reason, channel, uri in (("empty", "app", "a"), ("empty", "app", "b"), ("unparseable", "网页", "a"))
    ]
    pq.write_table(pa.Table.from_pylist(lost, schema=REJECTS), folder / f"rejects/day={DAYS[3]}/rejects.parquet")
    runs = folder / f"runs/day={DAYS[6]}/runs.parquet"
    (first,) = pq.read_table(runs, partitioning=None).to_pylist()
    again = first | {"run_id": "again", "finished_at": first["finished_at"] + timedelta(hours=1), "cost": 0.5}
    pq.write_table(pa.Table.from_pylist([first, again], schema=RUNS), runs)
    return folder


def asked(store: ObjectStore, question: str) -> pd.DataFrame:
    with open_days(store, DAYS, tuple(SCHEMAS)) as tables:
        return as_frame(tables.ask(question))


def as_frame(table: pa.Table) -> pd.DataFrame:
    """Return rows in one order, numbers as floats: a count is an integer here and a float there."""
    frame: pd.DataFrame = table.to_pandas()
    frame = frame.sort_values(list(frame.columns), ignore_index=True)
    kinds = dict.fromkeys(frame.select_dtypes("number"), float)
    return frame.astype(kinds)


def read(warehouse: Path, table: str) -> pa.Table:
    """Return a table with today's columns, null where a file is older."""
    schema = SCHEMAS[table].append(pa.field("day", pa.date32()))
    hive = ds.partitioning(pa.schema([("day", pa.date32())]), flavor="hive")
    return ds.dataset(str(warehouse / table), schema=schema, partitioning=hive).to_table()


def by_pandas(warehouse: Path, question: str) -> Any:  # noqa: PLR0911 - one a question
    frames = {name: read(warehouse, name).to_pandas() for name in SCHEMAS}
    summaries, rejects, runs = frames["summaries"], frames["rejects"], frames["runs"]
    yes, no, unknown = (summaries["accepted"].eq(True), summaries["accepted"].eq(False), summaries["accepted"].isna())
    negative = summaries["negative_sentiment"].eq(True)

    def shares(keys: dict[str, pd.Series], **marks: pd.Series) -> pd.DataFrame:
        marked = pd.DataFrame(keys | {"conversations": 1} | {name: mark.astype(float) for name, mark in marks.items()})
        by = marked.groupby(list(keys), as_index=False)
        return by.agg({"conversations": "sum"} | dict.fromkeys(marks, "mean"))

    match question:
        case "outcomes_by_day":
            marks = {"accepted": yes, "not_accepted": no, "accepted_unknown": unknown, "negative": negative}
            return shares({"day": summaries["day"]}, **marks)
        case "acceptance_by_channel_and_week":
            week = summaries["day"].map(lambda day: day - timedelta(days=day.weekday()))
            keys = {"week": week, "channel": summaries["channel"].fillna("")}
            return shares(keys, not_accepted=no, accepted_unknown=unknown)
        case "dissatisfaction_by_theme":
            found = shares({"theme": summaries["theme"].fillna("")}, unhappy_share=negative | no)
            found.insert(2, "unhappy", found["conversations"] * found["unhappy_share"])
            return found.assign(part_of_all_unhappy=found["unhappy"] / found["unhappy"].sum())
        case "plans_by_acceptance":
            plans = summaries.assign(yes=yes)[summaries["plan"].fillna("") != ""].groupby("plan", as_index=False)
            found = plans.agg(offered=("plan", "size"), answered=("accepted", "count"), yes=("yes", "sum"))
            found = found[found["offered"] >= 20]
            return found.assign(accepted_of_answered=found["yes"] / found["answered"]).drop(columns="yes")
        case "outcomes_by_agent":
            agent = summaries["agent"].fillna(summaries["attributes"].map(lambda pairs: dict(pairs).get("agent")))
            by = summaries.assign(agent=agent, yes=yes, bad=negative, score=pd.to_numeric(summaries["csat"]))
            return by.groupby("agent", as_index=False).agg(
                conversations=("agent", "size"),
                replies=("agent_messages", "mean"),
                first_response_seconds=("first_response_seconds", "median"),
                resolution_seconds=("resolution_seconds", "median"),
                csat=("score", "mean"),
                accepted=("yes", "mean"),
                negative=("bad", "mean"),
            )
        case "missing_and_why":
            by = rejects.groupby(["day", "channel", "reason"], as_index=False)
            return by.agg(conversations=("reason", "size"), files=("source_uri", "nunique"))
        case "models_and_prompts":
            by = summaries.groupby(["model", "prompt_version"], as_index=False)
            return by.agg(first_day=("day", "min"), last_day=("day", "max"), conversations=("day", "size"))
        case "cost_by_day":
            runs = runs.assign(tokens=runs["prompt_tokens"] + runs["completion_tokens"]).sort_values("finished_at")
            by = runs.groupby("day", as_index=False)
            found = by.agg(conversations=("conversations", "last"), cost=("cost", "sum"), tokens=("tokens", "sum"))
            return found.assign(cost_of_one=found["cost"] / found["conversations"])
        case "conversations_in_two_days":
            by = summaries.groupby("conversation_id", as_index=False)
            found = by.agg(first_day=("day", "min"), last_day=("day", "max"))
            return found[found["first_day"] < found["last_day"]]
        case "days_published_since":
            by = runs.assign(at=runs["published_at"].fillna(runs["finished_at"])).groupby("day", as_index=False)
            found = by.agg(published_at=("at", "max"), runs=("at", "size"))
            return found[found["published_at"] > pd.Timestamp("2026-01-01", tz="UTC")]
    raise AssertionError(question)


def by_polars(warehouse: Path, question: str) -> pl.DataFrame:  # noqa: PLR0911 - one a question
    frames = {name: pl.DataFrame(pl.from_arrow(read(warehouse, name))) for name in SCHEMAS}
    summaries, rejects, runs = frames["summaries"], frames["rejects"], frames["runs"]
    accepted, negative = pl.col("accepted"), pl.col("negative_sentiment").fill_null(value=False)
    yes, no, unknown = accepted.fill_null(value=False), accepted.eq(False).fill_null(value=False), accepted.is_null()
    size = pl.len().alias("conversations")
    match question:
        case "outcomes_by_day":
            marks = {"accepted": yes, "not_accepted": no, "accepted_unknown": unknown, "negative": negative}
            return summaries.group_by("day").agg(size, **{name: mark.mean() for name, mark in marks.items()})
        case "acceptance_by_channel_and_week":
            keys = DAY.dt.truncate("1w").alias("week"), pl.col("channel").fill_null("")
            return summaries.group_by(keys).agg(size, not_accepted=no.mean(), accepted_unknown=unknown.mean())
        case "dissatisfaction_by_theme":
            unhappy = negative | no
            found = summaries.group_by(pl.col("theme").fill_null("")).agg(
                size, unhappy=unhappy.sum(), unhappy_share=unhappy.mean()
            )
            return found.with_columns(part_of_all_unhappy=pl.col("unhappy") / pl.col("unhappy").sum())
        case "plans_by_acceptance":
            plans = summaries.filter(pl.col("plan") != "").group_by("plan")
            found = plans.agg(offered=pl.len(), answered=accepted.count(), accepted_of_answered=accepted.mean())
            return found.filter(pl.col("offered") >= 20)
        case "outcomes_by_agent":
            pairs = read(warehouse, "summaries")["attributes"].to_pylist()  # no expression of Polars reads a map yet
            from_log = pl.Series([dict(found or ()).get("agent") for found in pairs], dtype=pl.String)
            by = summaries.with_columns(agent=pl.coalesce("agent", from_log)).filter(pl.col("agent").is_not_null())
            return by.group_by("agent").agg(
                size,
                replies=pl.col("agent_messages").mean(),
                first_response_seconds=pl.col("first_response_seconds").median(),
                resolution_seconds=pl.col("resolution_seconds").median(),
                csat=pl.col("csat").cast(pl.Float64, strict=False).mean(),
                accepted=yes.mean(),
                negative=negative.mean(),
            )
        case "missing_and_why":
            return rejects.group_by("day", "channel", "reason").agg(size, files=pl.col("source_uri").n_unique())
        case "models_and_prompts":
            ends = {"first_day": DAY.min(), "last_day": DAY.max(), "conversations": pl.len()}
            return summaries.group_by("model", "prompt_version").agg(**ends)
        case "cost_by_day":
            sums = {
                "cost": pl.col("cost").sum(),
                "tokens": (pl.col("prompt_tokens") + pl.col("completion_tokens")).sum(),
            }
            found = runs.sort("finished_at").group_by("day").agg(pl.col("conversations").last(), **sums)
            return found.with_columns(cost_of_one=pl.col("cost") / pl.col("conversations"))
        case "conversations_in_two_days":
            found = summaries.group_by("conversation_id").agg(first_day=DAY.min(), last_day=DAY.max())
            return found.filter(pl.col("first_day") < pl.col("last_day"))
        case "days_published_since":
            at = pl.coalesce("published_at", "finished_at").max()
            found = runs.group_by("day").agg(published_at=at, runs=pl.len())
            return found.filter(pl.col("published_at") > pl.datetime(2026, 1, 1, time_zone="UTC"))
    raise AssertionError(question)


@pytest.mark.parametrize("question", QUESTIONS)
def test_pandas_and_polars_answer_what_duckdb_answers(warehouse, question):
    expected = asked(FolderStore(warehouse), question)
    assert len(expected)
    for found in (
        pa.Table.from_pandas(by_pandas(warehouse, question), preserve_index=False),
        by_polars(warehouse, question).to_arrow(),
    ):
        pd.testing.assert_frame_equal(as_frame(found), expected, check_dtype=False)


def test_a_warehouse_in_a_bucket_answers_the_same(warehouse):
    with BosServer() as bos:
        store = open_store(bos, "warehouse")
        for path in warehouse.rglob("*.parquet"):
            store.write_file(str(path.relative_to(warehouse)), path)
        for question in QUESTIONS:
            pd.testing.assert_frame_equal(asked(store, question), asked(FolderStore(warehouse), question))
