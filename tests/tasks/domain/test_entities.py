import html

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.domain.entities import open_entities

PIECES = st.sampled_from(
    ["&", "#", "&#", "&#x", "&amp;", "&lt", ";", "1", "9" * 40, "x", "F", "订单", "&#8217;", "&#x1F600;"]
)


@given(st.lists(PIECES, max_size=12).map("".join))
def test_entities_are_opened_as_python_opens_them(text):
    assert open_entities(text) == html.unescape(text)


@pytest.mark.parametrize(
    "reference", [f"&#{'9' * 5000};", f"&#{'9' * 5000}", f"&#x{'f' * 5000};", f"&#{'0' * 5000}65;"]
)
def test_a_number_of_any_length_is_no_error(reference):
    assert open_entities(f"订单{reference}退款") == "订单\ufffd退款"
