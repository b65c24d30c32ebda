"""Tables are read in every version they were ever written in, and a damaged one is told from a missing one."""

import asyncio
import shutil
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.build_report import build_report
from flows.summarize_day import summarize_day
from tasks.clients.folder_store import FolderStore
from tasks.domain.errors import ObjectMissing, TableDamaged
from tasks.domain.layout import partition_key
from tasks.reviewing.reviews import offer_days
from tasks.warehouse.parquet import read_batches, read_runs, read_table
from tasks.warehouse.publish import is_complete
from tasks.warehouse.rules.tables import METRICS, REJECTS, RUNS, SUMMARIES
from tests.conftest import ROOT

pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning", "ignore:unclosed:ResourceWarning"
)

DAY = date(2026, 11, 22)
LOGS = str(ROOT / "deployments" / "demo" / "logs" / "{day}")
TABLES = {"summaries": SUMMARIES, "rejects": REJECTS, "metrics": METRICS, "runs": RUNS}

# What each version did not have yet, newest first. A change of a schema adds a line here.
_MEASURES = {
    "user_messages",
    "agent_messages",
    "first_response_seconds",
    "resolution_seconds",
    "agent",
    "csat",
    "contradicted",
}
_WHEN = {"started_at", "channel"}
_GOLDEN = {"golden_calls", "golden_cost"}
_LAST = {"published_at", "last_of_day"} | _GOLDEN
_ARRIVAL = {"logs_complete", "logs_fingerprint", "log_bytes"}
_CURRENCY = {"currency"} | _LAST
_READING = {"masked", "cached_tokens", "model_options", "unread_files", "unread_conversations", "outside_day"}
VERSIONS: dict[str, dict[str, set[str]]] = {
    "before contradictions": {"summaries": {"contradicted"}, "rejects": set(), "runs": set()},
    "before measures": {"summaries": _MEASURES, "rejects": _WHEN, "runs": _LAST},
    "before currencies": {"summaries": _MEASURES, "rejects": _WHEN, "runs": _CURRENCY},
    "before arrival": {"summaries": _MEASURES, "rejects": _WHEN, "runs": _CURRENCY | _ARRIVAL},
    "before masks and ceilings": {"summaries": _MEASURES, "rejects": _WHEN, "runs": _CURRENCY | _ARRIVAL | _READING},
    "before suspicion": {
        "summaries": {"suspicious"} | _MEASURES,
        "rejects": _WHEN,
        "runs": _CURRENCY | _ARRIVAL | _READING,
    },
    "first": {
        "summaries": {"theme", "plan_theme", "suspicious"} | _MEASURES,
        "rejects": _WHEN,
        "runs": _CURRENCY | _ARRIVAL | _READING,
    },
}
FIRST = {"summaries": 22, "rejects": 9, "metrics": 6, "runs": 21}

DAMAGES = {
    "empty": lambda data: b"",
    "cut short": lambda data: data[: len(data) // 2],
    "no Parquet": lambda data: b"<html>502 Bad Gateway</html>",
    "a hole in it": lambda data: data[:40] + bytes(60) + data[100:],
}


@pytest.fixture(scope="module")
def summarized(tmp_path_factory, prefect_server) -> Path:
    """A warehouse with two days that were summarized by rules."""
    folder: Path = tmp_path_factory.mktemp("summarized")
    for day in ("2026-11-21", "2026-11-22"):
        asyncio.run(summarize_day(date.fromisoformat(day), {"source": LOGS, "warehouse": str(folder)}))
    return folder


@pytest.fixture
def store(summarized: Path, tmp_path: Path) -> FolderStore:
    """A copy of it."""
    shutil.copytree(summarized, tmp_path / "warehouse")
    return FolderStore(tmp_path / "warehouse")


@pytest.fixture(scope="module")
def prefect_server(prefect_api):
    with temporary_settings({PREFECT_API_URL: prefect_api.url}):
        yield


def rewrite(store: FolderStore, day: str, version: str) -> None:
    """Make a day's tables what that version would have written."""
    for table, lacking in VERSIONS[version].items():
        path = store._root / table / f"day={day}" / f"{table}.parquet"
        content = pq.ParquetFile(path).read()
        old = content.drop_columns([name for name in content.schema.names if name in lacking])
        pq.write_table(old, path)


def test_every_version_is_known_here():
    lacking = {table: set[str]() for table in TABLES} | VERSIONS["first"]
    assert {name: len(schema) - len(lacking[name]) for name, schema in TABLES.items()} == FIRST


@pytest.mark.parametrize("version", VERSIONS)
def test_tables_of_every_version_are_read_in_the_schemas_of_today(version, store):
    rewrite(store, "2026-11-21", version)
    old = date(2026, 11, 21)
    assert is_complete(store, old)
    (row,) = read_runs(store, old)
    assert row["last_of_day"] is (None if "last_of_day" in VERSIONS[version]["runs"] else True)
    (batch, *_) = read_batches(store, partition_key("summaries", old), SUMMARIES)
    assert batch.schema.equals(SUMMARIES)
    assert offer_days(store, [old], 5, 0)


@pytest.mark.parametrize("version", ["before contradictions", "before arrival", "first"])
def test_tables_of_another_version_are_reported_and_written_anew(version, store):
    rewrite(store, "2026-11-21", version)
    old = date(2026, 11, 21)
    (row,) = read_runs(store, old)
    settings = {"source": LOGS, "warehouse": str(store._root)}
    assert asyncio.run(build_report(old, DAY, settings))["days"] == 2
    # Summarized again, it finds its own answers and writes the version of today.
    assert asyncio.run(summarize_day(old, settings)).summarized == row["summarized"]
    assert set(pq.ParquetFile(store._root / f"runs/day={old}/runs.parquet").schema_arrow.names) == set(RUNS.names)


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_of_another_day_stops_no_night(damage, store, caplog):
    for table in ("metrics", "runs"):
        path = store._root / table / "day=2026-11-21" / f"{table}.parquet"
        path.write_bytes(DAMAGES[damage](path.read_bytes()))
    tally = asyncio.run(summarize_day(DAY, {"source": LOGS, "warehouse": str(store._root)}))
    assert tally.conversations > 0
    assert "metrics/day=2026-11-21" in caplog.text
    assert not is_complete(store, date(2026, 11, 21)), "a backfill does it again"


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_table_of_the_day_itself_is_replaced(damage, store):
    for table in TABLES:
        path = store._root / table / f"day={DAY}" / f"{table}.parquet"
        path.write_bytes(DAMAGES[damage](path.read_bytes()))
    asyncio.run(summarize_day(DAY, {"source": LOGS, "warehouse": str(store._root)}))
    assert is_complete(store, DAY)
    assert read_table(store, partition_key("summaries", DAY), SUMMARIES).num_rows > 0


def test_damaged_table_is_named_in_one_sentence(store):
    key = partition_key("summaries", DAY)
    store.write_path(key, b"PAR1nothing")
    with pytest.raises(TableDamaged, match=r"summaries\.parquet can't be read: .*answers are kept") as told:
        list(read_batches(store, key, SUMMARIES))
    assert "\n" not in str(told.value)
    with pytest.raises(ObjectMissing):
        read_table(store, "summaries/day=2020-01-01/summaries.parquet", SUMMARIES)


def test_a_table_of_no_rows_marks_no_day_complete(store):
    pq.write_table(pa.Table.from_pylist([], schema=RUNS), store._root / f"runs/day={DAY}/runs.parquet")
    assert not is_complete(store, DAY)
