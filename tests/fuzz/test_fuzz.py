"""A short, repeatable run of every target; `python -m tests.fuzz` runs on."""

import pytest
from hypothesis import given, seed, settings

from tests.fuzz.targets import TARGETS, TEXTS


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_breaks(name: str):
    @seed(1)
    @settings(max_examples=60, database=None)
    @given(TEXTS)
    def once(text: str) -> None:
        TARGETS[name](text)

    once()


def test_messages_of_several_lines_that_end_in_digits_stay_as_many():
    TARGETS["masking"]("1e999\n1e999")
