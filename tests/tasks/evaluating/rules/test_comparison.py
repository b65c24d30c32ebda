"""Comparisons of two models: real differences are named, chance is not, and less distance is better."""

import pytest

from tasks.evaluating.rules.comparison import COMPARED, RowFigures, compare_rows
from tasks.evaluating.rules.scoring import score_row

RIGHT = '{"用户问题": "包裹没有动静", "客服方案": "催促站点", "是否接受": "是", "是否负面情绪": "否"}'
WRONG = RIGHT.replace("催促站点", "请您稍等").replace('"是否接受": "是"', '"是否接受": "否"')


def figures(*predictions: str) -> RowFigures:
    collected = RowFigures()
    for prediction in predictions:
        collected.add(score_row(prediction, RIGHT))
    return collected


def test_compare_rows_finds_a_model_that_is_better_on_most_rows():
    compared = compare_rows(figures(*[WRONG] * 40), figures(*[RIGHT] * 30, *[WRONG] * 10))
    assert set(compared) == set(COMPARED)
    for name in ("BLEU-4", "EDIT-DISTANCE", "plan/ROUGE-L", "accepted/accuracy"):
        assert compared[name].verdict == "better", name
    assert compared["EDIT-DISTANCE"].difference.difference < 0
    assert compared["issue/ROUGE-L"].verdict == "no difference beyond chance"
    back = compare_rows(figures(*[RIGHT] * 30, *[WRONG] * 10), figures(*[WRONG] * 40))
    assert {back[name].verdict for name in ("BLEU-4", "EDIT-DISTANCE")} == {"worse"}


def test_compare_rows_does_not_take_chance_for_a_difference():
    compared = compare_rows(figures(*[RIGHT, WRONG] * 20), figures(*[WRONG, RIGHT] * 20))
    assert {found.verdict for found in compared.values()} == {"no difference beyond chance"}


def test_compare_rows_leaves_out_what_no_row_has():
    unread = RowFigures()
    unread.add(score_row(RIGHT, "没有字段"))
    assert "accepted/accuracy" not in compare_rows(unread, unread)
    with pytest.raises(ValueError, match="same rows"):
        compare_rows(unread, figures(RIGHT, RIGHT))
