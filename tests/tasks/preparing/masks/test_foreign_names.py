"""Names of other peoples and in Latin letters."""

import pytest

from tasks.preparing.masking import mask


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("次仁拉姆的包裹退了吗", "[姓名]的包裹退了吗"),
        ("我是阿迪力·买合木提，喀什的", "我是[姓名]，喀什的"),
        ("其其格在家吗", "[姓名]在家吗"),
        ("Laura Chen收", "[姓名]收"),
        ("客服Vivian说能换", "客服[姓名]说能换"),
        ("收件人 Oscar", "收件人 [姓名]"),
        ("to: Peter O'Neil", "to: [姓名]"),
    ],
)
def test_names_that_are_not_chinese(text, masked):
    assert mask(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "Tommy Hilfiger的衬衫",
        "Kate Spade包包",
        "jack wolfskin冲锋衣",
        "A字裙",
        "Mark II单反",
        "格桑花种子",
        "Rose色口红",
    ],
)
def test_brands_and_products_stay(text):
    assert mask(text) == text
