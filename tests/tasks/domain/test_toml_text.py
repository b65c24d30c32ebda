import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.domain.errors import UsageError
from tasks.domain.toml_text import parse_toml


def test_a_document_is_read():
    assert parse_toml("a = 1\n[b]\nc = ['x']\n", "f.toml") == {"a": 1, "b": {"c": ["x"]}}


@pytest.mark.parametrize("text", ["[a", "a = " + "[" * 5000, "a = {a=" * 3000, "a = " + "1" * 5000, "a = 2026-13-45"])
def test_what_is_none_is_refused_in_one_line(text):
    with pytest.raises(UsageError, match=r"f\.toml is no TOML") as refused:
        parse_toml(text, "f.toml")
    assert "\n" not in str(refused.value)


@given(st.text())
def test_any_text_is_read_or_refused(text):
    refusal = ""
    try:
        assert isinstance(parse_toml(text, "f.toml"), dict)
    except UsageError as error:
        refusal = str(error)
    assert "\n" not in refusal
