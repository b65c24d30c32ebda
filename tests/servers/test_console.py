"""The console server against the SDK's own trainer, model, service and prompt: it speaks what they expect."""

import pytest
from qianfan.common import Prompt
from qianfan.config import get_config
from qianfan.dataset import Dataset
from qianfan.errors import APIError, QianfanError
from qianfan.model import Model
from qianfan.model.configs import DeployConfig
from qianfan.model.consts import ServiceType
from qianfan.resources.console.finetune import FineTune
from qianfan.resources.console.service import Service
from qianfan.resources.console.utils import call_action
from qianfan.trainer import LLMFinetune
from qianfan.trainer.configs import TrainConfig
from qianfan.trainer.consts import PeftType

from tests.servers.console import ConsoleServer
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


def test_sdk_trains_publishes_and_deploys(console):
    dataset_id = console.add_dataset(120)
    dataset = Dataset.load(qianfan_dataset_id=dataset_id)
    trainer = LLMFinetune(
        train_type="ERNIE-Speed-8K",
        dataset=dataset,
        train_config=TrainConfig(epoch=6, learning_rate=3e-5, peft_type=PeftType.ALL),
        name="sdk-run",
    )
    output = trainer.ppls[0].exec_from({}, 0)  # run() looks at its own thread every ten seconds
    assert output["metrics"]["BLEU-4"] == "62.20%"
    assert {"step", "trainingLoss", "perplexity"} == output["checkpoints"][0].keys()

    model = Model(id=output["model_id"])
    service = model.deploy(
        DeployConfig(name="digest", endpoint_suffix="digest", replicas=1, hours=5, service_type=ServiceType.Chat)
    )
    assert service.status == "Serving"
    assert console.quality_of(service.endpoint) == 1.0

    (found,) = Service.V2.service_list(name="digest")["result"]["serviceList"]
    asked = {"serviceId": found["serviceId"]}
    (unit,) = call_action(UNITS, "DescribeComputeUnits", asked)["result"]["instances"]
    with pytest.raises(QianfanError, match="paid by use"):
        call_action(UNITS, "ReleaseComputeUnit", {**asked, "instanceId": unit["instanceId"]})
    console.advance(5 * 3600)
    assert Service.V2.service_detail(found["serviceId"])["result"]["runStatus"] == "Stopped"


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
    names = [job["name"] for job in FineTune.V2.job_list()["result"]["jobList"]]
    assert names == (["lost"] if done else [])
