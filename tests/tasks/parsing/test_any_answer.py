"""Any answer at all: parsed without an error, in linear time, and read back as it was."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.domain.records import Fields, Unusable
from tasks.parsing.answers import parse_answer, render_fields
from tests.builders.answers import KEYS
from tests.cpu_limit import cpu_limit

TEXTS = st.one_of(
    st.text(max_size=40),
    st.text(alphabet="&;#38ampltnbs\u200b\u3000 ", max_size=25),
    st.text(alphabet=" \n\"“”{}[]:：，|xX…-*#\\'无是否a", max_size=25),
    st.sampled_from([*KEYS, "是", "否", "无", "null", "xxx", "用户问题：退货", "未明确"]),
)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(KEYS), TEXTS | st.none() | st.booleans(), max_size=4))
def test_render_fields_is_read_back_as_it_was(values):
    first = parse_answer(json.dumps(values, ensure_ascii=False))
    if isinstance(first, Fields):
        assert parse_answer(render_fields(first)) == first


@settings(deadline=None)
@given(st.text(alphabet='{}[]"“”:：,，|\n #*用户问题是否接受xn\\', max_size=200))
def test_parse_answer_never_raises_and_always_is_read_back(text):
    found = parse_answer(text)
    if isinstance(found, Fields):
        assert parse_answer(render_fields(found)) == found


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
        "[",
        '用户问题："',
        '{"用户问题":"',
        '{"用户问题":["',
        "</think>",
        "&amp;",
        "【",
        "<br>",
        "x",
        "“用户问题“",
        "，用户是否接受：",
        "，用户是否接受：“a",
        "<![CDATA[",
        "<td>",
        "<think>",
        '"+ "',
        "用户问题\t",
        "用户问题,",
        '"用户问题 ',
    ],
)
def test_parse_answer_of_a_hostile_text_takes_linear_time(unit):
    with cpu_limit(4):  # quadratic work on this much takes more
        parse_answer(unit * (60_000 // len(unit)))
        parse_answer('{"用户问题": "' + unit * (60_000 // len(unit)), cut_off=True)


@pytest.mark.parametrize("piece", ['" ', '", ', '"', '" , ', "” "])
def test_what_is_left_of_a_broken_object_is_taken_off_in_linear_time(piece):
    # Forty of these doubled the time each.
    text = f'{{"用户问题": "杯子碎了",{piece * 2000}x", "客服方案": "补发", "是否接受": "是", "是否负面情绪": "否"}}'
    with cpu_limit(4):
        assert isinstance(parse_answer(text), Fields | Unusable)
