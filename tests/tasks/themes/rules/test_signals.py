import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.themes.assigner import load_signals
from tasks.themes.rules.signals import Signals, parse_signals

SIGNALS = parse_signals('when = "什么时候 几时"\nrefund = "退款 退钱"\ndone = "了"')
WHEN, REFUND, DONE = range(3)


def before(first: int, second: int) -> int:
    """The feature of one group before another."""
    return 3 + first * 3 + second


def found(text: str, signals: Signals = SIGNALS) -> set[int]:
    return set(signals.find(pa.array([text]))[1].tolist())


@pytest.mark.parametrize(
    ("text", "features"),
    [
        ("", set()),
        ("发票", set()),
        ("什么时候", {WHEN}),
        ("几时退钱", {WHEN, REFUND, before(WHEN, REFUND)}),
        ("退款几时", {WHEN, REFUND, before(REFUND, WHEN)}),
        (
            "退款了几时退款",
            {WHEN, REFUND, DONE, before(REFUND, DONE), before(REFUND, WHEN), before(DONE, WHEN)},
        ),
    ],
)
def test_find_tells_which_groups_a_text_has_and_which_comes_first(text, features):
    assert found(text) == features


def test_a_word_of_two_groups_counts_for_both():
    assert found("好久", parse_signals('when = "好久"\ndays = "好久"')) == {0, 1, 2 + 1, 2 + 2}


def test_words_are_no_patterns():
    signals = parse_signals('odd = "a.b c+"')
    assert found("a.b", signals) == found("c+", signals) == {0}
    assert found("axb", signals) == found("cc", signals) == set()


@given(st.lists(st.text("什么时候几退款钱了 x", max_size=12), min_size=1, max_size=6))
def test_find_gives_a_text_the_same_whatever_is_beside_it_and_rows_ascend(texts):
    rows, columns = SIGNALS.find(pa.array(texts))
    assert rows.tolist() == sorted(rows.tolist())
    for number, text in enumerate(texts):
        assert set(columns[rows == number].tolist()) == found(text)
    assert all(0 <= column < SIGNALS.features for column in columns.tolist())


def test_every_word_of_the_default_signals_is_found_in_itself():
    signals = load_signals()
    assert len(signals.groups) > 40
    for number, group in enumerate(signals.groups):
        for word in group:
            assert number in found(word, signals), word
