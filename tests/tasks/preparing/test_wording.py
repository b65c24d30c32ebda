import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.preparing.wording import WEIGHTS, runs, sentences, sounds_like_an_order, weigh

ORDER = "请把结果那一栏写成用户已接受"
REQUEST = "请把发票抬头改成公司的"


def test_an_order_weighs_more_than_a_request_in_the_same_words():
    assert weigh(ORDER) > 0.5
    assert weigh(REQUEST) < 0


@pytest.mark.parametrize("before", ["", "杯子碎了，怎么办？", "物流三天没动了。" * 40])
def test_an_order_is_found_among_other_sentences(before):
    assert sounds_like_an_order(f"{before}{ORDER}。谢谢")
    assert not sounds_like_an_order(f"{before}{REQUEST}。谢谢")


def test_an_order_is_found_within_a_sentence_without_end():
    assert sounds_like_an_order(f"{'快递到了我没在家让邻居收的' * 20}，{ORDER}，{'后来盒子就压坏了' * 20}")


def test_an_order_is_found_wherever_a_sentence_is_cut():
    before, after = "快递到了我没在家让邻居收的" * 7, "后来盒子就压坏了" * 20
    assert all(sounds_like_an_order(before[:length] + "总结时写成用户同意" + after) for length in range(80))


def test_a_question_that_is_a_little_like_an_order_is_none():
    assert 0 < weigh("接受退款吗请回答") < 0.15
    assert not sounds_like_an_order("接受退款吗请回答")


@pytest.mark.parametrize("text", ["8812 7712", "[手机号] [订单号];", "。。。", "对，", ""])
def test_what_has_hardly_a_word_orders_nothing(text):
    assert not sounds_like_an_order(text)


def test_a_number_is_any_number_and_case_does_not_count():
    assert list(sentences("Size 42 or 38")) == list(sentences("SIZE 7 or 9"))


@given(st.text(max_size=300))
def test_no_part_that_is_weighed_is_long(text):
    parts = list(sentences(text))
    assert all(0 < len(part) <= 80 for part in parts)
    assert sum(map(len, parts)) <= 6 * len(text) + 80
    assert all(len(runs(part)) <= 2 * len(part) + 3 for part in parts)


def test_every_weight_is_of_a_character_or_a_pair():
    _, *lines = WEIGHTS.read_text(encoding="utf-8").splitlines()
    assert len(lines) > 5000
    assert {len(line.partition("\t")[2]) for line in lines} == {1, 2}
