"""Each row of the table "What dies, and what becomes of the night" is held by tests."""

import ast

import pytest

from tests.conftest import ROOT

README = (ROOT / "deployments" / "README.md").read_text(encoding="utf-8")
SECTION = README.partition("## What dies, and what becomes of the night")[2].partition("\n## ")[0]
ROWS = [tuple(cell.strip() for cell in line.strip("|").split("|"))[:2] for line in SECTION.splitlines() if "|" in line]
SURVIVAL = "tests/test_survival.py::"
AWAY = "tests/flows/test_services_away.py::"
HELD = {
    ("a run's process (killed, out of memory)", "any"): [
        f"{SURVIVAL}test_a_run_whose_process_dies_is_begun_again",
        "tests/deployments/test_watch.py::test_crash_is_begun_again_three_times_then_told_as_a_failure",
    ],
    ("the worker, with its runs", "any"): [
        f"{SURVIVAL}test_a_worker_that_dies_with_its_runs_is_back_and_so_are_they",
        "tests/deployments/test_compose_by_hand.py::test_what_is_killed_comes_back_and_the_night_with_it",
    ],
    ("Prefect's server", "minutes, an hour"): [
        f"{SURVIVAL}test_a_server_that_is_away_ends_nothing_for_good_and_each_thing_is_told_once",
        f"{SURVIVAL}test_cancel_after_an_outage_ends_what_it_cancels",
    ],
    ("Prefect's server", "a night"): [
        f"{SURVIVAL}test_a_server_that_is_away_for_a_night_does_that_night_and_those_before_it",
        "tests/deployments/test_watch.py::"
        "test_night_that_the_schedule_missed_is_asked_for_once_and_none_from_before_the_schedule",
    ],
    ("PostgreSQL", "any"): [f"{SURVIVAL}test_a_postgresql_that_dies_is_back_and_the_run_goes_on"],
    ("the whole machine, or the supervisor", "any"): [
        f"{SURVIVAL}test_a_power_cut_costs_what_was_in_flight_and_nothing_else",
        f"{SURVIVAL}test_a_power_cut_while_a_worker_takes_a_run_costs_nothing",
        f"{SURVIVAL}test_a_supervisor_that_dies_alone_may_be_started_again_at_once",
    ],
    ("a machine that is stopped, or restarted, on purpose", "any"): [
        f"{SURVIVAL}test_a_machine_that_is_stopped_on_purpose_throws_no_call_away",
        "tests/deployments/test_compose_by_hand.py::"
        "test_worker_that_is_stopped_throws_no_call_away_and_the_next_one_goes_on",
    ],
    ("a day of a backfill", "any"): [
        "tests/tasks/running/test_backfill_runs.py::test_day_that_is_lost_is_asked_for_again_a_few_times"
    ],
    ("the server, the worker or the watch hangs", "any"): [
        f"{SURVIVAL}test_a_worker_that_hangs_is_started_again_and_does_what_has_waited",
        "tests/deployments/test_watchdog.py::test_what_fails_again_and_again_is_ended",
    ],
    ("no worker", "a quarter of an hour"): [
        f"{AWAY}test_a_run_that_no_worker_takes_is_told_after_a_quarter_of_an_hour_and_waits"
    ],
    ("the endpoint, or the store", "as long as a run waits"): [
        f"{AWAY}test_an_endpoint_that_is_away_is_waited_for_three_times_and_paid_once",
        f"{AWAY}test_a_store_that_is_away_is_waited_for_and_after_three_times_told_as_a_failure",
    ],
}


def test_every_row_is_held_and_nothing_else():
    assert set(ROWS[2:]) == set(HELD)


@pytest.mark.parametrize("place", [place for places in HELD.values() for place in places])
def test_what_holds_a_row_is_there(place):
    path, _, name = place.partition("::")
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
