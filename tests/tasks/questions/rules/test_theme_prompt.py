from dataclasses import replace

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.questions.rules.theme_prompt import numbered_texts, theme_prompt, themes_in
from tasks.themes.assigner import load_taxonomy

TAXONOMY = load_taxonomy()


def test_the_prompt_names_every_theme_that_can_be_assigned_with_its_definition():
    prompt = theme_prompt(TAXONOMY, "ernie").template
    for theme in TAXONOMY.themes:
        assert f"- {theme.id}：{theme.name_zh}。{theme.definition}" in prompt


def test_another_model_or_another_word_is_another_version():
    reworded = replace(TAXONOMY, themes=(replace(TAXONOMY.themes[0], definition="别的"), *TAXONOMY.themes[1:]))
    prompts = [theme_prompt(TAXONOMY, "a"), theme_prompt(TAXONOMY, "b"), theme_prompt(reworded, "a")]
    assert len({prompt.version for prompt in prompts}) == 3


def test_a_retired_theme_is_not_offered_and_braces_in_a_definition_do_no_harm():
    retired = replace(TAXONOMY.themes[0], retired=True)
    braces = replace(TAXONOMY.themes[1], definition="问{conversation}")
    prompt = theme_prompt(replace(TAXONOMY, themes=(retired, braces, *TAXONOMY.themes[2:])), "a")
    assert f"- {retired.id}：" not in prompt.template
    assert prompt.render("1. 你好").count("1. 你好") == 1


@given(st.lists(st.text(max_size=20), min_size=1, max_size=30))
def test_numbered_texts_have_one_line_each_whatever_they_hold(texts):
    lines = numbered_texts(texts).split("\n")
    assert [line.split(".")[0] for line in lines] == [str(number) for number in range(1, len(texts) + 1)]


@given(st.lists(st.sampled_from([*TAXONOMY.ids, "none_such", None]), min_size=1, max_size=25))
def test_themes_in_reads_what_was_said_text_by_text(themes):
    said = {str(number): theme for number, theme in enumerate(themes, 1)}
    found = themes_in(f"好的：\n```json\n{orjson.dumps(said).decode()}\n```", len(themes), TAXONOMY)
    expected = [theme if theme in TAXONOMY.ids else None for theme in themes]
    assert found == (expected if any(expected) else None)


@pytest.mark.parametrize("output", ["", "我不知道", "{}", "[1, 2]", '{"1": ', '{"7": "gift"}', '{"1": ["gift"]}'])
def test_an_output_that_names_no_theme_is_no_answer(output):
    assert themes_in(output, 2, TAXONOMY) is None
