"""Publishing, deploying and releasing against the console server: restarts, lost replies, a service never ready."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from tasks.clients.folder_store import FolderStore
from tasks.clients.qianfan_credentials import QianfanCredentials
from tasks.clients.qianfan_platform import QianfanConsole
from tasks.domain.errors import ModelFailed, UsageError
from tasks.domain.model_platform import TrainingData
from tasks.tuning.rollout import (
    DeploymentRecord,
    begin_deployment,
    deploy_service,
    deployment_of,
    find_deployment,
    publish_model,
    retire_service,
)
from tasks.tuning.rules.experiments import Experiment
from tasks.tuning.rules.rollout_record import NOT_GIVEN_BACK, ModelRollout, ServiceSpec, plan_deployment
from tasks.tuning.rules.tuning_record import Trial, Tuning
from tests.kills import killed_at_write
from tests.servers.console import PUBLISHED, ConsoleServer, Task
from tests.servers.qianfan import ACCESS_KEY, SECRET_KEY

STEPS = (publish_model, deploy_service)
HOUR = timedelta(hours=1)


@pytest.fixture
def console():
    with ConsoleServer(chat_url="https://aip.example", seconds_per_poll=100) as server:
        server.jobs["job-1"] = {"jobId": "job-1", "name": "kefu-a-5", "description": "", "model": "ERNIE-Speed-8K"}
        server.tasks["task-1"] = Task(
            "task-1", "job-1", "FullFineTuning", {"epoch": 6, "learningRate": 3e-5}, {}, began=-9_999
        )
        yield server


@pytest.fixture
def store(tmp_path):
    return FolderStore(tmp_path / "warehouse")


def live(console, store, *, steps=STEPS, rounds=100, timeout=HOUR, pool="private"):
    """What a process does: take the deployment up where it is, and go on for so many rounds."""

    async def run() -> ModelRollout:
        platform = QianfanConsole(QianfanCredentials(ACCESS_KEY, SECRET_KEY), console.url, retry_seconds=0.0)
        try:
            record = find_deployment(store, "a")
            if record is None:
                trial = Trial(Experiment(5, "full", 6, 3e-5), "kefu-a-5", "done", "job-1", "task-1")
                planned = plan_deployment("a", trial, ServiceSpec(replicas=2, pool=pool), datetime.now(UTC))
                record = DeploymentRecord(store, planned, None)
                await record.save(planned)
            left = rounds
            for step in steps:
                while left and not await (
                    step(record, platform) if step is retire_service else step(record, platform, timeout)
                ):
                    left -= 1
            return record.deployment
        finally:
            await platform.aclose()

    return asyncio.run(run())


def unit_statuses(console):
    return [unit["status"] for service in console.state()["services"].values() for unit in service["units"]]


def retire(console, store, rounds=100):
    return live(console, store, steps=(retire_service,), rounds=rounds)


@pytest.mark.parametrize("pool", ["private", "public"])
def test_deploy_service_serves_the_model(console, store, pool):
    done = live(console, store, pool=pool)
    assert done.stage == "serving"
    assert console.quality_of(done.endpoint) == 1.0
    (service,) = console.services.values()
    assert service.resource["replicasCount"] == 2
    if pool == "private":
        assert service.resource["type"] == "GPU-I-2"
        assert service.billing["reservation"] == {"reservationTimeUnit": "Hour", "reservationLength": 24}


@pytest.mark.parametrize("written", [True, False])
@pytest.mark.parametrize("write", range(1, 7))
def test_deploy_service_pays_once_after_a_kill_at_any_write(console, store, write, written):
    with killed_at_write(write, written=written):
        live(console, store)
    assert live(console, store).stage == "serving"
    assert len(console.versions) == len(console.services) == 1


@pytest.mark.parametrize("fault", ["http_500", "overloaded", "reset_before", "reset_after", "broken_json", "no_result"])
@pytest.mark.parametrize("action", ["modelrepo/publishTrainModel", "CreateService", "DescribeService"])
def test_deploy_service_pays_once_when_replies_break(console, store, action, fault):
    for _ in range(3):
        console.break_next(action, fault)
    assert live(console, store).stage == "serving"
    assert len(console.versions) == len(console.services) == 1


def test_deploy_service_goes_on_after_a_restart_in_every_wait(console, store):
    console.behavior.seconds_per_poll = 30
    for _ in range(60):
        if live(console, store, rounds=1).stage == "serving":
            break
    assert live(console, store).stage == "serving"
    assert len(console.versions) == len(console.services) == 1


def test_deploy_service_gives_up_what_never_gets_ready_and_retire_releases_it(console, store):
    console.behavior.service_fate = "hang"
    live(console, store, rounds=20, pool="public")
    with pytest.raises(ModelFailed, match=r"deploying for .* --retire gives it back"):
        live(console, store, timeout=timedelta(0))
    assert retire(console, store).stage == "retired"
    assert unit_statuses(console) == ["Deleted"]


def test_deploy_service_says_when_it_failed(console, store):
    console.behavior.service_fate = "fail"
    with pytest.raises(ModelFailed, match="failed"):
        live(console, store)
    record = find_deployment(store, "a")
    assert record is not None
    assert record.deployment.stage == "failed"
    assert record.deployment.paid_for


@pytest.mark.parametrize("fate", ["fail", "hang"])
def test_publish_model_says_when_it_fails_or_never_ends(console, store, fate):
    console.behavior.publish_fate = fate
    live(console, store, steps=(publish_model,), rounds=1)
    with pytest.raises(ModelFailed, match=r"could not be published|has been publishing"):
        live(console, store, timeout=timedelta(0))
    assert not console.services


def test_retire_service_waits_until_nothing_is_paid_for(console, store):
    live(console, store, pool="public")
    console.behavior.seconds_per_poll = 1
    assert retire(console, store, rounds=3).stage == "serving"
    assert retire(console, store).stage == "retired"
    assert console.calls["ReleaseComputeUnit"] == 1


def test_retire_service_says_what_was_paid_in_advance_and_is_never_given_back(console, store):
    live(console, store)
    retired = retire(console, store)
    assert (retired.stage, retired.reason) == ("retired", NOT_GIVEN_BACK)
    assert console.calls["ReleaseComputeUnit"] == 0
    assert unit_statuses(console) == ["Running"]


def test_retire_service_finds_one_whose_creation_was_never_confirmed(console, store):
    console.break_next("CreateService", "reset_after")
    console.behavior.seconds_per_poll = 1_000
    live(console, store, rounds=1)
    record = find_deployment(store, "a")
    assert record is not None
    assert (record.deployment.stage, record.deployment.service_id) == ("deploying", "")
    retired = retire(console, store)
    assert (retired.stage, retired.reason) == ("retired", NOT_GIVEN_BACK)
    assert retired.service_id in console.services


def begin(store, trial, experiment=0, **spec):
    tuning = Tuning("a", "ERNIE-Speed-8K", 20, TrainingData("ds-1"), datetime.now(UTC), (trial,))
    return asyncio.run(begin_deployment(store, tuning, experiment, ServiceSpec(**spec))).deployment


def test_begin_deployment_takes_the_last_wish_until_something_is_asked_for(console, store):
    trial = Trial(Experiment(5, "full", 6, 3e-5), "kefu-a-5", "done", "job-1", "task-1", metrics=PUBLISHED)
    assert begin(store, trial, hours=24).plan.hours == 24
    assert begin(store, trial, hours=720, replicas=2).plan.hours == 720
    live(console, store)
    assert begin(store, trial, hours=720, replicas=2).stage == "serving"
    with pytest.raises(UsageError, match=r"--replicas 2 .* --hours 720 .*--retire it first"):
        begin(store, trial, hours=24)
    with pytest.raises(UsageError, match="Experiment 5"):
        begin(store, trial, experiment=4, hours=720, replicas=2)
    (service,) = console.services.values()
    assert service.billing["reservation"]["reservationLength"] == 720


def test_deployment_of_names_what_is_not_there(store):
    with pytest.raises(UsageError, match="Nothing of tuning 'a' is deployed"):
        deployment_of(store, "a")
