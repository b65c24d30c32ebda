"""Hours of waiting on a real Prefect server with a real worker: no run waits, a later one goes on, cancel stops jobs."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from uuid import UUID

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterTags
from prefect.settings import PREFECT_API_URL, temporary_settings

from tasks.tuning.rules.tuning_record import decode_tuning
from tests.conftest import ROOT
from tests.servers.console import ConsoleServer
from tests.servers.qianfan import ACCESS_KEY, SECRET_KEY

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(900),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore:unclosed:ResourceWarning"),
]


@pytest.fixture
def console():
    with ConsoleServer(train_seconds=700) as server:
        yield server


@pytest.fixture
def environment(prefect_api, console):
    environment = prefect_api.environment() | {
        "KEFU_HOME": str(ROOT),
        "QIANFAN_ACCESS_KEY": ACCESS_KEY,
        "QIANFAN_SECRET_KEY": SECRET_KEY,
        "QIANFAN_CONSOLE_API_BASE_URL": console.url,
        "PREFECT_WORKER_QUERY_SECONDS": "1",
    }
    for arguments in (["-m", "deployments.bootstrap"], ["-m", "prefect", "--no-prompt", "deploy", "--prefect-file", "deployments/prefect.yaml", "--all"]):  # fmt: skip
        subprocess.run([sys.executable, *arguments], cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
    return environment


@pytest.fixture
def worker(environment, tmp_path):
    with (tmp_path / "worker.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "prefect", "worker", "start", "--pool", "kefu"],
            cwd=tmp_path,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    yield tmp_path / "worker.log"
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    process.wait()


def runs_of(server, name):
    async def read():
        with temporary_settings({PREFECT_API_URL: server.url}):
            async with get_client() as client:
                runs = await client.read_flow_runs(flow_run_filter=FlowRunFilter(tags=FlowRunFilterTags(all_=["kefu"])))
        return sorted((run for run in runs if run.parameters.get("name") == name), key=lambda run: run.created)

    return asyncio.run(read())


def start(environment, console, warehouse, name, poll_seconds):
    subprocess.run(
        [
            *(sys.executable, "-m", "prefect", "--no-prompt", "deployment", "run", "fine-tune-model/fine-tune-model"),
            *("--param", f"name={name}", "--param", f"training_set={console.add_dataset(120)}"),
            *(
                "--param",
                f"poll_seconds={poll_seconds}",
                "--param",
                "confirm=true",
                "--param",
                f'settings={{"warehouse": "{warehouse}"}}',
            ),
        ],
        cwd=ROOT,
        env=environment,
        check=True,
        stdout=subprocess.DEVNULL,
    )


def until(claim, seconds, log):
    deadline = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < deadline, log.read_text()[-4000:]
        time.sleep(0.5)


def test_a_tuning_waits_without_a_process_and_goes_on_in_the_same_run(
    prefect_api, environment, worker, console, tmp_path
):
    start(environment, console, tmp_path / "warehouse", "later", 2)
    report = tmp_path / "warehouse/models/name=later/report.html"
    until(report.exists, 400, worker)
    until(lambda: all(run.state.is_final() for run in runs_of(prefect_api, "later")), 60, worker)
    (run,) = runs_of(prefect_api, "later")
    assert run.state.name == "Completed"
    assert run.run_count > 2  # begun anew after every wait
    assert len(console.tasks) == 6
    tuning = decode_tuning((report.parent / "tuning.json").read_bytes())
    assert tuning.best is not None
    assert tuning.best.experiment.number == 5


def test_a_tuning_that_is_cancelled_while_it_waits_is_stopped_too(prefect_api, environment, worker, console, tmp_path):
    console.behavior.train_seconds = 100_000
    start(environment, console, tmp_path / "warehouse", "waiting", 600)
    until(lambda: [run.state.name for run in runs_of(prefect_api, "waiting")] == ["AwaitingPlatform"], 200, worker)
    assert console.tasks
    assert not any(task.stopped for task in console.tasks.values())
    (waiting,) = runs_of(prefect_api, "waiting")
    prefect_api.prefect("flow-run", "cancel", str(UUID(str(waiting.id))), folder=tmp_path)
    until(lambda: all(task.stopped for task in console.tasks.values()), 200, worker)
    until(lambda: all(run.state.is_final() for run in runs_of(prefect_api, "waiting")), 60, worker)
    assert [run.state.name for run in runs_of(prefect_api, "waiting")] == ["Cancelled", "Completed"]


def test_stop_on_cancel_stops_the_jobs_of_a_run_that_is_cancelled(prefect_api, environment, worker, console, tmp_path):
    console.behavior.train_seconds = 100_000
    console.slow_seconds = 1.0
    start(environment, console, tmp_path / "warehouse", "cancel", 600)
    until(lambda: len(console.tasks) >= 2, 120, worker)
    (run,) = runs_of(prefect_api, "cancel")
    prefect_api.prefect("flow-run", "cancel", str(UUID(str(run.id))), folder=tmp_path)
    until(lambda: console.tasks and all(task.stopped for task in console.tasks.values()), 120, worker)
    assert runs_of(prefect_api, "cancel")[0].state.name in {"Cancelling", "Cancelled"}
