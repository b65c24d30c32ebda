"""The training data of the default taxonomy's classifier."""

import hashlib
import tomllib
from collections.abc import Sequence
from pathlib import Path

from tasks.themes.assigner import load_taxonomy
from tasks.themes.training.templates import sentences

_CORPUS = Path(__file__).parent / "corpus.toml"
_PER_TEMPLATE = 40
_OWN_WORDS = 6


def training_set() -> list[tuple[str, str]]:
    """Sentences with their themes: those of the templates, and the taxonomy's own examples several times."""
    corpus = tomllib.loads(_CORPUS.read_text(encoding="utf-8"))
    found = sentences(corpus["themes"], corpus["slots"], _PER_TEMPLATE, seed=1)
    for theme in load_taxonomy().themes:
        pairs = [(text, theme.id) for text in theme.examples] + list(theme.counter_examples)
        found += pairs * _OWN_WORDS
    for theme_id, block in corpus.get("written", {}).items():
        found += [(text, theme_id) for text in block.strip().splitlines()] * _OWN_WORDS
    return found


def digest(pairs: Sequence[tuple[str, str]]) -> str:
    """A name for a training set, which its classifier bears."""
    return hashlib.sha256("\n".join("\t".join(pair) for pair in pairs).encode()).hexdigest()[:16]
