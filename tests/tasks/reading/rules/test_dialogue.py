"""Times, roles and speakers' labels, as logs write them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.reading.rules.speakers import speaker_of, speaker_of_flag
from tasks.reading.rules.timestamps import TimestampParser
from tasks.reading.rules.transcripts.dialogues import split_transcript
from tests.cpu_limit import cpu_limit

SHANGHAI = ZoneInfo("Asia/Shanghai")
EIGHT = datetime(2026, 11, 22, 0, 1, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    ["2026-11-22 08:01:02", "2026-11-22T08:01:02", "2026-11-22T00:01:02Z", "2026-11-22T02:01:02+02:00", "20261122080102",
     "2026/11/22 8:01:02", "2026/11/22 08:01:02", "2026/11/22  8:01:02", "2026.11.22 8:01:02", "2026年11月22日 8时1分2秒", "2026年11月22日 8:01:02",
     "2026-11-22-08-01-02", "2026-11-22T08.01.02", "２０２６－１１－２２　０８：０１：０２", "'2026-11-22 08:01:02", '="2026-11-22 08:01:02"', "[2026-11-22 08:01:02]",
     "2026年11月22号 早上8点1分2秒", "2026年11月22日（星期日）08:01:02", "2026/11/22(日) 08:01:02", "民国115年11月22日 08:01:02", "令和8年11月22日 08:01:02",
     "北京时间2026-11-22 08:01:02", "2026-11-22 08:01:02（北京时间）", "2026-11-22 08:01:02 Asia/Shanghai", "08:01:02 22/11/2026", "8:01:02 AM, Nov 22, 2026", "Nov-22-2026 08:01:02",
     'ISODate("2026-11-22T00:01:02Z")', "new Date(1795305662000)", "Timestamp('2026-11-22 08:01:02')", "2026-11-22 08:01:02.0 +0800 CST m=+0.001", "1795305662000L", 20261122080102,
     {"date": "2026-11-22 08:01:02.000000", "timezone_type": 3}, {"year": 2026, "monthValue": 11, "dayOfMonth": 22, "hour": 8, "minute": 1, "second": 2},
     {"date": {"year": 2026, "month": 11, "day": 22}, "time": {"hour": 8, "minute": 1, "second": 2, "nano": 0}}, {"epochSecond": 1795305662}, {"$timestamp": {"t": 1795305662, "i": 1}}, {"low": 9332272, "high": 418},
     1795305662, 1795305662.0, 1795305662000, 1795305662000000, "1795305662", "1795305662000", " 2026-11-22 08:01:02 "],
)  # fmt: skip
def test_timestamp_parser_reads_times_however_they_are_written(written):
    timestamps = TimestampParser(SHANGHAI)
    assert timestamps.parse(written) == EIGHT
    assert timestamps.parse(written) == EIGHT  # from the table of hours, too


@pytest.mark.parametrize(
    "written",
    ["", "上午", "08:01", "0000-00-00 00:00:00", "2026-13-45 00:00:00", "nan", "inf", "1e400", "0", 0, -1, 7, True, None, [],
     {}, "9" * 30, "2026-11-22T08+08:0", "x" * 100, "0001-01-01 00:00:00", float("inf")],
)  # fmt: skip
def test_timestamp_parser_gives_none_for_what_is_no_time(written):
    assert TimestampParser(SHANGHAI).parse(written) is None


@given(st.integers(631_152_000, 2_840_140_800), st.sampled_from(["Europe/Berlin", "Asia/Shanghai"]))
def test_timestamp_parser_agrees_with_the_zone(seconds, zone):
    timestamps = TimestampParser(ZoneInfo(zone))
    local = datetime.fromtimestamp(seconds, ZoneInfo(zone))
    expected = local.replace(fold=0).astimezone(UTC)
    for _ in range(2):
        assert timestamps.parse(f"{local:%Y-%m-%d %H:%M:%S}") == expected


@pytest.mark.parametrize(
    ("word", "speaker"),
    [("用户", "user"), ("顾客 ", "user"), ("Customer", "user"), ("user_17", "user"), ("买家（老客）", "user"),
     ("客服", "agent"), ("【客服】", "agent"), ("售后客服3号", "agent"), ("客服小林", "agent"), ("机器人", "agent"), ("BOT", "agent"),
     ("assistant", "agent"), ("系统", "system"), ("system", "system"), ("automated_agent", "agent"), ("live agent", "agent"),
     ("员工-马丽", "agent"), ("MessageToVisitor", "agent"),
     ("customer_to_agent", "user"), ("customer_service", "agent"), ("Customer Service Representative", "agent"), ("human_agent", "agent"), ("photo", None), ("rated_good", None), ("马丽-员工", None), ("林小姐", None), ("", None), ("0", None), ("us", None)],
)  # fmt: skip
def test_speaker_of_knows_the_usual_words(word, speaker):
    assert speaker_of(word) == speaker


@pytest.mark.parametrize(("flag", "speaker"), [(1, "agent"), ("0", "user"), (True, "agent"), ("否", "user"), (2, None)])
def test_speaker_of_flag_knows_yes_and_no(flag, speaker):
    assert speaker_of_flag(flag) == speaker


@pytest.mark.parametrize(
    "text",
    ["用户：在吗客服：在的", "用户：在吗\n客服：在的", "用户: 在吗\n\n客服: 在的\n", "【用户】：在吗【客服】：在的", "user:在吗agent：在的",
     "[用户]:在吗\n[客服]:在的", "USER：在吗 Assistant：在的", "顾客12：在吗客服（小林）：在的", "  买家：在吗\n　卖家：在的",
     "08:01 用户：在吗\n08:02 客服：在的", "2026-11-22 08:01:02 用户：在吗\n[2026-11-22 08:02] 客服：在的", "人工客服：在的"],
)  # fmt: skip
def test_split_transcript_knows_labels(text):
    preamble, said, *_ = split_transcript(text)
    assert preamble == ""
    assert [(speaker, words) for speaker, words, *_ in said] == [("user", "在吗"), ("agent", "在的")][-len(said) :]
    assert len(said) == text.count("在")


def test_split_transcript_takes_labels_inside_lines_for_text_when_lines_begin_with_them():
    _, said, start, *_ = split_transcript("你好\n用户：请转达客服：我要退货\n第二行\n客服：好")
    assert [words[:2] for words in said] == [("user", "请转达客服：我要退货\n第二行"), ("agent", "好")]
    assert start == 3


def test_split_transcript_keeps_names_in_text_that_are_no_labels():
    _, said, *_ = split_transcript("用户：superuser: 请联系客服：400客服：好的")
    assert [words for _, words, *_ in said] == ["superuser: 请联系客服：400", "好的"]
    assert split_transcript("没有人说话").utterances == []


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["用户", "客服"]),
            st.from_regex(r"[好的吗在，。1]{1,3}( [好的吗在，。1]{1,5})?", fullmatch=True),
        ),
        min_size=1,
    )
)
def test_split_transcript_gives_back_what_was_joined(turns):
    for between in ("", "\n", " "):
        _, said, *_ = split_transcript(between.join(f"{label}：{text}" for label, text in turns))
        expected = [("user" if label == "用户" else "agent", text) for label, text in turns]
        assert [(speaker, words) for speaker, words, *_ in said] == expected


@pytest.mark.parametrize(
    "quoted", ["昨天客服：已退款", "我朋友说客服：已退款", "他们客服:已退款", "杯子碎了。客服：已退款"]
)
@pytest.mark.parametrize("between", [" ", " | "])
def test_split_transcript_leaves_a_label_that_a_sentence_mentions_to_who_speaks(quoted, between):
    _, said, *_ = split_transcript(between.join([f"用户：{quoted}", "客服：抱歉", "用户：不行", "客服：好的"]))
    assert [(speaker, words.rstrip(" |")) for speaker, words, *_ in said] == [
        ("user", quoted),
        ("agent", "抱歉"),
        ("user", "不行"),
        ("agent", "好的"),
    ]


def test_split_transcript_makes_no_agent_of_one_who_is_only_mentioned():
    _, said, *_ = split_transcript("用户：没人理我，昨天客服：已经全额退款了，骗人")
    assert [speaker for speaker, *_ in said] == ["user"]


@pytest.mark.parametrize("text", ["用户" * 30000, " " * 60000, "用户" + " " * 60000, "\n \t" * 30000, "客服(" * 20000,
                                  "用户：" * 20000, "1:00 " * 20000, "bot" * 20000, "【" * 60000])  # fmt: skip
def test_split_transcript_takes_linear_time(text):
    with cpu_limit(4):
        assert all(words in text for _, words, *_ in split_transcript(text)[1])
