"""The table "After a failure" of deployments/README.md: each row is followed to the letter by a test."""

import ast
from typing import NamedTuple

import pytest

from tests.conftest import ROOT

BY_HAND = "tests/flows/test_failures_mended_by_hand.py"
DEPLOYED = "tests/flows/test_deployed_runs_after_failures.py"
WATCH = "tests/deployments/test_watch.py"
BACKFILLS = "tests/tasks/running/test_backfill_runs.py"
DAYS = "tests/flows/test_summarize_day.py"
STOPPED = "tests/flows/test_interruptions.py"
RANGES = "tests/flows/test_backfill_days.py"


class Step(NamedTuple):
    """A test that follows a row.

    Args:
        do: the words of the row's second cell that it carries out.
        where: the file of the test, from the root.
        test: its name.
    """

    do: str
    where: str
    test: str


FOLLOWED: dict[str, Step] = {
    "Failed: answers are useless": Step(
        "then run again: the useless ones are asked once more",
        DAYS,
        "test_summarize_day_buys_few_useless_answers_and_each_once_from_a_mended_model",
    ),
    "CeilingReached": Step(
        "the next run goes on from there", DAYS, "test_summarize_day_stops_at_its_ceiling_and_the_next_run_goes_on"
    ),
    "Failed: a table can't be read": Step(
        "run its day again: answers are kept, so it costs nothing",
        "tests/tasks/warehouse/test_parquet.py",
        "test_damaged_table_of_the_day_itself_is_replaced",
    ),
    "Failed: the day has shrunk": Step(
        "if it is right, run the day with",
        DAYS,
        "test_summarize_day_keeps_a_day_that_would_lose_most_of_it_unless_that_is_allowed",
    ),
    "Failed: the model answers otherwise": Step(
        "what was bought is kept",
        "tests/flows/test_golden.py",
        "test_a_model_that_answers_otherwise_holds_the_night_where_it_is_asked_to",
    ),
    "Failed: another run took over": Step(
        "the other one publishes it",
        STOPPED,
        "test_a_run_that_stood_still_too_long_buys_nothing_more_and_publishes_nothing",
    ),
    "Failed: the run was asked to stop, or stopped while it waited": Step(
        "Run again: it goes on from there", STOPPED, "test_a_stopped_run_keeps_what_is_in_flight_and_ends_soon"
    ),
    "BegunAgain": Step(
        "It goes on by itself",
        WATCH,
        "test_run_whose_worker_died_is_begun_again_and_told_as_that_and_as_recovered",
    ),
    "Crashed": Step(
        "begun again three times and died each time",
        WATCH,
        "test_crash_is_begun_again_three_times_then_told_as_a_failure",
    ),
    "A backfill failed": Step(
        "only those are done", RANGES, "test_backfill_days_goes_on_after_a_failed_day_and_does_only_that_one_again"
    ),
    "A backfill failed at once": Step(
        "Nothing was started", RANGES, "test_backfill_days_refuses_what_cannot_be_in_one_sentence"
    ),
    "A backfill begins no new day": Step(
        "The nightly is under way: it goes first",
        BACKFILLS,
        "test_day_runs_begin_no_new_day_while_the_nightly_is_under_way",
    ),
    "A backfill was cancelled": Step(
        "Its days are cancelled, too", BACKFILLS, "test_cancel_days_cancels_what_has_not_ended"
    ),
    '"No worker was free" in a backfill\'s log': Step(
        "it does the days itself", BACKFILLS, "test_day_runs_are_done_here_when_no_worker_is_free"
    ),
    "AwaitingBatch": Step(
        "the run comes back by itself",
        "tests/flows/test_batch_inference.py",
        "test_a_run_that_ends_in_the_wait_goes_on_with_the_same_task",
    ),
    "The server was down at night": Step(
        "The night is run when it is back",
        WATCH,
        "test_night_that_the_schedule_missed_is_asked_for_once_and_none_from_before_the_schedule",
    ),
    "Notification: not done by 06:00": Step(
        "Slow is no failure", WATCH, "test_nightly_that_is_late_is_told_once_and_a_done_one_is_a_sign_of_life"
    ),
    "Failed: too many rejects": Step(
        "names files and lines: fix the logs' format or the endpoint, then run the day with",
        BY_HAND,
        "test_too_many_rejects",
    ),
    "Failed: the day has no logs": Step("when the logs are there, run the day again", BY_HAND, "test_no_logs"),
    "AwaitingLogs": Step(
        "The run comes back by itself; after the deadline it goes on with what there is",
        DEPLOYED,
        "test_logs_that_are_late",
    ),
    "AwaitingDays": Step(
        "The run comes back by itself", DEPLOYED, "test_a_weekly_report_whose_last_day_is_still_to_be_done"
    ),
    "Incomplete": Step(
        "run it when the export is through: only what is new is paid for",
        DEPLOYED,
        "test_logs_that_still_changed_at_the_deadline",
    ),
    "Failed: credentials refused": Step(
        "Renew the key in the block Baidu Credentials", BY_HAND, "test_credentials_that_are_refused"
    ),
    "Failed: endpoint missing": Step(
        "Correct the endpoint's id in the block Summarizer Endpoint, run again",
        BY_HAND,
        "test_an_endpoint_that_is_missing",
    ),
    "Rejects of reason `invalid_request`, `lost_to_thinking`, or empty answers": Step(
        "these are asked once more", BY_HAND, "test_rejects_that_a_mended_endpoint_answers"
    ),
    "Rejects of reason `unparseable` or `refused` that a mended model would answer": Step(
        "`retry` in the backfill's form", BY_HAND, "test_rejects_that_a_mended_model_answers"
    ),
    "Failed: endpoint down, allowance used up": Step(
        "Wait for the service or top up the account, run again", BY_HAND, "test_an_endpoint_that_is_down_or_unpaid"
    ),
    "Failed: store unavailable, refused or full": Step(
        "the old tables are intact. Run again", BY_HAND, "test_a_store_that_refuses"
    ),
    "Failed: another run holds the day": Step(
        "Wait for the other; a dead one's hold runs out by itself", BY_HAND, "test_a_day_that_is_held"
    ),
    "Rejects of reason `endpoint_error`": Step("Run again to ask once more", BY_HAND, "test_rejects_of_the_endpoint"),
    "HandedOn": Step("Another one goes on with it", DEPLOYED, "test_a_run_whose_worker_is_stopped"),
    '"No worker took …" or "… was lost too often" in the log of a run with shards': Step(
        "The run does that shard itself", DEPLOYED, "test_shards_that_no_worker_takes"
    ),
    "Late, and nothing starts": Step(
        "Late runs are done, not skipped, and take the day they were meant for", DEPLOYED, "test_a_late_run"
    ),
    "Late, beside a run of the same deployment": Step(
        "One at a time, oldest first: this one follows", DEPLOYED, "test_two_runs_of_one_deployment"
    ),
    "No module named 'flows' in a worker's log": Step(
        "`KEFU_HOME` is not set for that worker, or is not the project's folder",
        DEPLOYED,
        "test_a_worker_without_the_project_s_folder",
    ),
}


def table() -> dict[str, str]:
    text = (ROOT / "deployments/README.md").read_text(encoding="utf-8")
    section = text.partition("## After a failure\n")[2].partition("\n## ")[0]
    rows = [
        tuple(cell.strip() for cell in line.strip("|").split(" | "))
        for line in section.splitlines()
        if line.startswith("| ")
    ]
    return dict(row for row in rows if len(row) == 2 and row[0] not in {"what you see", "---"})


@pytest.mark.parametrize("seen", table())
def test_each_row_of_the_table_is_followed(seen):
    assert seen in FOLLOWED, "write the test that does what this row says"
    step = FOLLOWED[seen]
    assert step.do in table()[seen], "the row says something else now: follow that"
    tests = {node.name for node in ast.parse((ROOT / step.where).read_text()).body if isinstance(node, ast.FunctionDef)}
    assert step.test in tests


def test_no_test_follows_a_row_that_is_gone():
    assert len(table()) > 25
    assert set(FOLLOWED) <= set(table())
