"""The line of people's reviews, and the headline shares beside the corrected ones."""

from datetime import date

import pytest

from tasks.domain.true_rates import MINIMUM_REVIEWS
from tasks.reporting.rules.context import Context
from tasks.reporting.rules.pages.html import render_html
from tasks.reporting.rules.pages.markdown import render_markdown
from tasks.reporting.rules.reviewed import ReviewedSample, corrected_share, review_line, reviewed_sample
from tests.builders.day_statistics import statistics_of
from tests.builders.summary_days import summaries

FIRST, LAST = date(2026, 11, 2), date(2026, 11, 20)


def sample(reviews: int) -> ReviewedSample:
    """Of a model that says yes to 80 % and is wrong with a tenth of it, and to whom all are calm."""
    yes, wrong = reviews * 8 // 10, reviews // 10
    accepted = [(True, number >= wrong) for number in range(yes)] + [(None, None)] * (reviews - yes)
    calm = [(False, False)] * reviews
    return reviewed_sample(
        FIRST,
        LAST,
        {"accepted": accepted, "negative_sentiment": calm},
        {"accepted": {True: 8_000, None: 2_000}, "negative_sentiment": {False: 10_000}},
    )


def test_the_shares_are_of_all_conversations_as_the_headline_has_them():
    rate = sample(100).rates["accepted"]
    assert rate.raw == pytest.approx(0.8)
    assert rate.value == pytest.approx(0.7, abs=0.01)
    assert rate.low is not None
    assert rate.high is not None
    assert rate.low < 0.7 < rate.high < 0.8
    assert sample(100).right["accepted"].value == pytest.approx(0.9)


def test_both_reports_name_the_reviews_and_correct_the_shares_beside_the_raw_ones():
    statistics = statistics_of(summaries(300, day=LAST), day=LAST)
    reviewed = sample(100)
    assert review_line(reviewed).zh == "随机抽检 100 条（11-02 至 11-20）：接受判断 90% 正确，情绪判断 100% 正确。"
    corrected = corrected_share(reviewed, "accepted")
    assert corrected is not None
    assert corrected.zh.startswith("11-02 至 11-20：模型 80.0%，按 100 条随机抽检修正为 70.")
    for text in (
        render_html(statistics, Context(reviewed=reviewed)),
        render_markdown(statistics, Context(reviewed=reviewed)),
    ):
        assert review_line(reviewed).zh in text
        assert corrected.zh in text
        assert f"{statistics.outcomes.accepted('yes').value:.1%}" in text
    assert "抽检" not in render_html(statistics)
    assert "抽检" not in render_markdown(statistics)


def test_too_few_reviews_are_said_to_be_too_few():
    few = sample(MINIMUM_REVIEWS - 10)
    assert f"不足 {MINIMUM_REVIEWS} 条" in review_line(few).zh
    assert "too few" in review_line(few).en
    assert corrected_share(few, "accepted") is None
    assert corrected_share(None, "accepted") is None
    assert "不足" not in review_line(sample(MINIMUM_REVIEWS)).zh
