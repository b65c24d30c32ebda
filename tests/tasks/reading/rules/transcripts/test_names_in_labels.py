"""Names around a role in labels, and lines of a message that look like labels."""

import pytest

from tests.builders.logs import Read, said

LABELS = [
    ("小王（顾客）", "小林（客服）"), ("Speaker 1 (Customer)", "Speaker 2 (Agent)"), ("男客户", "女客服"), ("客户", "工号8001"),
    ("咨询人", "销售顾问"), ("买家 tb1", "蓝河旗舰店:小林"), ("顾客（小王）", "客服（小林）"),
    ("买家(找人代付)", "客服（自动回复）"), ("顾客", "客服-转接"), ("用户（咨询）", "售后咨询客服"), ("客户", "自动回复"),
    ("客户", "系统自动回复"), ("用户", "客服自动回复"),
]  # fmt: skip

FORMS = {
    "plain": "{name}：{text}\n",
    "timed": "[2026-11-22 10:00:00] {name}：{text}\n",
    "above": "{name} 2026-11-22 10:00:00\n{text}\n\n",
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("labels", LABELS, ids=" ".join)
def test_read_knows_names_with_a_role_around_them(labels, form):
    turns = [("user", "杯子碎了"), ("agent", "给您补发"), ("user", "好的")]
    written = (FORMS[form].format(name=labels[side == "agent"], text=text) for side, text in turns)
    assert said(Read("".join(written).encode()).conversation) == turns


ABOUT = [
    "客服电话：400-1",
    "客服工作时间：9:00-18:00",
    "卖家备注：加急",
    "商家地址：杭州",
    "用户名：abc",
    "Agent name: Lin",
    "有问题请联系客服：",
    "可咨询客服：",
    "可以转客服：",
    "User ID: 7",
    "新用户：首单减10元\n老客户：满100减20",
    "普通用户：7天\n注册用户：15天",
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("line", ABOUT)
def test_read_takes_what_is_said_about_a_side_for_a_line_of_the_message(line, form):
    turns = [("user", "杯子碎了"), ("agent", f"给您补发\n{line}"), ("user", "好的")]
    written = (FORMS[form].format(name="客服" if side == "agent" else "用户", text=text) for side, text in turns)
    assert said(Read("".join(written).encode()).conversation) == turns


@pytest.mark.parametrize("line", ["人工客服：请按0", "在线客服：点击进入", "Customer service: 400-1"])
def test_read_takes_another_label_without_a_time_for_a_line_of_the_message(line):
    turns = [("user", "杯子碎了"), ("agent", f"给您补发\n{line}"), ("user", "好的")]
    written = (FORMS["timed"].format(name="客服" if side == "agent" else "用户", text=text) for side, text in turns)
    assert said(Read("".join(written).encode()).conversation) == turns
