"""The console's client against its server: what is looked at is tried again, what is created is not, errors are named."""

import asyncio

import pytest

from tasks.clients.qianfan_credentials import QianfanCredentials
from tasks.clients.qianfan_platform import QianfanConsole
from tasks.domain.errors import PlatformBusy, PlatformRefused, PlatformUnavailable, UsageError
from tasks.domain.model_platform import TrainingData
from tests.servers.console import ConsoleServer
from tests.servers.qianfan import ACCESS_KEY, SECRET_KEY

HYPER = {"epoch": 3, "learningRate": 3e-4}


@pytest.fixture
def console():
    with ConsoleServer() as server:
        yield server


def ask(console, question, *, url="", secret=SECRET_KEY, **options):
    async def asked():
        platform = QianfanConsole(
            QianfanCredentials(ACCESS_KEY, secret), url or console.url, **{"retry_seconds": 0.0, **options}
        )
        try:
            return await question(platform)
        finally:
            await platform.aclose()

    return asyncio.run(asked())


FAULTS = ["http_500", "html_502", "text_502", "overloaded", "reset_before", "reset_after", "broken_json"]


@pytest.mark.parametrize("fault", FAULTS)
def test_looking_is_tried_again(console, fault):
    for _ in range(4):
        console.break_next("DescribeFineTuningJobs", fault)
    assert ask(console, lambda platform: platform.find_job("none")) is None
    assert console.calls["DescribeFineTuningJobs"] == 5


@pytest.mark.parametrize("fault", [*FAULTS, "no_result"])
def test_creating_is_sent_once(console, fault):
    console.break_next("CreateFineTuningJob", fault)
    with pytest.raises(PlatformUnavailable, match="CreateFineTuningJob"):
        ask(console, lambda platform: platform.create_job("twice", "ERNIE-Speed-8K", ""))
    assert console.calls["CreateFineTuningJob"] == 1


def test_a_list_in_another_shape_is_not_taken_for_an_empty_one(console):
    console.break_next("DescribeFineTuningJobs", "no_result")
    with pytest.raises(PlatformUnavailable, match="DescribeFineTuningJobs: the reply is no list"):
        ask(console, lambda platform: platform.find_job("none"))


def test_a_hang_ends_with_the_timeout(console):
    console.slow_seconds = 90
    with pytest.raises(PlatformUnavailable, match=r"no reply within 0\.2 s"):
        ask(console, lambda platform: platform.create_job("slow", "ERNIE-Speed-8K", ""), timeout_seconds=0.2)


def test_nobody_there_is_unavailable():
    with pytest.raises(PlatformUnavailable, match="no reply"):
        ask(None, lambda platform: platform.find_job("x"), url="http://127.0.0.1:9", attempts=1)


def test_a_wrong_key_is_refused_and_never_told(console):
    with pytest.raises(PlatformRefused, match="check the key pair") as refused:
        ask(console, lambda platform: platform.find_job("x"), secret="not-the-secret")
    assert "not-the-secret" not in str(refused.value)
    assert console.calls["DescribeFineTuningJobs"] == 1


def test_a_bearer_token_is_not_enough():
    with pytest.raises(UsageError, match="key pair"):
        QianfanConsole(QianfanCredentials(bearer_token="t"))


def test_too_many_tasks_are_busy_and_a_wrong_one_is_refused(console):
    console.behavior.running_tasks = 1
    data = TrainingData(dataset_id=console.add_dataset(100))

    async def create(platform, name, hyper):
        job = await platform.create_job(name, "ERNIE-Speed-8K", "")
        return await platform.create_task(job, "LoRA", hyper, data, 20)

    with pytest.raises(PlatformRefused, match="train config error: epoch"):
        ask(console, lambda platform: create(platform, "a1", {**HYPER, "epoch": 99}))
    ask(console, lambda platform: create(platform, "a2", HYPER))
    with pytest.raises(PlatformBusy, match="510402"):
        ask(console, lambda platform: create(platform, "a3", HYPER))


def test_lists_are_read_to_their_last_page(console):
    for number in range(250):
        console.jobs[f"job-{number:03}"] = {"jobId": f"job-{number:03}", "name": f"n{number}", "model": "m"}
    assert ask(console, lambda platform: platform.find_job("n0")) == "job-000"
    assert console.calls["DescribeFineTuningJobs"] == 3


def test_a_dataset_is_released_before_it_is_trained_on(console):
    dataset = console.add_dataset(42, released=False)
    assert ask(console, lambda platform: platform.dataset_rows(dataset)) == 42
    assert console.datasets[dataset]["released"]
    assert console.calls["dataset/release"] == 1


def test_limits_are_those_of_supervised_tuning(console):
    limits = ask(console, lambda platform: platform.limits("ERNIE-Speed-8K"))
    assert limits["full"]["learningRate"].values == (1e-6, 4e-5)
    assert limits["LoRA"]["maxSeqLen"].kind == "choice"
    assert ask(console, lambda platform: platform.limits("another")) == {}


def test_a_prompt_is_optimized(console):
    better = ask(console, lambda platform: platform.optimize_prompt("概述对话：{conversation}"))
    assert better.endswith("概述对话：{conversation}")
