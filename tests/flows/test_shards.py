"""A day in shards: a real Prefect server, real workers as processes, one of them killed in the middle."""

import os
import signal
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import orjson
import pyarrow.parquet as pq
import pytest

from tests.conftest import ROOT
from tests.servers.prefect import PrefectServer
from tests.servers.qianfan import ACCESS_KEY, SECRET_KEY, QianfanServer
from tests.servers.workers import deploy, kill_group, worker, worker_environment

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

DAY = date(2026, 11, 22)
CONVERSATIONS = 600
IN_FLIGHT = 12
BELONGS_TO_A_RUN = ["run_id", "summarized_at", "latency_ms", "attempts"]


def write_logs(folder: Path) -> None:
    lines = [
        orjson.dumps(
            {
                "conversation_id": f"c{number:04}",
                "messages": [
                    # Every third one says what another one says.
                    {"role": "user", "text": f"第{number - number % 3}号订单的电饭煲不加热，怎么办？"},
                    {"role": "agent", "text": "为您登记换新，明天上门取件。"},
                    {"role": "user", "text": "好的"},
                ],
            }
        )
        for number in range(CONVERSATIONS)
    ]
    folder.mkdir()
    (folder / "a.jsonl").write_bytes(b"\n".join([*lines[:300], b'{"broken', *lines[290:300]]))
    (folder / "b.jsonl").write_bytes(b"\n".join(lines[300:]))


class Place:
    """The place where the runs of a test work: environment, logs, warehouses."""

    def __init__(self, server: PrefectServer, qianfan: QianfanServer, folder: Path) -> None:
        self.folder = folder
        self.runs: list[subprocess.Popen[str]] = []
        accounts = {
            "QIANFAN_ACCESS_KEY": ACCESS_KEY,
            "QIANFAN_SECRET_KEY": SECRET_KEY,
            "QIANFAN_CONSOLE_API_BASE_URL": qianfan.url,
            "QIANFAN_IAM_BASE_URL": qianfan.url,
        }
        self.environment = worker_environment(server, accounts)

    def summarize(self, warehouse: str, *flags: str) -> subprocess.Popen[str]:
        """A run from the command line."""
        command = [sys.executable, "-m", "flows.summarize_day", "--day", str(DAY), "--json"]
        command += ["--source", str(self.folder / "logs"), "--warehouse", str(self.folder / warehouse)]
        command += ["--summarizer", "qianfan", "--endpoint", "sft_v1", "--concurrency", str(IN_FLIGHT)]
        command += ["--batch-size", "50", "--busy-wait-seconds", "120", *flags]
        with (self.folder / f"{warehouse}.log").open("w") as log:
            run = subprocess.Popen(
                command, cwd=ROOT, env=self.environment, text=True, stdout=subprocess.PIPE, stderr=log
            )
        self.runs.append(run)
        return run

    def rows(self, warehouse: str) -> list[dict[str, object]]:
        """Return the tables' rows, without the columns of a run."""
        tables = [
            pq.ParquetFile(self.folder / warehouse / name / f"day={DAY}" / f"{name}.parquet").read()
            for name in ("summaries", "rejects")
        ]
        return [
            row
            for table in tables
            for row in table.drop_columns([name for name in BELONGS_TO_A_RUN if name in table.column_names]).to_pylist()
        ]

    def holders(self, warehouse: str) -> dict[str, int]:
        """Return the process that holds each shard."""
        leases = (self.folder / warehouse / "_staging" / "leases").glob("*.shards/*.json")
        return {path.stem: orjson.loads(path.read_bytes())["holder"]["pid"] for path in leases}

    def told(self) -> str:
        """Everything that was logged, for a test that fails."""
        return "\n".join(f"--- {path.name}\n{path.read_text()[-3000:]}" for path in self.folder.glob("*.log"))


def ended(run: subprocess.Popen[str], place: Place) -> dict:
    out, _ = run.communicate(timeout=600)
    assert run.returncode == 0, place.told()
    tally: dict = orjson.loads(out.splitlines()[-1])
    return tally


@pytest.fixture(scope="module")
def qianfan():
    with QianfanServer() as server:
        yield server


@pytest.fixture(scope="module")
def place(prefect_api, qianfan, tmp_path_factory):
    place = Place(prefect_api, qianfan, tmp_path_factory.mktemp("shards"))
    write_logs(place.folder / "logs")
    deploy(place.environment)
    yield place
    for run in place.runs:
        run.kill()
        run.communicate()


@pytest.fixture(scope="module")
def unsharded(place, qianfan):
    tally = ended(place.summarize("unsharded"), place)
    assert tally["calls"] == sum(qianfan.delivered.values())
    return tally


@pytest.fixture(autouse=True)
def fresh(qianfan, unsharded):
    qianfan.reset()
    qianfan.behavior.latency_median = 0.0


def test_a_day_in_shards_is_the_day_without_them(place, qianfan, unsharded):
    with worker("one", place.environment, place.folder), worker("two", place.environment, place.folder):
        tally = ended(place.summarize("sharded", "--shards", "3"), place)
    assert place.rows("sharded") == place.rows("unsharded")
    same = ["conversations", "summarized", "rejected", "reused", "calls", "prompt_tokens", "completion_tokens"]
    assert {name: tally[name] for name in same} == {name: unsharded[name] for name in same}
    assert sum(qianfan.delivered.values()) == len(qianfan.delivered) == tally["calls"]
    assert not [path for path in (place.folder / "sharded" / "_staging").rglob("*") if path.is_file()]


def test_a_worker_killed_with_its_shard_costs_only_what_was_in_flight(place, qianfan):
    qianfan.behavior.latency_median = 0.6
    with (
        worker("first", place.environment, place.folder) as first,
        worker("second", place.environment, place.folder),
    ):
        run = place.summarize("killed", "--shards", "3")
        victim = _worker_of_a_shard_at_work(place, qianfan, first)
        before = set(place.holders("killed"))
        killed_in_flight = IN_FLIGHT // 3 * len(victim)
        kill_group(first)
        for pid in victim:
            os.kill(pid, signal.SIGKILL)
        assert before
        tally = ended(run, place)
    assert place.rows("killed") == place.rows("unsharded")
    paid = qianfan.delivered + qianfan.lost
    assert sum(paid.values()) - len(paid) <= killed_in_flight
    assert "another worker begins it again" in place.told()
    assert tally["conversations"] == len(place.rows("unsharded"))


def _worker_of_a_shard_at_work(place, qianfan, worker) -> list[int]:
    """The flow runs of a worker, once some of them hold shards and have had answers."""
    until = time.monotonic() + 180
    while time.monotonic() < until:
        mine = [pid for pid in place.holders("killed").values() if worker.pid in ancestors(pid)]
        if mine and sum(qianfan.delivered.values()) >= 60:
            return mine
        time.sleep(0.2)
    raise AssertionError(place.told())


def ancestors(pid: int) -> list[int]:
    found = []
    while pid > 1:
        try:
            pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        except FileNotFoundError:
            return []
        found.append(pid)
    return found


def test_without_workers_the_run_does_the_day_itself(place, qianfan, monkeypatch):
    run = place.summarize("alone", "--shards", "2")
    tally = ended(run, place)
    assert place.rows("alone") == place.rows("unsharded")
    assert tally["calls"] == sum(qianfan.delivered.values())
