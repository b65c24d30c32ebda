"""The wait for offline batch inference on a real server: no process, no slot, and the same run comes back."""

import time
from datetime import date
from pathlib import Path

import orjson
import pytest

from tests.servers.accounts import account_environment
from tests.servers.batch_inference import BatchInferenceServer
from tests.servers.bos import BosServer
from tests.servers.qianfan import QianfanServer
from tests.servers.workers import deploy, worker, worker_environment

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

DAY = date(2026, 11, 22)


def test_a_run_that_waits_ends_its_process_and_comes_back_as_itself(prefect_api, tmp_path):
    with BosServer() as bos, QianfanServer() as qianfan, BatchInferenceServer(bos, qianfan.url) as batch:
        batch.behavior.looks_needed = 2
        environment = worker_environment(prefect_api, account_environment(bos, qianfan, batch.url))
        deploy(environment)
        lines = [orjson.dumps({"conversation": f"用户：第{number}号灯不亮\n客服：给您换一个"}) for number in range(40)]
        bos.put(f"logs/{DAY}/a.jsonl", b"\n".join(lines))
        settings = {
            "source": "bos://kefu-logs/logs/{day}",
            "warehouse": "bos://kefu-logs/warehouse",
            "summarizer": "qianfan-batch",
            "endpoint": "sft_v1",
            "batch_look_seconds": 20,
        }
        with worker("batch", environment, tmp_path), prefect_api.client() as api:
            deployment = api.get("/deployments/name/summarize-day/nightly").raise_for_status().json()
            asked = {"parameters": {"day": str(DAY), "settings": settings}}
            run = api.post(f"/deployments/{deployment['id']}/create_flow_run", json=asked).raise_for_status().json()
            states: list[str] = []
            processes_while_waiting = []
            until = time.monotonic() + 800
            while time.monotonic() < until and (not states or states[-1] not in {"Completed", "Failed", "Crashed"}):
                state = api.get(f"/flow_runs/{run['id']}").raise_for_status().json()["state"]["name"]
                if not states or state != states[-1]:
                    states.append(state)
                    if state == "AwaitingBatch":
                        time.sleep(8)  # more than a process takes to end
                        processes_while_waiting.append(flow_run_processes(run["id"]))
                time.sleep(0.5)
        told = (tmp_path / "batch.log").read_text()
        assert states[-1] == "Completed", told
        assert states.count("AwaitingBatch") >= 1, states
        assert not processes_while_waiting[0], told
        assert len(batch.tasks) == 1
        assert set(batch.paid.values()) == {1}
        assert not qianfan.delivered
        assert f"warehouse/runs/day={DAY}/runs.parquet" in bos.keys()  # noqa: SIM118  not a dict


def flow_run_processes(run_id: str) -> list[int]:
    """The processes that work for a flow run."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if run_id.encode() in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found
