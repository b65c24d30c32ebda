"""Plates of cars, however somebody spaces them, and what only looks like one."""

import pytest

from tasks.preparing.masking import mask


@pytest.mark.parametrize("sign", ["京", "粤", "滬", "閩", "贛", "苏"])
@pytest.mark.parametrize(
    "number", ["A12345", " A12345", " A 12345", "A 12345", " A·12345", " B D12345", " A 1 2 3 4 5", "A1 2 3 4 5"]
)
def test_mask_leaves_no_plate_however_it_is_spaced(sign, number):
    for before, after in [("", ""), ("车牌", "，在楼下"), ("車牌號：", ""), ("我的车是", " 红色"), ("停着一辆 ", "")]:
        assert mask(f"{before}{sign}{number}{after}") == f"{before}[车牌号]{after}"


@pytest.mark.parametrize(
    "text", ["我买的新 A 12345 还没到", "新 A12345 手机壳", "全新A12345", "川A面12345", "尺码 A 12345"]
)
def test_a_letter_and_a_number_behind_a_provinces_sign_may_be_no_plate(text):
    assert mask(text) == text
