"""Figures of days, asked of their tables in SQL, beside pandas on the same rows."""

import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.calling.rules.offline.summary import OFFLINE_MODEL
from tasks.reporting import aggregate
from tasks.reporting.aggregate import TURN_BUCKETS, WORST_EXAMPLES, ask_for_days, ask_for_statistics, hold_runs
from tasks.reporting.queries import open_files
from tasks.reporting.rules.dimensions import AttributeDimensions
from tasks.reporting.rules.statistics import ANSWERS, OTHER, Outcomes, Proportion
from tasks.reporting.rules.words import issue_words, plan_words
from tasks.warehouse.rules.tables import METRICS, SUMMARIES
from tests.builders.day_statistics import (
    DAY,
    SHANGHAI,
    figures_of,
    statistics_of,
    statistics_of_days,
    tables_of_days,
)
from tests.builders.summary_days import rejects, run, summaries


def counted(frame: pd.DataFrame) -> Outcomes:
    """The nine cells, counted by pandas."""
    names = {True: "yes", False: "no", None: "unknown"}
    pairs = Counter(
        (names[accepted], names[negative])
        for accepted, negative in zip(frame["accepted"], frame["negative_sentiment"], strict=True)
    )
    return Outcomes(tuple(pairs[accepted, negative] for accepted in ANSWERS for negative in ANSWERS))


def frame_of(batch: pa.RecordBatch) -> pd.DataFrame:
    frame = pd.DataFrame(batch.to_pylist(), columns=SUMMARIES.names)
    for name in ("accepted", "negative_sentiment"):
        frame[name] = pd.Series(batch[name].to_pylist(), dtype=object)
    return frame


_words = st.sampled_from(["退款没到账", "快递丢件", "[手机号]", "", "发票抬头开错", "退款慢，快递也慢"])
_row = st.fixed_dictionaries(
    {
        "conversation_id": st.text("abc", min_size=1, max_size=4),
        "started_at": st.none()
        | st.integers(0, 120).map(lambda hours: datetime(2026, 11, 20, 0, 17, tzinfo=UTC) + timedelta(hours=hours)),
        "channel": st.sampled_from(["app", "网页", "", None]),
        "turns": st.integers(0, 60),
        "issue": st.none() | _words,
        "plan": st.none() | st.sampled_from(["给您换货", "建议您申请退款", "", "联系快递，尽快退款"]),
        "accepted": st.sampled_from([True, False, None]),
        "negative_sentiment": st.sampled_from([True, False, None]),
        "truncated": st.booleans(),
        "model": st.sampled_from(["m1", "m2"]),
        "prompt_version": st.sampled_from(["v1", "v2"]),
        "content_hash": st.text("0123456789abcdef", min_size=8, max_size=8),
    }
)


@settings(max_examples=10, deadline=None)
@given(st.lists(_row, max_size=60), st.sampled_from(["Asia/Shanghai", "Asia/Kathmandu", "America/St_Johns", "UTC"]))
def test_result_is_what_pandas_counts(rows, zone):
    batch = pa.RecordBatch.from_pylist(rows, schema=SUMMARIES)
    statistics = statistics_of(batch, zone=ZoneInfo(zone))
    frame = frame_of(batch)
    assert statistics.outcomes == counted(frame)
    frame["channel"] = [channel or "" for channel in batch["channel"].to_pylist()]
    frame["hour"] = [
        f"{instant.astimezone(ZoneInfo(zone)).hour:02}" if instant else ""
        for instant in batch["started_at"].to_pylist()
    ]
    frame["bucket"] = pd.cut(frame["turns"].astype(int), [-1, 4, 9, 19, 29, 10**6], labels=TURN_BUCKETS).astype(str)
    for column, groups in (
        ("channel", statistics.channels),
        ("hour", statistics.hours),
        ("bucket", statistics.turns),
        ("model", statistics.models),
        ("prompt_version", statistics.prompt_versions),
    ):
        expected = {key: counted(part) for key, part in frame.groupby(column)}
        assert {group.key: group.outcomes for group in groups} == expected
    assert statistics.truncated == sum(frame["truncated"])
    for column, words, words_of in (("issue", statistics.issues, issue_words), ("plan", statistics.plans, plan_words)):
        texts = batch[column].to_pylist()
        assert words.known == words.counted_in == sum(map(bool, texts))
        found = {group.key: group.outcomes for group in words.groups}
        for word in ("退款", "快递", "换货"):
            holding = frame.loc[pd.Series([word in words_of(text or "") for text in texts], dtype=bool)]
            assert found.get(word) == (counted(holding) if len(holding) > 1 else None)


@settings(max_examples=10, deadline=None)
@given(st.lists(_row, max_size=50), st.integers(1, 50), st.randoms(use_true_random=False), st.integers(1, 20))
def test_result_does_not_depend_on_the_order_and_the_number_of_files(rows, size, rng, sample):
    unique = [{**row, "conversation_id": f"c{number}"} for number, row in enumerate(rows)]
    whole = pa.RecordBatch.from_pylist(unique, schema=SUMMARIES)
    order = list(range(len(rows)))
    rng.shuffle(order)
    shuffled = whole.take(pa.array(order, pa.int64()))
    parts = [shuffled.slice(start, size) for start in range(0, len(rows), size)]
    split, together = statistics_of(*parts, word_sample=sample), statistics_of(whole, word_sample=sample)
    assert split == together
    assert split.metrics.equals(together.metrics)


def test_a_span_has_the_conversations_of_its_days_and_of_no_other():
    days = {DAY + timedelta(days=number): [summaries(40 + number, number)] for number in range(4)}
    lost = {day: [rejects(3)] for day in days}
    whole = statistics_of_days({day: days[day] for day in days}, lost)
    assert (whole.outcomes.total, whole.rejected) == (40 + 41 + 42 + 43, 12)
    with open_files({}) as warehouse:
        rows = [
            pa.Table.from_batches(part).append_column("day", pa.array([day] * len(part[0])))
            for day, part in days.items()
        ]
        warehouse.hold("summaries", pa.concat_tables(rows))
        hold_runs(warehouse, {})
        part = ask_for_statistics(warehouse, DAY + timedelta(days=1), DAY + timedelta(days=2), SHANGHAI)
    assert part.outcomes.total == 41 + 42


def test_the_days_of_a_span_have_each_its_own_figures():
    days = {DAY - timedelta(days=back): [summaries(40 + back, back, model=f"m{back}")] for back in range(3)}
    lost = {DAY: [rejects(5)], DAY - timedelta(days=3): [rejects(2)]}
    expected = [
        figures_of(statistics_of(*days.get(day, ()), rejects=lost.get(day, ()), day=day))
        for day in sorted({*days, *lost})
    ]
    with tables_of_days(days, lost) as warehouse:
        assert list(ask_for_days(warehouse, DAY - timedelta(days=3), DAY)) == expected
        assert list(ask_for_days(warehouse, DAY, DAY)) == expected[-1:]


def test_the_worst_three_of_a_theme_come_first_and_a_bounded_number_of_all():
    batch = summaries(2_000, seed=3)
    statistics = statistics_of(batch)
    frame = frame_of(batch)
    refused, angry = frame["accepted"].eq(False), frame["negative_sentiment"].eq(True)
    frame["kind"] = [
        0 if no and bad else 1 if bad and answer is None else 2 if bad else 3
        for no, bad, answer in zip(refused, angry, frame["accepted"], strict=True)
    ]
    worst = (
        frame[refused | angry]
        .sort_values(["kind", "turns", "conversation_id"], ascending=[True, False, True])
        .head(600)
    )
    topic = worst["theme"].where(worst["theme"] != "other").fillna(worst["issue"]).fillna(worst["conversation_id"])
    later = worst.groupby(topic).cumcount() >= 3
    expected = pd.concat([worst[~later], worst[later]]).head(WORST_EXAMPLES)
    assert [case.conversation_id for case in statistics.examples] == expected["conversation_id"].tolist()


def test_the_worst_leave_room_for_other_themes():
    rows = [
        {"conversation_id": f"{theme}{number}", "turns": 50 - number, "negative_sentiment": True, "theme": theme}
        for theme, many in (("coupon", 10), ("refund", 2))
        for number in range(many)
    ]
    found = statistics_of(pa.RecordBatch.from_pylist(rows, schema=SUMMARIES)).examples
    assert [case.conversation_id for case in found[:6]] == [
        "coupon0",
        "refund0",
        "coupon1",
        "refund1",
        "coupon2",
        "coupon3",
    ]
    assert len(found) == 12


def test_result_orders_kinds_of_bad_news():
    kinds = [(True, False), (False, False), (False, None), (None, True), (True, True), (False, True), (None, None)]
    rows = [
        {"conversation_id": str(number), "turns": 3, "accepted": accepted, "negative_sentiment": negative}
        for number, (accepted, negative) in enumerate(kinds)
    ]
    statistics = statistics_of(pa.RecordBatch.from_pylist(rows, schema=SUMMARIES))
    assert [case.conversation_id for case in statistics.examples] == ["5", "3", "4", "1", "2"]


def test_words_of_a_large_day_come_from_the_same_sample_every_time():
    batch = summaries(3_000, seed=4)
    statistics = statistics_of(batch, word_sample=500)
    assert statistics.issues.counted_in == 500 < statistics.issues.known
    frame = frame_of(batch)
    told = frame[[bool(issue) for issue in batch["issue"].to_pylist()]]
    sample = told.sort_values(["content_hash", "conversation_id"]).head(500)
    counts = Counter(word for issue in sample["issue"] for word in issue_words(issue))
    assert {group.key: group.outcomes.total for group in statistics.issues.groups} == dict(
        sorted(counts.items(), key=lambda item: (-item[1], item[0]))[: len(statistics.issues.groups)]
    )


def test_rejects_are_counted_by_reason():
    batch = rejects(200)
    statistics = statistics_of(rejects=[batch.slice(0, 70), batch.slice(70)])
    assert dict(statistics.rejects) == Counter(batch["reason"].to_pylist())
    assert statistics.rejected == statistics.conversations == 200
    assert list(statistics.rejects) == sorted(statistics.rejects, key=lambda item: -item[1])


def test_values_beyond_a_thousand_are_counted_together():
    rows = [{"conversation_id": str(number), "channel": str(number)} for number in range(1_500)]
    statistics = statistics_of(pa.RecordBatch.from_pylist(rows, schema=SUMMARIES))
    counts = {group.key: group.outcomes.total for group in statistics.channels}
    assert counts[OTHER] == 500
    assert sum(counts.values()) == 1_500


def test_a_bound_of_memory_that_is_too_narrow_is_raised():
    rows = pa.Table.from_batches([summaries(2_000)]).append_column("day", pa.array([DAY] * 2_000))
    with open_files({}, memory="1MB") as warehouse:
        warehouse.hold("summaries", rows)
        hold_runs(warehouse, {})
        assert ask_for_statistics(warehouse, DAY, DAY, SHANGHAI).outcomes.total == 2_000


def test_usage_adds_runs_up_and_leaves_open_what_is_not_known():
    days: dict[date, list[pa.RecordBatch]] = {DAY: [], DAY + timedelta(days=1): []}
    first = run(calls=10, seconds=100.0, quota_use=0.5, cost=None)
    second = run(run_id="run-2", calls=5, seconds=300.0, quota_use=0.9, cost=None)
    usage = statistics_of_days(days, runs=dict(zip(days, [[first], [second]], strict=True))).usage
    assert (usage.calls, usage.seconds, usage.cost) == (15, 400.0, None)
    assert usage.quota_use == pytest.approx(0.8)
    assert usage.runs == ("run-1", "run-2")
    assert statistics_of(runs=[]).usage.calls is None


def test_usage_counts_what_was_not_read_of_the_newest_run_alone():
    older = run(unread_files=9, unread_conversations=90, outside_day=4, logs_complete=False)
    newer = run(unread_files=1, unread_conversations=5, outside_day=2, logs_complete=True)
    newer["finished_at"] += timedelta(hours=1)
    usage = statistics_of(runs=[newer, older]).usage
    assert (usage.unread_files, usage.unread_conversations, usage.outside_day) == (1, 5, 2)
    assert not usage.logs_incomplete
    assert statistics_of(runs=[older]).usage.logs_incomplete


@pytest.mark.parametrize(("currencies", "expected"), [(("CNY", "CNY"), "CNY"), (("CNY", "USD"), ""), ((None, ""), "")])
def test_usage_has_a_currency_where_there_is_only_one(currencies, expected):
    assert statistics_of(runs=[run(currency=currency) for currency in currencies]).usage.currency == expected


def test_offline_share_is_that_of_the_rules():
    statistics = statistics_of(summaries(30, model=OFFLINE_MODEL), summaries(10, seed=2))
    assert statistics.offline == Proportion(30, 40)


def test_metrics_hold_every_figure_once_and_divide_right():
    table = statistics_of(summaries(400), rejects=[rejects(20)]).metrics
    assert table.schema.equals(METRICS, check_metadata=True)
    frame = table.to_pandas()
    assert not frame.duplicated(["metric", "dimension", "value_key"]).any()
    shares = frame[frame["denominator"] > 0]
    assert shares["value"].tolist() == (shares["numerator"] / shares["denominator"]).tolist()
    for dimension, part in shares.groupby("dimension"):
        if dimension in ("channel", "hour", "turns", "model", "all"):
            by_key = part.set_index(["value_key", "metric"])["numerator"]
            for key in part["value_key"].unique():
                found = by_key[key]
                accepted = ["accepted_share", "not_accepted_share", "accepted_unknown_share"]
                negative = ["negative_share", "not_negative_share", "negative_unknown_share"]
                assert found[accepted].sum() == found[negative].sum()
    cells = shares[shares["metric"] == "outcome_share"]
    assert cells["numerator"].sum() == 400
    reasons = frame[(frame["metric"] == "rejected_share") & (frame["dimension"] == "reason")]
    assert reasons["numerator"].sum() == 20


def test_names_of_metrics_are_documented():
    table = statistics_of(summaries(50), rejects=[rejects(5)]).metrics
    documented = set(re.findall(r"[a-z_]+", aggregate.__doc__ or ""))
    assert set(table["metric"].to_pylist()) | set(table["dimension"].to_pylist()) <= documented


def test_metrics_of_an_empty_day_divide_by_nothing():
    frame = statistics_of(runs=[]).metrics.to_pandas()
    assert frame[frame["denominator"] == 0]["value"].isna().all()
    assert frame.set_index("metric")["value"]["conversations"] == 0


@settings(max_examples=10, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["a", "b", "c", None]), st.sampled_from([True, False, None])), max_size=40),
    st.integers(1, 8),
)
def test_attributes_are_dimensions_and_rare_values_are_counted_together(rows, min_count):
    table = [
        {"accepted": accepted, "turns": 2, "attributes": [("shop", shop)] if shop else []} for shop, accepted in rows
    ]
    halves = [pa.RecordBatch.from_pylist(half, schema=SUMMARIES) for half in (table[::2], table[1::2])]
    statistics = statistics_of(*halves, attributes=AttributeDimensions(("shop", "agent"), min_count))
    counts = Counter(shop or "" for shop, _ in rows)
    expected = Counter({shop: count for shop, count in counts.items() if count >= min_count})
    rare = sum(counts.values()) - sum(expected.values())
    while 0 < rare < min_count and expected:
        fewest = min(expected.values())
        hidden = max(shop for shop, count in expected.items() if count == fewest)
        rare += expected.pop(hidden)
    if rare:
        expected[OTHER] = rare
    made = statistics.metrics.to_pylist()
    found = {
        row["value_key"]: row["value"] for row in made if row["metric"] == "summaries" and row["dimension"] == "shop"
    }
    assert found == expected
    assert len(rows) < min_count or min(found.values()) >= min_count, "nobody is shown by subtraction"
    accepted = sum(row["numerator"] for row in made if row["metric"] == "accepted_share" and row["dimension"] == "shop")
    assert accepted == sum(answer is True for _, answer in rows)


def test_themes_are_dimensions_where_the_tables_have_them():
    rows = [{"turns": 2, "theme": theme, "plan_theme": None} for theme in ("gift", "gift", "other", None)]
    batch = pa.RecordBatch.from_pylist(rows, schema=SUMMARIES)
    older = batch.drop_columns(["theme", "plan_theme"])
    assert {group.key: group.outcomes.total for group in statistics_of(batch).themes} == {"gift": 2, "other": 1, "": 1}
    assert {group.key for group in statistics_of(older).themes} == {""}
