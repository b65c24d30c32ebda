"""Deploying as a command: from a tuning that is done to a promoted endpoint, and all the way back."""

import asyncio
from datetime import UTC, datetime

import orjson
import pytest

from flows.deploy_model import main
from tasks.clients.folder_store import FolderStore
from tasks.domain.model_platform import TrainingData
from tasks.tuning.rules.experiments import Experiment
from tasks.tuning.rules.tuning_record import Trial, Tuning
from tasks.tuning.training_jobs import TuningRecord, tuning_key
from tasks.warehouse.day_lease import Patience
from tasks.warehouse.erasure_lease import begin_erasure
from tests.conftest import ROOT
from tests.servers.console import PUBLISHED, Task

pytestmark = pytest.mark.usefixtures("prefect_server", "console_account")

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
    asyncio.run(TuningRecord(FolderStore(tmp_path), tuning_key("d"), tuning).save(tuning))
    return tmp_path


def run(tuned, capsys, *arguments):
    logs = str(ROOT / "deployments/demo/logs/{day}")
    code = main(["--name", "d", "--warehouse", str(tuned), "--source", logs, *arguments])
    return code, capsys.readouterr()


def test_deploy_model_promotes_what_was_agreed_to_and_takes_it_back(console, tuned, capsys):
    code, told = run(tuned, capsys, *HOURS)
    assert code == 2
    assert "48 h are 48 replica hours at ¥12.50 = ¥600.00. Nothing was asked for; --confirm" in told.err
    assert not console.services

    block = ("--block", "tried-by-a-test")
    asked = (*HOURS, *block, *LABELS, "--margin", "100", "--poll-seconds", "0", "--confirm", "--json")
    code, told = run(tuned, capsys, *asked)
    assert code == 0, told.err
    done = orjson.loads(told.out)
    (service,) = console.services.values()
    assert (done["stage"], done["endpoint"]) == ("promoted", service.endpoint)
    assert done["comparison"]["accepted/accuracy"]["rows"] < 100  # of 217, those held out

    page = (tuned / "models/name=d/promotion.html").read_text(encoding="utf-8")
    assert service.endpoint in page
    assert "within the margin on every judged figure" in page

    code, told = run(tuned, capsys, "--retire", *block)
    assert (code, "block 'tried-by-a-test'): --rollback first" in told.err) == (2, True)
    code, told = run(tuned, capsys, "--rollback", "--name", "other", *block)
    assert (code, "of 'd' on" in told.err, "not of 'other'" in told.err) == (2, True, True)
    store = FolderStore(tuned)
    store.write_path("runs/day=2026-11-22/runs.parquet", b"")
    erasure = begin_erasure(store, "erasure", Patience(0, print))
    code, told = run(tuned, capsys, "--rollback", *block, "--busy-wait-seconds", "0")
    erasure.release()
    assert (code, "endpoint: offline" in told.out) == (0, True), "to take a bad model back waits for no erasure"
    code, told = run(tuned, capsys, "--rollback", *block)
    assert (code, "Nothing to roll back" in told.err) == (2, True)  # and not the bad model again
    code, told = run(tuned, capsys, "--retire", *block, "--poll-seconds", "0")
    assert (code, "stage: retired" in told.out) == (0, True)
    assert console.paid_units() == []


def test_too_few_labels_are_refused_with_their_number_before_anything_is_paid(console, tuned, capsys):
    code, told = run(tuned, capsys, *LABELS, "--confirm")
    assert code == 1
    assert "Only 52 labeled conversations are held out: --margin 5 needs 314 of them" in told.err
    assert not console.services


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--name", "Über"], "--name 'Über'"),
        (["--name", "none"], "There is no tuning 'none'"),
        (["--name", "none", "--retire"], "Nothing of tuning 'none' is deployed"),
        (["--name", "none", "--rollback", "--block", "of-nobody"], "of-nobody"),
        (["--margin", "0"], "--margin: this has to be greater than 0"),
        (["--pay", "month", "--months", "13"], "--months 13"),
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
