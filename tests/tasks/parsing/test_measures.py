"""Degrees, scales and choices as verdicts: known where they can mean one thing, and open elsewhere."""

import pytest

from tasks.parsing.verdicts import accepted_of, negative_sentiment_of


@pytest.mark.parametrize("points", range(11))
@pytest.mark.parametrize("told", ["满意度{}/10", "用户满意度：{}/10", "满意度评分为{}分，满分10分"])
def test_how_content_a_customer_was_is_read_by_its_scale(told, points):
    expected = True if points <= 4 else False if points >= 8 else None
    assert negative_sentiment_of(told.format(points)) is expected


@pytest.mark.parametrize("told", ["满意度：3分", "负面情绪得分：0.1", "负面概率 5%", "情绪评分 -0.6", "情绪：-1"])
def test_points_without_a_scale_are_open(told):
    assert negative_sentiment_of(told) is None


@pytest.mark.parametrize("told", ["接受度：中", "接受程度：中等", "接受程度：一般", "接受概率 60%", "中"])
def test_a_middling_acceptance_is_open(told):
    assert accepted_of(told) is None


@pytest.mark.parametrize("choice", ["负面/非负面", "正面|负面", "positive/negative", "平静/愤怒"])
def test_a_choice_that_was_not_made_is_open(choice):
    assert negative_sentiment_of(choice) is None


@pytest.mark.parametrize(
    "told", ["商品使用不满一年，语气平和", "不满100元不包邮，用户平静地询问", "询问“不满意可退”，情绪中性"]
)
def test_a_time_a_sum_or_a_promise_is_no_mood(told):
    assert negative_sentiment_of(told) is False
    assert negative_sentiment_of("用户不满三天还没发货") is True


def test_words_of_logic_and_leanings_are_verdicts():
    for verdict_of in (accepted_of, negative_sentiment_of):
        assert verdict_of("真") is True
        assert verdict_of("假") is False
    assert negative_sentiment_of("中性偏负") is True
    assert negative_sentiment_of("中性偏正") is False
