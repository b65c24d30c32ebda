"""Train the default taxonomy's classifier from the corpus, by `python -m tasks.themes.training`.

Needs scikit-learn, which only development installs. The same corpus gives the same file.
"""

import sys

import numpy as np
import pyarrow as pa
from scipy.sparse import csr_matrix
from sklearn.svm import LinearSVC

from tasks.themes.assigner import load_taxonomy, save_classifier
from tasks.themes.rules.classifier import quantized
from tasks.themes.rules.ngrams import BUCKETS, hashed_ngrams
from tasks.themes.rules.normalizing import normalize
from tasks.themes.rules.taxonomy import OTHER
from tasks.themes.training.corpus import digest, training_set

_STRENGTH = 1.0

# Little of what is `other` resembles what was trained on: a theme has to be ahead of it by this much.
_UNKNOWN = 0.5


def main() -> None:
    """Train, round to eight bits and write the file."""
    pairs = training_set()
    themes = load_taxonomy().ids
    rows, columns = hashed_ngrams(normalize(pa.array([text for text, _ in pairs])))
    counts = np.maximum(np.bincount(rows, minlength=len(pairs)), 1)
    features = csr_matrix((1 / np.sqrt(counts)[rows], (rows, columns)), shape=(len(pairs), BUCKETS))
    labels = np.array([themes.index(theme) for _, theme in pairs])
    model = LinearSVC(C=_STRENGTH, class_weight="balanced", random_state=0, tol=1e-3)
    model.fit(features, labels)
    biases = model.intercept_ + _UNKNOWN * (np.array(themes) == OTHER)
    path = save_classifier(quantized(themes, model.coef_.T, biases, digest(pairs)))
    sys.stdout.write(f"{len(pairs)} sentences, {path.stat().st_size} bytes: {path}\n")


if __name__ == "__main__":
    main()
