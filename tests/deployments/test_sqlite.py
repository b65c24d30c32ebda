"""A server on SQLite answers everybody and loses no event, whatever many runs ask of it at once."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

from deployments.automations import TAG
from tests.servers.prefect import PrefectServer, beat

RUNS, ROUNDS, BEATS = 12, 3, 3


def watching(after: str, expect: str) -> dict[str, Any]:
    """An automation that has the server write about every event of a run."""
    states = {"after": [f"prefect.flow-run.{after}"], "expect": [f"prefect.flow-run.{expect}"]}
    trigger = {"type": "event", "posture": "Proactive", "for_each": ["prefect.resource.id"], "threshold": 1}
    match = {"match": {"prefect.resource.id": "prefect.flow-run.*"}, "within": 90}
    return {"name": f"watching {after}", "trigger": {**trigger, **states, **match}, "actions": [{"type": "do-nothing"}]}


def test_runs_that_change_their_states_at_once_are_all_heard(prefect_api: PrefectServer):
    written_before = len(prefect_api.log.read_text())
    lost_before = len(list((prefect_api.home / "dlq").glob("*")))
    name = f"at-once-{uuid4()}"
    limit = {"name": name, "limit": 1}

    def live_and_end(number: int) -> str:
        with prefect_api.client() as api:
            for round_ in range(ROUNDS):
                asked = {"flow_id": flow, "tags": [TAG], "state": {"type": "SCHEDULED"}}
                run = str(api.post("/flow_runs/", json=asked).raise_for_status().json()["id"])
                for state in ("PENDING", "RUNNING"):
                    api.post(f"/flow_runs/{run}/set_state", json={"state": {"type": state}}).raise_for_status()
                for _ in range(BEATS):
                    beat(api, [run], TAG)
                # SQLite refuses a statement here, and a transaction has another one within.
                assert api.post("/v2/concurrency_limits/", json=limit).status_code == 409
                api.patch(f"/work_queues/{queue}", json={"is_paused": round_ % 2 == 0}).raise_for_status()
                api.post(f"/flow_runs/{run}/set_state", json={"state": {"type": "COMPLETED"}}).raise_for_status()
        return run

    with prefect_api.client() as api:
        flow = api.post("/flows/", json={"name": name}).raise_for_status().json()["id"]
        pool = {"name": name, "type": "process"}
        queue = api.post("/work_pools/", json=pool).raise_for_status().json()["default_queue_id"]
        api.post("/v2/concurrency_limits/", json=limit).raise_for_status()
        made = [f"/v2/concurrency_limits/{name}", f"/work_pools/{name}"] + [
            f"/automations/{api.post('/automations/', json=automation).raise_for_status().json()['id']}"
            for automation in (watching("Running", "heartbeat"), watching("Pending", "Running"))
        ]
        try:
            with ThreadPoolExecutor(RUNS) as threads:
                last = list(threads.map(live_and_end, range(RUNS)))
            states = {api.get(f"/flow_runs/{run}").raise_for_status().json()["state_name"] for run in last}
        finally:
            for path in made:
                api.delete(path).raise_for_status()

    assert states == {"Completed"}
    assert "database is locked" not in prefect_api.log.read_text()[written_before:]
    assert len(list((prefect_api.home / "dlq").glob("*"))) == lost_before
