"""Conventions that no linter knows: short files, few arguments, docstrings that state."""

import ast
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import ROOT

LONGEST_FILE = 400
MOST_ARGUMENTS = 8
QUESTIONS = {"What", "Whether", "How", "Where", "Who", "Which", "When", "Why"}
CODE = ("flows", "tasks", "deployments")
# Prefect makes a form of a flow's arguments, and a command line of the form: each is a field that a person fills in.
FORMS = {"backfill_days", "deploy_model", "fine_tune_model"}
Trees = dict[str, ast.Module]


@pytest.fixture(scope="module")
def trees() -> Trees:
    """Return the code by its files; parsed for these tests only, since all that lives slows every garbage collection."""
    return {
        str(path.relative_to(ROOT)): ast.parse(path.read_text(encoding="utf-8"))
        for folder in (*CODE, "tests")
        for path in sorted((ROOT / folder).rglob("*.py"))
    }


def nodes(trees: Trees, *kinds: type) -> Iterator[tuple[str, Any]]:
    """Yield the nodes of these kinds, each with its file."""
    return ((path, node) for path, tree in trees.items() for node in ast.walk(tree) if isinstance(node, kinds))


def test_files_are_short(trees: Trees):
    assert [path for path in trees if (ROOT / path).read_text(encoding="utf-8").count("\n") > LONGEST_FILE] == []


def test_docstrings_state(trees: Trees):
    found = nodes(trees, ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = [(path, ast.get_docstring(node) or "") for path, node in found]
    assert [(path, text) for path, text in docstrings if text.partition(" ")[0] in QUESTIONS] == []


def test_functions_take_few_arguments(trees: Trees):
    many = []
    for path, node in nodes(trees, ast.FunctionDef, ast.AsyncFunctionDef):
        args = {arg.arg for arg in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)} - {"self", "cls"}
        if path.startswith(CODE) and node.name not in FORMS and len(args) > MOST_ARGUMENTS:
            many.append((path, node.name))
    assert many == []
