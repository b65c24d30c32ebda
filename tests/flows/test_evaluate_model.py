"""The scoring command: one JSON object, one clear line for what is wrong, no server."""

import json
import subprocess
import sys

import pytest

from flows.evaluate_model import main
from tasks.domain.scoring import METRICS
from tests.conftest import ROOT

RIGHT = '{"用户问题": "包裹没有动静", "客服方案": "催促站点", "是否接受": "是", "是否负面情绪": "否"}'
WRONG = RIGHT.replace("催促站点", "请您稍等")


def written(path, *predictions):
    lines = [json.dumps({"prediction": one, "reference": RIGHT}, ensure_ascii=False) for one in predictions]
    path.write_text("\n".join(lines), encoding="utf-8")
    return str(path)


@pytest.fixture
def predictions(tmp_path):
    return written(tmp_path / "predictions.jsonl", RIGHT, WRONG, "抱歉，我无法回答。")


def test_evaluate_model_prints_one_json_object(predictions, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "flows.evaluate_model", "--predictions", predictions, "--json"],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "KEFU_SUMMARIZER": "qianfan", "PREFECT_API_URL": "http://127.0.0.1:1/api"},
        capture_output=True,
        text=True,
        check=True,
        timeout=100,
    )
    figures = json.loads(done.stdout)
    assert list(figures)[:7] == ["rows", *METRICS, "EMBEDDING-DISTANCE"]
    assert figures["rows"] == 3
    assert figures["EMBEDDING-DISTANCE"] == "not computed"
    assert figures["format/plain"] == pytest.approx(200 / 3)
    assert figures["accepted/accuracy 95%"][0] < figures["accepted/accuracy"] == pytest.approx(200 / 3)


def test_evaluate_model_writes_the_rows_it_averages(predictions, tmp_path, capsys):
    rows = tmp_path / "rows.jsonl"
    assert main(["--predictions", predictions, "--per-row", str(rows), "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    written_rows = [json.loads(line) for line in rows.read_text(encoding="utf-8").splitlines()]
    assert [row["row"] for row in written_rows] == [1, 2, 3]
    for metric in METRICS:
        assert sum(row[metric] for row in written_rows) / 3 == pytest.approx(figures[metric])
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_evaluate_model_says_whether_the_difference_is_more_than_chance(tmp_path, capsys):
    better = written(tmp_path / "a.jsonl", *[RIGHT] * 20, *[WRONG] * 5)
    worse = written(tmp_path / "b.jsonl", *[WRONG] * 25)
    assert main(["--predictions", better, "--baseline", worse, "--json"]) == 0
    compared = json.loads(capsys.readouterr().out)["comparison"]
    assert compared["plan/ROUGE-L"]["verdict"] == "better"
    assert compared["accepted/accuracy"]["verdict"] == "no difference beyond chance"
    assert main(["--predictions", worse, "--baseline", better]) == 0
    assert "worse" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "holds no line"), (b'{"prediction": "a"}', "line 1"), (b"nonsense", "line 1: not JSON")],
)
def test_evaluate_model_refuses_a_wrong_file_in_one_line(content, words, tmp_path, capsys):
    path = tmp_path / "p.jsonl"
    path.write_bytes(content)
    rows = tmp_path / "rows.jsonl"
    assert main(["--predictions", str(path), "--per-row", str(rows)]) == 2
    told = capsys.readouterr().err
    assert words in told
    assert told.count("\n") == 1
    assert list(tmp_path.iterdir()) == [path]


def test_evaluate_model_refuses_files_that_it_can_not_use(predictions, tmp_path, capsys):
    for arguments, words in (
        (["--predictions", str(tmp_path / "none")], "can't be read"),
        (["--predictions", str(tmp_path)], "can't be read"),
        (["--predictions", predictions, "--per-row", predictions], "files to read"),
        (["--predictions", predictions, "--per-row", str(tmp_path / "no" / "rows")], "can't be written"),
    ):
        assert main(arguments) == 2
        assert words in capsys.readouterr().err


def test_evaluate_model_takes_a_runaway_answer_in_its_stride(tmp_path, capsys):
    path = written(tmp_path / "p.jsonl", RIGHT, '{"用户问题": [' * 1_000_000)
    assert main(["--predictions", path, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows_cut"] == 1
