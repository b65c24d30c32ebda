"""Input that a backfill refuses, and the outcomes of its days."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.domain.errors import DaysFailed, TooManyRejects, UsageError
from tasks.running.rules.backfills import (
    COUNTED,
    SKIPPED,
    counts,
    days_asked_for,
    failed,
    outcome,
    published,
    raise_if_any_failed,
    table,
)
from tasks.warehouse.rules.day_tally import DONE, DRY_RUN, LIMITED, TOO_MANY_REJECTS

START = date(2026, 11, 1)


@given(st.integers(0, 400), st.booleans())
def test_days_asked_for_is_every_day_once_unless_the_span_is_long_and_unconfirmed(length, confirmed):
    end = START + timedelta(days=length)
    if length >= 31 and not confirmed:
        with pytest.raises(UsageError, match=f"{length + 1} days"):
            days_asked_for(START, end, long_span_confirmed=confirmed)
        return
    days = days_asked_for(START, end, long_span_confirmed=confirmed)
    assert (days[0], days[-1], len(days)) == (START, end, length + 1)
    assert days == sorted(set(days))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"end": date(2026, 10, 31)}, "before the first"),
        ({"overwrite": True, "report_only": True}, "choose one"),
        ({"max_parallel_days": 0}, "1 to 16"),
        ({"max_parallel_days": 17}, "1 to 16"),
    ],
)
def test_days_asked_for_refuses_nonsense_in_one_line(wrong, words):
    with pytest.raises(UsageError, match=words) as refused:
        days_asked_for(**{"start": START, "end": START, "long_span_confirmed": True} | wrong)
    assert "\n" not in str(refused.value)


def test_counts_leave_out_what_there_was_none_of():
    outcomes = [outcome(START, DONE), outcome(START, TOO_MANY_REJECTS), outcome(START, SKIPPED), failed(START, "why")]
    assert counts(outcomes) == "2 done, 1 skipped, 1 failed"
    assert counts([outcome(START, SKIPPED)]) == "1 skipped"


def test_a_dry_run_of_days_is_counted_and_shown():
    estimated = outcome(START, DRY_RUN)
    assert counts([estimated]) == "1 estimated"
    assert table([START], [estimated])[0]["结果 status"] == "试算 dry run"


def test_judged_names_the_failed_days_and_why():
    days = [START + timedelta(days=number) for number in range(5)]
    with pytest.raises(DaysFailed, match=r"1 of 2 days failed: 2026-11-02 \(no logs\)") as told:
        raise_if_any_failed([outcome(days[0], DONE), failed(days[1], "no logs")])
    assert len(told.value.outcomes) == 2
    with pytest.raises(DaysFailed, match="5 of 5 days failed: 2026-11-01, 2026-11-02") as told:
        raise_if_any_failed([failed(day, "a long story") for day in days])
    assert "story" not in str(told.value)
    with pytest.raises(TooManyRejects, match="2026-11-01"):
        raise_if_any_failed([outcome(START, TOO_MANY_REJECTS), outcome(days[1], DONE)])
    assert raise_if_any_failed([outcome(START, DONE)]) == [outcome(START, DONE)]


def test_reasons_of_too_many_rejects_are_named_where_days_are_few():
    poor = outcome(START, TOO_MANY_REJECTS) | {"why": "3 unreadable, 1 empty"}
    with pytest.raises(TooManyRejects, match=r"rejected on 2026-11-01 \(3 unreadable, 1 empty\)\. The tables"):
        raise_if_any_failed([poor, outcome(START, DONE)])


def test_day_cut_by_a_limit_is_published_and_counted_apart():
    row = dict.fromkeys(COUNTED, 1) | {"status": LIMITED}
    made = published(START, row, "warehouse", "report.html")
    assert (made["status"], made["conversations"], "why" in made) == (LIMITED, 1, False)
    assert counts([made]) == "1 cut by --limit"
    assert raise_if_any_failed([made]) == [made]


def test_table_has_a_row_for_every_day_with_its_reason_beside_its_state():
    days = [START, START + timedelta(days=1)]
    first, second = table(days, [failed(START, "No logs.")])
    assert list(first.items())[:3] == [
        ("日期 day", "2026-11-01"),
        ("结果 status", "失败 failed"),
        ("原因 why", "No logs."),
    ]
    assert second["结果 status"] == "未完成 not yet"
