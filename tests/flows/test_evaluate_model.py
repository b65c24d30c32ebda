"""Scores of files and of endpoints: one JSON object, one clear line for what is wrong, nothing paid for twice."""

import asyncio
import json
import subprocess
import sys
from datetime import date

import pytest

from flows.evaluate_model import evaluate_model, main
from tasks.domain.errors import UsageError
from tasks.evaluating.rules.scoring import METRICS
from tests.conftest import ROOT
from tests.servers.qianfan import API_KEY

RIGHT = '{"用户问题": "包裹没有动静", "客服方案": "催促站点", "是否接受": "是", "是否负面情绪": "否"}'
WRONG = RIGHT.replace("催促站点", "请您稍等")


def written(path, *predictions):
    lines = [
        json.dumps({"prediction": prediction, "reference": RIGHT}, ensure_ascii=False) for prediction in predictions
    ]
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


LABELS = str(ROOT / "deployments/demo/labels.jsonl")
START, END = date(2026, 11, 20), date(2026, 11, 22)

# Prefect's own client leaves its connections to the garbage collector.
prefect = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning", "ignore:unclosed:ResourceWarning"
)


def evaluated(settings, start=None, end=None, labels="", limit=0, held_out=False):
    return asyncio.run(evaluate_model(start, end, labels, limit, held_out, settings=settings))


@prefect
@pytest.mark.usefixtures("prefect_server")
def test_evaluate_model_asks_an_endpoint_once(accounts, qianfan, tmp_path, capsys):
    qianfan.behavior.mode = "mixed"
    qianfan.behavior.faults = {"overloaded": 0.05, "http_500": 0.05}
    settings = {
        "source": str(ROOT / "deployments" / "demo" / "logs" / "{day}"),
        "warehouse": str(tmp_path / "w"),
        "summarizer": "qianfan",
        "endpoint": "sft_v1",
    }
    figures = evaluated(settings, START, END, LABELS)
    assert (figures["rows"], figures["model"], figures["prompt"]) == (217, "sft_v1", "sft-v1")
    assert figures["calls"] == sum(qianfan.delivered.values()) == len(qianfan.delivered)
    assert 0 < figures["format/plain"] < figures["format/parseable"] <= 100
    assert figures["prompt_tokens"] > 100

    again = evaluated(settings, START, END, LABELS)
    assert again["calls"] == 0
    same = ("BLEU-4", "EDIT-DISTANCE", "accepted/kappa", "latency_ms p50", "prompt_tokens")
    assert [again[name] for name in same] == [figures[name] for name in same]
    assert main(["--predictions", figures["predictions"], "--baseline", again["predictions"], "--json"]) == 0
    scored = json.loads(capsys.readouterr().out)
    assert [scored[name] for name in METRICS] == [figures[name] for name in METRICS]
    assert not (tmp_path / "w" / "summaries").exists()
    assert [path.name for path in (tmp_path / "w" / "_answers").iterdir()] == ["evaluations"]

    few = evaluated(settings | {"endpoint": "sft_v2"}, START, END, LABELS, 10)
    assert few["rows"] == 10
    unseen = evaluated(settings, START, END, LABELS, held_out=True)
    assert (unseen["rows"], unseen["calls"]) == (52, 0)


@prefect
@pytest.mark.usefixtures("prefect_server")
@pytest.mark.parametrize(
    ("given", "words"),
    [
        ((), "There are no labels in"),
        ((START, END), f"There are no labels from {START} to {END} in"),
        ((START, END, "none.jsonl"), "none.jsonl"),
        ((None, None, LABELS), "--start and --end"),
        ((date(2020, 1, 1), date(2020, 1, 1), LABELS), "None of the 217"),
    ],
)
def test_evaluate_model_says_what_labels_it_lacks(given, words, tmp_path):
    with pytest.raises(UsageError, match=words):
        evaluated({"warehouse": str(tmp_path), "source": str(tmp_path / "{day}")}, *given)


def test_evaluate_model_asks_other_models_about_a_file(accounts, qianfan, predictions, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("OPENAI_BASE_URL", f"{qianfan.url}/v1")
    monkeypatch.setenv("OPENAI_API_KEY", API_KEY)
    qianfan.answers = lambda endpoint, prompt: "5 分" if prompt.count("催促站点") == 2 else '{"分数": 2}'
    asked = ["--predictions", predictions, "--warehouse", str(tmp_path / "w"), "--json"]
    qianfan_judge = ["--summarizer", "qianfan", "--judge-endpoint", "judge", "--embedding", "qianfan:embedding-v1"]
    assert main([*asked, *qianfan_judge]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert 0 < figures["EMBEDDING-DISTANCE"] < 0.5
    assert figures["judge/grade"] == pytest.approx(3)
    assert list(figures)[6] == "EMBEDDING-DISTANCE"
    assert sum(qianfan.delivered.values()) == 3

    assert main([*asked, *qianfan_judge[:4], "--embedding", "openai:bge"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["EMBEDDING-DISTANCE"] == pytest.approx(figures["EMBEDDING-DISTANCE"])
    assert sum(qianfan.delivered.values()) == 3

    for wrong, words in ((["--embedding", "bge"], "--embedding"), (["--judge-endpoint", "x"], "rules are no judge")):
        assert main([*asked, *wrong]) == 2
        assert words in capsys.readouterr().err
