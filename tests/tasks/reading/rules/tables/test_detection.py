"""Tables as databases, spreadsheets and people write them."""

import pytest

from tests.builders.logs import Read, said

SPOKEN = [("顾客", "表带断了"), ("客服", "给您换一条"), ("顾客", "行")]
TURNS = [("user", "表带断了"), ("agent", "给您换一条"), ("user", "行")]
HEADER = ["会话ID", "角色", "内容", "时间"]


def rows(talks=2, time="2026-11-21 1{talk}:0{at}:00"):
    return [
        [f"c{talk}", side, words, time.format(talk=talk, at=at)]
        for talk in range(talks)
        for at, (side, words) in enumerate(SPOKEN)
    ]


def table(delimiter=",", body=None, header=HEADER):
    return "\n".join(delimiter.join(row) for row in [header, *(rows() if body is None else body)])


def check(found):
    assert found.rejects == []
    assert [(talk.conversation_id, said(talk)) for talk in found.conversations] == [("c0", TURNS), ("c1", TURNS)]
    assert found.tally.notes == []


@pytest.mark.parametrize("delimiter", ["~|~", "||", "|||", "|@|", "^^", "^", "~", "\x01", "\x02", "\x1f", "::", "，"])
def test_a_delimiter_is_found_however_unusual(delimiter):
    body = rows(time="2026-11-21 1{talk}.0{at}.00") if delimiter == "::" else rows()
    found = Read(table(delimiter, body).encode())
    assert [(talk.conversation_id, said(talk)) for talk in found.conversations] == [("c0", TURNS), ("c1", TURNS)]


@pytest.mark.parametrize("delimiter", ["||", "|~|"])
def test_quotes_around_all_fields_are_no_text_whatever_parts_them(delimiter):
    lines = table(",", rows()).splitlines()
    quoted = "\n".join(delimiter.join(f'"{field}"' for field in line.split(",")) for line in lines)
    found = Read(quoted.encode())
    assert [(talk.conversation_id, said(talk)) for talk in found.conversations] == [("c0", TURNS), ("c1", TURNS)]


@pytest.mark.parametrize(
    "line",
    [
        "---,---,---,---",
        "合计,,6,",
        "总计：6 条,,,",
        "Total,6,,",
        "session_id,sender,content,send_time",
        "====,====,====,====",
    ],
)
def test_a_line_that_is_no_row_is_passed_over(line):
    lines = table().split("\n")
    check(Read("\n".join([lines[0], line, *lines[1:]]).encode()))
    check(Read("\n".join([*lines, line]).encode()))


def test_a_table_of_markdown_is_read():
    lines = [f"| {' | '.join(row)} |" for row in [HEADER, *rows()]]
    check(Read("\n".join([lines[0], "|---|:--:|---|---|", *lines[1:]]).encode()))


@pytest.mark.parametrize("header", [["dialog_id", "utterance"], ["会话编号", "聊天记录"]])
def test_a_message_a_row_with_its_label_is_read(header):
    check(Read(table(header=header, body=[[own, f"{side}：{words}"] for own, side, words, _ in rows()]).encode()))


@pytest.mark.parametrize("name", [HEADER[0], "会话"])
def test_a_blank_id_is_that_of_the_row_above_where_most_are(name):
    body = [[row[0] if at % 3 == 0 else "", *row[1:]] for at, row in enumerate(rows())]
    found = Read(table(body=body).encode().replace(HEADER[0].encode(), name.encode(), 1))
    check(found)
    assert "a blank id is that of the row above" in found.detected[0].note


def test_a_single_blank_id_is_a_fault():
    body = [["" if at == 4 else row[0], *row[1:]] for at, row in enumerate(rows(4))]
    assert "names no conversation" in Read(table(body=body).encode()).rejects[0].detail


@pytest.mark.parametrize(
    "header",
    [
        ["会话ID", "时间", "客户消息", "客服回复"],
        ["session_id", "time", "user_message", "agent_message"],
        ["会话ID", "时间", "问题", "回答"],
    ],
)
def test_a_column_for_each_side_gives_two_messages_a_row(header):
    body = [
        [f"c{n}", f"2026-11-21 1{n}:0{at}:00", *texts]
        for n in range(2)
        for at, texts in enumerate([("表带断了", "给您换一条"), ("行", "")])
    ]
    found = Read(table(header=header, body=body).encode())
    check(found)
    assert found.conversations[0].attributes == {}


def test_what_a_database_dumps_is_read_as_it_was():
    body = [[*row[:2], row[2] + r"\n\N第二行\t完", row[3]] for row in rows()]
    (first, _) = Read(table("\t", body).encode()).conversations
    assert first.turns[0].text == "表带断了\n第二行\t完"


def test_a_path_of_windows_is_no_escape():
    body = [[*row[:2], rf"{row[2]}\nC:\new", row[3]] for row in rows()]
    assert Read(table("\t", body).encode()).conversations[0].turns[0].text == "表带断了\n" + r"C:\new"


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_messages_of_one_minute_are_turned_around_where_the_newest_stands_first(form):
    body = rows(time="2026-11-21 1{talk}:00")[::-1]
    if form == "csv":
        found = Read(table(body=body).encode())
        assert "the newest row stands first" in found.detected[0].note
    else:
        lines = ('{{"会话ID":"{}","角色":"{}","内容":"{}","时间":"{}"}}'.format(*row) for row in body)
        found = Read("\n".join(lines).encode())
    assert {talk.conversation_id: said(talk) for talk in found.conversations} == {"c0": TURNS, "c1": TURNS}


def test_messages_of_one_minute_stay_as_they_are_where_nothing_tells_their_order():
    body = rows(1, time="2026-11-21 1{talk}:00")
    assert said(Read(table(body=body).encode()).conversation) == TURNS


def test_cells_that_hold_dialogues_are_found_under_any_name():
    body = [[f"c{n}", "顾客：表带断了<br>客服：给您换一条<br>顾客：行"] for n in range(2)]
    check(Read(table(header=["会话ID", "原文"], body=body).encode()))


def test_a_table_in_apostrophes_is_read():
    lines = [",".join(f"'{field}'" for field in row) for row in [HEADER, *rows()]]
    check(Read("\n".join(lines).encode()))


@pytest.mark.parametrize(("name", "side"), [("买家昵称", "顾客"), ("客服账号", "客服")])
def test_a_nickname_is_told_by_the_column_that_names_one_side(name, side):
    nick = {"顾客": "tb_1", "客服": "某某店:小美"}
    body = [[row[0], nick[side], nick[row[1]], *row[2:]] for row in rows()]
    found = Read(table(header=["会话ID", name, "发送人", "内容", "时间"], body=body).encode())
    check(found)
    assert f"where it is {name}" in found.detected[0].note


def test_a_system_among_nicknames_stays_the_system():
    body = [[row[0], "tb_1", {"顾客": "tb_1", "客服": "某某店:小美"}[row[1]], *row[2:]] for row in rows(1)]
    body.insert(1, ["c0", "tb_1", "系统", "客服小美接入", "2026-11-21 10:00:30"])
    found = Read(table(header=["会话ID", "买家昵称", "发送人", "内容", "时间"], body=body).encode())
    assert said(found.conversation) == TURNS


@pytest.mark.parametrize(
    "cell", ['{{"text": "{}"}}', '{{"type": "txt", "content": "{}"}}', '{{"event": 1, "text": "{}", "n": 2}}']
)
def test_texts_that_are_all_json_are_taken_out_of_it(cell):
    body = [[key, side, cell.format(words), when] for key, side, words, when in rows()]
    found = Read(table("\t", body).encode())
    check(found)
    assert "its texts are taken out of JSON" in found.detected[0].note


def test_a_text_of_json_among_others_stays_what_was_typed():
    body = [
        [key, side, '{"n": 1, "text": "x"}' if side == "顾客" else words, when] for key, side, words, when in rows(1)
    ]
    assert said(Read(table("\t", body).encode()).conversation)[0] == ("user", '{"n": 1, "text": "x"}')
