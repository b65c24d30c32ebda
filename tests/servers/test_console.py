"""The console server against the SDK's own trainer, model, service and prompt: it speaks what they expect."""

import pytest
from qianfan.common import Prompt
from qianfan.config import get_config
from qianfan.dataset import Dataset
from qianfan.errors import APIError, QianfanError
from qianfan.resources.console.finetune import FineTune
from qianfan.resources.console.model import Model
from qianfan.resources.console.service import Service
from qianfan.resources.console.utils import call_action
from qianfan.trainer import LLMFinetune
from qianfan.trainer.configs import TrainConfig
from qianfan.trainer.consts import PeftType

from tests.servers.console import ConsoleServer, Task
from tests.servers.qianfan import ACCESS_KEY, SECRET_KEY

UNITS = "/v2/serviceresources"


@pytest.fixture
def console(monkeypatch, tmp_path):
    """The server, and the SDK's own configuration pointed at it."""
    config = get_config()
    with ConsoleServer() as server:
        for name, value in {
            "ACCESS_KEY": ACCESS_KEY,
            "SECRET_KEY": SECRET_KEY,
            "CONSOLE_API_BASE_URL": server.url,
            "CACHE_DIR": str(tmp_path),
            "RELEASE_STATUS_POLLING_INTERVAL": 0,
            "TRAIN_STATUS_POLLING_INTERVAL": 0,
            "MODEL_PUBLISH_STATUS_POLLING_INTERVAL": 0,
            "DEPLOY_STATUS_POLLING_INTERVAL": 0,
        }.items():
            monkeypatch.setattr(config, name, value)
        yield server


def test_sdk_trains_and_then_asks_for_calls_that_are_gone(console):
    """The SDK's own way publishes by the calls of V1."""
    console.behavior.poor_fields = False
    dataset = Dataset.load(qianfan_dataset_id=console.add_dataset(120))
    trainer = LLMFinetune(
        train_type="ERNIE-Speed-8K",
        dataset=dataset,
        train_config=TrainConfig(epoch=6, learning_rate=3e-5, peft_type=PeftType.ALL),
        name="sdk-run",
    )
    with pytest.raises(QianfanError, match="NoSuchAction"):
        trainer.ppls[0].exec_from({}, 0)  # run() looks at its own thread every ten seconds
    (task,) = console.tasks
    assert FineTune.V2.task_detail(task)["result"]["metrics"]["BLEU-4"] == "62.20%"


def test_sdk_makes_a_service_of_today_and_takes_it_offline(console):
    task = Task("task-1", "job-1", "FullFineTuning", {"epoch": 6, "learningRate": 3e-5}, {}, began=-9_999)
    console.tasks["task-1"] = task
    console.behavior.payment_seconds = 100
    console.jobs["job-1"] = {"jobId": "job-1", "name": "j", "description": "", "model": "ERNIE-Speed-8K"}
    set_id = Model.V2.create_custom_model_set("digest", "Text2Text")["result"]["modelSetId"]
    meta = {"taskId": "task-1", "checkpointStep": 64}
    model_id = Model.V2.create_custom_model(set_id, "Train", train_meta=meta)["result"]["modelId"]
    console.advance(600)
    month = {"paymentTiming": "Prepaid", "reservation": {"reservationTimeUnit": "Month", "reservationLength": 1}}
    asked = {"model_set_id": set_id, "model_id": model_id, "name": "digest", "url_suffix": "digest", "billing": month}
    with pytest.raises(QianfanError, match=r"resourceConfig\.type"):
        Service.V2.create_service(**asked, resource_config={"type": "GPU-I-2", "replicasCount": 1})
    made = Service.V2.create_service(
        **asked, resource_config={"type": "GPU-1-2", "replicasCount": 1}, protocolVersion=2
    )["result"]

    assert Service.V2.service_detail(made["serviceId"])["result"]["runStatus"] == "New"
    console.advance(600)
    assert Service.V2.service_list(name="digest")["result"]["serviceList"] == []
    (found,) = Service.V2.service_list(name="digest", protocolVersion=2)["result"]["serviceList"]
    assert (found["runStatus"], found["url"].rpartition("/")[2]) == ("Serving", "completions")
    assert console.quality_of(found["endpoint"]) == 1.0

    unit = {"serviceId": found["serviceId"], "instanceId": made["instanceId"]}
    with pytest.raises(QianfanError, match="paymentTiming"):
        call_action(UNITS, "ReleaseComputeUnit", unit)
    call_action("/v2/service", "DeactivateService", {"serviceId": found["serviceId"]})
    console.advance(600)
    assert Service.V2.service_detail(found["serviceId"])["result"]["runStatus"] == "Stopped"
    (left,) = call_action(UNITS, "DescribeComputeUnits", {"serviceId": found["serviceId"]})["result"]["instances"]
    assert (left["status"], left["expireTime"][:7]) == ("Running", "2026-12")


def test_sdk_optimizes_a_prompt(console):
    console.behavior.seconds_per_poll = 600
    optimized = Prompt("概述对话：{conversation}").optimize()
    assert "概述对话：{conversation}" in optimized.template


def test_wrong_signature_is_refused(console, monkeypatch):
    monkeypatch.setattr(get_config(), "SECRET_KEY", "another")
    with pytest.raises(QianfanError, match="SignatureDoesNotMatch"):
        FineTune.V2.job_list()


def test_same_job_name_is_refused(console):
    create = FineTune.V2.create_job
    create(name="twice", model="ERNIE-Speed-8K", train_mode="SFT")
    with pytest.raises(APIError, match="task name exist"):
        create(name="twice", model="ERNIE-Speed-8K", train_mode="SFT")


@pytest.mark.parametrize("done", [True, False])
def test_lost_reply_leaves_the_work_done_or_not(console, done):
    console.break_next("CreateFineTuningJob", "reset_after" if done else "reset_before")
    with pytest.raises(OSError, match=r"Connection|aborted|reset"):
        FineTune.V2.create_job(name="lost", model="ERNIE-Speed-8K", train_mode="SFT")
    console.advance(90)
    names = [job["name"] for job in FineTune.V2.job_list()["result"]["jobList"]]
    assert names == (["lost"] if done else [])
