"""Train the default taxonomy's classifier from the corpus, by `python -m tasks.themes.training`.

Needs scikit-learn, which only development installs. The same corpus gives the same file.
"""

import sys
import warnings
from collections import Counter

import numpy as np
import pyarrow as pa
from scipy.sparse import csr_matrix
from sklearn.exceptions import ConvergenceWarning
from sklearn.svm import LinearSVC

from tasks.themes.assigner import load_signals, load_taxonomy, save_classifier
from tasks.themes.rules.classifier import feature_blocks, quantized
from tasks.themes.rules.ngrams import BUCKETS
from tasks.themes.rules.normalizing import normalize
from tasks.themes.rules.taxonomy import OTHER
from tasks.themes.training.corpus import digest, training_set

_STRENGTH = 1.0

# It takes 23 of them.
_ROUNDS = 100

# Brings margins to the scale of the rules' weights.
_SCALE = 2.0

# Little of what is `other` resembles what was trained on: a theme has to be ahead of it by this much.
_UNKNOWN = 0.7


def main() -> None:
    """Train, round to eight bits and write the file."""
    found = training_set()
    themes = load_taxonomy().ids
    signals = load_signals()
    plain = normalize(pa.array([sentence.text for sentence in found])).to_pylist()
    weights: Counter[tuple[str, str]] = Counter()
    for text, sentence in zip(plain, found, strict=True):
        weights[text, sentence.theme] += sentence.weight
    features = _features(pa.array([text for text, _ in weights]))
    labels = np.array([themes.index(theme) for _, theme in weights])
    weighs = np.array(list(weights.values()), dtype=float)
    model = LinearSVC(C=_STRENGTH, class_weight="balanced", max_iter=_ROUNDS, random_state=0)
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
        model.fit(features, labels, sample_weight=weighs / weighs.mean())
    biases = _SCALE * model.intercept_ + _UNKNOWN * (np.array(themes) == OTHER)
    corpus = digest(found, signals)
    path = save_classifier(quantized(themes, signals, _SCALE * model.coef_.T, biases, corpus))
    sys.stdout.write(f"{len(weights)} sentences, {path.stat().st_size} bytes: {path}\n")


def _features(texts: pa.Array) -> csr_matrix:
    """Texts x (buckets and signals): each feature of a block one by the root of their number, as in the classifier."""
    signals = load_signals()
    shape = (len(texts), BUCKETS + signals.features)
    features = csr_matrix(shape)
    for rows, columns in feature_blocks(texts, signals):
        counts = np.maximum(np.bincount(rows, minlength=len(texts)), 1)
        features += csr_matrix((1 / np.sqrt(counts)[rows], (rows, columns)), shape=shape)
    return features


if __name__ == "__main__":
    main()
