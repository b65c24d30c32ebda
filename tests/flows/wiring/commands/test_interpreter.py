"""Commands run by another Python than that of `.venv`."""

import subprocess
import sys

import pytest

from tests.conftest import ROOT


@pytest.mark.parametrize("module", ["flows", "flows.summarize_day", "deployments.serve"])
def test_a_python_without_the_packages_is_refused_in_one_line(module):
    run = subprocess.run([sys.executable, "-S", "-m", module], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert run.stderr.endswith("lacks the project's packages: run .venv/bin/python, which `make env` makes.\n")
    assert run.stderr.count("\n") == 1
