"""Adopting what was made outside: a finished task, a published model, a service of today; and what can't be adopted."""

import asyncio
from datetime import timedelta

import pytest

from tasks.clients.folder_store import FolderStore
from tasks.clients.qianfan.credentials import QianfanCredentials
from tasks.clients.qianfan.platform import QianfanConsole
from tasks.domain.errors import UsageError
from tasks.tuning.adoption import adopt
from tasks.tuning.create_once import WaitPolicy
from tasks.tuning.rollout import begin_rollout, deploy_service, find_rollout, publish_model, retire_service
from tasks.tuning.rules.rollout_record import ServiceSpec
from tasks.tuning.training_jobs import tuning_of
from tests.servers.console import ConsoleServer, Task
from tests.servers.console_models import Version
from tests.servers.console_services import EPOCH, Service
from tests.servers.qianfan import ACCESS_KEY, SECRET_KEY


@pytest.fixture
def console():
    """A notebook's task, model version and service."""
    with ConsoleServer(seconds_per_poll=100) as server:
        server.jobs["job-1"] = {"jobId": "job-1", "name": "nb", "description": "", "model": "ERNIE-Speed-8K"}
        hyper, data = {"epoch": 6, "learningRate": 2.5e-4, "maxSeqLen": 4096}, {"versions": [{"versionId": "ds-1"}]}
        server.tasks["task-1"] = Task("task-1", "job-1", "LoRA", hyper, data, began=-9_999)
        server.models.sets["am-1"] = {"modelSetId": "am-1", "modelSetName": "nb", "modelIds": ["amv-1"]}
        server.versions["amv-1"] = Version("amv-1", "am-1", "task-1", began=-9_999)
        unit = {"instanceId": "unit-1", "paymentTiming": "Postpaid", "replicasCount": 1}
        paid = {"paymentTiming": "Postpaid", "chargeType": "ComputingUnit"}
        server.services["svco-1"] = Service(
            "svco-1", "nb", "am-1", "amv-1", "ab_nb", "", 2, paid, {"replicasCount": 1}, -9_999, units=[unit]
        )
        yield server


@pytest.fixture
def store(tmp_path):
    return FolderStore(tmp_path / "warehouse")


def live(console, act):
    policy = WaitPolicy(timedelta(hours=10), now=lambda: EPOCH + timedelta(seconds=console.world.now))

    async def run():
        platform = QianfanConsole(QianfanCredentials(ACCESS_KEY, SECRET_KEY), console.url, retry_seconds=0.0)
        try:
            return await act(platform, policy)
        finally:
            await platform.aclose()

    return asyncio.run(run())


def bring(console, store, name="nb", task="", model="", service=""):
    live(console, lambda platform, policy: adopt(store, platform, name, task, model, service, policy))


def test_a_task_becomes_a_tuning_with_what_it_was_made_of(console, store):
    bring(console, store, task="task-1")
    tuning = tuning_of(store, "nb")
    assert tuning.best is not None
    assert tuning.best.task_id == "task-1"
    assert tuning.best.experiment.hyperparameters == {"epoch": 6, "learningRate": 2.5e-4, "maxSeqLen": 4096}
    assert (tuning.base_model, tuning.best.experiment.method, tuning.data.dataset_id) == (
        "ERNIE-Speed-8K",
        "LoRA",
        "ds-1",
    )
    assert find_rollout(store, "nb") is None
    bring(console, store, task="task-1")  # again: nothing changes


def test_a_model_is_not_published_again(console, store):
    bring(console, store, model="amv-1")
    assert tuning_of(store, "nb").trials[0].task_id == "task-1"
    record = asyncio.run(begin_rollout(store, tuning_of(store, "nb"), 0, ServiceSpec(), EPOCH))
    assert record.value.token  # what it creates from here on is marked as its own
    live(console, lambda platform, policy: publish_model(record, platform, policy, print))
    assert record.value.model is not None
    assert record.value.model.model_id == "amv-1"
    assert console.calls["CreateCustomModel"] == 0


def test_a_service_is_adopted_as_it_serves_and_retired_like_any_other(console, store):
    bring(console, store, service="svco-1")
    record = asyncio.run(begin_rollout(store, tuning_of(store, "nb"), 0, ServiceSpec(replicas=3), EPOCH))
    assert (record.value.stage, record.value.endpoint, record.value.service_id) == ("serving", "ab_nb", "svco-1")

    async def retire(platform, policy):
        assert await deploy_service(record, platform, policy, print)
        while not await retire_service(record, platform, policy, print):
            pass

    live(console, retire)
    assert record.value.stage == "retired"
    assert console.calls["CreateService"] == 0
    assert console.paid_units() == []


def test_what_can_not_be_adopted_is_refused(console, store):
    with pytest.raises(UsageError, match=r"--task task-9: .*no such task"):
        bring(console, store, task="task-9")
    console.tasks["task-1"].fate = "hang"
    with pytest.raises(UsageError, match="--task task-1 is running: only a finished task"):
        bring(console, store, task="task-1")
    console.tasks["task-1"].fate = ""
    console.services["svco-1"].protocol = 1
    with pytest.raises(UsageError, match=r"serves the interface V1, which was switched off: .* --model amv-1"):
        bring(console, store, service="svco-1")
    console.services["svco-1"].protocol = 2
    console.services["svco-1"].deactivated = -9_999
    with pytest.raises(UsageError, match="--service svco-1 is stopped"):
        bring(console, store, service="svco-1")
    console.versions["amv-1"].fate = "fail"
    with pytest.raises(UsageError, match="--model amv-1 is failed"):
        bring(console, store, model="amv-1")


def test_a_name_stands_for_one_thing(console, store):
    bring(console, store, task="task-1")
    console.tasks["task-2"] = Task("task-2", "job-1", "LoRA", {"epoch": 1, "learningRate": 3e-4}, {}, began=-9_999)
    with pytest.raises(UsageError, match="Tuning 'nb' is another one"):
        bring(console, store, task="task-2")
    bring(console, store, model="amv-1")
    console.versions["amv-2"] = Version("amv-2", "am-1", "task-1", began=-9_999)
    with pytest.raises(UsageError, match="rollout of another model or service"):
        bring(console, store, model="amv-2")
