"""Conditions, hearsay and lists of issues that a value tells without a word for them."""

from itertools import product

import pytest

from tasks.parsing.verdicts import accepted_of, negative_sentiment_of

SAYS = ["", "用户", "用户称", "用户表示", "用户说", "客户要求", "用户："]
GIVEN = ["补偿50元", "退差价", "赔100元", "补发赠品", "今天发货", "再送个红包", "退一半", "免运费"]
CONSENTS = ["接受", "同意", "认可", "答应", "可以", "不追究"]


@pytest.mark.parametrize("says", SAYS)
@pytest.mark.parametrize("then", ["就", "才", "便", "，就", "，我就"])
def test_what_is_wanted_before_consent_leaves_it_open(says, then):
    for given, consent in product(GIVEN, CONSENTS):
        assert accepted_of(f"{says}{given}{then}{consent}") is None, (given, consent)
        assert consent == "可以" or accepted_of(f"是，{says}{given}{then}{consent}") is None, (given, consent)
        assert accepted_of(f"否，{says}{given}{then}{consent}") is False, (given, consent)


@pytest.mark.parametrize("met", ["{}后用户就{}了", "客服{}，用户就{}了", "客服{}后用户才{}", "直到客服{}，用户才{}"])
def test_a_condition_that_was_met_is_none(met):
    for given, consent in product(GIVEN, CONSENTS[:4]):
        assert accepted_of(met.format(given, consent)) is True, (given, consent)


@pytest.mark.parametrize("told", ["没想多久", "听完解释", "很快", "一口", "当场", "马上", "最后", "客服解释后"])
def test_consent_at_once_has_no_condition(told):
    assert accepted_of(f"用户{told}就同意") is True
    assert accepted_of(f"用户{told}就接受了方案") is True


@pytest.mark.parametrize(
    "behind", ["if it ships today", "as long as shipping is free", "only if refunded", "unless late"]
)
def test_a_condition_behind_english_consent_leaves_it_open(behind):
    for consent in ("The user accepts", "Customer would agree", "willing to accept", "Yes, accepts it"):
        assert accepted_of(f"{consent} {behind}") is None
    for refusal in ("The user refused", "Customer does not accept", "never agreed", "won't accept"):
        assert accepted_of(f"{refusal} {behind}") is False


@pytest.mark.parametrize(
    "text",
    [
        "The user accepted and asked if it ships today",
        "Accepted even if unhappy",
        "The user accepted the refund provided by the agent",
        "The user agreed, provided the order number and thanked the agent",
    ],
)
def test_what_only_looks_like_a_condition_in_english_is_none(text):
    assert accepted_of(text) is True


@pytest.mark.parametrize("who", ["客服", "商家", "平台", "客服人员", "售后专员"])
@pytest.mark.parametrize("says", ["称", "表示", "认为", "以为", "默认", "单方面认为", "备注"])
def test_somebody_elses_word_on_the_customer_is_no_verdict(who, says):
    assert accepted_of(f"{who}{says}用户已接受") is None
    assert negative_sentiment_of(f"{who}{says}用户非常生气") is None
    assert accepted_of(f"{who}{says}用户已接受，但用户拒绝") is False
    assert accepted_of(f"{who}{says}可以换货，用户接受") is True


@pytest.mark.parametrize("says", ["believes", "said that", "claimed", "assumed", "noted that"])
def test_the_agents_word_on_the_customer_in_english_is_no_verdict(says):
    assert accepted_of(f"The agent {says} the customer accepted") is None
    assert negative_sentiment_of(f"The seller {says} the user was angry") is None


@pytest.mark.parametrize("asked", ["申请", "要求", "退款申请", "请求"])
def test_what_becomes_of_a_customers_request_is_the_agents_verdict(asked):
    assert accepted_of(f"用户的{asked}被拒绝") is None
    assert accepted_of(f"用户的{asked}被客服同意") is None
    assert accepted_of(f"用户的{asked}被拒绝，用户接受") is True
    assert accepted_of("客服的方案被拒绝") is False


NAMES = [
    ("1. ", " 2. "),
    ("1.", "；2."),
    ("（1）", "（2）"),
    ("一、", "；二、"),
    ("问题1：", "；问题2："),
    ("方案一：", "，方案二："),
    ("退款：", "；换货："),
    ("Issue 1: ", ", Issue 2: "),
]


@pytest.mark.parametrize(("first", "second"), NAMES)
@pytest.mark.parametrize(("yes", "no"), [("是", "否"), ("有", "没有"), ("yes", "no")])
def test_a_word_an_issue_is_read_for_each(first, second, yes, no):
    assert accepted_of(f"{first}{yes}{second}{yes}") is True
    assert accepted_of(f"{first}{yes}{second}{no}") is None
    assert accepted_of(f"{first}{no}{second}{no}") is False
    assert negative_sentiment_of(f"{first}{yes}{second}{no}") is True
    assert negative_sentiment_of(f"{first}{no}{second}{no}") is False


def test_an_issue_of_several_that_is_open_leaves_acceptance_open():
    assert accepted_of("物流问题：接受，发票问题：未明确") is None
    assert accepted_of("物流问题：已接受；发票问题：已接受") is True
    assert accepted_of("退款：不接受；换货：不接受") is False


@pytest.mark.parametrize(
    "behind", ["但要求今天发货，否则退款", "前提是包邮", "but only if refunded", "unless it is late"]
)
def test_a_yes_that_holds_in_some_case_only_is_open(behind):
    assert accepted_of(f"是，{behind}") is None
    assert accepted_of(f"Yes, {behind}") is None
    assert accepted_of(f"否，{behind}") is False


@pytest.mark.parametrize(
    "part", ["附条件接受", "有保留地接受", "初步接受，待家人确认", "Accepted in part", "half accepted"]
)
def test_acceptance_with_a_reserve_is_open(part):
    assert accepted_of(part) is None


@pytest.mark.parametrize("about", ["商品和客服", "商品、物流、客服", "商家及快递员", "价格和平台"])
def test_whom_a_mood_is_about_is_not_whose_it_is(about):
    assert negative_sentiment_of(f"用户对{about}都没有不满") is False
    assert negative_sentiment_of(f"对{about}均无不满") is False
    assert negative_sentiment_of(f"对{about}都很不满") is True


def test_neither_glad_nor_cross_is_no_negative_mood():
    assert negative_sentiment_of("neither satisfied nor dissatisfied") is False


@pytest.mark.parametrize("consent", ["接受", "同意", "认可"])
def test_what_is_wanted_first_or_left_open_leaves_acceptance_open(consent):
    for told in (
        f"先退款再{consent}",
        f"用户要先补发再{consent}",
        f"{consent}第一条第二条待定",
        f"原则上{consent}，细节待定",
        f"口头{consent}，未签字",
        f"客服代用户{consent}了",
    ):
        assert accepted_of(told) is None, told
    for told in (f"先看了方案，再三考虑后{consent}", f"{consent}退款，等待到账", f"原则上{consent}"):
        assert accepted_of(told) is True, told


@pytest.mark.parametrize("offer", ["accept for $50", "would accept at 20% off", "has yet to accept"])
def test_an_offer_of_the_customer_is_open(offer):
    assert accepted_of(offer) is None
    assert accepted_of("accepted for $50") is True


@pytest.mark.parametrize("refusal", ["不接受", "绝不同意", "拒绝和解"])
def test_a_refusal_stands_whatever_it_would_take(refusal):
    assert accepted_of(f"除非全额退款，否则{refusal}") is False
    assert accepted_of(f"用户表示除非退差价否则{refusal}") is False


@pytest.mark.parametrize("choice", ["两个方案都不选", "两种方案均未选", "哪个方案都不考虑"])
def test_none_of_the_offers_is_a_refusal(choice):
    assert accepted_of(choice) is False
