"""Agreement and its intervals: known figures, undefined ones, and intervals that hold what they promise."""

from typing import TypeVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.evaluating.rules.agreement import Confusion, compare_paired, wilson

T = TypeVar("T")
answers = st.sampled_from([True, False, None])


def there(figure: T | None) -> T:
    assert figure is not None
    return figure


def confusion_of(*cells: tuple[bool | None, bool | None, int]) -> Confusion:
    confusion = Confusion()
    for reference, prediction, count in cells:
        for _ in range(count):
            confusion.add(reference, prediction)
    return confusion


def test_agreement_of_a_known_table():
    # Cohen's textbook table of two raters, 50 cases: observed 0.7, by chance 0.5, kappa 0.4.
    agreement = confusion_of((True, True, 20), (True, False, 5), (False, True, 10), (False, False, 15)).agreement()
    assert agreement.rows == 50
    assert there(agreement.accuracy).value == pytest.approx(0.7)
    assert there(agreement.kappa).value == pytest.approx(0.4)
    assert there(agreement.positive_f1).value == pytest.approx(40 / 55)
    assert there(agreement.macro_f1).value == pytest.approx((40 / 55 + 30 / 45) / 2)
    for estimate in map(there, (agreement.accuracy, agreement.macro_f1, agreement.positive_f1, agreement.kappa)):
        assert estimate.low < estimate.value < estimate.high


@given(st.lists(st.tuples(answers, answers), min_size=1, max_size=30))
def test_agreement_is_what_counting_rows_gives(rows):
    confusion = Confusion()
    for reference, prediction in rows:
        confusion.add(reference, prediction)
    agreement = confusion.agreement()
    total = len(rows)
    hits = sum(reference is prediction for reference, prediction in rows)
    assert there(agreement.accuracy).value == pytest.approx(hits / total)
    chance = (
        sum(
            sum(reference is answer for reference, _ in rows) * sum(prediction is answer for _, prediction in rows)
            for answer in (True, False, None)
        )
        / total**2
    )
    if chance < 1:
        assert there(agreement.kappa).value == pytest.approx((hits / total - chance) / (1 - chance), abs=1e-9)
    else:
        assert agreement.kappa is None


def test_agreement_counts_a_missing_prediction_as_wrong_even_for_unknown():
    confusion = confusion_of((None, None, 1))
    confusion.add(None, None, missing=True)
    agreement = confusion.agreement()
    assert there(agreement.accuracy).value == 0.5
    assert there(agreement.macro_f1).value == pytest.approx(2 / 3)


def test_agreement_leaves_undefined_figures_empty():
    nothing = Confusion().agreement()
    assert (nothing.rows, nothing.accuracy, nothing.kappa) == (0, None, None)
    constant = confusion_of((False, False, 9)).agreement()
    assert there(constant.accuracy).value == 1
    assert constant.kappa is None
    assert constant.positive_f1 is None


def test_agreement_says_the_same_twice():
    table = ((True, True, 30), (True, None, 4), (False, False, 12), (None, True, 3))
    assert confusion_of(*table).agreement() == confusion_of(*table).agreement()


def test_agreement_intervals_cover_the_truth_as_often_as_promised():
    generator = np.random.default_rng(5)
    true_kappa = (0.8 - 0.5) / 0.5
    covered = 0
    for _ in range(100):
        confusion = Confusion()
        for reference, right in zip(generator.random(150) < 0.5, generator.random(150) < 0.8, strict=True):
            confusion.add(bool(reference), bool(reference == right))
        kappa = there(confusion.agreement().kappa)
        covered += kappa.low <= true_kappa <= kappa.high
    assert covered >= 86


@pytest.mark.parametrize(
    ("hits", "rows", "low", "high"),
    [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (8, 10, 0.4902, 0.9433), (500, 1000, 0.4691, 0.5309)],
)
def test_wilson_gives_the_published_intervals(hits, rows, low, high):
    estimate = wilson(hits, rows)
    assert (estimate.low, estimate.high) == pytest.approx((low, high), abs=5e-5)


def test_compare_paired_sees_a_difference_that_is_there():
    generator = np.random.default_rng(1)
    current = generator.normal(60, 20, 400)
    found = there(compare_paired(current, current + generator.normal(3, 10, 400)))
    assert found.low < found.difference < found.high
    assert found.low > 0
    assert found.p_value < 0.01
    assert found.candidate - found.current == pytest.approx(found.difference)


def test_compare_paired_calls_chance_chance_about_as_often_as_it_should():
    generator = np.random.default_rng(2)
    alarms = sum(there(compare_paired(*generator.normal(50, 10, (2, 60)))).p_value < 0.05 for _ in range(150))
    assert alarms <= 18


def test_compare_paired_of_equal_models_finds_nothing():
    found = there(compare_paired([1.0, 50.0, 100.0], [1.0, 50.0, 100.0]))
    assert (found.difference, found.low, found.high, found.p_value) == (0, 0, 0, 1)


def test_compare_paired_uses_only_rows_that_both_have():
    found = there(compare_paired([1.0, np.nan, 3.0], [2.0, 5.0, np.nan]))
    assert (found.rows, found.difference) == (1, 1)
    assert compare_paired([np.nan], [1.0]) is None
    with pytest.raises(ValueError, match="same rows"):
        compare_paired([1.0], [1.0, 2.0])


def test_compare_paired_takes_many_rows():
    rows = np.random.default_rng(3).normal(50, 10, (2, 20_000))
    assert there(compare_paired(*rows)).rows == 20_000
