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


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("在丰巢2号柜11号格口", "在丰巢[取件码]"),
        ("C06柜口打不开", "[取件码]打不开"),
        ("丰巢8号门没开", "丰巢[取件码]没开"),
        ("丰巢 66128034", "丰巢 [取件码]"),
        ("A3-2-5501在货架上没找到", "[取件码]在货架上没找到"),
        ("提货码 6612 8034", "提货码 [取件码]"),
        ("取餐码B203", "取餐码[取件码]"),
        ("收到的码是661280", "收到的码是[验证码]"),
        ("3301-8825-0017这个单", "[订单号]这个单"),
        ("货架A-3-5502没有", "货架[取件码]没有"),
        ("收到短信661280", "收到短信[验证码]"),
    ],
)
def test_doors_of_lockers_and_codes_behind_other_words(text, masked):
    assert mask(text) == masked


@pytest.mark.parametrize("text", ["书柜1号色", "衣柜3门还是4门", "丰巢5号前来取", "3号柜台", "12格收纳盒"])
def test_other_cupboards_have_no_codes(text):
    assert mask(text) == text
