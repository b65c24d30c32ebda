from dataclasses import replace
from datetime import date, timedelta
from functools import cache

import pytest

from tasks.reporting.rules.findings import (
    Comparison,
    compare,
    differs,
    distinct_words,
    find,
    headline,
    read_headline,
    topics,
)
from tasks.reporting.rules.formatting import percent, share_text
from tasks.reporting.rules.statistics import DayStatistics, Group, Outcomes, Proportion, TermCounts
from tests.builders import day_statistics
from tests.builders.summary_days import rejects, summaries

DAY = day_statistics.DAY
NOTHING = Comparison()


@cache
def statistics_of(count: int, seed: int = 1, rejected: int = 0, day: date = DAY, **kind) -> DayStatistics:
    return day_statistics.statistics_of(summaries(count, seed, day=day, **kind), rejects=[rejects(rejected)], day=day)


def texts(statistics: DayStatistics, comparison: Comparison = NOTHING) -> list[str]:
    return [finding.text.zh for finding in find(statistics, comparison)]


def test_read_headline_gives_back_what_the_digest_says():
    statistics = statistics_of(300, rejected=12)
    assert read_headline(statistics.metrics) == headline(statistics)


def test_read_headline_of_a_table_without_metrics_is_nothing():
    nothing = read_headline(statistics_of(0).metrics.slice(0, 0))
    assert nothing.conversations == 0
    assert nothing.accepted == Proportion(0, 0)


def test_compare_takes_the_seven_days_before_and_the_same_weekday_of_four_weeks():
    table = {back: statistics_of(10 + back).metrics for back in (-1, 0, 1, 3, 7, 8, 14, 28, 35)}
    comparison = compare(DAY, DAY, {DAY - timedelta(days=back): metrics for back, metrics in table.items()})
    assert comparison.yesterday is not None
    assert comparison.before is not None
    assert comparison.yesterday.conversations == 11
    assert (comparison.before.conversations, comparison.before_days) == (11 + 13 + 17, 3)
    assert comparison.before.accepted.whole == 11 + 13 + 17
    assert comparison.usual == (17, 24, 38)


def test_compare_takes_the_span_of_equal_length_before_a_span():
    first = DAY - timedelta(days=6)
    table = {back: statistics_of(10 + back).metrics for back in range(-6, 15)}
    comparison = compare(first, DAY, {first - timedelta(days=back): metrics for back, metrics in table.items()})
    assert comparison.yesterday is None
    assert comparison.before is not None
    assert (comparison.before_days, comparison.span) == (7, 7)
    assert comparison.before.conversations == sum(10 + back for back in range(1, 8))
    assert comparison.usual == ()
    same = find(statistics_of(round(comparison.mean * 7)), comparison, days=7)
    assert not any("明显多于" in finding.text.zh for finding in same), "a week is not compared with a day"
    more = find(statistics_of(round(comparison.mean * 11)), comparison, days=7)
    assert any("前 7 天同样天数" in finding.text.zh for finding in more)


def test_compare_without_history_is_nothing():
    assert compare(DAY, DAY, {}) == NOTHING


@pytest.mark.parametrize(
    ("now", "before", "expected"),
    [
        (Proportion(50, 100), Proportion(500, 1000), False),
        (Proportion(55, 100), Proportion(500, 1000), False),
        (Proportion(70, 100), Proportion(500, 1000), True),
        (Proportion(0, 100), Proportion(0, 1000), False),
        (Proportion(5, 5), Proportion(0, 0), False),
        (Proportion(0, 0), Proportion(5, 5), False),
    ],
)
def test_differs_only_beyond_chance(now, before, expected):
    assert differs(now, before) is expected


def test_find_is_silent_about_an_even_day():
    quiet = 0
    for seed in range(20):
        rows = summaries(600, seed, negative_scale=0)
        issue = rows.schema.get_field_index("issue")
        alike = rows.set_column(issue, "issue", rows["issue"].take([0] * len(rows)))
        quiet += not find(day_statistics.statistics_of(alike), NOTHING)
    assert quiet >= 16


def test_find_names_what_is_missing_and_no_part_that_is_always_worse():
    found = texts(statistics_of(2_000, rejected=200, negative_scale=1.2))
    assert "没有得到摘要，主要是“无人回复/单方消息”" in found[0]
    assert not any("退款" in text for text in found), "what is always so is no news"


def test_find_compares_with_the_days_before():
    history = {
        DAY - timedelta(days=back): statistics_of(900, back, negative_scale=0.5).metrics for back in (1, 2, 3, 7, 14)
    }
    comparison = compare(DAY, DAY, history)
    worse = find(statistics_of(1_500, 9, negative_scale=1.5), comparison)
    assert any("高于前 4 天" in finding.text.zh and finding.warning for finding in worse)
    assert any("明显多于前 2 周同一天" in finding.text.zh and not finding.warning for finding in worse)
    better = find(statistics_of(300, 9, negative_scale=0), comparison)
    assert any("低于前 4 天" in finding.text.zh and not finding.warning for finding in better)
    assert any("日志可能没有到齐" in finding.text.zh and finding.warning for finding in better)


def test_a_quiet_weekend_is_no_news():
    counts = {back: 60 if (DAY - timedelta(days=back)).weekday() < 5 else 25 for back in range(1, 29)}
    assert DAY.weekday() == 6
    history = {DAY - timedelta(days=back): statistics_of(count).metrics for back, count in counts.items()}
    comparison = compare(DAY, DAY, history)
    assert not any("次，明显" in finding.text.zh for finding in find(statistics_of(25), comparison))
    assert any("次，明显少于" in finding.text.zh for finding in find(statistics_of(9), comparison))


def test_a_weekday_that_is_always_worse_is_no_news():
    def history(of_weekday: float):
        return {
            DAY - timedelta(days=back): statistics_of(900, back, negative_scale=0.5 if back % 7 else of_weekday).metrics
            for back in (1, 2, 3, 7, 14)
        }

    today = statistics_of(1_500, 9, negative_scale=1.5)
    assert not any("负面情绪" in text for text in texts(today, compare(DAY, DAY, history(1.5))))
    assert any("负面情绪" in text for text in texts(today, compare(DAY, DAY, history(0.5))))


def test_find_says_when_much_is_unknown():
    assert any("看不出是否接受" in text for text in texts(statistics_of(100, unknown=0.5)))
    assert not any("看不出是否接受" in text for text in texts(statistics_of(100, unknown=0.1)))


@pytest.mark.parametrize(("cut_short", "said"), [(4, False), (5, False), (6, True)])
def test_find_says_when_more_than_one_in_twenty_was_too_long_for_the_model(cut_short, said):
    statistics = replace(statistics_of(100), truncated=cut_short)
    assert any("截去了中间" in text for text in texts(statistics)) is said


def test_distinct_words_keeps_the_longest_of_equals():
    first, second = Outcomes((3,) + (0,) * 8), Outcomes((2,) + (0,) * 8)
    words = (Group("承担", first), Group("退货运费", first), Group("发票", second))
    assert [word.key for word in distinct_words(words)] == ["退货运费", "发票"]


def with_words(statistics: DayStatistics, *groups: Group, counted_in: int = 100) -> DayStatistics:
    return replace(statistics, issues=TermCounts(groups, counted_in, known=counted_in))


def test_topics_are_in_several_conversations_and_in_a_part_that_counts():
    few = statistics_of(60)
    assert topics(few)
    assert all(word.outcomes.total >= 3 for word in topics(few))
    rare = Group("每次", Outcomes((2,) + (0,) * 8))
    assert rare not in topics(with_words(few, rare, *few.issues.groups))
    many = with_words(few, Group("每次", Outcomes((19,) + (0,) * 8)), counted_in=1_000)
    assert not topics(many)
    assert topics(with_words(many, *many.issues.groups, counted_in=900))


def test_percent_has_no_decimals_for_few():
    assert percent(Proportion(1, 8)) == "12%"
    assert percent(Proportion(123, 1000)) == "12.3%"
    assert percent(Proportion(0, 0)) == "–"
    assert share_text(Proportion(1234, 5000)) == "24.7% (1,234/5,000)"
