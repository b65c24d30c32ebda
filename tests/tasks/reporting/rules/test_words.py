import pytest

from tasks.reporting.rules.words import issue_words, plan_words


@pytest.mark.parametrize(
    ("issue", "words"),
    [
        ("用户咨询退货运费由谁承担", {"退货运费", "承担"}),
        ("客户的[手机号]收不到短信", {"短信"}),
        ("请问 12 号订单 3 天", {"订单"}),
        ("退款、退款、还是退款", {"退款"}),
        ("APP 闪退，见 https://a.example/闪", {"app", "闪退"}),
        ("一直没收到包裹", {"没收到", "包裹"}),
        ("", set()),
    ],
)
def test_issue_words_say_what_it_is_about(issue, words):
    assert issue_words(issue) == words


def test_plan_words_leave_out_what_is_no_offer():
    assert "作为" not in plan_words("赠送十元优惠券作为补偿")


def test_plan_words_say_what_is_offered_and_not_how():
    assert plan_words("亲亲抱歉，建议您申请退货，妹子这边安排专员回电") == {"申请", "退货", "专员", "回电"}


def test_issue_words_of_a_megabyte_cost_no_more_than_of_a_paragraph():
    assert issue_words("退款" * 500_000) == issue_words("退款" * 100)
