import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.reporting.rules.stories.scan import Counts, Scanner, Window, false_discovery_limit, tail, windows

WEEKDAYS = [number % 7 for number in range(28)]


def volume(*series: list[float], traffic: float = 300.0) -> Counts:
    part = np.array(series, dtype=np.float64)
    return Counts(part, np.full_like(part, traffic), rate=False, pseudo=traffic)


@given(st.floats(-6, 6))
def test_tail_is_the_normal_s(z):
    assert tail(z) == pytest.approx(1 - NormalDist().cdf(z), abs=1e-12)


def test_a_week_of_more_is_surprising_and_what_is_usual_is_known():
    series = [10.0] * 14 + [40.0] * 7 + [10.0] * 7
    excess = Scanner(WEEKDAYS).excess(volume(series), Window(14, 20), np.ones(1))
    assert excess.count[0] == 280
    assert excess.expected[0] == pytest.approx(70, rel=0.05)
    assert excess.z[0] > 8


def test_a_weekend_is_judged_by_weekends():
    series = [30.0 if weekday >= 5 else 10.0 for weekday in WEEKDAYS]
    excess = Scanner(WEEKDAYS).excess(volume(series), Window(26, 27), np.ones(1))
    assert abs(excess.z[0]) < 2
    flat = Scanner([0] * 28).excess(volume(series), Window(26, 27), np.ones(1))
    assert flat.z[0] > 4, "the same days would alarm without weekdays"


@given(st.integers(0, 10_000))
def test_chance_alone_is_a_standard_normal(seed):
    rng = np.random.default_rng(seed)
    counts = volume(*rng.poisson(12, (200, 28)).astype(float).tolist())
    z = Scanner(WEEKDAYS).excess(counts, Window(14, 20), np.ones(200)).z
    assert abs(float(np.mean(z))) < 0.5
    assert 0.7 < float(np.std(z)) < 1.3


def test_spread_is_that_of_wild_series_and_not_of_a_long_story():
    rng = np.random.default_rng(1)
    calm = rng.poisson(20, 28).astype(float)
    wild = rng.poisson(20 * rng.gamma(4, 1 / 4, 28)).astype(float)
    story = np.concatenate([rng.poisson(10, 18), rng.poisson(40, 10)]).astype(float)
    spread = Scanner(WEEKDAYS).spread(volume(list(calm), list(wild), list(story)))
    assert spread[0] < 1.6
    assert spread[1] > 1.8
    assert spread[2] < 1.8


def test_rates_compare_parts_of_a_whole():
    whole = np.full((1, 28), 20.0)
    part = np.array([[3.0] * 21 + [14.0] * 7])
    excess = Scanner(WEEKDAYS).excess(Counts(part, whole, rate=True, pseudo=20), Window(21, 27), np.ones(1))
    assert excess.expected[0] / excess.exposed[0] == pytest.approx(0.15, abs=0.02)
    assert excess.z[0] > 8


def test_windows_leave_days_to_compare_with():
    found = windows([True] * 20, 5)
    assert max(window.length for window in found) <= 12
    assert all(window.length <= 6 for window in found if window.first == 0)
    assert windows([True] * 4, 5) == []
    assert all(window.first != 3 for window in windows([True, True, True, False] + [True] * 16, 5))


def test_false_discovery_limit_is_benjamini_and_hochberg_s():
    assert false_discovery_limit([0.001, 0.02, 0.03], 4, 0.05) == 0.03
    assert false_discovery_limit([0.2, 0.3], 4, 0.05) == 0.0
    assert math.isclose(false_discovery_limit([0.01], 5, 0.05), 0.01)


def test_the_windows_of_a_year_are_few_and_leave_no_day_out():
    year, month = windows([True] * 427, 5), windows([True] * 58, 5)
    assert len(year) < 3 * len(month)
    for length in (1, 7, 28):
        assert {
            day for window in year if window.length == length for day in range(window.first, window.last + 1)
        } >= set(range(427 - length))
