import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.preparing.tokens import estimate_tokens


@pytest.mark.parametrize("text", ["快递到哪里了" * 20, "你好，请问这款耳机支持降噪吗？" * 5])
def test_estimate_tokens_is_slightly_above_the_sdk_for_chinese(text):
    assert 0.625 * len(text) < estimate_tokens(text) <= 0.75 * len(text) + 1


@given(st.text(alphabet=st.characters(), max_size=200), st.text(alphabet=st.characters(), max_size=200))
def test_estimate_tokens_grows_with_the_text(left, right):
    assert estimate_tokens(left) <= estimate_tokens(left + right) <= estimate_tokens(left) + estimate_tokens(right) + 1


def test_estimate_tokens_takes_lone_surrogates():
    assert estimate_tokens("坏\ud800字") > 0
