"""A change of the answers to golden conversations: found by the night, and not invented."""

import random
from collections.abc import Sequence
from math import comb

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.golden.rules.drift import ALPHA, FIELDS, GoldenAnswer, Night, _Row, check_night, tails


def night(accepted: Sequence[bool], issues: Sequence[str] | None = None) -> Night:
    """A night in which these conversations' acceptance was right, and their issues were these."""
    found = {}
    for number, right in enumerate(accepted):
        said = dict.fromkeys(FIELDS, "x") | {"accepted": "yes" if right else "no"}
        if issues:
            said["issue"] = issues[number]
        found[f"h{number}"] = GoldenAnswer(said, dict.fromkeys(FIELDS, True) | {"accepted": right})
    return found


def nights(rng: random.Random, number: int, right: float, conversations: int = 60, noise: float = 0.06) -> list[Night]:
    """Nights of one model: each conversation has its usual answer, and now and then another one."""
    usual = [rng.random() < right for _ in range(conversations)]
    return [night([answer != (rng.random() < noise) for answer in usual]) for _ in range(number)]


def test_a_steady_model_changes_in_no_night():
    rng = random.Random(5)
    for _ in range(4):
        made = nights(rng, 30, 0.85)
        assert [check_night(made[place], made[place + 1 :]).changes for place in range(24)] == [()] * 24


def test_a_field_that_fails_shows_next_morning_and_is_named():
    before = nights(random.Random(6), 14, 0.9)
    worse = night([answer.right["accepted"] and number % 3 > 0 for number, answer in enumerate(before[0].values())])
    check = check_night(worse, before)
    assert check.has_changed
    assert {change.field for change in check.changes} == {"accepted"}
    assert check.changes[0].p <= ALPHA
    assert check.right["accepted"] < 45
    assert check.right["issue"] == 60


def test_what_creeps_shows_within_a_week():
    rng = random.Random(7)
    before = nights(rng, 21, 0.9)
    creeping = [
        night([answer.right["accepted"] and rng.random() > 0.15 for answer in before[0].values()]) for _ in range(7)
    ]
    assert any(check_night(creeping[place], [*creeping[place + 1 :], *before]).has_changed for place in range(7))


def test_another_word_shows_even_where_nobody_is_right():
    before = [night([False] * 40, ["refund"] * 40) for _ in range(3)]
    check = check_night(night([False] * 40, ["gift"] * 20 + ["refund"] * 20), before)
    assert {(change.field, change.kind) for change in check.changes} == {("issue", "said")}


def test_answers_that_become_right_more_often_are_a_change_though_none_is_unusual():
    rng = random.Random(8)
    wavering = [night([rng.random() < 0.7 for _ in range(60)]) for _ in range(14)]
    check = check_night(night([True] * 60), wavering)
    assert {(change.field, change.kind) for change in check.changes} == {("accepted", "right")}


@pytest.mark.parametrize(("lost", "kinds"), [(15, ["said", "right"]), (14, ["said"]), (13, [])])
def test_the_level_is_that_of_all_tests_of_a_night_together(lost, kinds):
    changes = check_night(night([False] * lost), [night([True] * lost)]).changes
    assert [change.kind for change in changes] == kinds
    sides = {"right": 2, "said": 1}
    tests = 2 * len(FIELDS)
    assert [change.p for change in changes] == pytest.approx([tests * sides[kind] * 0.5**lost for kind in kinds])


def test_a_night_is_compared_with_the_two_weeks_before_it():
    steady = [night([True] * 5)] * 30
    assert [check_night(steady[0], steady[1 : 1 + number]).nights for number in (1, 14, 29)] == [1, 14, 14]


def test_conversations_that_only_one_of_the_nights_asked_about_count_for_nothing():
    before = night([True] * 40)
    others = {f"other {name}": answer for name, answer in night([False] * 40).items()}
    assert check_night(others, [before] * 14).changes == ()
    assert check_night(others, [{**before, **others}] * 14).changes == ()


def test_the_first_night_has_nothing_to_compare_with():
    check = check_night(night([True, False]), [])
    assert (check.nights, check.changes, check.conversations) == (0, (), 2)


def test_another_model_is_named_beside_what_changed():
    check = check_night(night([True]), [night([True])], "b · v1", "a · v1")
    assert (check.made_by, check.made_by_before) == ("b · v1", "a · v1")
    assert check_night(night([True]), [night([True])], "a · v1", "a · v1").made_by_before == ""


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 12), st.integers(0, 12))
def test_with_one_night_before_the_test_is_mcnemars(gained, lost):
    rows = [_Row(1, 2, 1, 1)] * gained + [_Row(1, 2, 1, 0)] * lost
    total = gained + lost
    low, high = tails(rows)
    assert low == pytest.approx(sum(comb(total, hits) for hits in range(gained + 1)) / 2**total)
    assert high == pytest.approx(sum(comb(total, hits) for hits in range(gained, total + 1)) / 2**total)
