import tomllib
from pathlib import Path

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.themes.assigner import load_classifier, load_signals, open_assigner
from tasks.themes.rules.classifier import Classifier, feature_blocks
from tasks.themes.rules.ngrams import BUCKETS, hashed_ngrams
from tasks.themes.rules.signals import Signals
from tasks.themes.rules.taxonomy import OTHER
from tasks.themes.training.corpus import digest, training_set

HELD_OUT = tomllib.loads((Path(__file__).parent / "heldout.toml").read_text(encoding="utf-8"))
DATA = Path(__file__).parents[3] / "tasks" / "themes" / "data"


def f1(pairs: list[tuple[str, str]]) -> dict[str, float]:
    """Of pairs of true and assigned themes, F1 by theme."""
    return {
        theme: 2
        * sum(true == found == theme for true, found in pairs)
        / sum((true == theme) + (found == theme) for true, found in pairs)
        for theme in {true for true, _ in pairs}
    }


def test_the_classifier_was_trained_on_the_committed_corpus():
    assert load_classifier().corpus == digest(training_set(), load_signals())
    assert (DATA / "classifier.npz").stat().st_size < 600_000


def test_no_kept_back_sentence_was_trained_on():
    assert not {text for texts in HELD_OUT.values() for text in texts} & {sentence.text for sentence in training_set()}


def test_most_of_the_kept_back_sentences_get_their_theme():
    pairs = [(text, theme) for theme, texts in HELD_OUT.items() for text in texts]
    found = open_assigner().assign(pa.array([text for text, _ in pairs])).to_pylist()
    scores = f1([(theme, other) for (_, theme), other in zip(pairs, found, strict=True)])
    assert sum(scores.values()) / len(scores) > 0.72
    assert scores[OTHER] > 0.58


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]), max_size=12), min_size=1, max_size=8)
)
def test_hashed_ngrams_of_a_text_do_not_depend_on_those_beside_it(texts):
    rows, columns = hashed_ngrams(pa.array(texts))
    for number, text in enumerate(texts):
        _, alone = hashed_ngrams(pa.array([text]))
        assert columns[rows == number].tolist() == alone.tolist()
        assert len(alone) == 3 * len(text) + 1


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(["退款", "发票", "快递", "水壶", "a", " "]) | st.just("还没有发货" * 60), max_size=9).map(
        lambda words: ["".join(words[:place]) for place in range(len(words))]
    ),
    st.integers(1, 9),
    st.integers(-128, 127),
)
def test_scores_are_means_of_weights_however_long_a_text_is(texts, themes, extreme):
    signals = Signals((("退款", "退钱"), ("发票",)))
    weights = np.random.default_rng(themes).integers(-128, 128, (BUCKETS + signals.features, themes)).astype(np.int8)
    weights[::3] = extreme
    ones = np.ones(themes, np.float32)
    classifier = Classifier(tuple(map(str, range(themes))), signals, weights, ones, 0 * ones)
    found = classifier.scores(pa.array(texts, pa.string()))
    assert found.shape == (len(texts), themes)
    for text, scores in zip(texts, found, strict=True):
        parts = [weights[columns].astype(np.int32) for _, columns in feature_blocks(pa.array([text]), signals)]
        expected = [part.sum(axis=0) / np.sqrt(max(len(part), 1)) for part in parts]
        assert np.allclose(scores, sum(expected), rtol=1e-5, atol=1e-3)
