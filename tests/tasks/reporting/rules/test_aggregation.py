import re
import tracemalloc
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.calling.rules.offline import OFFLINE_MODEL
from tasks.domain.errors import UsageError
from tasks.reporting.rules import aggregation as aggregates
from tasks.reporting.rules.aggregation import TURN_BUCKETS, WORST_EXAMPLES, Aggregator
from tasks.reporting.rules.dimensions import AttributeDimensions
from tasks.reporting.rules.metrics import metrics_table
from tasks.reporting.rules.statistics import ANSWERS, OTHER, DayStatistics, Outcomes, Proportion
from tasks.reporting.rules.words import issue_words, plan_words
from tasks.warehouse.rules.tables import METRICS, SUMMARIES
from tests.builders.summary_days import rejects, run, summaries

DAY = date(2026, 11, 22)
SHANGHAI = ZoneInfo("Asia/Shanghai")


def statistics_of(*batches: pa.RecordBatch, timezone: ZoneInfo = SHANGHAI, sample: int = 20_000) -> DayStatistics:
    aggregator = Aggregator(DAY, DAY, timezone, sample)
    for batch in batches:
        aggregator.add_summaries(batch)
    return aggregator.result(run())


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


@settings(max_examples=40, deadline=None)
@given(st.lists(_row, max_size=60), st.sampled_from(["Asia/Shanghai", "Asia/Kathmandu", "America/St_Johns", "UTC"]))
def test_result_is_what_pandas_counts(rows, zone):
    batch = pa.RecordBatch.from_pylist(rows, schema=SUMMARIES)
    statistics = statistics_of(batch, timezone=ZoneInfo(zone))
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


@settings(max_examples=40, deadline=None)
@given(st.lists(_row, max_size=50), st.integers(1, 50), st.randoms(use_true_random=False), st.integers(1, 20))
def test_result_does_not_depend_on_batches_or_merging(rows, size, rng, sample):
    unique = [{**row, "conversation_id": f"c{number}"} for number, row in enumerate(rows)]
    whole = pa.RecordBatch.from_pylist(unique, schema=SUMMARIES)
    order = list(range(len(rows)))
    rng.shuffle(order)
    shuffled = whole.take(pa.array(order, pa.int64()))
    merged = Aggregator(DAY, DAY, SHANGHAI, sample)
    for start in range(0, len(rows), size):
        part = Aggregator(DAY, DAY, SHANGHAI, sample)
        part.add_summaries(shuffled.slice(start, size))
        merged.merge(part)
    assert merged.result(run()) == statistics_of(whole, sample=sample)


def test_result_lists_the_worst_first_and_a_bounded_number_of_them():
    batch = summaries(2_000, seed=3)
    statistics = statistics_of(batch)
    frame = frame_of(batch)
    worst = frame[(frame["accepted"].eq(False)) & (frame["negative_sentiment"].eq(True))]
    expected = worst.sort_values(["turns", "conversation_id"], ascending=[False, True]).head(WORST_EXAMPLES)
    assert [case.conversation_id for case in statistics.examples] == expected["conversation_id"].tolist()


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
    statistics = statistics_of(batch, sample=500)
    assert statistics.issues.counted_in == 500 < statistics.issues.known
    frame = frame_of(batch)
    told = frame[[bool(issue) for issue in batch["issue"].to_pylist()]]
    sample = told.sort_values(["content_hash", "conversation_id"]).head(500)
    counts = Counter(word for issue in sample["issue"] for word in issue_words(issue))
    assert {group.key: group.outcomes.total for group in statistics.issues.groups} == dict(
        sorted(counts.items(), key=lambda item: (-item[1], item[0]))[: len(statistics.issues.groups)]
    )


@pytest.mark.parametrize(
    ("issue", "words"),
    [
        ("用户咨询退货运费由谁承担", {"退货运费", "承担"}),
        ("客户的[手机号]收不到短信", {"短信"}),
        ("请问 12 号订单 3 天", {"订单"}),
        ("退款、退款、还是退款", {"退款"}),
        ("APP 闪退，见 https://a.example/闪", {"app", "闪退"}),
        ("", set()),
    ],
)
def test_issue_words_say_what_it_is_about(issue, words):
    assert issue_words(issue) == words


def test_plan_words_say_what_is_offered_and_not_how():
    assert plan_words("亲亲抱歉，建议您申请退货，妹子这边安排专员回电") == {"申请", "退货", "专员", "回电"}


def test_issue_words_of_a_megabyte_cost_no_more_than_of_a_paragraph():
    assert issue_words("退款" * 500_000) == issue_words("退款" * 100)


def test_add_rejects_counts_by_reason():
    aggregator = Aggregator(DAY, DAY, SHANGHAI)
    batch = rejects(200)
    aggregator.add_rejects(batch.slice(0, 70))
    aggregator.add_rejects(batch.slice(70))
    statistics = aggregator.result(run())
    assert dict(statistics.rejects) == Counter(batch["reason"].to_pylist())
    assert statistics.rejected == statistics.conversations == 200
    assert list(statistics.rejects) == sorted(statistics.rejects, key=lambda item: -item[1])


def test_values_beyond_a_thousand_are_counted_together():
    rows = [{"conversation_id": str(number), "channel": str(number)} for number in range(1_500)]
    statistics = statistics_of(pa.RecordBatch.from_pylist(rows, schema=SUMMARIES))
    counts = {group.key: group.outcomes.total for group in statistics.channels}
    assert counts[OTHER] == 500
    assert sum(counts.values()) == 1_500


def test_memory_stays_flat():
    batch = summaries(5_000)
    aggregator = Aggregator(DAY, DAY, SHANGHAI, word_sample=1_000)
    aggregator.add_summaries(batch)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0], pa.total_allocated_bytes()
    for _ in range(40):
        aggregator.add_summaries(batch)
    grown = tracemalloc.get_traced_memory()[0] - before[0], pa.total_allocated_bytes() - before[1]
    tracemalloc.stop()
    assert max(grown) < 2_000_000


def test_result_adds_runs_up_and_says_what_is_not_known():
    aggregator = Aggregator(DAY, DAY + timedelta(days=1), SHANGHAI)
    usage = aggregator.result(
        run(calls=10, seconds=100.0, quota_use=0.5, cost=None),
        run(run_id="run-2", calls=5, seconds=300.0, quota_use=0.9, cost=None),
    ).usage
    assert (usage.calls, usage.seconds, usage.cost) == (15, 400.0, None)
    assert usage.quota_use == pytest.approx(0.8)
    assert usage.runs == ("run-1", "run-2")
    assert aggregator.result().usage.calls is None


def test_offline_share_is_that_of_the_rules():
    statistics = statistics_of(summaries(30, model=OFFLINE_MODEL), summaries(10, seed=2))
    assert statistics.offline == Proportion(30, 40)


def test_metrics_table_holds_every_figure_once_and_divides_right():
    aggregator = Aggregator(DAY, DAY, SHANGHAI)
    aggregator.add_summaries(summaries(400))
    aggregator.add_rejects(rejects(20))
    statistics = aggregator.result(run())
    table = metrics_table(statistics)
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


def test_metrics_table_names_are_documented():
    aggregator = Aggregator(DAY, DAY, SHANGHAI)
    aggregator.add_summaries(summaries(50))
    aggregator.add_rejects(rejects(5))
    table = metrics_table(aggregator.result(run()))
    documented = set(re.findall(r"[a-z_]+", aggregates.__doc__ or ""))
    assert set(table["metric"].to_pylist()) | set(table["dimension"].to_pylist()) <= documented


def test_metrics_table_of_an_empty_day_divides_by_nothing():
    table = metrics_table(Aggregator(DAY, DAY, SHANGHAI).result())
    frame = table.to_pandas()
    assert frame[frame["denominator"] == 0]["value"].isna().all()
    assert frame.set_index("metric")["value"]["conversations"] == 0


@given(st.integers(0, 500), st.integers(0, 500))
def test_interval_holds_the_share_and_narrows(part, more):
    share = Proportion(part, part + more)
    low, high = share.interval()
    assert 0 <= low <= (share.value or 0) <= high + 1e-9 <= 1 + 1e-9
    if share.whole:
        wide = high - low
        assert (
            Proportion(part * 10, share.whole * 10).interval()[1]
            - Proportion(part * 10, share.whole * 10).interval()[0]
            < wide
        )


def test_interval_is_wilsons():
    assert Proportion(1, 8).interval() == pytest.approx((0.0224, 0.4709), abs=1e-4)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["a", "b", "c", None]), st.sampled_from([True, False, None])), max_size=40),
    st.integers(1, 8),
)
def test_attributes_are_dimensions_and_rare_values_are_counted_together(rows, min_count):
    table = [
        {"accepted": accepted, "turns": 2, "attributes": [("shop", shop)] if shop else []} for shop, accepted in rows
    ]
    aggregator = Aggregator(DAY, DAY, SHANGHAI, attributes=AttributeDimensions(("shop", "agent"), min_count))
    for half in (table[::2], table[1::2]):
        aggregator.add_summaries(pa.RecordBatch.from_pylist(half, schema=SUMMARIES))
    counts = Counter(shop or "" for shop, _ in rows)
    expected = Counter({shop: count for shop, count in counts.items() if count >= min_count})
    if rare := sum(counts.values()) - sum(expected.values()):
        expected[OTHER] = rare
    made = metrics_table(aggregator.result()).to_pylist()
    found = {
        row["value_key"]: row["value"] for row in made if row["metric"] == "summaries" and row["dimension"] == "shop"
    }
    assert found == expected
    accepted = sum(row["numerator"] for row in made if row["metric"] == "accepted_share" and row["dimension"] == "shop")
    assert accepted == sum(answer is True for _, answer in rows)


@pytest.mark.parametrize("names", [("channel",), ("shop", "shop"), ("",), tuple(map(str, range(21)))])
def test_attribute_dimensions_refuse_names_that_would_be_mixed_up(names):
    with pytest.raises(UsageError, match="--dimensions"):
        AttributeDimensions(names)


def test_themes_are_dimensions_where_the_tables_have_them():
    rows = [{"turns": 2, "theme": theme, "plan_theme": None} for theme in ("gift", "gift", "other", None)]
    batch = pa.RecordBatch.from_pylist(rows, schema=SUMMARIES)
    older = batch.drop_columns(["theme", "plan_theme"])
    assert {group.key: group.outcomes.total for group in statistics_of(batch).themes} == {"gift": 2, "other": 1, "": 1}
    assert statistics_of(older).themes == ()
