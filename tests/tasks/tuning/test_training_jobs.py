"""Fine-tuning against the console server: restarts in every wait, lost replies, late lists, jobs that fail or hang."""

import asyncio
from datetime import timedelta

import pytest

from tasks.clients.folder_store import FolderStore
from tasks.clients.qianfan.credentials import QianfanCredentials
from tasks.clients.qianfan.platform import QianfanConsole
from tasks.domain.errors import PlatformRefused, UsageError
from tasks.domain.model_platform import TrainingData
from tasks.tuning.create_once import WaitPolicy
from tasks.tuning.rules.experiments import load_matrix
from tasks.tuning.training_jobs import advance, find_same, find_tuning, plan, publish_tuning, stop_tuning
from tests.kills import killed_at_write
from tests.servers.console import ConsoleServer
from tests.servers.console_services import EPOCH
from tests.servers.qianfan import ACCESS_KEY, SECRET_KEY

ALL = {"done"}
HOUR = timedelta(hours=1)


@pytest.fixture
def console():
    with ConsoleServer() as server:
        yield server


@pytest.fixture
def store(tmp_path):
    return FolderStore(tmp_path / "warehouse")


def policy(console, give_up_after=timedelta(hours=12)):
    """Waiting by the server's own clock, which every look moves on."""
    return WaitPolicy(give_up_after, now=lambda: EPOCH + timedelta(seconds=console.world.now))


def live(console, act):
    async def run():
        platform = QianfanConsole(QianfanCredentials(ACCESS_KEY, SECRET_KEY), console.url, retry_seconds=0.0)
        try:
            return await act(platform)
        finally:
            await platform.aclose()

    return asyncio.run(run())


def tune(
    console, store, *, name="t1", data=None, rounds=300, give_up_after=timedelta(hours=12), matrix=None, heard=None
):
    """Do a process's work: take the tuning up where it is, and go on for so many rounds."""
    matrix, waiting = matrix or load_matrix(), policy(console, give_up_after)

    async def act(platform):
        record = find_same(store, name, matrix)
        if record is None:
            training = data or TrainingData(dataset_id=console.add_dataset(120, released=False))
            record = await plan(store, platform, name, matrix, training, waiting)
            await record.save(record.value)
        for _ in range(rounds):
            if record.value.ended:
                break
            await advance(record, platform, waiting, (heard if heard is not None else []).append)
        return record.value

    return live(console, act)


def stop(console, store, name="t1"):
    async def act(platform):
        record = find_tuning(store, name)
        assert record is not None
        await stop_tuning(record, platform)
        return record.value

    return live(console, act)


def phases(tuning):
    return {trial.experiment.number: trial.phase for trial in tuning.trials}


def test_advance_runs_the_six_and_number_five_wins(console, store):
    tuning = tune(console, store)
    assert set(phases(tuning).values()) == ALL
    assert tuning.best.experiment.number == 5
    assert tuning.best.metrics == {
        "BLEU-4": 62.2,
        "ROUGE-1": 77.2,
        "ROUGE-2": 64.09,
        "ROUGE-L": 77.97,
        "EDIT-DISTANCE": 43.07,
        "EMBEDDING-DISTANCE": 0.03,
    }
    assert tuning.data.rows == 120
    record = find_tuning(store, "t1")
    assert record is not None
    assert record.value == tuning


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


@pytest.mark.parametrize("write", range(1, 21))
@pytest.mark.parametrize("written", [True, False])
def test_advance_submits_nothing_twice_after_a_kill_at_any_write(console, store, write, written):
    with killed_at_write(write, written=written):
        tune(console, store)
    assert tune(console, store).best.experiment.number == 5
    assert len(console.jobs) == len(console.tasks) == 6


@pytest.mark.parametrize("listing_seconds", [0, 600, 1_500])
@pytest.mark.parametrize("fault", ["http_500", "html_502", "overloaded", "reset_before", "reset_after", "broken_json"])
@pytest.mark.parametrize("action", ["CreateFineTuningJob", "CreateFineTuningTask"])
def test_advance_submits_nothing_twice_when_replies_break_and_lists_lag(console, store, action, fault, listing_seconds):
    console.behavior.listing_seconds = listing_seconds
    for _ in range(3):
        console.break_next(action, fault)
    heard: list[str] = []
    assert tune(console, store, heard=heard).best.experiment.number == 5
    assert len(console.jobs) == len(console.tasks) == 6
    assert any(action in line for line in heard)  # in the platform's own words, at once


def test_advance_asks_again_for_what_was_surely_never_created(console, store):
    console.break_next("CreateFineTuningJob", "reset_before")
    heard: list[str] = []
    tune(console, store, rounds=2, heard=heard)
    assert "not submitted yet" in heard[0]
    assert "it is looked for until 2026-11-23 06:33 UTC" in heard[1]
    assert console.calls["CreateFineTuningJob"] == 1
    console.advance(1_800)
    assert tune(console, store).best.experiment.number == 5


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


def test_advance_gives_the_person_what_the_platform_refuses_and_takes_the_corrected_command(console, store):
    """A refusal ends the run at once, and what was not created is asked for again."""
    console.break_next("CreateFineTuningTask", "refused")
    with pytest.raises(PlatformRefused, match="QuotaExceeded: the account may have no more"):
        tune(console, store)
    assert tune(console, store).best.experiment.number == 5
    assert len(console.tasks) == 6


def test_advance_goes_on_without_a_job_that_fails(console, store):
    console.behavior.task_fates = {"5": "fail"}
    tuning = tune(console, store)
    assert phases(tuning)[5] == "failed"
    assert tuning.trials[4].reason.endswith(f"/{tuning.trials[4].job_id}/{tuning.trials[4].task_id}/detail/traininglog")
    assert tuning.best.experiment.number == 1


def test_advance_refuses_another_tunings_job_of_the_same_name(console, store, tmp_path):
    """A second warehouse with the same name gets no figures of somebody else's experiments."""
    tune(console, store)
    with pytest.raises(UsageError, match=r"Job kefu-t1-1 is on the platform already .* give another --name"):
        tune(console, FolderStore(tmp_path / "second"))
    assert len(console.jobs) == 6


def test_advance_leaves_a_healthy_job_alone_that_stands_at_65_per_cent_for_most_of_a_day(console, store):
    """Half of the time and more passes at 65 %."""
    console.behavior.train_seconds = 40 * 3600
    console.behavior.seconds_per_poll = 600
    tuning = tune(console, store)
    assert set(phases(tuning).values()) == ALL
    assert max(trial.longest_standstill for trial in tuning.trials) > 20 * 3600


def test_advance_stops_a_job_that_hangs(console, store):
    console.behavior.task_fates = {"2": "hang"}
    tuning = tune(console, store, rounds=20)
    assert phases(tuning)[2] == "running"
    console.behavior.seconds_per_poll = 3_600
    tuning = tune(console, store)
    assert phases(tuning)[2] == "stopped"
    assert "nothing changed for 12." in tuning.trials[1].reason
    assert tuning.best.experiment.number == 5
    assert [task.stopped for task in console.tasks.values()] == [False, True, False, False, False, False]


@pytest.mark.parametrize("rounds", [0, 1])
def test_stop_tuning_stops_everything_that_has_not_ended(console, store, rounds):
    console.behavior.train_seconds = 40 * 3600
    tune(console, store, rounds=rounds)
    tuning = stop(console, store)
    assert set(phases(tuning).values()) == {"stopped"}
    assert all(task.stopped for task in console.tasks.values())
    assert tune(console, store).best is None


def test_stop_tuning_finds_a_job_whose_submission_was_never_confirmed(console, store):
    console.break_next("CreateFineTuningTask", "reset_after")
    assert phases(tune(console, store, rounds=1))[1] == "submitting"
    console.advance(90)
    stop(console, store)
    assert [task.stopped for task in console.tasks.values()] == [True]


def test_plan_refuses_what_the_platform_would_not_take(console, store, tmp_path):
    path = tmp_path / "matrix.toml"
    path.write_text(
        'base_model = "ERNIE-Speed-8K"\n[[experiment]]\nmethod = "full"\nepoch = 80\nlearning_rate = 3e-4\n'
        'maxSeqLen = 1000\n[[experiment]]\nmethod = "LoRA"\nepoch = 3\nlearning_rate = 3e-4\nwarmth = 1\n'
    )
    with pytest.raises(UsageError) as refused:
        tune(console, store, matrix=load_matrix(path))
    assert "experiment 1: epoch 80 (1 to 50)" in str(refused.value)
    assert "experiment 1: learningRate 3e-4 (1e-6 to 4e-5)" in str(refused.value)
    assert "experiment 1: maxSeqLen 1000 (512, 1024, 2048, 4096, 8192)" in str(refused.value)
    assert "experiment 2: there is no warmth for LoRA" in str(refused.value)
    assert not console.jobs


def test_experiments_of_today_reach_the_platform_as_they_are_written(console, store, tmp_path):
    """DPO, LoRA-GA, a validation set, a run on top of another one, early stopping."""
    base = tune(console, store, name="base").best
    path = tmp_path / "matrix.toml"
    validation = console.add_dataset(30)
    path.write_text(
        f'base_model = "ERNIE-Lite-8K-0308"\nvalidation = "{validation}"\n'
        '[[experiment]]\nmethod = "LoRA-GA"\nepoch = 2\nlearning_rate = 2.5e-4\nearlyStopping = "True"\nseed = 7\n'
        '[[experiment]]\nmode = "DPO"\nmethod = "LoRA"\nepoch = 1\nlearning_rate = 1e-4\n'
        f'[[experiment]]\nbase_model = "ERNIE-Speed-8K"\nmethod = "LoRA"\nepoch = 1\nlearning_rate = 1e-4\n'
        f'base_task = "{base.task_id}"\nbase_step = 64\n'
    )
    tuning = tune(console, store, name="today", matrix=load_matrix(path))
    assert set(phases(tuning).values()) == ALL
    first, second, third = list(console.tasks.values())[-3:]
    assert first.scale == "LoRA-GA"
    assert first.hyper == {"epoch": 2, "learningRate": 2.5e-4, "earlyStopping": "True", "seed": 7}
    assert first.dataset["validationVersions"] == [{"versionId": validation}]
    assert "splitRatio" not in first.dataset
    assert console.jobs[second.job_id]["trainMode"] == "DPO"
    assert (third.base_task, third.base_step) == (base.task_id, 64)


def test_save_stops_the_later_of_two_processes_before_it_submits(console, store):
    tune(console, store, rounds=0)
    late = find_tuning(store, "t1")
    assert late is not None
    tune(console, store, rounds=1)
    jobs = len(console.jobs)

    with pytest.raises(UsageError, match="Another run is at work"):
        live(console, lambda platform: advance(late, platform, policy(console), lambda _: None))
    assert len(console.jobs) == jobs


def test_publish_tuning_draws_every_loss_curve(console, store):
    console.behavior.task_fates = {"4": "fail"}
    console.behavior.checkpoint_lists = True
    tuning = tune(console, store)
    publish_tuning(store, tuning)
    html = store.read_path("models/name=t1/report.html").decode()
    assert html.count("<path") == 5
    assert html.count('class="best" d="M') == 1
    table = store.read_path("models/name=t1/report.md").decode()
    row = "| 5 ★ | ERNIE-Speed-8K | SFT | 全量 | epoch 6，learningRate 3e-5 | 完成 | 62.20 | 77.20 | 64.09 | 77.97 | 43.07 | 0.03 |"
    assert row in table
    assert "see its log" in table


def test_publish_tuning_links_to_the_curves_that_the_platform_only_links_to(console, store):
    """An empty list of checkpoints."""
    tuning = tune(console, store)
    publish_tuning(store, tuning)
    html = store.read_path("models/name=t1/report.html").decode()
    assert html.count("<path") == 0
    assert html.count("visualdl/index?displayToken=") == 6
