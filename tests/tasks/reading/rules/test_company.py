"""Names that no word explains: who speaks in several conversations and speaks as agents do is the agent."""

from hypothesis import given
from hypothesis import strategies as st

from tasks.reading.rules.company import Said, likely_sides, may_be_customers, roles_by_company, sides_by_company

ASKED = ("我的杯子碎了，怎么办", "什么时候发货", "能不能换一只")
TOLD = ("您好，请稍等", "已经为您登记", "非常抱歉，给您补发")


def talk(conversation, customer, agent, messages=4):
    return [Said(conversation, (customer, agent)[at % 2], (ASKED, TOLD)[at % 2][at // 2 % 3]) for at in range(messages)]


def day(*pairs):
    return [message for at, (customer, agent) in enumerate(pairs) for message in talk(f"c{at}", customer, agent)]


def test_who_speaks_in_several_conversations_is_the_agent():
    sides = sides_by_company(day(("雨", "小林"), ("风", "小林"), ("雪", "小何"), ("霜", "小何")))
    assert sides == {"小林": "agent", "小何": "agent", "雨": "user", "风": "user", "雪": "user", "霜": "user"}


def test_two_conversations_are_too_few_to_tell():
    assert sides_by_company(day(("雨", "小林"), ("风", "小林"))) == {}


def test_a_customer_who_comes_back_to_other_agents_is_no_agent():
    assert sides_by_company(day(("雨", "小林"), ("雨", "小何"), ("雨", "小周"))) == {}
    assert sides_by_company(day(("风", "小张"), ("雪", "小张"), ("霜", "小张"), ("雨", "小林"), ("雨", "小何"))) == {}


def test_one_customer_who_comes_back_to_another_agent_changes_nothing():
    pairs = [("雨", "小林"), ("雨", "小何"), ("风", "小林"), ("雪", "小林"), ("霜", "小何"), ("露", "小何")]
    sides = sides_by_company(day(*pairs))
    assert sides == {name: side for pair in pairs for name, side in zip(pair, ("user", "agent"), strict=True)}


def test_one_name_in_every_conversation_of_one_agent_may_be_all_customers_or_one():
    assert sides_by_company(day(("0", "小林"), ("0", "小林"), ("0", "小林"))) == {}


def test_three_in_a_conversation_tell_nothing():
    said = day(("雨", "小林"), ("风", "小林"), ("雪", "小林"))
    assert sides_by_company([*said, Said("c0", "小何", "我来跟进")]) == {}


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("XYZ")), max_size=12))
def test_nobody_is_ever_taken_for_the_other_side(pairs):
    sides = sides_by_company(day(*pairs))
    assert all(side == ("agent" if name in "XYZ" else "user") for name, side in sides.items())


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("XYZ")), min_size=1, max_size=12))
def test_likely_sides_finds_both_sides_by_what_they_say(pairs):
    sides = likely_sides(day(*pairs))
    assert all(side == ("agent" if name in "XYZ" else "user") for name, side in sides.items())
    assert sides.keys() == {name for pair in pairs for name in pair}


def test_roles_by_company_take_every_other_name_for_a_customers():
    said = day(("雨", "小林"), ("风", "小林"), ("雪", "小林"))
    assert roles_by_company(said, lambda name: None) == {"小林": "agent", "*": "user"}
    assert roles_by_company(said, lambda name: "user" if name == "雨" else None) == {}, (
        "a log whose words tell a side needs no company"
    )


def test_may_be_customers_is_false_for_who_speaks_as_agents_do():
    assert may_be_customers(ASKED, TOLD)
    assert not may_be_customers(TOLD, ASKED)
