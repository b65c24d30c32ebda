"""The corrected shares: right on average, and as sure as they say, over simulated reviews."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.domain.true_rates import MINIMUM_REVIEWS, true_rate

VERDICTS = [True, False, None]


def day(random, size, share, unknown, errors):
    """Numbers of a day's verdicts, the model's and the person's: the model errs in so many, and mostly one way."""
    truth = np.where(random.random(size) < unknown, 2, np.where(random.random(size) < share, 0, 1))
    wrong = random.random(size) < errors
    model = np.where(wrong, np.where(truth == 0, np.where(random.random(size) < 0.5, 1, 2), 0), truth)
    return model, truth


@pytest.mark.parametrize(
    ("share", "unknown", "errors", "reviews"),
    [
        (0.85, 0.15, 0.15, 100),
        (0.5, 0.1, 0.1, 100),
        (0.12, 0.05, 0.1, 100),
        (0.3, 0.1, 0.05, 200),
        (0.05, 0.02, 0.05, 300),
    ],
)
def test_intervals_hold_the_true_share_as_often_as_they_say(share, unknown, errors, reviews):
    random = np.random.default_rng(20261122)
    runs, held, centers, width = 1_000, 0, 0.0, 0.0
    for _ in range(runs):
        model, truth = day(random, 2_000, share, unknown, errors)
        reviewed = [(VERDICTS[guess], VERDICTS[true]) for guess, true in zip(model[:reviews], truth, strict=False)]
        rate = true_rate(reviewed, Counter(dict(zip(VERDICTS, np.bincount(model, minlength=3).tolist(), strict=True))))
        assert rate.value is not None
        assert rate.low is not None
        assert rate.high is not None
        held += rate.low <= share <= rate.high
        centers += rate.value / runs
        width += (rate.high - rate.low) / runs
    assert 0.93 <= held / runs <= 0.97
    assert centers == pytest.approx(share, abs=0.01)
    alone = 2 * 1.96 * (share * (1 - share) / (reviews * (1 - unknown))) ** 0.5
    assert width < alone * 1.05  # never wider than reviews without a model


def test_a_model_that_reads_half_the_anger_is_corrected():
    published: dict[bool | None, int] = {True: 50, False: 950}
    reviewed = [(True, True)] * 10 + [(False, True)] * 10 + [(False, False)] * 180
    rate = true_rate(reviewed, published)
    assert rate.raw == 0.05
    assert rate.value == pytest.approx(0.1, abs=0.01)
    assert rate.low is not None
    assert rate.low > rate.raw


def test_a_share_is_not_corrected_by_few_reviews():
    rate = true_rate([(True, True)] * (MINIMUM_REVIEWS - 1), {True: 90, False: 10})
    assert (rate.raw, rate.value, rate.low, rate.high) == (0.9, None, None, None)
    assert rate.reviews == MINIMUM_REVIEWS - 1
    assert true_rate([], {None: 3}).raw is None


@given(
    st.lists(st.tuples(st.sampled_from(VERDICTS), st.sampled_from(VERDICTS)), min_size=MINIMUM_REVIEWS, max_size=90),
    st.lists(st.integers(0, 500), min_size=3, max_size=3),
)
def test_corrected_shares_are_shares_whatever_was_reviewed(reviewed, more):
    published = Counter(model for model, _ in reviewed)
    for verdict, count in zip(VERDICTS, more, strict=True):
        published[verdict] += count
    rate = true_rate(reviewed, published)
    if rate.value is not None:
        assert rate.low is not None
        assert rate.high is not None
        assert 0 <= rate.low <= rate.value <= rate.high <= 1
