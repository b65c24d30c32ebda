"""Golden conversations among the others: each once, at places that chance draws."""

import random

from hypothesis import given
from hypothesis import strategies as st

from tasks.golden.rules.spreading import Spread, mixed


@given(st.integers(0, 30), st.lists(st.floats(0, 1), min_size=1, max_size=12), st.integers(0, 10**6))
def test_each_thing_is_dealt_once_however_the_logs_are_read(number, shares, seed):
    spread = Spread(range(number), random.Random(seed))
    ordered = sorted(shares)
    dealt = [spread.deal(share, is_last=place == len(ordered) - 1) for place, share in enumerate(ordered)]
    assert sorted(place for batch in dealt for place in batch) == list(range(number))


def test_things_go_among_all_batches_of_a_night():
    spread = Spread(range(400), random.Random(3))
    dealt = [len(spread.deal(place / 10, is_last=place == 10)) for place in range(1, 11)]
    assert min(dealt) > 15
    assert max(dealt) < 75


@given(st.lists(st.integers(), max_size=20), st.integers(0, 10), st.integers(0, 10**6))
def test_others_keep_their_order(others, number, seed):
    things = ["golden"] * number
    found = mixed(others, things, random.Random(seed))
    assert [place for place in found if place != "golden"] == others
    assert found.count("golden") == number


def test_no_place_gives_a_thing_away():
    first = [mixed([0] * 9, ["golden"], random.Random(seed)).index("golden") for seed in range(600)]
    assert all(30 < first.count(place) < 95 for place in range(10))
