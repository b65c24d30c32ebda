import json

import pytest

from tasks.domain.records import Fields
from tasks.parsing.answers import parse_answer
from tasks.parsing.json_records import loaded

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
