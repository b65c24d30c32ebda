"""Lines of a transcript that nobody says, in the forms that apps write them."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from tasks.reading.rules.transcripts.notices import notice_in
from tests.builders.logs import Read, said

TURNS = [("user", "几天能到"), ("agent", "三天左右"), ("user", "好")]
LINES = ["顾客：几天能到", "客服：三天左右", "顾客：好"]

NOTICES = [
    "客服撤回了一条消息", "店小二小美 撤回了一条消息", "客服小美 加入会话", "客服小美已离开聊天", "会话已结束", "会话已结束，感谢您的咨询", "会话转接至客服小美", "本次服务已结束",
    "2026-11-21 10:00:05 会话开始", "[会话已由客服小美转接]", "——— 以上是历史消息 ———", "Tom joined the chat",
    "Ann has left the conversation.", "Chat started on 2026-11-21 10:00:05", "This message was deleted",
    "上午10:05\t客戶林已收回訊息", "Li unsent a message", "김님이 나갔습니다.",
    "—— 2026-11-21 ——", "2026/11/21（土）", "2026年11月21日 星期六", "Saturday, 21.11.2026",
]  # fmt: skip


@pytest.mark.parametrize("notice", NOTICES)
def test_read_gives_a_notice_to_nobody(notice):
    content = "\n".join([LINES[0], notice, *LINES[1:], notice])
    assert said(Read(content.encode()).conversation) == TURNS


@pytest.mark.parametrize(
    "words",
    [
        "你们上次说的2026-11-21到货呢", "我要撤回申请：退款那个", "他离开了", "会话里说好的价格，开始怎么不说清楚呢",
        "the message was about my chat", "2026-11-21 10:00", "11/21/26 or so",
    ],
)  # fmt: skip
def test_notice_in_leaves_alone_what_people_say(words):
    assert notice_in(words, "客服：在") is None


def test_what_follows_a_notice_stays_the_message_before():
    content = "顾客：几天能到\n客服：三天\n客服撤回了一条消息\n左右\n顾客：好"
    assert said(Read(content.encode()).conversation)[1] == ("agent", "三天\n左右")


def test_the_day_of_a_line_of_its_own_is_that_of_the_times_below():
    content = "2026/11/21（土）\n09:15\t顧客\t几天能到\n09:16\t客服\t三天左右\n2026/11/22（日）\n08:00\t顧客\t好"
    found = Read(content.encode()).conversation
    assert said(found) == TURNS
    assert [turn.time for turn in found.turns] == [
        datetime(2026, 11, 21, 1, 15, tzinfo=UTC),
        datetime(2026, 11, 21, 1, 16, tzinfo=UTC),
        datetime(2026, 11, 22, 0, 0, tzinfo=UTC),
    ]


@pytest.mark.parametrize("form", ["{time} {line}", "[{time}] {line}"])
@pytest.mark.parametrize(
    ("above", "day"), [("—— 2026-11-30 ——", 30), ("日期：2026年11月30日", 30), ("November 30, 2026", None)]
)
def test_a_clock_that_passes_midnight_is_in_the_next_day(above, day, form):
    times = ["22:40:00", "23:59:50", "00:01:05"]
    content = "\n".join([above, *(form.format(time=at, line=line) for at, line in zip(times, LINES, strict=True))])
    found = Read(content.encode()).conversation
    assert said(found) == TURNS
    last = datetime(2026, 11, 30, 16, 1, 5, tzinfo=UTC) if day else None
    assert found.turns[-1].time == last


def test_a_time_that_is_typed_twice_or_goes_back_a_bit_passes_no_midnight():
    times = ["10:00", "09:59", "23:00"]
    content = "\n".join(["—— 2026-11-21 ——", *(f"{at} {line}" for at, line in zip(times, LINES, strict=True))])
    days = {
        turn.time.astimezone(ZoneInfo("Asia/Shanghai")).date() for turn in Read(content.encode()).conversation.turns
    }
    assert days == {date(2026, 11, 21)}


CAPTIONS = [("00:00:01.000 --> 00:00:04.000", line) for line in LINES]


@pytest.mark.parametrize(
    "file",
    [
        "WEBVTT\n\n" + "\n\n".join(f"{when}\n{line}" for when, line in CAPTIONS),
        "WEBVTT\n\n" + "\n\n".join(f"{when}\n<v {line.replace('：', '>')}</v>" for when, line in CAPTIONS),
        "\n\n".join(f"{at}\n{when.replace('.', ',')}\n{line}" for at, (when, line) in enumerate(CAPTIONS, 1)),
    ],
)
def test_read_reads_captions_of_calls(file):
    assert said(Read(file.encode()).conversation) == TURNS


@pytest.mark.parametrize(
    "left", ["此消息已删除", "您撤回了一条消息", "[消息已撤回]", "This message was deleted.", "삭제된 메시지입니다."]
)
def test_read_leaves_out_what_stands_in_the_place_of_a_message_taken_back(left):
    content = "\n".join([*LINES, f"客服：{left}"])
    assert said(Read(content.encode()).conversation) == TURNS


def test_a_message_about_messages_taken_back_stays():
    content = "\n".join([*LINES, "客服：这条消息已删除的话，我再发您一次"])
    assert len(said(Read(content.encode()).conversation)) == 4


@pytest.mark.parametrize("above", ["日期：2026-11-21", "Date: November 21, 2026", "Date: 21 Nov 2026"])
def test_a_date_above_the_messages_is_the_day_of_their_times(above):
    content = f"{above}\n" + "\n".join(f"10:0{at}:00 {line}" for at, line in enumerate(LINES))
    assert Read(content.encode()).conversation.started_at == datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
    days = [turn.time for turn in Read(content.encode()).conversation.turns]
    assert days == [datetime(2026, 11, 21, 2, at, tzinfo=UTC) for at in range(3)]


@pytest.mark.parametrize(
    ("words", "kept"), [("\u200eimage omitted", 2), ("\u200e消息已端到端加密。", 2), ("\u200e伞坏了", 3)]
)
def test_what_whatsapp_itself_writes_is_nobodys_message(words, kept):
    lines = ["Customer: hi", f"Customer: {words}", "Support: hello"]
    content = "\n".join(f"[22/11/2026, 10:00:0{at}] {line}" for at, line in enumerate(lines))
    assert len(Read(content.encode()).conversation.turns) == kept
