"""Messages of dialogues in one string, read in two ways that must agree."""

from hypothesis import given
from hypothesis import strategies as st

from tasks.reading.rules.transcripts.dialogues import labeled_lines, split_transcript
from tasks.reading.rules.transcripts.labels import LabelReader

LABELS = [
    "用户：",
    "客服：",
    "客服小美：",
    "[2026-11-21 10:00:00] 顾客: ",
    "10:00 客服：",
    "系统：",
    "小王：",
    "**User:** ",
    "<user>",
    "",
]
LINES = st.builds(
    str.__add__, st.sampled_from(LABELS), st.sampled_from(["杯子碎了", " 好 ", "", "消息已撤回", "<b>好</b>", "a：b"])
)
ABOVE = st.sampled_from(["会话ID：c1", "时间：2026-11-21", "日期：2026-11-21", "蓝河家居", "", "  "])


@given(st.lists(ABOVE, max_size=3), st.lists(LINES, min_size=1, max_size=8), st.sampled_from([{}, {"小王": "agent"}]))
def test_labeled_lines_gives_what_split_transcript_gives(above, lines, roles):
    lines = [*above, *lines]
    reader = LabelReader(roles)
    if found := labeled_lines(lines, reader):
        split = split_transcript("\n".join(lines), reader)
        assert (found.preamble, found.utterances) == (split.preamble, split.utterances)
        assert (
            lines[min("\n".join(lines).count("\n", 0, found.start), len(lines) - 1)]
            == lines[min("\n".join(lines).count("\n", 0, split.start), len(lines) - 1)]
        )


def test_bars_part_messages_of_one_line_and_belong_to_none():
    for text, words in (
        ("用户：在吗|客服：在 | 用户：价格是1|2吗", ["在吗", "在", "价格是1|2吗"]),
        ("用户：在吗|\n客服：在", ["在吗|", "在"]),
    ):
        assert [utterance.text for utterance in split_transcript(text).utterances] == words


def test_lines_that_all_begin_with_a_label_are_read_at_once():
    assert labeled_lines(["会话ID：c1", "用户：在吗", "", "客服：在"], LabelReader())
    assert labeled_lines(["用户：在吗", "急", "客服：在"], LabelReader()) is None
