"""Conventions that no linter knows: short files, few arguments, docstrings that state."""

import ast
from collections.abc import Iterator
from typing import Any

from tests.conftest import ROOT

LONGEST_FILE = 400
MOST_ARGUMENTS = 8
QUESTIONS = {"What", "Whether", "How", "Where", "Who", "Which", "When", "Why"}
CODE = ("flows", "tasks", "deployments")
# Prefect makes a form of a flow's arguments, and a command line of the form: each is a field that a person fills in.
FORMS = {"backfill_days", "deploy_model", "fine_tune_model"}
TREES = {
    str(path.relative_to(ROOT)): ast.parse(path.read_text(encoding="utf-8"))
    for folder in (*CODE, "tests")
    for path in sorted((ROOT / folder).rglob("*.py"))
}


def nodes(*kinds: type) -> Iterator[tuple[str, Any]]:
    """Yield the nodes of these kinds, each with its file."""
    return ((path, node) for path, tree in TREES.items() for node in ast.walk(tree) if isinstance(node, kinds))


def test_files_are_short():
    assert [path for path in TREES if (ROOT / path).read_text(encoding="utf-8").count("\n") > LONGEST_FILE] == []


def test_docstrings_state():
    found = nodes(ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = [(path, ast.get_docstring(node) or "") for path, node in found]
    assert [(path, text) for path, text in docstrings if text.partition(" ")[0] in QUESTIONS] == []


def test_functions_take_few_arguments():
    many = []
    for path, node in nodes(ast.FunctionDef, ast.AsyncFunctionDef):
        args = {arg.arg for arg in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)} - {"self", "cls"}
        if path.startswith(CODE) and node.name not in FORMS and len(args) > MOST_ARGUMENTS:
            many.append((path, node.name))
    assert many == []
