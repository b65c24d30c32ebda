"""The training data of the default taxonomy's classifier: sentences, what they are about, and what each weighs."""

import hashlib
import random
import tomllib
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tasks.themes.assigner import load_taxonomy
from tasks.themes.rules.signals import Signals
from tasks.themes.training.templates import every_form, framed, reworded, sentences, varied, without_numbers

_HERE = Path(__file__).parent
_PER_TEMPLATE = 40
_PER_LINE = 16

_FRAMES = 2
_REWORDINGS = 2

# A sentence written as people write teaches more than one of the many that a template makes.
_FROM_TEMPLATE, _REWORDED, _FROM_LINE, _FRAMED, WRITTEN = 1, 1, 2, 3, 6


class Sentence(NamedTuple):
    """A text to learn from."""

    text: str
    theme: str
    weight: int


@cache
def training_set() -> tuple[Sentence, ...]:
    """Whole sentences, also as masking leaves them, reworded and framed by others' words; forms of templates."""
    corpus = tomllib.loads((_HERE / "corpus.toml").read_text(encoding="utf-8"))
    slots = {name: words.split() for name, words in corpus["slots"].items()}
    rewordings = {word: others.split() for word, others in corpus["rewordings"].items()}
    whole = [Sentence(text, theme, WRITTEN) for text, theme in (*_examples(), *_lines("written"))]
    masked = [sentence._replace(text=without_numbers(sentence.text)) for sentence in whole]
    written = list(dict.fromkeys([*whole, *masked]))
    known = {sentence.text for sentence in written}
    made = [
        *(Sentence(*pair, _FRAMED) for pair in _framed(written, slots)),
        *(Sentence(*pair, _REWORDED) for pair in _reworded(whole, rewordings)),
        *(Sentence(*pair, _FROM_TEMPLATE) for pair in sentences(corpus["themes"], slots, _PER_TEMPLATE, seed=1)),
        *(Sentence(*pair, _FROM_LINE) for pair in _forms(slots)),
    ]
    return (*written, *(sentence for sentence in made if sentence.text not in known))


def _examples() -> Iterator[tuple[str, str]]:
    for theme in load_taxonomy().themes:
        yield from ((text, theme.id) for text in theme.examples)
        yield from theme.counter_examples


def _lines(folder: str) -> Iterator[tuple[str, str]]:
    for file in sorted((_HERE / folder).glob("*.txt")):
        for line in file.read_text(encoding="utf-8").splitlines():
            yield line, file.stem


def _framed(written: Sequence[Sentence], slots: dict[str, list[str]]) -> Iterator[tuple[str, str]]:
    """Each sentence amid what people write around it; a sentence's frames stay when others come and go."""
    for text, theme, _ in written:
        rng = random.Random(text)
        yield from ((framed(text, slots, rng), theme) for _ in range(_FRAMES))


def _reworded(whole: Sequence[Sentence], words: dict[str, list[str]]) -> Iterator[tuple[str, str]]:
    """Each sentence in others' words; which ones does not hang on the sentences beside it."""
    for text, theme, _ in whole:
        rng = random.Random(text)
        yield from ((reworded(text, words, rng), theme) for _ in range(_REWORDINGS))


def _forms(slots: dict[str, list[str]]) -> Iterator[tuple[str, str]]:
    """Some forms of each line of `sentences/THEME.txt`; of a text under two themes the first."""
    rng = random.Random(3)
    seen: set[str] = set()
    for line, theme in _lines("sentences"):
        for text in every_form(line, slots, _PER_LINE, rng):
            if text not in seen:
                seen.add(text)
                yield varied(text, slots, rng, theme), theme


def digest(found: Sequence[Sentence], signals: Signals) -> str:
    """A name for a training set and the signals read from it, which its classifier bears."""
    lines = [*("\t".join(map(str, sentence)) for sentence in found), *map("|".join, signals.groups)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
