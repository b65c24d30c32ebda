"""Deploying as a command: from a tuning that is done to a promoted endpoint, and all the way back."""

from datetime import UTC, datetime

import orjson
import pytest

from flows.deploy_model import main
from tasks.clients.folder_store import FolderStore
from tasks.domain.layout import model_folder
from tasks.domain.model_platform import TrainingData
from tasks.tuning.rules.experiments import Experiment
from tasks.tuning.rules.tuning_record import Trial, Tuning
from tasks.tuning.training_jobs import TuningRecord
from tests.conftest import ROOT
from tests.servers.console import PUBLISHED, Task

pytestmark = [
    pytest.mark.usefixtures("prefect_server", "console_account"),
    # Prefect leaves the connection open by which it asks for its default result storage.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore:unclosed:ResourceWarning"),
]

LABELS = ("--labels", str(ROOT / "deployments/demo/labels.jsonl"), "--start", "2026-11-20", "--end", "2026-11-22")
RIGHT = '{"用户问题": "催单", "客服方案": "加急", "是否接受": "是", "是否负面情绪": "否"}'
HOURS = ("--hours", "48", "--hour-price", "12.5")


@pytest.fixture
def tuned(console, tmp_path):
    """A tuning whose only experiment is done, in the warehouse and on the platform."""
    console.answer = lambda _quality, _prompt: RIGHT
    console.jobs["job-1"] = {"jobId": "job-1", "name": "kefu-d-1", "description": "", "model": "ERNIE-Speed-8K"}
    console.tasks["task-1"] = Task(
        "task-1", "job-1", "FullFineTuning", {"epoch": 6, "learningRate": 3e-5}, {}, began=-9_999
    )
    trial = Trial(Experiment(1, "full", 6, 3e-5), "kefu-d-1", "done", "job-1", "task-1", metrics=PUBLISHED)
    data = TrainingData(bos_uri="bos://b/training.jsonl", rows=165, built=True)
    tuning = Tuning("d", "ERNIE-Speed-8K", 20, data, datetime.now(UTC), (trial,))
    TuningRecord(FolderStore(tmp_path), f"{model_folder('d')}/tuning.json", tuning, None).save(tuning)
    return tmp_path


def run(tuned, capsys, *arguments):
    logs = str(ROOT / "deployments/demo/logs/{day}")
    code = main(["--name", "d", "--warehouse", str(tuned), "--source", logs, *arguments])
    return code, capsys.readouterr()


def test_deploy_model_promotes_what_was_agreed_to_and_takes_it_back(console, tuned, capsys):
    code, told = run(tuned, capsys, *HOURS)
    assert code == 2
    assert "48 replica hours paid in advance at 12.5 = 600.00. Nothing was asked for; --confirm" in told.err
    assert not console.services

    block = ("--block", "tried-by-a-test")
    asked = (*HOURS, *block, *LABELS, "--margin", "100", "--poll-seconds", "0", "--confirm", "--json")
    code, told = run(tuned, capsys, *asked)
    assert code == 0, told.err
    done = orjson.loads(told.out.splitlines()[-1])
    (service,) = console.services.values()
    assert (done["stage"], done["endpoint"]) == ("promoted", service.endpoint)
    assert done["comparison"]["accepted/accuracy"]["rows"] < 100  # of 217, those held out

    code, told = run(tuned, capsys, "--retire", *block)
    assert (code, "--rollback first" in told.err) == (2, True)
    code, told = run(tuned, capsys, "--rollback", *block)
    assert (code, "endpoint: offline" in told.out) == (0, True)
    code, told = run(tuned, capsys, "--retire", *block)
    assert (code, "stage: retired" in told.out, "paid in advance" in told.out) == (0, True, True)
    code, told = run(tuned, capsys, "--rollback", *block)
    assert (code, "which is retired" in told.err) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--name", "Über"], "--name 'Über'"),
        (["--name", "none"], "There is no tuning 'none'"),
        (["--name", "none", "--retire"], "Nothing of tuning 'none' is deployed"),
        (["--name", "none", "--rollback", "--block", "of-nobody"], "of-nobody"),
        (["--replicas", "0"], "--replicas 0"),
        (["--endpoint-suffix", "大"], "--endpoint-suffix '大'"),
        (["--experiment", "7"], "no such experiment"),
    ],
)
def test_deploy_model_refuses_wrong_use_in_one_line(console, tuned, arguments, words, capsys):
    code, told = run(tuned, capsys, *arguments)
    assert code == 2
    assert words in told.err.splitlines()[-1]
    assert not console.services
