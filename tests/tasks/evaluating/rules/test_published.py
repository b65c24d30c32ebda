"""The figures of what was published: the random sample alone says how right it is."""

import pytest

from tasks.evaluating.rules.published import published_figures


def review(published, label, stratum="random", issue="退货"):
    row = {"accepted": published, "negative_sentiment": False, "issue": "退货", "plan": None}
    told = {"accepted": label, "negative_sentiment": False, "issue": issue, "plan": None, "stratum": stratum}
    return row, told


def test_the_hard_rows_do_not_count_for_the_whole():
    reviews = [review(True, True)] * 54 + [review(True, False)] * 6 + [review(False, False)] * 6
    reviews += [review(True, False, "disagreeing")] * 30
    figures = published_figures(reviews, {"accepted": {True: 900, False: 100}, "negative_sentiment": {False: 1000}})
    assert figures["random/accepted/accuracy"] == pytest.approx(100 * 60 / 66)
    assert figures["disagreeing/accepted/accuracy"] == 0
    assert figures["accepted/share"] == 90
    assert figures["accepted/share corrected"] == pytest.approx(81, abs=1.5)
    low, high = figures["accepted/share corrected 95%"]
    assert low < 81 < high
    assert figures["accepted/share rests on"] == 66
    assert "reviewers/both" not in figures


def test_texts_that_people_kept_are_counted():
    figures = published_figures(
        [review(True, True), review(True, True, issue="换货")],
        {"accepted": {True: 2}, "negative_sentiment": {False: 2}},
    )
    assert figures["random/issue/kept"] == 50
    assert figures["random/plan/kept"] == 100
    assert (figures["accepted/share corrected"], figures["accepted/share needs"]) == (None, 50)


def test_a_stratum_without_reviews_has_no_figures():
    figures = published_figures([], {"accepted": {}, "negative_sentiment": {}})
    assert figures["random/reviews"] == 0
    assert figures["random/accepted/accuracy"] is None
    assert figures["accepted/share"] is None
