from dataclasses import replace

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from tasks.themes.assigner import load_taxonomy, open_assigner
from tasks.themes.rules.known import NO_THEME, known_themes, text_key
from tasks.themes.rules.normalizing import normalize
from tasks.themes.rules.taxonomy import Theme

TEXT = "什么时候发货"


def said(text: str, theme: str | None):
    return known_themes([{text_key(normalize(pa.array([text]))[0].as_py()): theme}])


@given(st.dictionaries(st.text(max_size=6), st.sampled_from([None, "gift", "other"]), max_size=20), st.text(max_size=6))
def test_find_tells_what_was_said_of_a_text_and_nothing_of_others(words, stranger):
    known = known_themes([{text_key(text): theme} for text, theme in words.items()])
    asked, numbers = known.find([*words, stranger])
    assert asked.tolist() == [True] * len(words) + [stranger in words]
    found = [None if number == NO_THEME else known.themes[number] for number in numbers]
    assert found == [*words.values(), words.get(stranger)]


def test_the_later_word_on_a_text_counts():
    known = known_themes([{text_key("a"): "gift"}, {text_key("a"): "other"}])
    assert known.themes == ("other",)


def test_a_model_s_theme_goes_before_rules_however_the_text_is_written():
    texts = pa.array([TEXT, f"客户询问{TEXT}？", "什么时候退款"])
    assert open_assigner(known=said(TEXT, "gift")).assign(texts).to_pylist() == ["gift", "gift", "refund_progress"]


def test_a_text_that_the_model_named_no_theme_for_goes_by_rules():
    assert open_assigner(known=said(TEXT, None)).assign(pa.array([TEXT])).to_pylist() == ["urge_shipment"]


def test_a_theme_that_there_is_no_longer_is_not_assigned():
    assert open_assigner(known=said(TEXT, "gone")).assign(pa.array([TEXT])).to_pylist() == ["urge_shipment"]
    retired = [replace(theme, retired=True) for theme in load_taxonomy().themes if theme.id == "gift"]
    assert open_assigner("", retired, said(TEXT, "gift")).assign(pa.array([TEXT])).to_pylist() != ["gift"]


def test_keywords_of_an_accepted_theme_go_before_the_model():
    accepted = Theme("night_shipping", "shipping", "夜间发货", "Night", keywords=("发货",))
    assert open_assigner("", [accepted], said(TEXT, "gift")).assign(pa.array([TEXT])).to_pylist() == ["night_shipping"]
