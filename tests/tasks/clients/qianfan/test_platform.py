"""The console's client against its server: what is looked at is tried again, what is created is not, errors are named."""

import asyncio

import pytest

from tasks.clients.qianfan.credentials import QianfanCredentials
from tasks.clients.qianfan.platform import QianfanConsole
from tasks.domain.errors import PlatformBusy, PlatformRefused, PlatformUnavailable, UsageError
from tasks.domain.model_platform import TrainingData, TrainingSpec
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
        ask(console, lambda platform: platform.create_job("twice", "ERNIE-Speed-8K", "SFT", ""))
    assert console.calls["CreateFineTuningJob"] == 1


def test_a_list_in_another_shape_is_not_taken_for_an_empty_one(console):
    console.break_next("DescribeFineTuningJobs", "no_result")
    with pytest.raises(PlatformUnavailable, match="DescribeFineTuningJobs: the reply is no list"):
        ask(console, lambda platform: platform.find_job("none"))


def test_a_hang_ends_with_the_timeout(console):
    console.slow_seconds = 90
    with pytest.raises(PlatformUnavailable, match=r"no reply within 0\.2 s"):
        ask(console, lambda platform: platform.create_job("slow", "ERNIE-Speed-8K", "SFT", ""), timeout_seconds=0.2)


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
        job = await platform.create_job(name, "ERNIE-Speed-8K", "SFT", "")
        return await platform.create_task(job, TrainingSpec("LoRA", hyper, data, 20))

    with pytest.raises(PlatformRefused, match="train config error: epoch"):
        ask(console, lambda platform: create(platform, "a1", {**HYPER, "epoch": 99}))
    ask(console, lambda platform: create(platform, "a2", HYPER))
    with pytest.raises(PlatformBusy, match="510402"):
        ask(console, lambda platform: create(platform, "a3", HYPER))


def test_lists_are_read_to_their_last_page(console):
    for number in range(250):
        console.jobs[f"job-{number:03}"] = {"jobId": f"job-{number:03}", "name": f"n{number}", "model": "m"}
    assert ask(console, lambda platform: platform.find_job("n0")).job_id == "job-000"
    assert console.calls["DescribeFineTuningJobs"] == 3


def test_a_dataset_is_released_before_it_is_trained_on(console):
    dataset = console.add_dataset(42, released=False)
    assert ask(console, lambda platform: platform.dataset_rows(dataset)) == 42
    assert console.datasets[dataset]["released"]
    assert console.calls["dataset/release"] == 1


def test_tunable_is_what_the_platform_lists_by_model_mode_and_method(console):
    """Modes without methods and hyperparameters without a check are read, too."""
    tunable = ask(console, lambda platform: platform.tunable())
    speed = tunable["ERNIE-Speed-8K"]
    assert speed["SFT"]["full"]["learningRate"].values == (1e-6, 4e-5)
    assert speed["SFT"]["LoRA"]["maxSeqLen"].kind == "choice"
    assert speed["SFT"]["LoRA"]["seed"].kind == "any"
    assert speed["PostPretrain"] == {}
    assert set(tunable["ERNIE-Lite-8K-0308"]) == {"SFT", "DPO", "KTO"}
    assert "LoRA-GA" in tunable["ERNIE-Lite-8K-0308"]["SFT"]


def test_a_dataset_s_rows_are_downloaded_from_their_own_addresses(console):
    rows = [f'[{{"prompt": "{number}", "response": [["好"]]}}]' for number in range(65)]
    dataset = console.add_dataset(entities=rows)
    found = ask(console, lambda platform: platform.dataset_entities(dataset))
    assert [line.decode() for line in found] == rows
    assert console.calls["entity/list"] == 3


def test_services_of_both_protocols_are_told_apart(console):
    """Without the protocol named, services of V2 would not be listed."""
    assert ask(console, lambda platform: platform.find_services("none")) == []
    with pytest.raises(PlatformRefused, match="NotFound: no such service: svco-0"):
        ask(console, lambda platform: platform.describe_service("svco-0"))


def test_the_oldest_shape_of_an_error_gives_its_reason(console):
    """{"success": false, "message": {"global": …}}."""
    with pytest.raises(PlatformRefused, match="the prompt is empty"):
        ask(console, lambda platform: platform.optimize_prompt(""))


def test_a_prompt_is_optimized(console):
    better = ask(console, lambda platform: platform.optimize_prompt("概述对话：{conversation}"))
    assert better.endswith("概述对话：{conversation}")
