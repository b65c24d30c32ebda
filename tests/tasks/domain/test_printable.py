import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.domain.printable import printable


@given(st.text(max_size=50))
def test_nothing_is_left_that_steers_a_terminal_or_forges_a_line(text):
    shown = printable(text)
    assert not set(shown) & set("\x00\x07\x08\t\n\r\x1b\x7f\x9b\u2028\u202e\u200b\ufeff")
    assert len(shown.splitlines()) <= 1


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("红\x1b[31m", "红\\x1b[31m"),
        ("a\u202eb", "a\\u202eb"),
        ("会话 1", "会话 1"),
        ("a\u3000b", "a\u3000b"),
        ("a\nb", "a\\x0ab"),
    ],
)
def test_what_steers_is_written_out_and_the_rest_stays(text, shown):
    assert printable(text) == shown


def test_signs_can_be_kept():
    assert printable("a\nb\x1b", keep="\n") == "a\nb\\x1b"
