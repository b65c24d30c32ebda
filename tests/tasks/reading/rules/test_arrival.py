"""The rule for when logs count as complete."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.domain.ports import StoredObject
from tasks.reading.rules.arrival import judge_arrival

NOW = datetime(2026, 11, 22, 18, 30, tzinfo=UTC)


def log(minutes_ago: float) -> StoredObject:
    return StoredObject("2026-11-22/a.jsonl", 10, "e", NOW - timedelta(minutes=minutes_ago))


@pytest.mark.parametrize(
    ("ages", "marked", "minutes_left", "verdict"),
    [
        ([30, 60], False, 120, "complete"),
        ([30, 1], False, 120, "wait"),
        ([30, 1], True, 120, "complete"),
        ([30, 1], False, 0, "late"),
        ([], False, 120, "wait"),
        ([], True, 120, "wait"),
        ([], False, -5, "late"),
        ([30], False, -5, "complete"),
        ([1], False, -8, "late"),
        ([1], False, -15, "complete"),  # a clone or a restored backup, when the night was long over
    ],
)
def test_judge_arrival_waits_for_the_marker_or_for_quiet_until_the_deadline(ages, marked, minutes_left, verdict):
    deadline = NOW + timedelta(minutes=minutes_left)
    logs = [log(age) for age in ages]
    assert judge_arrival(logs, marked=marked, now=NOW, deadline=deadline, quiet_seconds=600) == verdict


@given(st.lists(st.floats(-5, 500), max_size=4), st.booleans(), st.floats(0, 600))
def test_judge_arrival_never_waits_past_the_deadline(ages, marked, quiet_minutes):
    logs = [log(age) for age in ages]
    assert judge_arrival(logs, marked=marked, now=NOW, deadline=NOW, quiet_seconds=quiet_minutes * 60) != "wait"
