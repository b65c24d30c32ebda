"""The document that says where which text lies is what the code says, and the code knows every key."""

import ast
import re
from collections.abc import Iterator

from tasks.domain import layout
from tasks.warehouse.rules.places import as_markdown, place_of
from tests.conftest import ROOT

_KEY = re.compile(r"""f?"((?:_?[a-z]+)/(?:[a-z_{=}/.*-]|\{[^}]*\})*)""")


def test_the_document_is_what_the_code_says():
    told = (ROOT / ".github" / "SECURITY.md").read_text(encoding="utf-8")
    assert told.partition("places.py -->\n")[2] == f"{as_markdown()}\n"


def test_every_key_of_the_layout_has_its_place():
    source = (ROOT / "tasks" / "domain" / "layout.py").read_text(encoding="utf-8")
    keys = {found for found in _KEY.findall(source) if not found.startswith(("models/name", "tasks/"))}
    assert len(keys) >= 8
    assert [key for key in sorted(keys) if place_of(key) is None] == []
    assert place_of(f"{layout.model_folder('m')}/training.jsonl")


# What also has a slash in it: metrics, media types, and files inside of files or folders that have their place.
_NO_KEYS = re.compile(
    r"(?:accepted|negative_sentiment|format|issue|plan|judge|reviewers|random)/|application/json|xl/|n/a|(?:in|out)/|user/"
)


def literals(tree: ast.AST) -> Iterator[str]:
    """Texts of the code, with X for what is filled in."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "X" for part in node.values)


def test_every_key_that_the_code_spells_has_its_place():
    keys = {
        text
        for folder in ("tasks", "flows")
        for path in (ROOT / folder).rglob("*.py")
        for text in literals(ast.parse(path.read_text(encoding="utf-8")))
        if re.fullmatch(r"_?[a-z]+(?:_[a-z]+)*/[\w=./*-]*", text) and not _NO_KEYS.match(text)
    }
    assert len(keys) >= 50
    assert [key for key in sorted(keys) if place_of(key) is None] == []


def test_every_table_has_its_place():
    for table in ("summaries", "rejects", "metrics", "runs", "labels", "shadows"):
        assert place_of(f"{table}/day=2026-11-22/{table}.parquet") is not None


def test_an_unknown_key_has_none():
    assert place_of("somewhere/else") is None
