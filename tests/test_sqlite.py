"""A server on SQLite answers everybody and loses no event, however many runs change their states at once."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

from deployments.bootstrap import TAG, never_begun, zombies
from tests.servers.prefect import PrefectServer, beat

RUNS, ROUNDS, BEATS = 12, 3, 3


def test_runs_that_change_their_states_at_once_are_all_heard(prefect_api: PrefectServer):
    written_before = len(prefect_api.log.read_text())
    lost_before = len(list((prefect_api.home / "dlq").glob("*")))

    def live_and_end(number: int) -> str:
        with prefect_api.client() as api:
            for _ in range(ROUNDS):
                asked = {"flow_id": flow, "tags": [TAG], "state": {"type": "SCHEDULED"}}
                run = str(api.post("/flow_runs/", json=asked).raise_for_status().json()["id"])
                for state in ("PENDING", "RUNNING"):
                    api.post(f"/flow_runs/{run}/set_state", json={"state": {"type": state}}).raise_for_status()
                for _ in range(BEATS):
                    beat(api, [run], TAG)
                api.post(f"/flow_runs/{run}/set_state", json={"state": {"type": "COMPLETED"}}).raise_for_status()
        return run

    with prefect_api.client() as api:
        flow = api.post("/flows/", json={"name": "lives-and-ends"}).raise_for_status().json()["id"]
        made = [
            api.post("/automations/", json=one.model_dump(mode="json")).raise_for_status().json()["id"]
            for one in (zombies(), never_begun())
        ]
        try:
            with ThreadPoolExecutor(RUNS) as pool:
                last = list(pool.map(live_and_end, range(RUNS)))
            states = {api.get(f"/flow_runs/{run}").raise_for_status().json()["state_name"] for run in last}
        finally:
            for automation in made:
                api.delete(f"/automations/{automation}").raise_for_status()

    assert states == {"Completed"}
    assert "database is locked" not in prefect_api.log.read_text()[written_before:]
    assert len(list((prefect_api.home / "dlq").glob("*"))) == lost_before


def test_a_queue_is_paused_which_takes_a_transaction_within_another(prefect_api: PrefectServer):
    with prefect_api.client() as api:
        asked = {"name": f"paused-{uuid4()}", "type": "process"}
        pool = api.post("/work_pools/", json=asked).raise_for_status().json()
        queue = f"/work_queues/{pool['default_queue_id']}"
        for paused in (True, False):
            api.patch(queue, json={"is_paused": paused}).raise_for_status()
            assert api.get(queue).raise_for_status().json()["is_paused"] is paused
        api.delete(f"/work_pools/{pool['name']}").raise_for_status()
