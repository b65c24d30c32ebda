"""Verdict cells that people fill in are read as a model's verdicts are."""

from datetime import date

import pytest

from tasks.reviewing.rules.review_sheet import (
    ACCEPTED,
    COLUMNS,
    NEGATIVE,
    NUMBER,
    REVIEWER,
    TO_FILL_IN,
    Review,
    RowError,
    read_reviews,
    sheet_row,
)

SAMPLED = {
    "number": "S1-0001",
    "day": date(2026, 11, 22),
    "conversation_id": "c1",
    "stratum": "random",
    "text": "用户：退货\n客服：可以",
    "issue": "退货",
    "plan": None,
    "accepted": True,
    "negative_sentiment": False,
}


def reviewed(accepted: str, negative: str) -> Review | RowError | None:
    cells = dict.fromkeys(TO_FILL_IN, "") | {NUMBER: "S1-0001", ACCEPTED: accepted, NEGATIVE: negative}
    return next(read_reviews([(2, cells)], {"S1-0001": SAMPLED}))


@pytest.mark.parametrize(
    ("accepted", "negative", "verdicts"),
    [
        ("是", "否", (True, False)),
        ("对", "错", (True, False)),
        ("TRUE", "False", (True, False)),
        ("否。", "有", (False, True)),
        ("不接受", "没有", (False, False)),
        ("Yes", "No", (True, False)),
        ("接受了", "生气", (True, True)),
        ("未知", "无", (None, False)),
        ("无", "不确定", (None, None)),
        ("１", "0", (True, False)),
    ],
)
def test_verdicts_are_read_as_a_models_are(accepted, negative, verdicts):
    review = reviewed(accepted, negative)
    assert isinstance(review, Review)
    assert (review.label.accepted, review.label.negative_sentiment) == verdicts


@pytest.mark.parametrize("said", ["", "见备注", "3 分", "可能"])
def test_what_is_no_verdict_is_refused_in_the_sheets_language(said):
    error = reviewed("是", said)
    assert isinstance(error, RowError)
    assert str(error).startswith(f"第 2 行，“{NEGATIVE}”：")
    assert str(error).endswith("请从 是、否、未明确 中选择。")


def test_a_row_names_its_reviewer_where_one_is_known():
    assert dict(zip(COLUMNS, sheet_row(SAMPLED, "审核人2"), strict=True))[REVIEWER] == "审核人2"
    assert dict(zip(COLUMNS, sheet_row(SAMPLED), strict=True))[REVIEWER] == ""
