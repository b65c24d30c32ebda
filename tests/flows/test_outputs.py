"""Standard output carries a command's result and nothing else: logs and complaints go to standard error."""

import importlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from flows.__main__ import commands
from tests.conftest import ROOT

pytestmark = pytest.mark.usefixtures("prefect_server")

DAYS = ["--start", "2026-11-22", "--end", "2026-11-22"]
DEMO = str(ROOT / "deployments/demo/logs/{day}")

# In this order: what one command makes, another one reads.
OFFLINE: dict[str, list[str]] = {
    "try_logs": [DEMO.format(day="2026-11-22")],
    "check_setup": [],
    "summarize_day": ["--day", "2026-11-22"],
    "backfill_days": [*DAYS, "--dry-run", "--overwrite"],
    "build_report": DAYS,
    "build_catalog": [],
    "publish_edition": ["--before", "2026-11-23"],
    "sample_for_review": [*DAYS, "--size", "5", "--output", "review.csv"],
    "import_reviews": ["--sheet", "review.csv"],
    "propose_themes": [*DAYS, "--output", "themes.csv"],
    "accept_themes": ["--restate-from", "2026-11-22", "--restate-to", "2026-11-22"],
    "erase_customer": ["--customer", "nobody"],
    "expire_files": [],
}
ONLINE: dict[str, list[str]] = {
    "assign_themes": [*DAYS, "--theme-endpoint", "general"],
    "ask_questions": ["--day", "2026-11-22", "--questions", "questions.toml", "--share", "0.1"],
    "shadow_day": ["--day", "2026-11-22", "--shadow-endpoint", "new", "--shadow-share", "0.1"],
    "compare_prompts": [
        "--base",
        "base",
        "--labels",
        str(ROOT / "deployments/demo/labels.jsonl"),
        "--limit",
        "4",
        *DAYS,
    ],
}
QUESTION = """[[questions]]
id = "promised"
kind = "yes_no"
text = "客服是否承诺了时间？"
"""
# Of the others, these tests read the whole of what is written as JSON.
OWN_TESTS = {
    "evaluate_model": "test_evaluate_model.py",
    "try_model": "test_try_model.py",
    "fine_tune_model": "test_fine_tune_model.py",
    "deploy_model": "test_deploy_model.py",
}


@pytest.fixture(scope="module")
def desk(tmp_path_factory) -> Path:
    """The folder in which these commands are called, one after the other."""
    folder: Path = tmp_path_factory.mktemp("desk")
    return folder


@pytest.fixture
def call(desk, monkeypatch, capfd) -> Callable[..., tuple[int, str, str]]:
    """Call a command in that folder; return its code, and what it wrote to standard output and error."""

    def called(name: str, *arguments: str) -> tuple[int, str, str]:
        monkeypatch.chdir(desk)
        capfd.readouterr()
        everywhere = [] if name == "try_logs" else ["--source", DEMO, "--warehouse", "w"]
        own = (OFFLINE | ONLINE)[name]
        code = importlib.import_module(f"flows.{name}").main([*own, *everywhere, *arguments])
        return code, *capfd.readouterr()

    return called


@pytest.mark.parametrize("name", OFFLINE)
def test_json_is_one_line_of_json_and_nothing_beside_it(name, call):
    code, out, _ = call(name, "--json")
    assert code == (name == "check_setup"), "the sample logs have no yesterday"
    assert out.count("\n") == 1
    assert isinstance(json.loads(out), dict | list)
    assert out.endswith("\n")


@pytest.mark.parametrize("name", ONLINE)
def test_json_of_commands_that_ask_a_model_is_so_too(name, call, desk, qianfan, accounts):
    (desk / "questions.toml").write_text(QUESTION, encoding="utf-8")
    code, out, error = call(name, "--summarizer", "qianfan", "--endpoint", "old", "--json")
    assert code == 0, error
    assert isinstance(json.loads(out), dict | list)


@pytest.mark.parametrize(
    ("flags", "code", "status"),
    [
        ([], 4, "answers_useless"),
        (["--canary-calls", "0"], 3, "too_many_rejects"),
        (["--max-calls", "5"], 5, "ceiling_reached"),
    ],
)
def test_json_of_a_day_that_does_not_end_well_says_how_it_ended(flags, code, status, call, desk, qianfan, accounts):
    qianfan.answers = lambda model, prompt: "好的。"
    everywhere = ["--summarizer", "qianfan", "--endpoint", "bad", "--warehouse", status, "--json"]
    found, out, error = call("summarize_day", *everywhere, *flags)
    assert (found, out.count("\n")) == (code, 1), error
    told = json.loads(out)
    assert (told["day"], told["status"]) == ("2026-11-22", status)
    assert told["calls"] > 0
    assert told["message"] in error


@pytest.mark.parametrize("name", ["summarize_day", "build_report", "expire_files"])
def test_a_result_for_people_has_no_log_around_it(name, call):
    code, out, _ = call(name)
    assert code == 0
    assert out.strip()
    assert "| INFO" not in out
    assert "flow run" not in out.lower()


@pytest.mark.parametrize("name", ["summarize_day", "build_report"])
def test_a_complaint_leaves_standard_output_empty(name, call):
    long_ago = {
        "summarize_day": ["--day", "2001-01-01"],
        "build_report": ["--start", "2001-01-01", "--end", "2001-01-01"],
    }
    code, out, error = call(name, *long_ago[name], "--json")
    assert (code, out) == (1, "")
    assert error.splitlines()[-1].startswith("kefu-digest: ")


def test_every_command_is_held_to_it_here_or_in_its_own_tests():
    assert set(commands()) - {"summarize_shard"} == {*OFFLINE, *ONLINE, *OWN_TESTS}
    for test in OWN_TESTS.values():
        text = (ROOT / "tests/flows" / test).read_text(encoding="utf-8")
        assert "loads(capsys.readouterr().out)" in text or "loads(told.out)" in text, test
