import pytest

from tasks.reporting.rules.phrases import phrases
from tasks.reporting.rules.stories.story import lengthened


@pytest.mark.parametrize(
    ("text", "held", "not_held"),
    [
        ("用户迅鹿说派送了没人联系", {"派送"}, {"了没"}),
        ("优惠券付款报错，订单提交失败", {"优惠券", "优惠券付款报错"}, {"报错订单"}),
        ("手机[手机号]没收到验证码", {"验证码"}, {"手机号"}),
        ("", set(), set()),
    ],
)
def test_phrases_are_runs_of_neighboring_words(text, held, not_held):
    found = phrases(text, 4)
    assert held <= found
    assert not not_held & found
    assert all(2 <= len(phrase) <= 16 for phrase in found)


def test_phrases_are_bounded_by_their_number_of_words():
    assert max(map(len, phrases("赠送十元优惠券作为补偿", 1))) == 3
    assert "赠送十元优惠券作为补偿" in phrases("赠送十元优惠券作为补偿", 7)


def test_lengthened_makes_a_name_whole_again():
    texts = ["客服登记后由专员回电", "登记后由专员回电", "登记后由专员回电，致歉"]
    assert lengthened("由专员", texts) == "登记后由专员回电"
    assert lengthened("没有", texts) == "没有"
