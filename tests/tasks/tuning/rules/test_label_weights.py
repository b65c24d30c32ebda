"""Strata weighted back: a sample full of hard conversations gives the figure of the days, not of the sample."""

import random
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.domain.records import Conversation, Request
from tasks.evaluating.rules.agreement import compare_paired
from tasks.reviewing.rules.labels import Label, LabeledExample
from tasks.tuning.rules.label_weights import effective_labels, label_weights


def labeled(content_hash, stratum):
    request = Request(Conversation("c", (), "", 1), (), "", "", False, content_hash, "", 0)
    return LabeledExample(date(2026, 11, 22), request, Label(None, None, None, None), stratum)


def test_weights_give_back_what_the_days_would_say():
    """A candidate that is 20 points worse on the tenth that is uncertain, and equal elsewhere: 2 points on the whole."""
    draw = random.Random(7)
    days = {f"h{number}": number % 10 == 0 for number in range(20_000)}
    uncertain = [name for name, is_uncertain in days.items() if is_uncertain]
    sample = [labeled(name, "random") for name in draw.sample(sorted(days), 600)]
    sample += [labeled(name, "uncertain") for name in draw.sample(uncertain, 600)]
    sample += [labeled(name, "disagreeing") for name in draw.sample(sorted(days), 600)]
    old = [100.0] * len(sample)
    new = [80.0 if days[label.content_hash] or label.stratum == "disagreeing" else 100.0 for label in sample]
    plain = compare_paired(old, new)
    weighted = compare_paired(old, new, label_weights(sample, days))
    assert plain is not None
    assert weighted is not None
    assert plain.difference < -12
    assert weighted.difference == pytest.approx(-2.0, abs=0.05)
    assert weighted.low < -2.0 < weighted.high
    assert weighted.rows == 1_200


@given(st.lists(st.sampled_from(["", "random"]), max_size=20))
def test_labels_without_strata_all_count_the_same(strata):
    weights = label_weights([labeled(f"h{n}", stratum) for n, stratum in enumerate(strata)], {})
    assert weights == [1.0] * len(strata)
    assert effective_labels(weights) == len(strata)


@given(st.lists(st.tuples(st.sampled_from(["random", "uncertain", "disagreeing"]), st.booleans()), max_size=30))
def test_weights_are_never_negative_and_one_on_average(drawn):
    sample = [labeled(f"h{number}", stratum) for number, (stratum, _) in enumerate(drawn)]
    days = {f"h{number}": open_end for number, (_, open_end) in enumerate(drawn)} | {"x": True, "y": False}
    weights = label_weights(sample, days)
    counted = [weight for weight in weights if weight]
    assert all(weight >= 0 for weight in weights)
    assert not counted or sum(counted) / len(counted) == pytest.approx(1.0)
    assert effective_labels(weights) <= len(counted)
