import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.calling.rules.canary import (
    _DOUBT_ON_AND_ON,
    _LEAST_UNUSUAL,
    _TIMES_THE_USUAL,
    Canary,
    CanaryRule,
    critical_count,
)
from tasks.domain.records import Reason


def judged(rule: CanaryRule, answers: list[Reason | None]) -> tuple[Canary, int]:
    """The canary, and how many answers it had judged when it stopped the run (all of them if it did not)."""
    canary = Canary(rule)
    for number, answer in enumerate(answers):
        if canary.trouble:
            return canary, number
        canary.begin()
        canary.judge(answer)
    return canary, len(answers)


def tail(count: int, number: int, ratio: float) -> float:
    """The probability of so many or more."""
    chances = (math.comb(number, k) * ratio**k * (1 - ratio) ** (number - k) for k in range(max(count, 0), number + 1))
    return math.fsum(chances)


@given(st.integers(1, 60), st.floats(0.01, 0.99), st.sampled_from([0.05, 1e-3, 1e-6]))
def test_critical_count_is_the_smallest_that_is_unlikely_enough(number, ratio, doubt):
    count = critical_count(number, ratio, doubt)
    assert tail(count, number, ratio) <= doubt * (1 + 1e-9)
    assert tail(count - 1, number, ratio) > doubt * (1 - 1e-9)


def test_the_rest_waits_until_the_first_are_judged():
    canary = Canary(CanaryRule(first=3))
    for _ in range(3):
        assert canary.is_open
        canary.begin()
    assert not canary.is_open
    for _ in range(2):
        canary.judge(None)
    assert not canary.is_open
    canary.judge(None)
    assert (canary.is_open, canary.trouble) == (True, None)


@pytest.mark.parametrize(
    ("reason", "remedy"),
    [
        (Reason.UNPARSEABLE, "--prompt"),
        (Reason.LOST_TO_THINKING, "--thinking off"),
        (Reason.TOO_LONG, "--max-input-tokens"),
        (Reason.INVALID_REQUEST, "--endpoint"),
    ],
)
def test_useless_answers_stop_the_run_early_with_their_reason_and_a_remedy(reason, remedy):
    canary, judged_answers = judged(CanaryRule(), [reason] * 660)
    assert judged_answers < 50
    assert canary.trouble is not None
    assert f"{judged_answers} {reason}" in canary.trouble
    assert remedy in canary.trouble


def test_a_model_that_breaks_in_the_middle_is_noticed_within_fifty_calls():
    canary, judged_answers = judged(CanaryRule(), [None] * 5000 + [Reason.UNPARSEABLE] * 1000)
    assert canary.trouble is not None
    assert judged_answers <= 5050
    assert "of the last 50" in canary.trouble


@pytest.mark.parametrize("ratio", [0.0, 0.05, 0.15])
def test_a_night_within_its_limit_is_hardly_ever_stopped(ratio):
    rolls = random.Random(11)
    stopped = sum(
        judged(CanaryRule(), [Reason.REFUSED if rolls.random() < ratio else None for _ in range(2000)])[0].trouble
        is not None
        for _ in range(100)
    )
    assert stopped <= (0 if ratio < 0.1 else 5)


def test_answers_that_are_cut_off_far_more_often_than_usual_stop_the_run():
    canary = Canary(CanaryRule(max_useless_ratio=1.0, usual_ratio=0.01))
    for _ in range(50):
        canary.judge(None, cut_off=True)
    assert canary.trouble is not None
    assert "1.0% of the days before" in canary.trouble
    without_history = Canary(CanaryRule(max_useless_ratio=1.0))
    for _ in range(500):
        without_history.judge(None, cut_off=True)
    assert without_history.trouble is None


def test_a_night_like_those_before_it_goes_on():
    rolls = random.Random(12)
    answers = [Reason.REFUSED if rolls.random() < 0.1 else None for _ in range(2000)]
    assert judged(CanaryRule(usual_ratio=0.1), answers)[0].trouble is None


@pytest.mark.parametrize("usual", [0.0, 0.01, 0.05])
def test_a_night_unlike_those_before_it_stops_at_the_count_that_chance_hardly_reaches(usual):
    limit = max(_LEAST_UNUSUAL, _TIMES_THE_USUAL * usual)
    canary, judged_answers = judged(CanaryRule(max_useless_ratio=1.0, usual_ratio=usual), [Reason.REFUSED] * 500)
    assert judged_answers == critical_count(50, limit, _DOUBT_ON_AND_ON)
    assert canary.trouble is not None


def test_nothing_is_judged_where_nobody_wants_it():
    assert judged(CanaryRule(first=0), [Reason.UNPARSEABLE] * 500)[0].trouble is None
    assert judged(CanaryRule(max_useless_ratio=1.0), [Reason.UNPARSEABLE] * 500)[0].trouble is None
