import random

from tasks.themes.training.templates import every_form, reworded, without_numbers


def test_every_form_draws_alternatives_slots_and_what_may_be_left_out():
    forms = every_form("(退|换)了?{item}(吗|)?", {"item": ["鞋子"]}, 50, random.Random(1))
    assert forms == sorted(f"{verb}{done}鞋子{end}" for verb in "退换" for done in ("", "了") for end in ("", "吗"))


def test_every_form_stops_at_a_number_and_draws_the_same_again():
    template = "({a}|{b}){a}"
    words = {"a": list("甲乙丙丁"), "b": list("戊己庚辛")}
    forms = every_form(template, words, 5, random.Random(2))
    assert len(forms) == 5
    assert forms == every_form(template, words, 5, random.Random(2))


def test_without_numbers_leaves_what_was_counted_and_single_ones():
    assert without_numbers("十五号买的2件，三天没到，一个都没有") == "号买的件，天没到，一个都没有"


def test_a_text_is_reworded_where_its_words_are_known_and_nowhere_else():
    words = {"什么": ["啥"], "什么时候": ["几时", "何时"], "吗": ["么"]}
    found = {reworded("什么时候退款，能快吗", words, random.Random(seed)) for seed in range(50)}
    assert found == {f"{when}退款，能快{end}" for when in ("什么时候", "几时", "何时") for end in "吗么"}
    assert reworded("退款", words, random.Random(0)) == "退款"
