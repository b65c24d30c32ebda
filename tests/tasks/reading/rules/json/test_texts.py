"""Words of a message's content, however they are wrapped."""

import pytest

from tasks.reading.rules.json.texts import words_in

CONTENTS = {
    "parts of a message": ([{"text": {"content": "先拍照"}}, {"text": {"content": "再寄回"}}], "先拍照\n再寄回"),
    "a picture between parts": ([{"text": "先拍照"}, {"type": "image"}, {"text": "再寄回"}], "先拍照\n再寄回"),
    "marked words of a sentence": (["请", {"type": "bold", "text": "先"}, "拍照"], "请先拍照"),
    "runs of a sentence": ({"runs": [{"text": "请先"}, {"text": "拍照"}]}, "请先拍照"),
    "paragraphs of runs": ([{"children": [{"text": "请"}, {"text": "先拍照"}]}, {"children": [{"text": "谢谢"}]}], "请先拍照\n谢谢"),
}  # fmt: skip


@pytest.mark.parametrize("content", CONTENTS)
def test_words_in_parts_what_was_written_apart(content):
    wrapped, words = CONTENTS[content]
    assert words_in(wrapped) == words
