"""Kinds of sentences, each in several words: what a negation, a quotation, a condition or a concession reaches."""

import pytest

from tasks.parsing.lexicon import Kind, read_lexicon
from tasks.parsing.verdicts import accepted_of, negative_sentiment_of


@pytest.mark.parametrize("gone", ["没了", "耗尽了", "见底", "已经被磨没了"])
@pytest.mark.parametrize("calm", ["耐心", "信任", "信心"])
def test_calm_that_is_used_up_is_anger(calm, gone):
    assert negative_sentiment_of(f"用户的{calm}{gone}") is True


@pytest.mark.parametrize("mood", ["不满", "生气", "焦急"])
def test_goods_that_are_gone_deny_no_mood(mood):
    assert negative_sentiment_of(f"包裹消失，用户{mood}") is True
    assert negative_sentiment_of(f"包裹消失用户{mood}") is not False


@pytest.mark.parametrize("thinks", ["认为", "觉得", "称", "指出", "反映"])
@pytest.mark.parametrize("blame", ["敷衍了事", "不负责任", "推诿", "态度恶劣"])
def test_what_the_customer_holds_against_the_agent_is_the_customers_mood(thinks, blame):
    assert negative_sentiment_of(f"用户{thinks}客服{blame}") is True
    assert negative_sentiment_of(f"客服{blame}") is None
    assert negative_sentiment_of(f"用户{thinks}妻子{blame}") is None


@pytest.mark.parametrize("late", ["没到", "未到", "迟迟没来", "一直未到"])
def test_what_has_not_come_denies_no_mood(late):
    assert negative_sentiment_of(f"用户对快递{late}感到焦急") is True
    assert negative_sentiment_of(f"快递{late}很生气") is True


@pytest.mark.parametrize("degree", ["生气", "不满", "失望"])
def test_a_mood_that_is_not_reached_is_not_shown(degree):
    assert negative_sentiment_of(f"用户还没到{degree}的地步") is not True


@pytest.mark.parametrize("pressing", ["催促", "催单", "反复追问"])
def test_pressing_counts_where_no_mood_is_named(pressing):
    assert negative_sentiment_of(f"用户{pressing}") is True
    assert negative_sentiment_of(f"用户{pressing}，语气平和") is False
    assert negative_sentiment_of(f"用户{pressing}，很生气") is True


def test_calm_in_doubt_leaves_a_denial_alone():
    assert negative_sentiment_of("用户似乎满意，没有抱怨") is False
    assert negative_sentiment_of("用户似乎满意") is None
    assert negative_sentiment_of("用户没有抱怨，似乎有些不满") is None


@pytest.mark.parametrize("concedes", ["虽", "虽然", "尽管", "虽说"])
def test_what_is_told_against_a_denial_leaves_it_open(concedes):
    assert negative_sentiment_of(f"用户{concedes}没骂人，但话里话外句句是钉子") is None
    assert negative_sentiment_of("用户没骂人，说话简洁") is False
    assert negative_sentiment_of(f"{concedes}等了很久，但用户没骂人") is False


@pytest.mark.parametrize("said", ["好的", "行", "嗯嗯", "没问题", "可以"])
@pytest.mark.parametrize("quotes", ["“”", "「」", '""', "‘’"])
def test_what_the_customer_is_quoted_with_counts(said, quotes):
    left, right = quotes
    assert accepted_of(f"听完客服的解释，用户回答{left}{said}，那麻烦了{right}") is True
    assert accepted_of(f"听完客服的解释，用户回答{left}{said}{right}，但还是不接受") is False
    assert accepted_of(f"客服说{left}{said}{right}") is None


@pytest.mark.parametrize("said", ["不行", "不用了", "不必"])
def test_a_quoted_refusal_counts(said):
    assert accepted_of(f"客服提出补发，用户说“{said}，太麻烦”") is False


@pytest.mark.parametrize("provided", ["前提是今天发货", "条件是免运费", "前提是包邮"])
def test_acceptance_under_a_condition_is_open(provided):
    assert accepted_of(f"用户同意换货，{provided}") is None
    assert accepted_of(f"用户不同意换货，{provided}") is False


@pytest.mark.parametrize("case", ["能退差价的话", "今天发货的话"])
def test_what_a_customer_would_do_in_some_case_is_open(case):
    assert accepted_of(f"{case}，用户接受") is None
    assert accepted_of("听了客服的话，用户接受") is True


@pytest.mark.parametrize("only", ["只", "仅", "仅仅"])
def test_one_part_of_an_offer_is_no_acceptance(only):
    assert accepted_of(f"用户{only}同意退款") is None
    assert accepted_of(f"用户{only}接受退款，拒绝退货") is None
    assert accepted_of(f"用户{only}接受退款，后来全部接受") is True


def test_what_one_asks_about_is_not_ones_conduct():
    assert accepted_of("用户询问按流程几天到账") is None
    assert accepted_of("用户询问后按流程办理") is True


def test_still_refusing_one_thing_is_acceptance_of_another():
    assert accepted_of("用户接受换货，但运费仍不同意") is None
    assert accepted_of("客服解释后，用户仍不同意") is False


@pytest.mark.parametrize("refuses", ["拒绝", "反对", "婉拒"])
@pytest.mark.parametrize("offer", ["和解", "让步", "妥协", "配合"])
def test_what_is_refused_is_not_accepted(refuses, offer):
    assert accepted_of(f"用户{refuses}{offer}") is False
    assert accepted_of(f"用户没有{refuses}{offer}") is True
    assert accepted_of(f"用户{refuses}后{offer}") is not False


@pytest.mark.parametrize("then", ["就", "便", "才"])
def test_a_negation_ends_where_then_begins_what_follows(then):
    assert accepted_of(f"用户没琢磨几分钟{then}同意了") is True
    assert negative_sentiment_of(f"没过两天{then}很生气") is True


def test_a_threat_is_told_by_its_own_clause():
    assert negative_sentiment_of("用户称再不发货就退单，语气强硬") is True
    assert negative_sentiment_of("用户称如果再不发货，就会生气") is None


@pytest.mark.parametrize("last", ["最后选择了换货", "终于愿意等待", "后来配合了"])
def test_what_a_customer_does_in_the_end_goes_before_an_earlier_refusal(last):
    assert accepted_of(f"用户拒绝了两次，{last}") is True
    assert accepted_of(f"用户拒绝，{last[2:]}") is False


def test_an_answer_that_begins_by_doubt_is_open():
    assert accepted_of("不明确，用户回复好的") is None
    assert accepted_of("不明确，但最后同意了") is True


def test_what_the_manager_grants_is_not_the_customers():
    assert accepted_of("主管同意了退款申请") is None
    assert accepted_of("The user asked for a manager and refused") is False


@pytest.mark.parametrize(
    "open_ended", ["用户接受与否不详", "用户的接受情况未知", "用户有接受的可能", "The acceptance cannot be inferred"]
)
def test_doubt_behind_a_verdict_leaves_it_open(open_ended):
    assert accepted_of(open_ended) is None


@pytest.mark.parametrize("at_once", ["当场", "立即", "马上"])
def test_what_is_not_done_at_once_may_be_done_yet(at_once):
    assert accepted_of(f"用户没有{at_once}答应") is None
    assert accepted_of(f"用户{at_once}答应了") is True


def test_partly_before_all_that_follows_leaves_it_open():
    assert accepted_of("Only partially: accepted the coupon and declined the repair") is None


def test_the_agents_mood_towards_the_customer_is_the_agents():
    assert negative_sentiment_of("商家对用户的评价很不满") is None
    assert negative_sentiment_of("用户对商家的评价很不满") is True


def test_and_begins_a_new_predicate_in_english():
    assert accepted_of("The customer was not amused and declined") is False
    assert negative_sentiment_of("no anger and frustration") is False
    assert negative_sentiment_of("The user did not show anger and frustration") is not True


def test_a_score_of_a_mood_names_none():
    assert negative_sentiment_of("负面情绪指数为0，语气平和") is False
    assert negative_sentiment_of("负面情绪得分0.3") is None


@pytest.mark.parametrize(("word", "kind"), [("grumbles", Kind.YES), ("hostilely", Kind.YES), ("politeness", Kind.NO)])
def test_forms_of_an_english_verdict_are_that_verdict(word, kind):
    [[(_, found)]] = read_lexicon("sentiment").clauses(word)
    assert found is kind


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("客服被用户的提问弄得很无奈", None),  # what comes of 被 is its subject's
        ("用户被客服的推诿弄得很无奈", True),
        ("因快递员态度恶劣，用户改约了时间，情绪平稳", False),  # the cause's agent is its subject
        ("用户因快递员态度恶劣而恼火", True),
        ("用户想换愤怒的小人贴纸", None),  # only describes
        ("用户转述室友的不满", None),
        ("如果问题不解决，用户会生气", None),
        ("用户只问了发票，未流露情绪", False),  # denies any mood
        ("用户没有催促快递或抱怨", False),
        ("用户的耐心在等待中耗尽", None),  # an unknown word parts them
        ("用户的耐心耗尽", True),
    ],
)
def test_a_mood_is_the_users_where_words_say_so(text, verdict):
    assert negative_sentiment_of(text) is verdict


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("用户撕毁了已接受的方案", None),
        ("用户撕掉了同意的方案", None),
        ("用户接受其中一部分", None),
        ("用户有接受换货的可能", None),
        ("用户不便接受", False),
        ("用户签署了和解协议", True),
        ("用户未签署和解协议", False),
        ("用户拒绝再次和解", False),
        ("用户最终选择退款不退货", True),
    ],
)
def test_consent_is_the_users_where_words_say_so(text, verdict):
    assert accepted_of(text) is verdict
