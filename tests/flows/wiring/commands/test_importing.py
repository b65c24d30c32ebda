"""Garbage is collected in every process, once a command has imported what it needs."""

import subprocess
import sys

import pytest

from flows.__main__ import commands
from tests.conftest import ROOT

ASK = "import gc; print('collects', gc.isenabled(), gc.get_freeze_count() > 1000)\n"


def printed(*words: str) -> str:
    """The last line that a Python of these words printed; `-i` lets it go on with `ASK` where the command has ended."""
    done = subprocess.run([sys.executable, *words], cwd=ROOT, input=ASK, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[-1]


def test_a_command_collects_from_its_first_own_line_on():
    assert printed("-i", "-m", "flows.try_logs", "--help") == "collects True True"


def test_a_command_by_its_name_does_so_too():
    assert printed("-i", "-m", "flows", "try_logs", "--help") == "collects True True"


def test_whoever_else_imports_the_flows_collects_as_before():
    assert printed("-c", f"import flows.summarize_day; {ASK}") == "collects True False"


@pytest.mark.parametrize("command", commands())
def test_every_command_begins_where_collecting_does(command):
    assert "    command_line.main(main)" in (ROOT / "flows" / f"{command}.py").read_text(encoding="utf-8")
