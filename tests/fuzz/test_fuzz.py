"""A short, repeatable run of every target: all that was ever kept, and some made-up texts."""

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from tests.fuzz.corpus import WORDS, load_corpus
from tests.fuzz.targets import TARGETS

_pieces = st.sampled_from(WORDS) | st.sampled_from([*'{}[]",:\n\t\r\0是否：\ufeff\u202e']) | st.text(max_size=20)
_texts = st.lists(_pieces, max_size=12).map("".join)


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_breaks(name: str):
    @seed(1)
    @settings(max_examples=40, database=None)
    @given(_texts)
    def once(text: str) -> None:
        TARGETS[name](text.encode("utf-8", "surrogatepass"))

    once()


@pytest.mark.parametrize("name", TARGETS)
def test_the_corpus_breaks_nothing(name: str):
    inputs = load_corpus(name)
    for data in inputs:
        TARGETS[name](data)
    assert len(inputs) >= len(WORDS)


def test_messages_of_several_lines_that_end_in_digits_stay_as_many():
    TARGETS["masking"](b"1e999\n1e999")
