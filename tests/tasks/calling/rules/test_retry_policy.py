import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.calling.rules.retry_policy import OutageDetector, RetryPolicy


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_backoff_seconds_is_bounded_and_never_negative(attempt, u):
    assert 0.0 <= RetryPolicy().backoff_seconds(attempt, u) < 30.0


@given(st.floats(0, 1, exclude_max=True), st.integers(1, 50))
def test_backoff_seconds_never_shrinks_with_attempts(u, attempt):
    patience = RetryPolicy()
    assert patience.backoff_seconds(attempt, u) <= patience.backoff_seconds(attempt + 1, u)


def test_backoff_seconds_doubles_to_its_cap():
    patience = RetryPolicy(first_seconds=1.0, cap_seconds=5.0)
    assert [patience.backoff_seconds(n, 0.5) for n in (1, 2, 3, 4, 9)] == [0.5, 1.0, 2.0, 2.5, 2.5]


def test_counts_only_attempts_during_which_others_succeeded():
    health = OutageDetector(0.0)
    assert not health.another_succeeded_since(began=0.0)
    health.succeeded(5.0)
    assert health.another_succeeded_since(began=4.0)
    assert not health.another_succeeded_since(began=5.0)


def test_is_down_after_long_enough_and_often_enough():
    health = OutageDetector(0.0)
    health.succeeded(10.0)
    for n in range(19):
        health.failed(20.0 + n, f"c{n}")
    assert not health.is_down(200.0, answered=1)
    health.failed(40.0, "c19")
    assert not health.is_down(139.9, answered=1)
    assert health.is_down(140.0, answered=1)
    health.succeeded(141.0)
    assert not health.is_down(10_000.0, answered=1)


def test_is_down_does_not_count_the_quiet_before_the_first_failure():
    health = OutageDetector(0.0)
    for _ in range(30):
        health.failed(1000.0, "c")
    assert not health.is_down(1000.0, answered=0)


@pytest.mark.parametrize(
    ("failing", "answered", "down"),
    [(1, 0, True), (1, 3, True), (1, 4, False), (5, 20, False), (6, 20, True), (19, 10**6, False), (20, 10**6, True)],
)
def test_is_down_only_when_more_fail_than_stragglers(failing, answered, down):
    health = OutageDetector(0.0)
    for attempt in range(20):
        for number in range(failing):
            health.failed(float(attempt), f"c{number}")
    assert health.is_down(200.0, answered) is down


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 50)), max_size=80))
def test_is_down_never_within_the_time_after_a_success(events):
    health, now, last = OutageDetector(0.0), 0.0, None
    for succeeded, step in events:
        now += step
        if succeeded:
            health.succeeded(now)
            last = now
        else:
            health.failed(now, f"c{now}")
        if last is not None and now - last < 120:
            assert not health.is_down(now, answered=0)
