"""The list of commands, as a person sees it."""

import importlib
import re
import subprocess
import sys

import pytest

from flows.__main__ import commands
from flows.wiring.commands.flags import GROUPS, parser
from flows.wiring.settings import flags
from tests.conftest import ROOT


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "flows", *arguments]
    return subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True)


def test_flows_lists_every_command_with_a_line():
    shown = run()
    assert shown.returncode == 0
    for name, summary in commands().items():
        assert f"  {name} " in shown.stdout
        assert summary.endswith(".")
    assert {"summarize_day", "backfill_days", "build_report"} <= set(commands())


def test_flows_names_the_command_that_was_meant():
    wrong = run("sumarize-day")
    assert wrong.returncode == 2
    assert wrong.stderr == "kefu-digest: there is no command sumarize_day: did you mean summarize_day?\n"


def test_flows_runs_a_command():
    assert "--start" in run("build-report", "--help").stdout


def test_help_explains_the_commands_own_flags_before_any_setting():
    made = parser("flows.summarize_day", "Summarize one day.")
    made.add_argument("--day", help="the day")
    text = made.format_help()
    assert text.index("--day DAY") < text.index("--source")
    assert "OPENAI_API_KEY" in text


def test_help_explains_every_setting_once():
    text = parser("flows.summarize_day", "Summarize one day.").format_help()
    for name in flags():
        assert len(re.findall(rf"^  --{name.replace('_', '-')}[ ,]", text, re.MULTILINE)) == 1


@pytest.mark.parametrize("title", GROUPS)
def test_groups_of_flags_name_settings_that_exist(title):
    assert set(GROUPS[title]) <= set(flags())


@pytest.mark.parametrize("name", commands())
def test_every_command_explains_itself(name, capsys):
    command = importlib.import_module(f"flows.{name}")
    with pytest.raises(SystemExit) as end:
        command.main(["--help"])
    assert end.value.code == 0
    shown = capsys.readouterr().out
    summary, _, *examples = str(command.__doc__).strip().splitlines()
    assert summary in shown
    assert examples
    for example in examples:
        assert f"  {example}\n" in shown
        assert example.startswith(f"python -m flows.{name}")
    assert "options:" in shown
