"""Verdicts that are ticked, and names and lists as answers dress them."""

import json

import pytest

from tasks.domain.records import Fields
from tasks.parsing.answers import parse_answer

ISSUE, PLAN = "空气炸锅五天没发货", "已催仓库，明天发出"


def answer(accepted, negative):
    return parse_answer(
        json.dumps({"用户问题": ISSUE, "客服方案": PLAN, "是否接受": accepted, "是否负面情绪": negative})
    )


def verdicts(accepted, negative):
    fields = answer(accepted, negative)
    assert isinstance(fields, Fields)
    return fields.accepted, fields.negative_sentiment


@pytest.mark.parametrize(
    ("on", "off"),
    ["☑☐", "■□", "✅❌", "√×", "●○", "◉◯", "☒⬜", "✓✗", "✔✘", ("(√)", "( )"), ("[x]", "[ ]"), ("（√）", "（ ）")],
)
def test_the_ticked_option_is_the_verdict(on, off):
    assert verdicts(f"{on}是 {off}否", f"{off}是 {on}否") == (True, False)
    assert verdicts(f"是{on} 否{off}", f"是{off} 否{on}") == (True, False)
    assert verdicts(f"{off}是 {on}否", f"{on}是 {off}否") == (False, True)
    assert verdicts(f"{off}是 {off}否", f"{on}是 {on}否") == (None, None)


def test_an_option_of_an_object_is_the_verdict():
    assert verdicts({"是": True, "否": False}, {"是": False, "否": True}) == (True, False)
    assert verdicts({"是": False, "否": False}, {"负面": 1, "正面": 0}) == (None, True)
    assert verdicts({"是": 0.9, "否": 0.1}, {"愤怒": False, "失望": False})[0] is None


def test_how_sure_a_verdict_is_is_none_of_it():
    assert verdicts({"label": "是", "confidence": 0.95}, {"label": "否", "score": 0.1}) == (True, False)
    assert verdicts({"value": False, "score": 1}, {"value": "是", "probability": 0}) == (False, True)


@pytest.mark.parametrize(
    "text",
    [
        "1. 1. 用户问题：{}\n2. 2. 客服方案：{}\n3. 3. 是否接受：是\n4. 4. 是否负面情绪：否",
        "用户_问题：{}\n客服_方案：{}\n是否_接受：是\n是否_负面情绪：否",
        "用户问题：{}\n处理结果：{}\n是否接受：是\n是否负面情绪：否",
        '{{"用户问题": "{}", "处理结果": "{}", "是否接受": "是", "是否负面情绪": "否"}}',
        "- [x] 用户问题：{}\n- [x] 客服方案：{}\n- [x] 是否接受：是\n- [ ] 是否负面情绪：否",
        "用户问题: >\n  {}\n客服方案: |-\n  {}\n是否接受: yes\n是否负面情绪: no\n",
    ],
)
def test_numbers_boxes_and_blocks_are_no_part_of_the_fields(text):
    fields = parse_answer(text.format(ISSUE, PLAN))
    assert isinstance(fields, Fields)
    assert (fields.issue, fields.plan, fields.accepted, fields.negative_sentiment) == (ISSUE, PLAN, True, False)
