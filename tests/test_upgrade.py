"""A machine that an older version has served is taken over: its runs, blocks, deployments, warehouse and database.

The older version is of this repository's own history; in a copy without it there is nothing to take over.
"""

import io
import os
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from deployments.deploy import RENAMED
from flows.wiring.commands.own_server import free_port
from tests.conftest import ROOT
from tests.servers.served import Served, served

pytestmark = [pytest.mark.long, pytest.mark.postgres, pytest.mark.timeout(1800)]

# Without a login, a watch, a socket for the database; other names, settings and columns.
OLD = "b21b9f9"
DAYS = ("2026-11-10", "2026-11-11")
CONVERSATIONS = 20
SECRET = "kept-in-a-block"


@pytest.fixture(scope="module")
def old_code(tmp_path_factory) -> Path:
    found = subprocess.run(["git", "archive", OLD], cwd=ROOT, capture_output=True, check=False)
    if found.returncode:
        pytest.skip("this copy has no history")
    folder: Path = tmp_path_factory.mktemp("old")
    with tarfile.open(fileobj=io.BytesIO(found.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder


@contextmanager
def old_machine(code: Path, folder: Path, environment: dict[str, str]) -> Iterator[Served]:
    """A machine that the older version serves."""
    port, said = free_port(), folder / "said.txt"
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "KEFU_"))}
    with said.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "deployments.serve", "--port", str(port), "--folder", str(folder / "serve")],
            cwd=code,
            env={**kept, "KEFU_WAREHOUSE": str(folder / "warehouse"), **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    url = f"http://127.0.0.1:{port}"
    with process, httpx.Client(base_url=f"{url}/api", timeout=150) as api:
        machine = Served(url, api, folder / "serve", folder / "warehouse", process)
        until = time.monotonic() + 900
        try:
            while "ready: " not in machine.said():
                assert process.poll() is None, machine.said()
                assert time.monotonic() < until, machine.said()
                time.sleep(0.2)
            yield machine
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(120)


def block(machine: Served, data: dict[str, Any]) -> str:
    kind = machine.ask("GET", "/block_types/slug/baidu-credentials")
    schemas = machine.ask("POST", "/block_schemas/filter", {"block_schemas": {"block_type_id": {"any_": [kind["id"]]}}})
    made = {"name": "kept", "data": data, "block_type_id": kind["id"], "block_schema_id": schemas[0]["id"]}
    return str(machine.ask("POST", "/block_documents/", made)["id"])


def days_of(machine: Served, deployment: str, **asked: Any) -> str:
    """The name of a run that has completed, which says what became of its days."""
    ended = machine.wait(machine.start(deployment, **asked), seconds=600)
    assert ended["state_name"] == "Completed", machine.log("worker")[-3000:]
    return str(ended["name"])


def test_what_an_older_version_kept_is_taken_over(old_code, tmp_path):
    (tmp_path / "logs").mkdir()
    for day in DAYS:
        turns = [{"role": "user", "text": f"{day} 的优惠券用不了，能补吗？"}, {"role": "agent", "text": "已为您补发。"}]
        lines = [orjson.dumps({"conversation_id": f"{day}-{n}", "messages": turns}) for n in range(CONVERSATIONS)]
        (tmp_path / "logs" / f"{day}.jsonl").write_bytes(b"\n".join(lines))
    environment = {"KEFU_SOURCE": f"{tmp_path}/logs/{{day}}.jsonl"}
    span = {"start": DAYS[0], "end": DAYS[1]}
    with old_machine(old_code, tmp_path, environment) as machine:
        kept_block = block(machine, {"access_key_id": "id", "secret_access_key": SECRET})
        nightly = machine.ask("GET", "/deployments/name/summarize-day/nightly")
        place = f"/deployments/{nightly['id']}"
        machine.api.patch(place, json={"parameters": {**nightly["parameters"], "catch_up_days": 0}}).raise_for_status()
        schedule = nightly["schedules"][0]["id"]
        machine.api.patch(f"{place}/schedules/{schedule}", json={"active": False}).raise_for_status()
        run = machine.start("backfill-days/manual", **span)
        assert machine.wait(run, seconds=600)["name"].endswith("2 done"), machine.log("worker")[-3000:]

    with served(tmp_path, "postgresql", environment) as machine:
        assert machine.run(run)["state_name"] == "Completed"
        found = machine.ask("GET", f"/block_documents/{kept_block}?include_secrets=true")
        assert found["data"]["secret_access_key"] == SECRET
        now = machine.ask("GET", "/deployments/name/summarize-day/nightly")
        assert now["id"] == nightly["id"]
        assert now["parameters"]["catch_up_days"] == 0
        assert [schedule["active"] for schedule in now["schedules"]] == [False]
        there = {deployment["name"] for deployment in machine.ask("POST", "/deployments/filter", {"limit": 200})}
        assert there.isdisjoint(old.partition("/")[2] for old in RENAMED.values())
        assert days_of(machine, "backfill-days/backfill", **span).endswith("2 skipped")
        days_of(machine, "build-report/rebuild-reports", **span)
        again = days_of(machine, "summarize-day/one-day", day=DAYS[0], settings={"overwrite": True})
        assert f"{CONVERSATIONS} = {CONVERSATIONS} + 0" in again
