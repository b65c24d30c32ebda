"""Judging runs from outside: those that have died, and those that are restarted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.running.rules.repair import (
    BEGINS_WITHIN_SECONDS,
    BEGUN_AGAIN,
    GONE_SECONDS,
    MOST_TIMES,
    OLD_STATE_SECONDS,
    SILENT_SECONDS,
    Sighting,
    is_passing,
    judge_pending,
    judge_running,
    pause_seconds,
    what_to_do,
)


@given(st.lists(st.floats(min_value=0.1, max_value=SILENT_SECONDS - 1), min_size=1, max_size=50))
def test_run_that_changes_often_enough_lives_however_long(pauses):
    sighting, now = Sighting(("state", "0"), 0.0), 0.0
    for number, pause in enumerate(pauses, start=1):
        now += pause
        assert judge_running(sighting, now, process_is_gone=False) == "lives"
        sighting.see(("state", str(number)), now)


@pytest.mark.parametrize(("gone", "patience"), [(False, SILENT_SECONDS), (True, GONE_SECONDS)])
def test_run_that_is_silent_is_dead_sooner_if_its_process_is_known_to_be_gone(gone, patience):
    sighting = Sighting(("state", "beat"), 100.0)
    sighting.see(("state", "beat"), 100.0 + patience - 1)
    assert judge_running(sighting, 100.0 + patience - 1, process_is_gone=gone) == "lives"
    assert judge_running(sighting, 100.0 + patience, process_is_gone=gone) == "dead"


def test_run_that_was_taken_has_ten_minutes_and_after_an_outage_a_moment():
    sighting = Sighting(("pending",), 0.0)
    assert judge_pending(sighting, BEGINS_WITHIN_SECONDS - 1, state_age_seconds=60) == "lives"
    assert judge_pending(sighting, BEGINS_WITHIN_SECONDS, state_age_seconds=60) == "dead"
    assert judge_pending(sighting, OLD_STATE_SECONDS - 1, state_age_seconds=3600) == "lives"
    assert judge_pending(sighting, OLD_STATE_SECONDS, state_age_seconds=3600) == "dead"


ENGINE = "Flow run encountered an exception: "


@pytest.mark.parametrize(
    ("message", "passes"),
    [
        (ENGINE + "ConnectError: All connection attempts failed", True),
        (ENGINE + "StoreUnavailable: bos://b did not answer.", True),
        (ENGINE + "EndpointDown: Nothing answered for 120 s.", True),
        (ENGINE + "PrefectHTTPStatusError: Server error '500 Internal Server Error' for url 'http://x'", True),
        (ENGINE + "RuntimeError: Failed to reach API at http://127.0.0.1:4200/api/", True),
        (ENGINE + "PrefectHTTPStatusError: Client error '404 Not Found' for url 'http://x'", False),
        (ENGINE + "TooManyRejects: 3 of 9 were rejected (3 endpoint_error).\nConnectError", False),
        (ENGINE + "NoLogs: There are no logs.", False),
        ("", False),
    ],
)
def test_failure_of_the_surroundings_passes(message, passes):
    assert is_passing(message) is passes
    assert what_to_do("FAILED", message, []) == ("begin again" if passes else "leave")


def test_crash_is_begun_again_so_often_and_later_each_time():
    states = ["Scheduled", "Running", "Crashed"]
    for times in range(MOST_TIMES):
        assert what_to_do("CRASHED", "", states) == "begin again"
        assert pause_seconds("CRASHED", times) <= pause_seconds("FAILED", times)
        states += [BEGUN_AGAIN, "Running", "Crashed"]
    assert what_to_do("CRASHED", "", states) == "enough"


def test_service_that_is_away_gets_five_minutes_then_half_an_hour_then_an_hour():
    assert [pause_seconds("FAILED", times) for times in range(MOST_TIMES)] == [300.0, 1800.0, 3600.0]
