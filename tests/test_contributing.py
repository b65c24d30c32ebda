"""CONTRIBUTING's recipes lead somewhere: five steps each, and every file, module and test that they name exists."""

import re
from importlib.util import find_spec

import pytest

from tests.conftest import ROOT

TEXT = (ROOT / ".github" / "CONTRIBUTING.md").read_text(encoding="utf-8")
RECIPES = dict(re.findall(r"^## (Add [^\n]+)\n\n(.*?)(?=^## )", TEXT, re.MULTILINE | re.DOTALL))
PATHS = sorted(set(re.findall(r"`((?:tasks|flows|tests|deployments)/[^`\s<]*)`", TEXT)))
MODULES = sorted(set(re.findall(r"python -m ((?:flows|tasks)[.\w]*)", TEXT)))
TESTS = sorted({path for run in re.findall(r"pytest ([^`\n#]+)", TEXT) for path in run.split() if "/" in path})


@pytest.mark.parametrize("recipe", ["a log format", "a summarizer", "a metric", "a column", "a theme", "a deployment"])
def test_a_recipe_has_five_steps_and_ends_with_its_tests(recipe):
    steps = re.findall(r"^(\d)\. (.+)", RECIPES[f"Add {recipe}"], re.MULTILINE)
    assert [number for number, _ in steps] == list("12345")
    assert steps[-1][1].startswith("Run `pytest tests/")


@pytest.mark.parametrize("path", PATHS)
def test_what_a_recipe_names_is_there(path):
    place = ROOT / path.replace("NAME", "zendesk") if "mappings" in path else ROOT / path
    assert place.exists() or "NAME" in path
    if "NAME" in path:
        assert place.parent.is_dir()


@pytest.mark.parametrize("module", MODULES)
def test_modules_that_a_recipe_runs_are_there(module):
    assert find_spec(module) is not None


@pytest.mark.parametrize("path", TESTS)
def test_tests_that_a_recipe_runs_are_there(path):
    assert (ROOT / path).exists()


def test_names_in_the_recipes_are_the_code_s():
    assert "def open_summarizer(" in (ROOT / "flows/wiring/services.py").read_text(encoding="utf-8")
    assert "class Summarizer(Protocol)" in (ROOT / "tasks/domain/ports.py").read_text(encoding="utf-8")
    assert " summarizer: Literal[" in (ROOT / "flows/wiring/settings.py").read_text(encoding="utf-8")
