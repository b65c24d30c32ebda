"""Wrong use of a command ends with one line, before a Prefect server is started."""

import importlib

import pytest
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

BACKWARDS = ("--start", "2026-11-22", "--end", "2026-11-20")
DAY = ("--start", "2026-11-22", "--end", "2026-11-22")
ENDPOINT = ("--summarizer", "openai", "--endpoint", "m")


@pytest.mark.parametrize(
    ("flow", "arguments", "words"),
    [
        ("build_report", BACKWARDS, "The last day, 2026-11-20, is before the first"),
        ("sample_for_review", BACKWARDS, "The last day, 2026-11-20, is before the first"),
        ("import_reviews", ("--sheet", "/none/review.csv"), "There is no sheet /none/review.csv"),
        ("import_reviews", ("--sheet", "/none/review.pdf"), "There is no sheet /none/review.pdf"),
        ("evaluate_model", ("--labels", "/none.jsonl"), "--labels needs --start and --end"),
        ("evaluate_model", ("--labels", "/none.jsonl", *DAY), "/none.jsonl can't be read"),
        ("compare_prompts", ("--base", "m"), "models are compared here"),
        ("compare_prompts", ("--base", "m", *ENDPOINT, "--labels", "/none.jsonl"), "--labels needs --start and --end"),
        ("shadow_day", ("--day", "2026-11-22"), "A shadow needs --shadow-endpoint"),
        ("fine_tune_model", ("--name", "Über"), "--name 'Über'"),
        ("fine_tune_model", ("--name", "t", "--experiments", "/none.toml"), "/none.toml can't be read"),
        ("deploy_model", ("--name", "Über"), "--name 'Über'"),
        ("summarize_day", ("--prompt", "none.txt"), "The prompt none.txt can't be read: No such file or directory."),
        (
            "ask_questions",
            (*ENDPOINT, "--questions", "none.toml"),
            "none.toml can't be read: No such file or directory.",
        ),
        ("try_model", (*ENDPOINT, "--text", "none.txt"), "none.txt can't be read: No such file or directory."),
    ],
)
def test_wrong_use_is_said_before_a_server_is_asked(flow, arguments, words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api", PREFECT_CLIENT_MAX_RETRIES: 0}):
        code = importlib.import_module(f"flows.{flow}").main(arguments)
    told = capsys.readouterr()
    assert (code, told.out) == (2, "")
    (line,) = told.err.splitlines()
    assert line.startswith("kefu-digest: ")
    assert words in line
