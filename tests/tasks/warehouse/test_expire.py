"""Expiry over a folder and over BOS."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from tasks.clients.bos.credentials import BosCredentials
from tasks.clients.bos.store import BosStore
from tasks.clients.folder_store import FolderStore
from tasks.clients.stores import open_store
from tasks.domain.layout import partition_key
from tasks.domain.ports import ObjectStore
from tasks.warehouse.expire import expire
from tasks.warehouse.rules.erasure import as_parquet
from tasks.warehouse.rules.retention import Keep
from tasks.warehouse.rules.tables import RUNS
from tests.servers.bos import BosServer

NOW = datetime.now(UTC)  # as the stores have it, too
LATER = NOW + timedelta(days=31)
OLD, NEW = date(2026, 1, 1), LATER.date()


@pytest.fixture
def bos() -> Iterator[BosServer]:
    with BosServer() as server:
        yield server


@pytest.fixture(params=["folder", "bos"])
def warehouse(request: pytest.FixtureRequest, tmp_path: Path, bos: BosServer) -> ObjectStore:
    if request.param == "folder":
        return FolderStore(tmp_path)
    return open_store(
        "bos://kefu-logs/warehouse", BosCredentials(bos.access_key_id, bos.secret_access_key, bos.endpoint)
    )


def test_expire_removes_what_is_old_and_no_table(warehouse):
    tables = [partition_key(table, day) for table in ("summaries", "rejects", "metrics", "runs") for day in (OLD, NEW)]
    runs = as_parquet(pa.Table.from_pylist([{"run_id": "r", "status": "done"}], schema=RUNS))
    others = [f"{folder}/day={day}/x" for folder in ("_answers", "reports") for day in (OLD, NEW)]
    for key in [*tables, *others, "_staging/leases/day=2026-01-01.json", f"_staging/unfinished/day={NEW}"]:
        warehouse.write_path(key, runs if key.startswith("runs/") else b"x")

    keep = Keep(answers_days=30, reports_days=30, staging_days=7)
    assert not expire(warehouse, Keep(staging_days=0), LATER)
    assert expire(warehouse, keep, NOW) == {"reports": 1}, "the rest was written just now"
    assert expire(warehouse, keep, LATER) == {"answers": 1, "staging": 1}

    kept = [*tables, f"_answers/day={NEW}/x", f"reports/day={NEW}/x", f"_staging/unfinished/day={NEW}"]
    assert sorted(found.key for found in warehouse.list_objects()) == sorted(kept)


def test_expire_gives_up_the_uploads_of_dead_writers(bos):
    credentials = BosCredentials(bos.access_key_id, bos.secret_access_key, bos.endpoint)
    warehouse = BosStore("kefu-logs", "warehouse", credentials)
    warehouse._client.initiate_multipart_upload(bos.bucket, "warehouse/summaries/day=2026-01-01/summaries.parquet")
    assert expire(warehouse, Keep(), datetime.now(UTC)) == {}
    assert expire(warehouse, Keep(), datetime.now(UTC) + timedelta(days=8)) == {"uploads": 1}
    assert not bos.uploads()
