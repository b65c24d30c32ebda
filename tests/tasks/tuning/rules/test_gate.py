"""The gate decides by evidence: what it lets pass, what it refuses, and how many labels it asks for."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.domain.errors import NotPromoted
from tasks.evaluating.rules.agreement import compare_paired
from tasks.tuning.rules.gate import (
    FEWEST_LABELS,
    JUDGED,
    check_labels_suffice,
    labels_needed,
    margin_for,
    shortfalls,
)


def one(difference, half, rows=400):
    return {
        "rows": rows,
        "baseline": 80.0,
        "candidate": 80.0 + difference,
        "difference": difference,
        "difference 95%": [difference - half, difference + half],
        "verdict": "worse",
    }


def compared(**figures):
    return {name: one(0.0, 0.1) for name in JUDGED} | figures


def verdicts(labels, worse, seed):
    """Two models' verdicts on so many conversations, of which they differ on a tenth; `worse` in points."""
    draw = random.Random(seed)
    old, new = [], []
    for _ in range(labels):
        chance = draw.random()
        differs = chance < 0.10
        old.append(100.0 if not differs or chance < 0.05 + worse / 200 else 0.0)
        new.append(0.0 if differs and chance < 0.05 + worse / 200 else 100.0)
    found = compare_paired(old, new)
    assert found is not None
    low, high = found.low, found.high
    return {"accepted/accuracy": one(found.difference, 0.0, labels) | {"difference 95%": [low, high]}}


@pytest.mark.parametrize(("worse", "least", "most"), [(0, 0.7, 1.0), (5, 0.0, 0.06), (8, 0.0, 0.01)])
def test_at_the_number_of_labels_that_it_asks_for_good_models_pass_and_bad_ones_do_not(worse, least, most):
    labels = labels_needed(5.0)
    passed = [not shortfalls(verdicts(labels, worse, seed), 5.0) for seed in range(200)]
    assert least <= sum(passed) / len(passed) <= most


@given(st.floats(0.5, 60))
def test_labels_needed_and_margin_for_agree(margin):
    needed = labels_needed(margin)
    assert needed >= FEWEST_LABELS
    assert labels_needed(margin_for(needed)) <= needed
    check_labels_suffice(needed, margin)


def test_check_labels_suffice_names_the_number_that_is_needed_and_the_margin_that_would_do():
    with pytest.raises(NotPromoted, match=r"Only 52 .* --margin 5 needs 314 of them, or with these 52 --margin 12\.3"):
        check_labels_suffice(52, 5.0)
    with pytest.raises(NotPromoted, match=r"Only 10 .* --margin 40 needs 30 of them\."):
        check_labels_suffice(10, 40.0)


@given(st.sampled_from(JUDGED), st.floats(0.5, 50))
def test_shortfalls_go_by_the_interval_and_not_by_the_point(name, margin):
    assert shortfalls(compared(**{name: one(-margin + 0.4, 0.3)}), margin) == []
    (found,) = shortfalls(compared(**{name: one(0.0, margin + 0.1)}), margin)
    assert found.startswith(name)
    assert "labels leave it open, about" in found
    (found,) = shortfalls(compared(**{name: one(-margin - 0.1, 0.01)}), margin)
    assert found.endswith("worse")


def test_shortfalls_ask_for_more_labels_than_there_are():
    (found,) = shortfalls(compared(**{"format/parseable": one(-1.0, 4.5, rows=100)}), 5.0)
    assert int(found.split("about ")[1].split()[0]) > 100


def test_shortfalls_forgive_what_is_better_and_what_has_no_rows():
    assert shortfalls(compared(**{name: one(30.0, 5.0) for name in JUDGED}), margin=0.1) == []
    assert shortfalls({}, 1.0) == []
