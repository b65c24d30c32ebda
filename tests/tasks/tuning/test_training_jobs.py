"""Fine-tuning against the console server: restarts in every wait, lost replies, jobs that fail, hang or have to queue."""

import asyncio
from datetime import timedelta

import pytest

from tasks.clients.folder_store import FolderStore
from tasks.clients.qianfan_credentials import QianfanCredentials
from tasks.clients.qianfan_platform import QianfanConsole
from tasks.domain.errors import UsageError
from tasks.domain.model_platform import TrainingData
from tasks.tuning.rules.experiments import load_matrix
from tasks.tuning.training_jobs import advance, begin_tuning, find_tuning, publish_tuning, stop_tuning
from tests.kills import killed_at_write
from tests.servers.console import ConsoleServer
from tests.servers.qianfan import ACCESS_KEY, SECRET_KEY

ALL = {"done"}


@pytest.fixture
def console():
    with ConsoleServer() as server:
        yield server


@pytest.fixture
def store(tmp_path):
    return FolderStore(tmp_path / "warehouse")


def tune(console, store, *, name="t1", data=None, rounds=100, timeout=timedelta(hours=1), matrix=None):
    """What a process does: take the tuning up where it is, and go on for so many rounds."""

    async def run():
        platform = QianfanConsole(QianfanCredentials(ACCESS_KEY, SECRET_KEY), console.url, retry_seconds=0.0)
        try:
            record = await begin_tuning(
                store,
                platform,
                name,
                matrix or load_matrix(),
                lambda: data or TrainingData(dataset_id=console.add_dataset(120, released=False)),
            )
            for _ in range(rounds):
                if record.tuning.ended:
                    break
                await advance(record, platform, timeout, lambda _: None)
            return record.tuning
        finally:
            await platform.aclose()

    return asyncio.run(run())


def stop(console, store, name="t1"):
    async def run():
        platform = QianfanConsole(QianfanCredentials(ACCESS_KEY, SECRET_KEY), console.url, retry_seconds=0.0)
        try:
            record = find_tuning(store, name)
            assert record is not None
            await stop_tuning(record, platform)
            return record.tuning
        finally:
            await platform.aclose()

    return asyncio.run(run())


def phases(tuning):
    return {trial.experiment.number: trial.phase for trial in tuning.trials}


def test_advance_runs_the_six_and_number_five_wins(console, store):
    tuning = tune(console, store)
    assert set(phases(tuning).values()) == ALL
    assert tuning.best.experiment.number == 5
    assert tuning.best.metrics == {"BLEU-4": 62.2, "ROUGE-1": 77.2, "ROUGE-2": 64.09, "ROUGE-L": 77.97}
    assert tuning.data.rows == 120
    record = find_tuning(store, "t1")
    assert record is not None
    assert record.tuning == tuning


@pytest.mark.parametrize("rounds", [1, 2])
def test_advance_goes_on_after_a_restart_in_every_wait(console, store, rounds):
    console.behavior.train_seconds = 6_000
    for _ in range(100):
        tuning = tune(console, store, rounds=rounds)
        if tuning.ended:
            break
    assert tuning.best.experiment.number == 5
    assert len(console.jobs) == len(console.tasks) == 6
    assert console.calls["CreateFineTuningTask"] == 6


@pytest.mark.parametrize("write", range(1, 15))
@pytest.mark.parametrize("written", [True, False])
def test_advance_submits_nothing_twice_after_a_kill_at_any_write(console, store, write, written):
    with killed_at_write(write, written=written):
        tune(console, store)
    assert tune(console, store).best.experiment.number == 5
    assert len(console.jobs) == len(console.tasks) == 6


@pytest.mark.parametrize("fault", ["http_500", "html_502", "overloaded", "reset_before", "reset_after", "broken_json"])
@pytest.mark.parametrize("action", ["CreateFineTuningJob", "CreateFineTuningTask"])
def test_advance_submits_nothing_twice_when_replies_break(console, store, action, fault):
    for _ in range(3):
        console.break_next(action, fault)
    assert tune(console, store).best.experiment.number == 5
    assert len(console.jobs) == len(console.tasks) == 6


def test_advance_keeps_looking_while_the_platform_stumbles(console, store):
    for action in ("DescribeFineTuningTask", "DescribeFineTuningJobs", "DescribeFineTuningTasks", "dataset/info"):
        for fault in ("http_500", "reset_before", "broken_json"):
            console.break_next(action, fault)
    assert tune(console, store).best.experiment.number == 5


def test_advance_outlasts_a_platform_that_is_away_for_long(console, store):
    tune(console, store, rounds=1)
    for _ in range(23):
        console.break_next("DescribeFineTuningTask", "http_500")
    assert tune(console, store).best.experiment.number == 5


def test_advance_submits_only_what_the_platform_takes(console, store):
    console.behavior.running_tasks = 2
    assert phases(tune(console, store, rounds=1)) == {
        1: "running",
        2: "running",
        3: "submitting",
        4: "planned",
        5: "planned",
        6: "planned",
    }
    assert tune(console, store).best.experiment.number == 5
    assert len(console.tasks) == 6


def test_advance_goes_on_without_a_job_that_fails(console, store):
    console.behavior.task_fates = {"5": "fail"}
    tuning = tune(console, store)
    assert phases(tuning)[5] == "failed"
    assert tuning.trials[4].reason.endswith(f"/{tuning.trials[4].job_id}/{tuning.trials[4].task_id}/detail/traininglog")
    assert tuning.best.experiment.number == 1


def test_advance_stops_a_job_that_hangs(console, store):
    console.behavior.task_fates = {"2": "hang"}
    tuning = tune(console, store, rounds=20)
    assert phases(tuning)[2] == "running"
    tuning = tune(console, store, rounds=3, timeout=timedelta(0))
    assert phases(tuning)[2] == "stopped"
    assert "no progress" in tuning.trials[1].reason
    assert tuning.best.experiment.number == 5
    assert [task.stopped for task in console.tasks.values()] == [False, True, False, False, False, False]


@pytest.mark.parametrize("rounds", [0, 1])
def test_stop_tuning_stops_everything_that_has_not_ended(console, store, rounds):
    tune(console, store, rounds=rounds)
    tuning = stop(console, store)
    assert set(phases(tuning).values()) == {"stopped"}
    assert all(task.stopped for task in console.tasks.values())
    assert tune(console, store).best is None


def test_stop_tuning_finds_a_job_whose_submission_was_never_confirmed(console, store):
    console.break_next("CreateFineTuningTask", "reset_after")
    assert phases(tune(console, store, rounds=1))[1] == "submitting"
    stop(console, store)
    assert [task.stopped for task in console.tasks.values()] == [True]


def test_begin_tuning_refuses_what_the_platform_would_not_take(console, store, tmp_path):
    path = tmp_path / "matrix.toml"
    path.write_text(
        'base_model = "ERNIE-Speed-8K"\n[[experiment]]\nmethod = "full"\nepoch = 80\nlearning_rate = 3e-4\n'
        'maxSeqLen = 1000\n[[experiment]]\nmethod = "LoRA"\nepoch = 3\nlearning_rate = 3e-4\nwarmth = 1\n'
    )
    with pytest.raises(UsageError) as refused:
        tune(console, store, matrix=load_matrix(path))
    assert "experiment 1: epoch 80 (1 to 50)" in str(refused.value)
    assert "experiment 1: learningRate 0.0003 (1e-06 to 4e-05)" in str(refused.value)
    assert "experiment 1: maxSeqLen 1000 (512, 1024, 2048, 4096, 8192)" in str(refused.value)
    assert "experiment 2: there is no warmth for LoRA" in str(refused.value)
    assert not console.jobs
    assert find_tuning(store, "t1") is None


def test_begin_tuning_refuses_a_name_that_stands_for_other_experiments(console, store, tmp_path):
    tune(console, store, rounds=0)
    path = tmp_path / "matrix.toml"
    path.write_text('base_model = "ERNIE-Speed-8K"\n[[experiment]]\nmethod = "LoRA"\nepoch = 1\nlearning_rate = 3e-4\n')
    with pytest.raises(UsageError, match="other experiments"):
        tune(console, store, matrix=load_matrix(path))


def test_save_stops_the_second_of_two_processes_before_it_submits(console, store):
    tune(console, store, rounds=0)
    late = find_tuning(store, "t1")
    assert late is not None
    tune(console, store, rounds=1)
    jobs = len(console.jobs)

    async def second():
        platform = QianfanConsole(QianfanCredentials(ACCESS_KEY, SECRET_KEY), console.url, retry_seconds=0.0)
        try:
            await advance(late, platform, timedelta(hours=1), lambda _: None)
        finally:
            await platform.aclose()

    with pytest.raises(UsageError, match="Another run is at work"):
        asyncio.run(second())
    assert len(console.jobs) == jobs


def test_publish_tuning_draws_every_loss_curve(console, store):
    console.behavior.task_fates = {"4": "fail"}
    tuning = tune(console, store)
    publish_tuning(store, tuning)
    html = store.read_path("models/name=t1/report.html").decode()
    assert html.count("<path") == 5
    assert html.count('class="best" d="M') == 1
    table = store.read_path("models/name=t1/report.md").decode()
    assert "| 5 ★ | 全量 | 6 | 3e-5 | 完成 | 62.20 | 77.20 | 64.09 | 77.97 | 70.37 |" in table
    assert "see its log" in table
