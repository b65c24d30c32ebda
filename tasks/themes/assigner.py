"""Themes for texts: the taxonomy in use, its ordered rules, and a memory of the texts seen."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from tasks.domain.errors import UsageError, unread_reason
from tasks.themes.rules.assigning import Assigner
from tasks.themes.rules.classifier import Classifier
from tasks.themes.rules.known import KnownThemes
from tasks.themes.rules.patterns import Rule, parse_rules
from tasks.themes.rules.signals import Signals, parse_signals
from tasks.themes.rules.taxonomy import Taxonomy, Theme, parse_taxonomy

_DATA = Path(__file__).parent / "data"


def load_taxonomy(path: str = "") -> Taxonomy:
    """Read a shop's own taxonomy, or the default one.

    Raises:
        UsageError: the file can't be read, or is not of the taxonomy's shape.
    """
    if not path:
        return _default()
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--themes {path} can't be read: {unread_reason(error)}.") from None
    return parse_taxonomy(text, path)


def open_assigner(path: str = "", accepted: Sequence[Theme] = (), known: KnownThemes | None = None) -> Assigner:
    """Make ready what assigns themes.

    Args:
        path: a shop's own taxonomy; empty for the default one.
        accepted: themes that people accepted, beside those of the taxonomy.
        known: what a model said of texts before.

    Raises:
        UsageError: the taxonomy can't be read.
    """
    return Assigner(load_taxonomy(path).with_themes(tuple(accepted)), _rules(), load_classifier(), known)


@cache
def _default() -> Taxonomy:
    return parse_taxonomy((_DATA / "taxonomy.toml").read_text(encoding="utf-8"), "taxonomy.toml")


@cache
def _rules() -> tuple[Rule, ...]:
    return parse_rules((_DATA / "rules.toml").read_text(encoding="utf-8"))


@cache
def load_signals() -> Signals:
    """Read the groups of expressions that the default taxonomy's classifier sees."""
    return parse_signals((_DATA / "signals.toml").read_text(encoding="utf-8"))


@cache
def load_classifier() -> Classifier:
    """Read the default taxonomy's trained weights."""
    with np.load(_DATA / "classifier.npz") as file:
        return Classifier(
            tuple(file["themes"].tolist()),
            load_signals(),
            file["weights"],
            file["scales"],
            file["biases"],
            str(file["corpus"]),
        )


def save_classifier(classifier: Classifier) -> Path:
    """Write trained weights where `load_classifier` reads them; return the file."""
    path = _DATA / "classifier.npz"
    np.savez_compressed(
        path,
        themes=np.array(classifier.themes),
        weights=classifier.weights,
        scales=classifier.scales,
        biases=classifier.biases,
        corpus=classifier.corpus,
    )
    return path
