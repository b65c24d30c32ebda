"""Conventions that no linter knows: short files, few arguments, docstrings that state."""

import ast
from pathlib import Path

import pytest

from tests.conftest import ROOT

LONGEST_FILE = 400
MOST_ARGUMENTS = 8
QUESTIONS = {"What", "Whether", "How", "Where", "Who", "Which", "When", "Why"}
CODE = sorted(path for folder in ("flows", "tasks", "deployments") for path in (ROOT / folder).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
# Prefect makes a form of a flow's arguments, and a command line of the form: each is a field that a person fills in.
FORMS = {"backfill_days", "deploy_model", "fine_tune_model"}


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", CODE + TESTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_is_short_and_its_docstrings_state(path):
    assert path.read_text(encoding="utf-8").count("\n") <= LONGEST_FILE
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = [ast.get_docstring(node) or "" for node in ast.walk(tree_of(path)) if isinstance(node, documented)]
    assert [text for text in docstrings if text.partition(" ")[0] in QUESTIONS] == []


@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_function_takes_few_arguments(path):
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name not in FORMS:
            args = [
                arg for arg in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs) if arg.arg != "self"
            ]
            assert len(args) <= MOST_ARGUMENTS, node.name
