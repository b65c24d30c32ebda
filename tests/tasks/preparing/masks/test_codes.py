import pytest

from tasks.preparing.masking import mask


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("车牌京FDHAZ7", "车牌[车牌号]"),
        ("车牌号是 沪A·12345", "车牌号是 [车牌号]"),
        ("沪A12345", "[车牌号]"),
        ("型号京FDHAZ7", "型号京FDHAZ7"),
    ],
)
def test_a_plate_with_one_digit_needs_a_word_in_front(text, masked):
    assert mask(text) == masked
