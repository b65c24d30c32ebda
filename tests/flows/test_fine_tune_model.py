"""Fine-tuning as a command: from labels and logs to a training set in BOS, six jobs, a table and a report."""

import orjson
import pytest

from flows.fine_tune_model import main
from tests.conftest import ROOT

pytestmark = pytest.mark.usefixtures("prefect_server", "console_account")

LABELS = ("--labels", str(ROOT / "deployments/demo/labels.jsonl"), "--start", "2026-11-20", "--end", "2026-11-22")


def test_fine_tune_model_builds_its_set_from_labels_and_logs(console, bos, tmp_path, capsys):
    upload = f"bos://{bos.bucket}/training"
    arguments = ["--name", "t2", *LABELS, "--upload-to", upload, "--poll-seconds", "0", "--warehouse", str(tmp_path)]
    assert main([*arguments, "--training-token-price", "0.02"]) == 2
    told = capsys.readouterr().err.splitlines()[-1]
    assert "6 experiments on 165 rows of bos://" in told
    assert "24 epochs in all: about" in told
    assert "at ¥0.02 for 1,000 = ¥" in told
    assert "Nothing was submitted; --confirm agrees to it" in told
    assert not console.jobs

    code = main([*arguments, "--confirm", "--json"])
    told = capsys.readouterr()
    assert code == 0, told.err
    done = orjson.loads(told.out)
    assert (done["status"], done["best"]) == ("done", 5)

    folder = tmp_path / "models/name=t2"
    assert {path.name for path in folder.iterdir()} == {
        "tuning.json",
        "training.jsonl",
        "experiments.parquet",
        "report.html",
        "report.md",
    }
    lines = (folder / "training.jsonl").read_bytes().splitlines()
    assert len(lines) > 100
    (row,) = orjson.loads(lines[0])
    assert row["prompt"].startswith("你是一个对话摘要机器人")
    assert set(orjson.loads(row["response"][0][0])) == {"用户问题", "客服方案", "是否接受", "是否负面情绪"}
    assert bos.read("training/kefu-training/t2/training.jsonl").splitlines() == lines
    versions = [task.dataset["versions"] for task in console.tasks.values()]
    assert versions == [[{"versionBosUri": f"bos:/{bos.bucket}/training/kefu-training/t2/training.jsonl"}]] * 6


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--name", "Über"], "--name 'Über'"),
        (["--name", "t", *LABELS], "--upload-to"),
        (["--name", "t", "--training-set", "mine"], "--training-set 'mine'"),
        (["--name", "t", "--experiments", "/none.toml"], "/none.toml can't be read"),
        (["--name", "t", "--stop"], "There is no tuning 't'"),
    ],
)
def test_fine_tune_model_refuses_wrong_use_in_one_line(console, arguments, words, tmp_path, capsys):
    assert main([*arguments, "--warehouse", str(tmp_path)]) == 2
    told = capsys.readouterr().err.splitlines()
    assert words in told[-1]
    assert not console.jobs
