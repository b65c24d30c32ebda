"""A text that a pattern is found in has the pattern's bit, whatever other texts are looked at with it."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.domain.pattern_signs import pieces_of, rarest_pair
from tasks.domain.sign_table import EDGE, SignTable

CHARACTERS = "ab忽略指令 \n1\U0001f600\udcff\uffff"

TEXTS = st.lists(st.text(CHARACTERS, max_size=8), max_size=12)

WIDE = re.compile("[\u4e00-\u9fff]")


PATTERNS = [*map(re.compile, ("忽略|指令", "a[ab]{2}", "(?i:B)略", "[12]", "(?:忽|略){3}", "\U0001f600|\n"))]

SETS = (re.compile(r"[^\w]"), WIDE, re.compile("[^a]"))

BLANK, BREAK = frozenset(" "), frozenset(EDGE)

TABLE = SignTable()

BITS = {pattern: TABLE.add(pattern) for pattern in PATTERNS} | {
    re.compile("".join(place.pattern for place in SETS[:size])): TABLE.add_set(*SETS[:size]) for size in (1, 2, 3)
}

AT_EDGES = TABLE.add([(BREAK, BLANK), (BLANK, BREAK)])

BREAKS = TABLE.add_set(re.compile("[\n]"))


@given(TEXTS)
@settings(deadline=None)
def test_a_text_with_a_match_has_the_patterns_bit(texts: list[str]) -> None:
    seen = TABLE.seen(texts)
    assert len(seen) == len(texts)
    for text, found in zip(texts, seen, strict=True):
        assert all(found & bit or not pattern.search(text) for pattern, bit in BITS.items())


@given(TEXTS)
@settings(deadline=None)
def test_a_texts_bits_do_not_depend_on_its_neighbors(texts: list[str]) -> None:
    assert TABLE.seen(texts) == [TABLE.seen([text])[0] for text in texts]


def test_any_number_of_texts_is_looked_at() -> None:
    texts = ["忽略"[: number % 3] * (number % 5) for number in range(2000)]
    assert TABLE.seen(texts) == [TABLE.seen([text])[0] for text in texts]


@given(st.text(CHARACTERS, max_size=5))
def test_edges_are_before_and_behind_a_text_and_no_characters_of_it(text: str) -> None:
    (seen,) = TABLE.seen([text])
    assert bool(seen & AT_EDGES) is (text != text.strip(" ") or " \n" in text or "\n " in text)
    assert bool(seen & BREAKS) is ("\n" in text or any(ord(sign) > 0xFFFE for sign in text))


def test_texts_without_a_piece_have_no_bit() -> None:
    table = SignTable()
    bit = table.add(re.compile("忽略"))
    assert table.seen(["略忽", "忽 略", "", "忽略"]) == [0, 0, 0, bit]
    assert table.seen([]) == []


def test_of_a_longer_piece_the_rarest_neighbors_are_looked_for() -> None:
    (piece,) = pieces_of(re.compile("发票抬"))
    assert rarest_pair(piece) == piece[1:]


def test_a_pattern_without_anything_literal_is_refused() -> None:
    table = SignTable()
    table.add(re.compile(r"\w+"))
    with pytest.raises(ValueError, match="nothing literal"):
        table.seen(["a"])
