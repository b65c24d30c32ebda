"""Answers in the dress of a model's template, of a tool's call, of a schema, and under names in two languages."""

import json
from itertools import product

import pytest

from tasks.domain.records import Fields, Unusable
from tasks.parsing.answers import parse_answer
from tests.builders.answers import KEYS

VALUES = ("没发货", "催仓库", "是", "否")
ANSWER = dict(zip(KEYS, VALUES, strict=True))
FIELDS = ("没发货", "催仓库", True, False)
LINES = "\n".join(f"{key}：{value}" for key, value in ANSWER.items())
DRAFT = dict(zip(KEYS, ("草稿", "草稿", "否", "是"), strict=True))
DRAFT_LINES = "\n".join(f"{key}：{value}" for key, value in DRAFT.items())


def dumps(value, **layout):
    return json.dumps(value, ensure_ascii=False, **layout)


def read(text, **parts):
    fields = parse_answer(text, **parts)
    return (
        (fields.issue, fields.plan, fields.accepted, fields.negative_sentiment) if isinstance(fields, Fields) else None
    )


@pytest.mark.parametrize(
    ("begins", "ends"),
    [
        ("<think>", "</think>"),
        ("<seed:think>", "</seed:think>"),
        ("<think_fast>", "</think_fast>"),
        ("<antThinking>", "</antThinking>"),
        ("◁think▷", "◁/think▷"),
        ("<|think|>", "<|/think|>"),
        ("<|begin_of_thought|>", "<|end_of_thought|>"),
        ("<|START_THINKING|>", "<|END_THINKING|>"),
        ("[unused16]", "[unused17]"),
        ("<unused94>thought\n", "<unused95>"),
        ("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
        ("<|channel|>analysis<|message|>", "<|end|><|channel|>final <|constrain|>json<|message|>"),
    ],
)
def test_a_draft_within_a_thought_is_no_answer(begins, ends):
    for draft, answer in product([dumps(DRAFT), DRAFT_LINES], [dumps(ANSWER), dumps(ANSWER, indent=2), LINES]):
        assert read(f"{begins}先看\n{draft}\n不对{ends}\n{answer}") == FIELDS
    assert read(f"{begins}\n{DRAFT_LINES}，因为", cut_off=True) is None


CALLS = [
    "<tool_call><function=s>{}</function></tool_call>".format(
        "".join(f"<parameter={key}>\n{value}\n</parameter>" for key, value in ANSWER.items())
    ),
    "<tool_call>s\n{}</tool_call>".format(
        "".join(f"<arg_key>{key}</arg_key>\n<arg_value>{value}</arg_value>\n" for key, value in ANSWER.items())
    ),
    '<invoke name="s">{}</invoke>'.format(
        "".join(f'<parameter name="{key}">{value}</parameter>' for key, value in ANSWER.items())
    ),
    '<｜DSML｜invoke name="s">{}</｜DSML｜invoke>'.format(
        "".join(
            f'<｜DSML｜parameter name="{key}" string="true">{value}</｜DSML｜parameter>'
            for key, value in ANSWER.items()
        )
    ),
    f"<|tool_call_begin|>functions.s:0<|tool_call_argument_begin|>{dumps(ANSWER)}<|tool_call_end|>",
    f"[TOOL_CALLS]s[ARGS]{dumps(ANSWER)}",
    dumps({"name": "s", "arguments": dumps(ANSWER)}),
]
TABLES = [
    ";".join(KEYS) + "\n" + ";".join(VALUES),
    ",".join(f'"{key}"' for key in KEYS) + "\n" + ",".join(f'"{value}"' for value in VALUES),
    "".join(
        f'<div class="row"><span class="k">{key}</span><span class="v">{value}</span></div>'
        for key, value in ANSWER.items()
    ),
]


@pytest.mark.parametrize("text", [*CALLS, *TABLES])
def test_an_answer_as_arguments_or_a_table_is_read(text):
    assert read(text) == FIELDS


@pytest.mark.parametrize(
    "names",
    [
        [f"{key}({name})" for key, name in zip(KEYS, ("issue", "plan", "accepted", "negative_sentiment"), strict=True)],
        ["issue（用户问题）", "plan（客服方案）", "accepted（是否接受）", "negative_sentiment（是否负面情绪）"],
        ["用户问题/issue", "客服方案/plan", "是否接受/accepted", "是否负面情绪/negative"],
        [f"{key}？" for key in KEYS],
        [f"{key}：" for key in KEYS],
        [f"**{key}**" for key in KEYS],
        ["问题", "方案", "接受", "情绪负面"],
        ["咨询问题", "客服答复", "是否同意", "负面情绪与否"],
        ["query", "response", "accepted", "sentiment_negative"],
    ],
)
def test_a_name_with_another_behind_it_names_its_field(names):
    answer = dict(zip(names, VALUES, strict=True))
    for text in (dumps(answer), f"```json\n{dumps(answer, indent=2)}\n```", dumps([answer]), str(answer)):
        assert read(text) == FIELDS, text
    if not names[0].startswith("**"):
        for line in ("{}：{}", "- {}: {}", "**{}**: {}", "1. {}：{}"):
            text = "\n".join(line.format(name, value) for name, value in answer.items())
            assert read(text) == FIELDS, text


@pytest.mark.parametrize("frame", ["### Response:", "Response:\n", "## 回复\n", "Answer:", "Solution:\n```json"])
def test_the_frame_of_an_answer_is_none_of_its_fields(frame):
    assert read(f"{frame}\n{dumps(ANSWER)}") == FIELDS
    assert read(f"{frame}\n{dumps(ANSWER, indent=2)}") == FIELDS


@pytest.mark.parametrize(
    "remark", ["Let me know if you need more.", "[DONE]", "<end_of_turn>", "<|im_end|>", "- 备用字段: 是"]
)
def test_a_remark_behind_a_bare_verdict_is_none_of_it(remark):
    assert read(f"{LINES}\n{remark}") == FIELDS


def test_a_schema_that_nobody_filled_in_is_no_answer():
    schema = {"type": "object", "properties": {key: {"type": "string", "description": f"{key}是什么"} for key in KEYS}}
    assert isinstance(parse_answer(dumps(schema)), Unusable)
    assert read(f"{dumps(schema)}\n{dumps(ANSWER)}") == FIELDS
    filled = {key: {"type": "string", "value": value} for key, value in ANSWER.items()}
    assert read(dumps({"properties": filled})) == FIELDS


def test_how_sure_a_model_is_does_not_stand_in_its_words():
    assert read(dumps({key: {"value": value, "confidence": 0.9} for key, value in ANSWER.items()})) == FIELDS


def test_an_answer_that_corrects_itself_counts_as_corrected():
    assert read(f"{dumps({**ANSWER, '是否接受': '否'})}\n\nWait, they agreed. Corrected:\n{dumps(ANSWER)}") == FIELDS
