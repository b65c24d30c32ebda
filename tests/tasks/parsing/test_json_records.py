import json

import pytest

from tasks.domain.records import Fields, Unusable
from tasks.parsing.answers import parse_answer
from tasks.parsing.json_records import loaded
from tests.cpu_limit import cpu_limit

RIGHT = '"用户问题":"退款未到","客服方案":"催促财务","是否接受":"否","是否负面情绪":"是"'
LATER = '"是否接受":"是","是否负面情绪":"否"'


@pytest.mark.parametrize(
    "answer",
    [
        f"{{{RIGHT},{LATER}}}",
        f"```json\n{{{RIGHT},\n{LATER}}}\n```",
        f'{{{RIGHT},"备注":"x",{LATER}}}',
        json.dumps(f"{{{RIGHT},{LATER}}}"),
    ],
)
def test_a_key_that_an_answer_repeats_changes_nothing(answer):
    fields = parse_answer(answer)
    assert isinstance(fields, Fields)
    assert (fields.plan, fields.accepted, fields.negative_sentiment) == ("催促财务", False, True)


def test_the_first_value_of_a_key_counts():
    assert loaded('{"a": 1, "b": 2, "a": 3}') == {"a": 1, "b": 2}


WHOLE = '{"用户问题":"退款未到","客服方案":"催促财务","是否接受":"否"}'


@pytest.mark.parametrize("levels", [40, 480, 1000, 2000])
@pytest.mark.parametrize(
    ("opened", "closed"),
    [
        ("[", "]"),
        ('{"a":', "}"),
        ('{"用户问题":', "}"),
        ('[{"是否接受":', "}]"),
        ('{"用户问题":["x",', "]}"),
        ("(", ")"),
    ],
)
@pytest.mark.parametrize(
    "around", ["{}", "好的：{}", '{{"用户问题":"a","客服方案":{},"是否接受":"是"}}', "```json\n{}\n```"]
)
def test_an_answer_that_is_nested_without_end_is_one_answer_without_fields(levels, opened, closed, around):
    answer = around.format(opened * levels + WHOLE + closed * levels)
    assert isinstance(parse_answer(answer), Fields | Unusable)


@pytest.mark.parametrize(
    "around",
    [
        '{{"用户问题":{},"客服方案":"b"}}',
        '{{"问题1":{},"问题2":{{' + WHOLE[1:-1] + "}}}}",
        '{{"x":{},"用户问题":{{' + WHOLE[1:-1] + "}}}}",
        "[{},1]",
    ],
)
def test_issues_within_issues_are_read_once_each(around):
    answer = WHOLE
    for _ in range(28):
        answer = around.format(answer)
    with cpu_limit(10):
        assert isinstance(parse_answer(answer), Fields)


def test_an_answer_of_one_endless_cell_has_no_fields():
    assert isinstance(parse_answer("好的，" + "a" * 200_000), Unusable)
