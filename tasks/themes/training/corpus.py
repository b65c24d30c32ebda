"""The training data of the default taxonomy's classifier."""

import hashlib
import random
import tomllib
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from tasks.themes.assigner import load_taxonomy
from tasks.themes.training.templates import every_form, sentences, varied

_CORPUS = Path(__file__).parent / "corpus.toml"
_SENTENCES = Path(__file__).parent / "sentences"
_PER_TEMPLATE = 40
_PER_LINE = 16
_OWN_WORDS = 6


@cache
def training_set() -> tuple[tuple[str, str], ...]:
    """Sentences with their themes: a theme's own file weighs twice, its examples six times."""
    corpus = tomllib.loads(_CORPUS.read_text(encoding="utf-8"))
    found = sentences(corpus["themes"], corpus["slots"], _PER_TEMPLATE, seed=1)
    found += list(_written(corpus["slots"])) * 2
    for theme in load_taxonomy().themes:
        pairs = [(text, theme.id) for text in theme.examples] + list(theme.counter_examples)
        found += pairs * _OWN_WORDS
    for theme_id, block in corpus.get("written", {}).items():
        found += [(text, theme_id) for text in block.strip().splitlines()] * _OWN_WORDS
    return tuple(found)


def _written(slots: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Some forms of each line of `sentences/THEME.txt`; of a text under two themes the first."""
    words = {name: text.split() for name, text in slots.items()}
    rng = random.Random(3)
    seen: set[str] = set()
    for file in sorted(_SENTENCES.glob("*.txt")):
        for line in file.read_text(encoding="utf-8").splitlines():
            for text in every_form(line, words, _PER_LINE, rng):
                if text not in seen:
                    seen.add(text)
                    yield varied(text, rng, file.stem), file.stem


def digest(pairs: Sequence[tuple[str, str]]) -> str:
    """A name for a training set, which its classifier bears."""
    return hashlib.sha256("\n".join("\t".join(pair) for pair in pairs).encode()).hexdigest()[:16]
