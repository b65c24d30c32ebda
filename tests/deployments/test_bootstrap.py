"""The set-up of a server: run twice it changes nothing, and what it makes works on a real server."""

import http.server
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from queue import Empty, Queue
from typing import Any

import httpx
import pytest

from deployments.automations import NIGHTLY_TAG, TAG, late_nightly, never_begun, zombies
from deployments.bootstrap import WEBHOOK, main
from tasks.running.pausing import AWAITING
from tests.conftest import ROOT
from tests.servers.prefect import PrefectServer, beat


@pytest.fixture
def hook() -> Iterator[tuple[str, Queue[dict[str, Any]]]]:
    """A webhook's address, and what was posted to it."""
    posted: Queue[dict[str, Any]] = Queue()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posted.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/on-call", posted
        server.shutdown()
        thread.join()


def bootstrap(prefect_api: PrefectServer, *arguments: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-m", "deployments.bootstrap", *arguments],
        cwd=ROOT,
        env=prefect_api.environment(),
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def automations(api: httpx.Client) -> list[dict[str, Any]]:
    found = api.post("/automations/filter", json={}).raise_for_status().json()
    return sorted((one for one in found if one["name"].startswith("kefu: ")), key=lambda one: str(one["name"]))


def test_bootstrap_twice_is_bootstrap_once_and_a_failed_run_is_told(prefect_api: PrefectServer, hook):
    address, posted = hook
    with prefect_api.client() as api:
        first = bootstrap(prefect_api, "--webhook-url", address, "--shared-quota", "bootstrap", "other=80")
        assert "work pool kefu: made (process)" in first
        assert "shared quota bootstrap, 100% of it: made" in first
        made = automations(api)
        assert len(made) == 5

        again = bootstrap(prefect_api, "--shared-quota", "bootstrap", "other=40")
        assert "shared quota bootstrap, 100% of it: there already" in again
        assert "shared quota other, 40% of it: changed" in again
        whole, part = (
            api.get(f"/v2/concurrency_limits/{name}").raise_for_status().json()["slot_decay_per_second"]
            for name in ("bootstrap", "other")
        )
        assert part == pytest.approx(0.4 * whole)
        assert "work pool kefu: there already" in again
        assert sum(line.startswith("automation ") and line.endswith(": there already") for line in again) == len(made)
        assert [one["id"] for one in automations(api)] == [one["id"] for one in made]
        assert api.get("/work_pools/kefu").raise_for_status().json()["type"] == "process"
        for kind in ("baidu-credentials", "bos-bucket", "summarizer-endpoint"):
            assert api.get(f"/block_types/slug/{kind}").raise_for_status().json()["description"]

        flow = api.post("/flows/", json={"name": "summarize-day"}).raise_for_status().json()["id"]
        told = fail_until_told(api, flow, posted)
    assert told["run"] == "summarize-2026-11-22"
    assert told["what"] == "Failed"
    assert told["why"] == '3 of 9 were "rejected".\nSee the report.'
    assert "/runs/flow-run/" in told["link"]


@pytest.mark.parametrize("wrong", ["a/b", "sft=0", "sft=101", "sft=much", ""])
def test_bootstrap_refuses_a_shared_quota_that_cannot_be(wrong, capsys):
    with pytest.raises(SystemExit):
        main(["--shared-quota", wrong])
    assert f"{wrong!r} is not a name" in capsys.readouterr().err


def fail_until_told(api: httpx.Client, flow: str, posted: Queue[dict[str, Any]]) -> dict[str, Any]:
    # The service that watches for events learns of a new automation a moment after it was made.
    until = time.monotonic() + 180
    failed = {"type": "FAILED", "name": "Failed", "message": '3 of 9 were "rejected".\nSee the report.'}
    while time.monotonic() < until:
        run = {"flow_id": flow, "name": "summarize-2026-11-22", "tags": [TAG], "state": {"type": "RUNNING"}}
        run_id = api.post("/flow_runs/", json=run).raise_for_status().json()["id"]
        api.post(f"/flow_runs/{run_id}/set_state", json={"state": failed, "force": True}).raise_for_status()
        try:
            return posted.get(timeout=10)
        except Empty:
            continue
    raise AssertionError("no notification came")


def test_runs_that_wait_without_a_process_are_no_zombies():
    assert {f"prefect.flow-run.{name}" for name in AWAITING} <= set(zombies().model_dump()["trigger"]["expect"])


def test_run_that_was_taken_and_never_began_ends_as_crashed(prefect_api: PrefectServer):
    wanted = never_begun().model_dump(mode="json")
    wanted["name"], wanted["trigger"]["within"] = "sooner", 10
    with prefect_api.client() as api:
        automation = api.post("/automations/", json=wanted).raise_for_status().json()["id"]
        flow = api.post("/flows/", json={"name": "summarize-day"}).raise_for_status().json()["id"]
        nights: list[list[str]] = []
        ends: list[list[str]] = []
        until = time.monotonic() + 240
        # The service that watches for events learns of a new automation a moment after it was made, and a busy machine
        # may be late with a beat: one night without all that is enough.
        while ["Crashed", "Running", "Pending"] not in ends and time.monotonic() < until:
            nights.append([take(api, flow, ["PENDING"])])
            for states in (["PENDING", "RUNNING"], ["PENDING"]):
                nights[-1].append(take(api, flow, states))
                beat(api, nights[-1][1:], TAG)
            for _ in range(5):
                time.sleep(1)
                beat(api, [run for _, *begun in nights for run in begun], TAG)
            ends = [[state_of(api, run)["name"] for run in night] for night in nights[:-2]]
        api.delete(f"/automations/{automation}").raise_for_status()
        assert ["Crashed", "Running", "Pending"] in ends
        crashed = nights[ends.index(["Crashed", "Running", "Pending"])][0]
        assert "Run it again" in state_of(api, crashed)["message"]


def test_nightly_that_is_not_done_in_time_is_told_once(prefect_api: PrefectServer, hook):
    address, posted = hook
    bootstrap(prefect_api, "--webhook-url", address)
    with prefect_api.client() as api:
        block = api.get(f"/block_types/slug/webhook/block_documents/name/{WEBHOOK}").raise_for_status().json()["id"]
        wanted = late_nightly(block).model_dump(mode="json")
        wanted["name"], wanted["trigger"]["within"] = "sooner", 10
        automation = api.post("/automations/", json=wanted).raise_for_status().json()["id"]
        flow = api.post("/flows/", json={"name": "summarize-day"}).raise_for_status().json()["id"]
        nights: list[tuple[str, str]] = []
        told: list[str] = []
        tellings: list[tuple[int, int]] = []
        until = time.monotonic() + 240
        while (1, 0) not in tellings and time.monotonic() < until:  # as above: one night is enough
            # It looks for its logs, waits without a process, and looks again: that makes it no younger.
            late = take(api, flow, ["PENDING", "RUNNING", "SCHEDULED", "PENDING", "RUNNING"], NIGHTLY_TAG)
            nights.append((late, take(api, flow, ["PENDING", "RUNNING", "COMPLETED"], NIGHTLY_TAG)))
            told += told_not_done(posted, 6)
            # What was told is not told again within another while of its patience.
            tellings = [(told.count(late), told.count(ended)) for late, ended in nights[:-3]]
        api.delete(f"/automations/{automation}").raise_for_status()
        assert (1, 0) in tellings


def told_not_done(posted: Queue[dict[str, Any]], seconds: float) -> list[str]:
    """The runs that are told to be not done; what else is told meanwhile is of another test's runs."""
    found: list[str] = []
    until = time.monotonic() + seconds
    with suppress(Empty):
        while True:
            told = posted.get(timeout=max(until - time.monotonic(), 0))
            if told["what"] == "not done by 06:00":
                found.append(told["link"].rpartition("/")[2])
    return found


def take(api: httpx.Client, flow: str, states: list[str], tag: str = TAG) -> str:
    run: str = api.post("/flow_runs/", json={"flow_id": flow, "tags": [tag]}).raise_for_status().json()["id"]
    for state in states:
        api.post(f"/flow_runs/{run}/set_state", json={"state": {"type": state}, "force": True}).raise_for_status()
    return run


def state_of(api: httpx.Client, run: str) -> dict[str, Any]:
    return dict(api.get(f"/flow_runs/{run}").raise_for_status().json()["state"])
