import random

from tasks.themes.training.templates import every_form


def test_every_form_draws_alternatives_slots_and_what_may_be_left_out():
    forms = every_form("(退|换)了?{item}(吗|)?", {"item": ["鞋子"]}, 50, random.Random(1))
    assert forms == sorted(f"{verb}{done}鞋子{end}" for verb in "退换" for done in ("", "了") for end in ("", "吗"))


def test_every_form_stops_at_a_number_and_draws_the_same_again():
    template = "({a}|{b}){a}"
    words = {"a": list("甲乙丙丁"), "b": list("戊己庚辛")}
    forms = every_form(template, words, 5, random.Random(2))
    assert len(forms) == 5
    assert forms == every_form(template, words, 5, random.Random(2))
