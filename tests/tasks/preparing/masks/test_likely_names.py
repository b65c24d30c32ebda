"""Names that no fixed word announces, by the weights of their characters and neighbors."""

import pytest

from tasks.preparing.masking import mask
from tasks.preparing.masks.likely_names import WEIGHTS, candidates
from tasks.tuning.naming.__main__ import digest

SAID = (
    "你们的客服{}一直不回",
    "上个月{}帮我换过一次",
    "{}是我表妹，地址写的她家",
    "转告{}不用再打了",
    "前台{}代我收下了",
    "主管{}说会给补偿",
    "我女朋友{}的尺码",
    "件是{}签的，没人通知我",
)

NAMES = ("裴文倩", "曹锐", "沈嘉禾", "許雅雯", "祝远", "车晓彤", "阮明哲")


def test_few_names_need_a_word_that_announces_it():
    left = [text.format(name) for text in SAID for name in NAMES if mask(text.format(name)) != text.format("[姓名]")]
    assert len(left) <= 0.15 * len(SAID) * len(NAMES), left


@pytest.mark.parametrize(
    "text",
    [
        "李宁的鞋偏码吗",
        "周大福有活动吗",
        "明天可以到吗",
        "高兴遇到您",
        "商家会补发吗",
        "单独包装吗",
        "常温放着",
        "小包装的",
    ],
)
def test_brands_and_everyday_words_are_no_names(text):
    assert mask(text) == text


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("叫小薛来看看", "叫[姓名]来看看"),
        ("楼下老冯代收的", "楼下[姓名]代收的"),
        ("我是覃瑄玥，昨天下的单", "我是[姓名]，昨天下的单"),
        ("寄给江月，谢谢", "寄给[姓名]，谢谢"),
        ("我同学池甜甜买的", "我同学[姓名]买的"),
        ("单晓蕾签收的", "[姓名]签收的"),
        ("我是嵇康宁，昨天下的单", "我是[姓名]，昨天下的单"),
    ],
)
def test_pet_names_rare_characters_words_and_doubled_ones(text, masked):
    assert mask(text) == masked


@pytest.mark.parametrize(
    "text", ["小红书看的", "老面馒头", "江山图", "高高兴兴", "单子呢", "开机就蓝屏", "保修卡怎么盖章"]
)
def test_words_that_begin_like_them_stay(text):
    assert mask(text) == text


def test_a_word_or_its_border_makes_no_candidate():
    assert list(candidates("方便吗")) == []
    assert list(candidates("公司名")) == []


def test_the_weights_were_learned_from_the_texts_beside_the_trainer():
    first = WEIGHTS.read_text(encoding="utf-8").partition("\n")[0]
    assert first.partition("\t")[2] == digest(), "run python -m tasks.tuning.naming"
