"""Objects that may be removed from a warehouse, and those that never are."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.domain.ports import StoredObject
from tasks.warehouse.rules.retention import Keep, is_expired

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
ALL = Keep(answers_days=10, reports_days=20, staging_days=7)


def expired(key: str, keep: Keep = ALL, *, age_days: float = 0, complete: bool = True) -> bool:
    found = StoredObject(key, 1, "e", NOW - timedelta(days=age_days))
    return is_expired(found, keep, now=NOW, is_published=lambda day: complete)


@pytest.mark.parametrize(
    ("key", "goes"),
    [
        ("_answers/day=2026-11-12/run.jsonl", False),
        ("_answers/day=2026-11-11/run.jsonl", True),
        ("reports/day=2026-11-02/report.html", False),
        ("reports/day=2026-11-01/report.html", True),
        ("reports/days=2026-10-01_2026-11-02/report.md", False),
        ("reports/days=2026-10-01_2026-11-01/report.md", True),
    ],
)
def test_is_expired_goes_by_the_day(key, goes):
    assert expired(key, age_days=99) is goes
    assert not expired(key, Keep(), age_days=99)


def test_is_expired_keeps_what_was_bought_lately_for_an_old_day():
    assert not expired("_answers/day=2026-01-01/run.jsonl", age_days=9.9)
    assert expired("_answers/day=2026-01-01/run.jsonl", age_days=10.1)


@pytest.mark.parametrize("folder", ["shadow/day=2026-01-01", "questions/day=2026-01-01", "evaluations"])
@pytest.mark.parametrize("complete", [True, False])
def test_is_expired_takes_answers_that_no_night_needs_by_their_last_change(folder, complete):
    assert not expired(f"_answers/{folder}/run.jsonl", age_days=9.9, complete=complete)
    assert expired(f"_answers/{folder}/run.jsonl", age_days=10.1, complete=complete)
    assert not expired(f"_answers/{folder}/run.jsonl", Keep(), age_days=9_999, complete=complete)


def test_is_expired_keeps_the_answers_of_a_day_that_is_not_published():
    assert not expired("_answers/day=2026-01-01/run.jsonl", complete=False)
    assert not expired("_staging/batches/day=2026-01-01/submission.json", age_days=99, complete=False)
    assert expired("reports/day=2026-01-01/report.md", complete=False)


@pytest.mark.parametrize(
    "folder", ["runs/a/part", "leases/day=2026-01-01.json", "shards/x", "batches/day=2026-01-01/y"]
)
def test_is_expired_takes_staging_by_its_last_change(folder):
    assert expired(f"_staging/{folder}", age_days=7.1)
    assert not expired(f"_staging/{folder}", age_days=6.9)
    assert not expired(f"_staging/{folder}", Keep(staging_days=0), age_days=999)


@given(
    st.sampled_from(["summaries", "rejects", "metrics", "runs", "_staging/unfinished", "labels", "models"]),
    st.dates(date(2000, 1, 1), date(2026, 11, 22)),
    st.integers(1, 5),
)
def test_is_expired_never_takes_a_table(folder, day, days):
    keep = Keep(days, days, days)
    assert not expired(f"{folder}/day={day}/{folder}.parquet", keep, age_days=9_999)
    assert not expired(f"{folder}/day={day}", keep, age_days=9_999)


@pytest.mark.parametrize(
    ("key", "kept"),
    [
        ("summaries/day=2026-11-01/summaries.parquet", Keep(tables_days=21)),
        ("rejects/day=2026-11-01/rejects.parquet", Keep(tables_days=21)),
        ("question_answers/day=2026-11-01/v1.parquet", Keep(tables_days=21)),
        ("labels/day=2026-11-01/labels.parquet", Keep(texts_days=21)),
        ("shadows/day=2026-11-01/m.parquet", Keep(texts_days=21)),
    ],
)
def test_is_expired_goes_by_the_kind_of_text(key, kept):
    assert not expired(key, kept)
    assert expired(key.replace("11-01", "10-31"), kept)
    assert not expired(key.replace("11-01", "10-31"), ALL)


def test_is_expired_goes_by_the_change_of_texts_that_name_no_day():
    assert not expired("_reviews/S1.parquet", Keep(texts_days=30), age_days=29.9)
    assert expired("_reviews/S1.parquet", Keep(texts_days=30), age_days=30.1)


def test_is_expired_takes_the_file_of_a_month_by_its_last_change():
    month = "_months/summaries/month=2026-09/summaries.parquet"
    assert expired(month, Keep(tables_days=21), age_days=22)
    assert not expired(month, Keep(tables_days=21), age_days=20)
    assert not expired(month, Keep(texts_days=1), age_days=99)
