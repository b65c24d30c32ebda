"""Fields of JSON records by their shape."""

import pytest

from tasks.reading.rules.json.fields import transcript_of
from tasks.reading.rules.vocabulary import Vocabulary

DIALOGUE = "用户：灯不亮\n客服：给您换"


@pytest.mark.parametrize(
    ("record", "key"),
    [
        ({"会话ID": "c1", "对话": DIALOGUE}, "对话"),
        ({"会话ID": "c1", "messages": DIALOGUE}, "messages"),
        ({"会话ID": "c1", "messages": "灯不亮"}, None),
        ({"会话ID": "c1", "角色": "用户", "消息": DIALOGUE}, None),  # what a customer types is no dialogue
    ],
)
def test_a_transcript_is_what_nobody_says_and_labels_part(record, key):
    found = transcript_of(record, Vocabulary().shape(tuple(record)))
    assert found == (None if key is None else (key, DIALOGUE))
