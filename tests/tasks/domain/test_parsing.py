import json
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.domain.parsing import parse_answer, render_fields
from tasks.domain.records import Fields, Reason, Unusable

KEYS = ("用户问题", "客服方案", "是否接受", "是否负面情绪")
ECHO = '{"用户问题":xxx\n"客服方案":xxx\n"是否接受":xxx\n"是否负面情绪":xxx}'
VALUES = [
    ("咨询保温杯的退货流程", "建议在订单页提交退货申请，三天内上门取件", "是", "否"),
    ("快递显示签收但没有收到", "联系站点核实，今天内回电", "用户不接受，坚持退款", "用户表现出不满"),
    ("电子发票抬头写错了，能改吗", "不能修改；可以作废后重开", "未明确", "没有负面情绪"),
]
EXPECTED = [(True, False), (False, True), (None, False)]


def compact(values):
    return json.dumps(dict(zip(KEYS, values, strict=True)), ensure_ascii=False)


WRAPPERS = {
    "plain": compact,
    "pretty": lambda v: json.dumps(dict(zip(KEYS, v, strict=True)), ensure_ascii=False, indent=2),
    "escaped": lambda v: json.dumps(dict(zip(KEYS, v, strict=True))),
    "fenced": lambda v: f"```json\n{compact(v)}\n```",
    "fence not closed": lambda v: f"```\n{compact(v)}",
    "prose around": lambda v: f"好的，以下是摘要：\n{compact(v)}\n希望对您有帮助！",
    "byte order mark": lambda v: f"\ufeff\u200b{compact(v)}",
    "template, bare": lambda v: "{" + "\n".join(f'"{k}":{x}' for k, x in zip(KEYS, v, strict=True)) + "}",
    "template, quoted": lambda v: "{" + "\n".join(f'"{k}":"{x}"' for k, x in zip(KEYS, v, strict=True)) + "}",
    "full-width": lambda v: "{" + "，".join(f"“{k}”：“{x}”" for k, x in zip(KEYS, v, strict=True)) + "}",
    "full-width quotes only": lambda v: "{" + ", ".join(f"“{k}”: “{x}”" for k, x in zip(KEYS, v, strict=True)) + "}",
    "single quotes": lambda v: "{" + ", ".join(f"'{k}': '{x}'" for k, x in zip(KEYS, v, strict=True)) + "}",
    "no key quotes": lambda v: "{\n" + ",\n".join(f'{k}: "{x}"' for k, x in zip(KEYS, v, strict=True)) + "\n}",
    "trailing comma": lambda v: compact(v).removesuffix("}") + ",}",
    "missing brace": lambda v: compact(v).removesuffix("}"),
    "labelled lines": lambda v: "\n".join(f"{k}：{x}" for k, x in zip(KEYS, v, strict=True)),
    "half-width colons": lambda v: "\n".join(f"{k}: {x}" for k, x in zip(KEYS, v, strict=True)),
    "numbered bold": lambda v: "\n".join(f"{n}. **{k}**：{x}" for n, (k, x) in enumerate(zip(KEYS, v, strict=True), 1)),
    "bold with colon": lambda v: "\n".join(f"**{k}：** {x}" for k, x in zip(KEYS, v, strict=True)),
    "bullets": lambda v: "\n".join(f"- {k}：{x}" for k, x in zip(KEYS, v, strict=True)),
    "brackets": lambda v: "\n".join(f"【{k}】：{x}" for k, x in zip(KEYS, v, strict=True)),
    "headings": lambda v: "\n\n".join(f"## {k}\n{x}" for k, x in zip(KEYS, v, strict=True)),
    "table": lambda v: f"| {' | '.join(KEYS)} |\n|---|---|---|---|\n| {' | '.join(v)} |",
    "table, upright": lambda v: (
        "| 项目 | 内容 |\n|:--|:--|\n" + "\n".join(f"| {k} | {x} |" for k, x in zip(KEYS, v, strict=True))
    ),
    "echo first": lambda v: f"{ECHO}\n{compact(v)}",
    "echo last": lambda v: f"{compact(v)}\n请按格式：{ECHO}",
    "two objects": lambda v: f"{compact(('旧问题', '旧方案', '未明确', '未明确'))}\n更正：\n{compact(v)}",
    "JSON in JSON": lambda v: json.dumps(compact(v), ensure_ascii=False),
    "inside another": lambda v: json.dumps({"摘要": dict(zip(KEYS, v, strict=True))}, ensure_ascii=False),
    "HTML entities": lambda v: compact(v).replace('"', "&quot;"),
    "Windows lines": lambda v: "\r\n".join(f"{k}：{x}" for k, x in zip(KEYS, v, strict=True)),
    "English keys": lambda v: json.dumps(
        dict(zip(("issue", "plan", "accepted", "negative_sentiment"), v, strict=True)), ensure_ascii=False
    ),
    "other names": lambda v: "\n".join(
        f"{k}：{x}" for k, x in zip(("问题", "解决方案", "用户是否接受", "用户是否有负面情绪"), v, strict=True)
    ),
    "one line": lambda v: "；".join(f"{k}：{x.replace('；', '，')}" for k, x in zip(KEYS, v, strict=True)),
}


@pytest.mark.parametrize(("wrapper", "number"), list(product(WRAPPERS, range(len(VALUES)))))
def test_parse_answer_reads_every_shape(wrapper, number):
    issue, plan, accepted_text, negative_text = VALUES[number]
    if wrapper == "one line":
        plan = plan.replace("；", "，")
    accepted, negative = EXPECTED[number]
    assert parse_answer(WRAPPERS[wrapper](VALUES[number])) == Fields(
        issue, plan, accepted, negative, accepted_text, negative_text
    )


@pytest.mark.parametrize("length", range(9, len(compact(VALUES[0]))))
def test_parse_answer_keeps_what_a_cut_off_answer_holds(length):
    whole = parse_answer(compact(VALUES[0]))
    assert isinstance(whole, Fields)
    cut = parse_answer(compact(VALUES[0])[:length], cut_off=True)
    if isinstance(cut, Unusable):
        assert length < compact(VALUES[0]).index("咨询") + 1
        return
    assert whole.issue is not None
    assert cut.issue is not None
    assert whole.issue.startswith(cut.issue)
    if cut.plan is not None:
        assert cut.issue == whole.issue
        assert whole.plan is not None
        assert whole.plan.startswith(cut.plan)


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ('{"用户问题": "退货", "是否接受": true}', Fields("退货", None, True, None, "是", None)),
        ('{"用户问题": "退货", "是否接受": null}', Fields("退货", None, None, None, None, None)),
        ('{"用户问题": ["退货", "补差价"], "是否接受": 1}', Fields("退货；补差价", None, True, None, "1", None)),
        ('{"用户问题": "无", "客服方案": "已登记"}', Fields(None, "已登记", None, None, None, None)),
        ('{"用户问题": "他说\\"不行\\"", "客服方案": "登记"}', Fields('他说"不行"', "登记", None, None, None, None)),
    ],
)
def test_parse_answer_takes_values_as_they_are(text, fields):
    assert parse_answer(text) == fields


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", Reason.UNPARSEABLE),
        ("您好！", Reason.UNPARSEABLE),
        ("[]", Reason.UNPARSEABLE),
        ("作为一个人工智能语言模型，我无法回答这个问题。", Reason.REFUSED),
        ("抱歉，您的内容涉及敏感信息，我们换个话题吧。", Reason.REFUSED),
        (ECHO, Reason.INVALID_FIELDS),
        ('{"用户问题": null, "客服方案": ""}', Reason.INVALID_FIELDS),
    ],
)
def test_parse_answer_says_why_nothing_is_usable(text, reason):
    found = parse_answer(text)
    assert isinstance(found, Unusable)
    assert found.reason is reason


TEXTS = st.one_of(
    st.text(max_size=40),
    st.text(alphabet=" \n\"“”{}[]:：，|xX…-*#\\'无是否a", max_size=25),
    st.sampled_from([*KEYS, "是", "否", "无", "null", "xxx", "用户问题：退货", "未明确"]),
)


@given(st.dictionaries(st.sampled_from(KEYS), TEXTS | st.none() | st.booleans(), max_size=4))
def test_render_fields_is_read_back_as_it_was(values):
    first = parse_answer(json.dumps(values, ensure_ascii=False))
    if isinstance(first, Fields):
        assert parse_answer(render_fields(first)) == first


@given(st.text(alphabet='{}[]"“”:：,，|\n #*用户问题是否接受xn\\', max_size=200))
def test_parse_answer_never_raises_and_always_is_read_back(text):
    found = parse_answer(text)
    if isinstance(found, Fields):
        assert parse_answer(render_fields(found)) == found


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "unit",
    [
        '{"a":',
        "{",
        '"',
        "\\",
        '{"用户问题":',
        "用户问题",
        "用户问题：",
        '{"用户问题": "a\\"',
        "|",
        "| 用户问题 |\n",
        " ",
        "\n",
        "&quot;",
        "是否接受\n",
    ],
)
def test_parse_answer_of_a_hostile_megabyte_takes_linear_time(unit):
    parse_answer(unit * (1_000_000 // len(unit)))
    parse_answer('{"用户问题": "' + unit * (1_000_000 // len(unit)))
