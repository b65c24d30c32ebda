"""Borders between the transcripts of one file, their ids, and whose a name is that nobody introduced."""

import pytest

from tests.builders.logs import Read, said

ONE = [("user", "锅盖裂了"), ("agent", "给您补发"), ("user", "好")]
TWO = [("user", "发票开错了"), ("agent", "请发抬头"), ("user", "稍等")]


def dialogue(turns):
    return "".join(f"{'顾客' if role == 'user' else '客服'}：{text}\n" for role, text in turns)


BORDERS = {
    "an id in a heading": ("### KF-10086{}\n", "", ["KF-100861", "KF-100862"]),
    "a number in a heading": ("—— 单据 10086{} ——\n", "", ["100861", "100862"]),
    "the same heading again": ("客户姓名：王{0}\n会话ID：c{0}\n", "\n", ["c1", "c2"]),
    "a rule twice": ("-----\n-----\n", "", ["log-0:3", "log-0:8"]),
    "a rule of other signs": ("", "&&&&\n", ["log-0:1", "log-0:5"]),
    "a numeral": ("（{0}）\n", "", ["log-0:2", "log-0:6"]),
    "a number and a title": ("{0}. 水壶\n", "\n", ["log-0:2", "log-0:7"]),
    "blank lines, of which none stand within": ("", "\n\n", ["log-0:1", "log-0:6"]),
    "a page": ("", "\f", ["log-0:1", "log-0:4"]),
    "an end": ("", "【会话结束】\n", ["log-0:1", "log-0:5"]),
    "an end in English": ("", "--- Chat ended ---\n", ["log-0:1", "log-0:5"]),
}


@pytest.mark.parametrize("border", BORDERS)
def test_read_parts_transcripts_at_a_border(border):
    head, end, ids = BORDERS[border]
    content = "".join(head.format(at) + dialogue(turns) + end for at, turns in enumerate((ONE, TWO), 1))
    found = Read(content.encode()).conversations
    assert [said(conversation) for conversation in found] == [ONE, TWO]
    assert [conversation.conversation_id for conversation in found] == ids


def test_numerals_count_conversations_as_figures_do():
    content = "".join(f"{numeral}、\n{dialogue(ONE)}" for numeral in ("九", "十", "十一"))
    assert [said(found) for found in Read(content.encode()).conversations] == [ONE] * 3


@pytest.mark.parametrize("gap", ["\n\n", "\f"])
def test_gaps_between_messages_part_no_conversations(gap):
    content = gap.join(dialogue([turn]) for turn in ONE + TWO)
    assert said(Read(content.encode()).conversation) == ONE + TWO


@pytest.mark.parametrize("end", ["", "-----\n顾客：灯\n客服：换\n"])
def test_a_gap_before_words_that_nobody_answers_parts_no_conversation(end):
    written = dialogue(ONE) + "\n\n" + dialogue([("user", "多谢")])
    assert said(Read((written + end).encode()).conversations[0]) == [*ONE, ("user", "多谢")]


@pytest.mark.parametrize("heading", ["会话ID：10086{}\n", "对话{}：\n", "{}.\n"])
def test_a_gap_parts_no_conversation_below_headings_that_do(heading):
    written = [heading.format(at) + dialogue(ONE) + "\n\n" + dialogue(TWO) for at in (1, 2)]
    assert [said(found) for found in Read("".join(written).encode()).conversations] == [ONE + TWO] * 2


@pytest.mark.parametrize(
    "line",
    [
        "2. 再按两下",
        "&&&",
        "会话结束了吗",
        "【会话结束】后还能再问吗",
        "客户姓名：李某",
        "### 10086",
        "单据 10086001",
        "--- 服务结束 --- 了？",
    ],
)
def test_what_a_customer_types_is_no_border(line):
    content = f"顾客：在\n{line}\n客服：在\n顾客：好"
    assert said(Read(content.encode()).conversation) == [("user", f"在\n{line}"), ("agent", "在"), ("user", "好")]


@pytest.mark.parametrize("title", ["# 蓝河客服对话", "# 客服质检样本", "聊天记录导出", "店铺：蓝河家居"])
@pytest.mark.parametrize("heading", ["## 会话 {}", "会话ID：{}"])
def test_a_title_may_stand_above_the_first_heading(title, heading):
    content = f"{title}\n\n" + "".join(
        f"{heading.format(88213 + at)}\n\n{dialogue(turns)}\n" for at, turns in enumerate((ONE, TWO))
    )
    found = Read(content.encode()).conversations
    assert [(talk.conversation_id, said(talk)) for talk in found] == [("88213", ONE), ("88214", TWO)]


@pytest.mark.parametrize("above", ["客服：小夏\n", "Agent: Lin\n用户：雨\n"])
def test_who_takes_part_is_said_above_the_times_and_is_no_message(above):
    timed = "".join(f"10:0{at} {line}\n" for at, line in enumerate(dialogue(ONE).splitlines()))
    assert said(Read((above + timed).encode()).conversation) == ONE
    assert said(Read(dialogue(ONE).encode()).conversation) == ONE


TAGS = {"<user>{}<agent>{}<user>{}", "<user>{}</user><agent>{}</agent><user>{}</user>", "<|user|>{}<|assistant|>{}<|user|>{}", "[user] {} [agent] {} [user] {}", "【用户】{}【客服】{}【用户】{}"}  # fmt: skip


@pytest.mark.parametrize("line", sorted(TAGS))
def test_labels_in_brackets_need_no_colon_in_a_conversation_a_line(line):
    content = "".join(line.format(*(text for _, text in turns)) + "\n" for turns in (ONE, TWO))
    assert [said(found) for found in Read(content.encode()).conversations] == [ONE, TWO]


def test_a_day_in_a_heading_is_no_id():
    content = "".join(f"## 聊天 2026112{at}\n{dialogue(ONE)}" for at in range(2))
    assert [found.conversation_id for found in Read(content.encode()).conversations] == ["log-0:2", "log-0:6"]


def named(user="顾客", agent="客服"):
    return "".join(
        f"[2026-11-21 10:0{at}:00] {user if role == 'user' else agent}: {text}\n" for at, (role, text) in enumerate(ONE)
    )


@pytest.mark.parametrize(("user", "agent"), [("王女士", "客服小夏"), ("顾客", "Ann"), ("林", "Support")])
def test_the_only_unknown_name_is_the_other_sides(user, agent):
    assert said(Read(named(user, agent).encode()).conversation) == ONE


@pytest.mark.parametrize(("user", "agent"), [("王女士", "Ann"), ("林", "小夏")])
def test_two_unknown_names_are_nobodys(user, agent):
    assert "2 unknown names begin 3 of its messages" in Read(named(user, agent).encode()).reject.detail


def test_a_third_name_beside_both_sides_is_nobodys():
    content = named() + "[2026-11-21 10:09:00] 主管: 我来处理\n"
    assert "a name that nobody knows begins 1 of its messages" in Read(content.encode()).reject.detail


def test_a_time_and_a_name_above_all_messages_is_a_heading():
    found = Read(f"[2026-11-23 10:00:00] 导出人: 张\n{named()}".encode()).conversation
    assert said(found) == ONE


def test_rows_below_a_header_are_no_transcript():
    content = "会话ID,开始时间,消息1,消息2\n" + "".join(
        f"c{at},2026-11-21 10:00,用户：在,客服：在\n" for at in range(3)
    )
    assert "no known format" in Read(content.encode()).reject.detail


def test_headings_that_name_the_two_who_speak_part_conversations_and_tell_their_sides():
    talks = [[("user", f"灯不亮了{n}"), ("agent", f"给您换{n}"), ("user", "好")] for n in range(3)]
    text = "\n\n".join(
        f"买家：tb_{n} 客服：晨光家居:小雅\n"
        + "\n".join(
            f"{'晨光家居:小雅' if side == 'agent' else f'tb_{n}'} 2026-11-22 10:0{at}:00\n{words}"
            for at, (side, words) in enumerate(talk)
        )
        for n, talk in enumerate(talks)
    )
    assert [said(conversation) for conversation in Read(text.encode()).conversations] == talks


def test_a_dialogue_in_one_line_is_no_heading():
    text = "".join(f"用户：灯不亮了{n} 客服：给您换{n}\n" for n in range(3))
    assert [len(conversation.turns) for conversation in Read(text.encode()).conversations] == [2, 2, 2]


MARKS = [
    "- - - - -", "* * *", "────────", "━━━━━━", "..........", "++++++++", "&&&&&", "<hr>", "</s>", "<|endoftext|>",
    "[END]", "<END>", "【结束】", "===END===", "--- END ---", "EOF", "会话结束", "本次服务已结束。", "Chat ended", "Session has ended.",
]  # fmt: skip

HEADS = [("对话一：", "对话二："), ("新会话", "新会话"), ("20261122100001", "20261122100002"), ("会话十", "会话十一")]

FIRST, SECOND = "用户：壶漏水\n客服：给您换\n用户：好", "用户：开发票\n客服：已开"


@pytest.mark.parametrize("last", ["", "{mark}\n"])
@pytest.mark.parametrize("mark", MARKS)
def test_read_parts_conversations_at_marks_of_an_end(mark, last):
    found = Read(f"{FIRST}\n{mark}\n{SECOND}\n{last.format(mark=mark)}".encode())
    assert found.rejects == []
    assert [[text for _, text in said(talk)] for talk in found.conversations] == [
        ["壶漏水", "给您换", "好"],
        ["开发票", "已开"],
    ]


@pytest.mark.parametrize("heads", HEADS, ids=" ".join)
def test_read_parts_conversations_at_headings_of_more_kinds(heads):
    found = Read(f"{heads[0]}\n{FIRST}\n\n{heads[1]}\n{SECOND}\n".encode())
    assert [[text for _, text in said(talk)] for talk in found.conversations] == [
        ["壶漏水", "给您换", "好"],
        ["开发票", "已开"],
    ]


@pytest.mark.parametrize("line", ["...", "会话结束了吗", "EOF 是什么", "[END", "13800000001", "++", "新会话怎么开"])
def test_read_takes_what_somebody_types_for_no_end(line):
    found = Read(f"用户：壶漏水\n{line}\n客服：给您换\n".encode()).conversation
    assert said(found) == [("user", f"壶漏水\n{line}"), ("agent", "给您换")]


SIGNS = ["......", "++++++", "%%%%%", "&&&&&", ">>>>>>", "★★★★★"]


@pytest.mark.parametrize("signs", SIGNS)
def test_signs_that_somebody_types_part_nobody_before_both_spoke(signs):
    content = f"顾客：在\n{signs}\n客服：在\n顾客：好"
    assert said(Read(content.encode()).conversation) == [("user", "在"), ("agent", "在"), ("user", "好")]


@pytest.mark.parametrize("signs", SIGNS)
def test_signs_below_a_name_and_a_time_are_what_is_said(signs):
    turns = [("顾客", "在"), ("客服小林", signs), ("顾客", "好")]
    content = "".join(f"{name} 2026-11-22 10:00:0{at}\n{text}\n\n" for at, (name, text) in enumerate(turns))
    assert said(Read(content.encode()).conversation) == [("user", "在"), ("agent", signs), ("user", "好")]
