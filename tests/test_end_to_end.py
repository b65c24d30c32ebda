"""One command, a real server, a real worker: the nightly, a backfill, a machine that dies in the middle, and secrets.

On SQLite, and with the marker `postgres` on a real PostgreSQL.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from deployments.postgresql import find_binaries
from tasks.running.pausing import AWAITING_LOGS
from tasks.running.rules.repair import BEGINS_WITHIN_SECONDS, BEGUN_AGAIN, SILENT_SECONDS
from tests.conftest import ROOT
from tests.servers.qianfan import API_KEY, QianfanServer
from tests.servers.served import Served, served

pytestmark = pytest.mark.timeout(1800)

SECRET = API_KEY
DEMO_LOGS = ROOT / "deployments" / "demo" / "logs"
DAYS = ("2026-11-20", "2026-11-21", "2026-11-22")
# A silent run is believed in for 120 s, and a busy machine starts a run in a minute.
BEGUN_AGAIN_WITHIN_SECONDS = 300.0


@pytest.fixture(scope="module")
def endpoint() -> Iterator[QianfanServer]:
    with QianfanServer() as server:
        yield server


@pytest.fixture(
    scope="module",
    params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)],
    ids=str,
)
def machine(request: pytest.FixtureRequest, endpoint: QianfanServer, tmp_path_factory) -> Iterator[Served]:
    environment = {"OPENAI_BASE_URL": f"{endpoint.url}/v1", "OPENAI_API_KEY": SECRET}
    with served(tmp_path_factory.mktemp("machine"), request.param, environment) as started:
        yield started


def counts(machine: Served, day: str, table: str = "summaries") -> int:
    return int(pq.ParquetFile(machine.warehouse / table / f"day={day}" / f"{table}.parquet").metadata.num_rows)


def is_complete(machine: Served, day: str) -> bool:
    return (machine.warehouse / "runs" / f"day={day}").exists()


def runs_under_way(machine: Served) -> list[tuple[str, str]]:
    wanted = {"flow_runs": {"state": {"type": {"any_": ["RUNNING", "PENDING", "CANCELLING"]}}}}
    found = machine.ask("POST", "/flow_runs/filter", wanted)
    return [(run["name"], run["state_name"]) for run in found]


def left_under_way(machine: Served, seconds: float) -> list[tuple[str, str]]:
    """Return the runs that are still running when all should have ended."""
    until = time.monotonic() + seconds
    while (left := runs_under_way(machine)) and time.monotonic() < until:
        time.sleep(1)
    return left


def save_block(machine: Served, slug: str, name: str, data: dict[str, Any]) -> None:
    kind = machine.ask("GET", f"/block_types/slug/{slug}")["id"]
    asked = {"block_schemas": {"block_type_id": {"any_": [kind]}}}
    schema = machine.ask("POST", "/block_schemas/filter", asked)[0]["id"]
    document = {"name": name, "data": data, "block_schema_id": schema, "block_type_id": kind}
    machine.ask("POST", "/block_documents/", document)


def test_nightly_and_backfill_end_well_beside_each_other(machine: Served):
    # 02:30 on the 23rd there; the logs are as new as this clone, which makes no day of the past incomplete.
    nightly = machine.start("summarize-day/nightly", scheduled_time="2026-11-22T18:30:00Z", catch_up_days=0)
    days = set(DAYS[1:])  # one of its own, and the nightly's: a third would be a process more
    backfill = machine.start("backfill-days/backfill", start=DAYS[1], end=DAYS[-1])
    assert [machine.wait(run, seconds=300)["state_name"] for run in (nightly, backfill)] == ["Completed", "Completed"]
    runs = pq.ParquetFile(machine.warehouse / "runs" / "day=2026-11-22" / "runs.parquet").read(["run_id"])
    assert nightly in runs["run_id"].to_pylist(), "the day before it was due"
    assert all(is_complete(machine, day) and counts(machine, day) > 0 for day in days)
    artifacts = machine.ask("POST", "/artifacts/filter", {})
    assert days == {day for day in days for found in artifacts if found["type"] == "markdown" and day in found["key"]}
    assert left_under_way(machine, 120) == []


@pytest.mark.long
def test_no_secret_is_in_the_clear_anywhere(machine: Served, endpoint: QianfanServer):
    credentials = {"access_key_id": "public", "secret_access_key": SECRET, "bearer_token": SECRET}
    save_block(machine, "baidu-credentials", "keys", credentials)
    said = {"summarizer": "openai", "endpoint": "m", "openai_base_url": f"{endpoint.url}/v1", "openai_api_key": SECRET}
    save_block(machine, "summarizer-endpoint", "model", said)

    asked = {"endpoint_block": "model", "overwrite": True}
    run = machine.start("summarize-day/nightly", day=DAYS[0], settings=asked)
    assert machine.wait(run)["state_name"] == "Completed"
    endpoint.behavior.status = 401
    try:
        refused = machine.start("summarize-day/nightly", day=DAYS[1], settings=asked)
        assert machine.wait(refused)["state_name"] == "Failed"
    finally:
        endpoint.behavior.status = 0

    assert sum(endpoint.delivered.values()) > 0, "the secret was used"
    time.sleep(3)  # logs and events are written in batches
    kept = {
        path: path.read_bytes()
        for folder in (machine.folder, machine.warehouse)
        for path in folder.rglob("*")
        if path.is_file()
    }
    if "PostgreSQL" in machine.said():
        kept[Path("dump")] = dump(machine)
    assert any(b"summarizer-endpoint" in content for content in kept.values()), "this looks into the database"
    assert [path for path, content in kept.items() if SECRET.encode() in content] == []
    assert SECRET not in machine.said()


def test_foreign_pages_and_frames_get_nothing_of_the_server(machine: Served):
    page = machine.api.get(f"{machine.url}/", follow_redirects=True, headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert page.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert "<script" in page.text
    for foreign in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}):
        refused = machine.api.post("/block_documents/filter", json={"include_secrets": True}, headers=foreign)
        assert refused.status_code == 403


def descendants(pid: int) -> list[int]:
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    children = [int(line) for line in listed.stdout.split()]
    return children + [below for child in children for below in descendants(child)]


def dump(machine: Served) -> bytes:
    cluster = machine.folder / "postgresql"
    asked = [str(find_binaries() / "pg_dump"), "--host", "/proc/self/cwd", "--username", "kefu", "postgres"]
    environment = {**os.environ, "PGPASSWORD": (cluster / "password").read_text()}
    return subprocess.run(asked, cwd=cluster, env=environment, capture_output=True, check=True).stdout


@pytest.mark.long
def test_a_machine_that_dies_leaves_nothing_running_and_nothing_is_paid_twice(machine: Served, endpoint: QianfanServer):
    endpoint.reset()
    endpoint.behavior.latency_median = 1.0
    asked = {"summarizer": "openai", "endpoint": "slow", "concurrency": 2, "overwrite": True}
    backfill = machine.start("backfill-days/backfill", start=DAYS[0], end=DAYS[-1], settings=asked)
    nightly = machine.start("summarize-day/nightly", day=DAYS[2], settings=asked)
    for run in (backfill, nightly):
        machine.wait(run, {"Running"}, seconds=300)
    until = time.monotonic() + 120
    while len(endpoint.arrivals) < 8 and time.monotonic() < until:
        time.sleep(0.2)

    worker = machine.part("worker")
    for pid in [worker, *descendants(worker)]:  # as if the machine were gone; the supervisor is the next machine
        os.kill(pid, signal.SIGKILL)

    # Nobody does anything: the worker comes back, and what died is begun again and ends well.
    endpoint.behavior.latency_median = 0.0
    died = time.monotonic()
    for run in (backfill, nightly):
        machine.wait(run, {BEGUN_AGAIN, "Completed"}, seconds=BEGUN_AGAIN_WITHIN_SECONDS + BEGINS_WITHIN_SECONDS)
    print(f"Begun again after {time.monotonic() - died:.0f} s")
    assert machine.part("worker") not in {0, worker}
    states = [machine.wait(run, {"Completed", "Failed"}, seconds=600)["state_name"] for run in (backfill, nightly)]
    assert states == ["Completed", "Completed"], machine.log("watch")[-3000:]
    assert left_under_way(machine, BEGUN_AGAIN_WITHIN_SECONDS) == []
    assert all(is_complete(machine, day) for day in DAYS)
    # At most what was in flight when it died (2 a run) was asked for again.
    assert sum(paid - 1 for paid in endpoint.delivered.values()) <= 6
    assert "begun again" in machine.said()
    assert "recovered" in machine.said()


@pytest.mark.long
def test_a_machine_that_is_stopped_pays_for_nothing_twice_and_goes_on(endpoint: QianfanServer, tmp_path: Path):
    endpoint.reset()
    endpoint.behavior.latency_median = 2.0
    environment = {"OPENAI_BASE_URL": f"{endpoint.url}/v1", "OPENAI_API_KEY": SECRET}
    asked = {"summarizer": "openai", "endpoint": "stopped", "concurrency": 20, "overwrite": True}
    with served(tmp_path, "sqlite", environment) as machine:
        backfill = machine.start("backfill-days/backfill", start=DAYS[0], end=DAYS[-1], settings=asked)
        until = time.monotonic() + 300
        while sum(endpoint.delivered.values()) < 30:
            assert time.monotonic() < until, machine.log("worker")[-3000:]
            time.sleep(0.1)
        assert machine.stop() == 0
        assert len(endpoint.arrivals) == sum(endpoint.delivered.values()), "what was in flight was thrown away"
        kept = sum(endpoint.delivered.values())
    endpoint.behavior.latency_median = 0.0
    with served(tmp_path, "sqlite", environment) as machine:
        assert machine.wait(backfill, {"Completed", "Failed"}, seconds=400)["state_name"] == "Completed"
        assert all(is_complete(machine, day) for day in DAYS)
        assert sum(endpoint.delivered.values()) > kept
        assert set(endpoint.delivered.values()) == {1}, "paid for twice"


@pytest.mark.long
def test_a_cancelled_run_keeps_what_it_paid_for_and_ends_soon(machine: Served, endpoint: QianfanServer):
    endpoint.reset()
    endpoint.behavior.latency_median = 2.0
    asked = {"summarizer": "openai", "endpoint": "cancelled", "concurrency": 4, "overwrite": True}
    run = machine.start("summarize-day/nightly", day=DAYS[0], settings=asked)
    until = time.monotonic() + 120
    while sum(endpoint.delivered.values()) < 8:
        assert time.monotonic() < until, machine.log("worker")[-3000:]
        time.sleep(0.2)

    cancelled = time.monotonic()
    machine.ask("POST", f"/flow_runs/{run}/set_state", {"state": {"type": "CANCELLING", "name": "Cancelling"}})
    assert machine.wait(run)["state_name"] == "Cancelled"
    print(f"Cancelled after {time.monotonic() - cancelled:.0f} s")
    paid = sum(endpoint.delivered.values())
    time.sleep(5)
    assert sum(endpoint.delivered.values()) == paid, "somebody goes on asking"

    endpoint.behavior.latency_median = 0.0
    again = machine.start("summarize-day/nightly", day=DAYS[0], settings=asked)
    assert machine.wait(again)["state_name"] == "Completed"
    assert sum(endpoint.delivered.values()) > paid
    assert set(endpoint.delivered.values()) == {1}, "what was in flight was thrown away and paid for again"


@pytest.mark.long
def test_a_run_that_waits_for_logs_can_be_cancelled(machine: Served, tmp_path: Path):
    late = {"source": str(tmp_path / "{day}"), "logs_wait_seconds": 3600}
    run = machine.start("summarize-day/nightly", day=DAYS[0], settings=late)
    machine.wait(run, {AWAITING_LOGS}, seconds=120)
    machine.ask("POST", f"/flow_runs/{run}/set_state", {"state": {"type": "CANCELLING", "name": "Cancelling"}})
    assert machine.wait(run, seconds=90)["state_name"] == "Cancelled"


@pytest.mark.long
def test_a_server_that_dies_is_back_before_a_run_notices(machine: Served, endpoint: QianfanServer):
    endpoint.behavior.latency_median = 1.0
    asked = {"summarizer": "openai", "endpoint": "slower", "concurrency": 2, "overwrite": True}
    run = machine.start("summarize-day/nightly", day=DAYS[0], settings=asked)
    machine.wait(run, {"Running"}, seconds=300)
    os.kill(machine.part("server"), signal.SIGKILL)
    assert machine.wait(run, seconds=300)["state_name"] == "Completed"
    assert "Prefect server: started again" in machine.said()
    endpoint.behavior.latency_median = 0.0


@pytest.mark.long
def test_a_nightly_that_waits_for_its_logs_holds_nothing_and_does_the_day_of_its_schedule(machine: Served, tmp_path):
    logs, due = tmp_path / "logs", datetime(2026, 11, 21, 18, 30, tzinfo=UTC)  # 02:30 on the 22nd there
    missed, tonight = DAYS[:2]
    shutil.copytree(DEMO_LOGS / missed, logs / missed)
    # Longer than a run without a heartbeat is left alone.
    wait = (datetime.now(UTC) - due).total_seconds() + SILENT_SECONDS + 60
    settings = {
        "source": f"{logs}/{{day}}",
        "warehouse": str(tmp_path / "warehouse"),
        "summarizer": "offline",
        "logs_wait_seconds": wait,
    }
    nightly = machine.start("summarize-day/nightly", scheduled_time=due.isoformat(), settings=settings)
    machine.wait(nightly, {AWAITING_LOGS}, seconds=90)
    until = time.monotonic() + 60
    while not (tmp_path / "warehouse" / "runs" / f"day={missed}").exists():  # through the slot that it gave back
        assert time.monotonic() < until, machine.log("worker")[-3000:]
        time.sleep(0.5)
    assert machine.run(nightly)["state_name"] == AWAITING_LOGS

    shutil.copytree(DEMO_LOGS / tonight, logs / tonight)
    (logs / tonight / "_SUCCESS").touch()
    assert machine.wait(nightly, seconds=300)["state_name"] == "Completed"
    published = pq.ParquetFile(tmp_path / "warehouse" / "runs" / f"day={tonight}" / "runs.parquet").read(["run_id"])
    assert published["run_id"].to_pylist() == [nightly]


@pytest.mark.long
def test_a_backfill_gives_way_to_the_nightly(machine: Served, endpoint: QianfanServer):
    endpoint.reset()
    endpoint.behavior.latency_median = 3.0
    asked = {"summarizer": "openai", "endpoint": "nightly", "concurrency": 1, "overwrite": True}
    nightly = machine.start("summarize-day/nightly", day=DAYS[2], settings=asked)
    machine.wait(nightly, {"Running"}, seconds=180)
    backfill = machine.start("backfill-days/backfill", start=DAYS[0], end=DAYS[1], overwrite=True)
    until = time.monotonic() + 180
    while not any("no new day begins" in line for line in logged(machine, backfill)):
        assert time.monotonic() < until, logged(machine, backfill)
        time.sleep(1)
    assert machine.run(nightly)["state_name"] == "Running"
    endpoint.behavior.latency_median = 0.0
    first, second = (machine.wait(run, seconds=300) for run in (nightly, backfill))
    assert [run["state_name"] for run in (first, second)] == ["Completed", "Completed"], second["state"]
    days = machine.ask("POST", "/flow_runs/filter", {"flow_runs": {"parent_flow_run_id": {"any_": [backfill]}}})
    assert len(days) == 2
    assert all(datetime.fromisoformat(day["created"]) > datetime.fromisoformat(first["end_time"]) for day in days)


def logged(machine: Served, run_id: str) -> list[str]:
    found = machine.ask("POST", "/logs/filter", {"logs": {"flow_run_id": {"any_": [run_id]}}})
    return [line["message"] for line in found]


def test_interrupt_stops_everything(endpoint: QianfanServer, machine: Served):
    parts = [machine.part(word) for word in ("server", "worker")]
    assert all(parts)
    assert machine.stop() == 0
    for pid in parts:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    assert machine.said().splitlines()[-1].endswith("stopped; start it again to go on")
