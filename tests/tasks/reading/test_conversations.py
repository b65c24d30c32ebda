"""Every format, told apart by content; every line accounted for, whatever it holds."""

import gzip
import json
from datetime import UTC, datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tasks.domain.errors import UsageError
from tasks.domain.records import Reason
from tests.builders.log_shapes import ASK, MESSAGES, SHAPES, TELL, TURNS, conversation, lines, message
from tests.builders.logs import Read, said

MORNING = datetime(2026, 11, 22, 0, 1, 2, tzinfo=UTC)


@pytest.mark.parametrize("log_format", SHAPES)
@pytest.mark.parametrize("asked", ["auto", "itself"])
def test_read_conversations_tells_each_format_by_its_content(log_format, asked):
    read = Read(SHAPES[log_format], log_format="auto" if asked == "auto" else log_format)
    assert read.all[0] is read.detected[0]
    assert read.detected[0].format == log_format
    assert said(read.conversation) == TURNS
    if log_format != "jsonl-sft":
        assert read.conversation.conversation_id == "c1"
    if b"22" in SHAPES[log_format] or b"1795305662" in SHAPES[log_format]:
        assert read.conversation.started_at == MORNING


@pytest.mark.parametrize("log_format", SHAPES)
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030", "gbk"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_read_conversations_reads_every_encoding_and_line_end(log_format, ends, encoding, pack):
    text = SHAPES[log_format].decode().replace("\n", ends)
    read = Read(pack(text.encode(encoding)))
    assert said(read.conversation) == TURNS
    expected = {"utf-8-sig": "utf-8", "gbk": "gb18030"}.get(encoding, encoding)
    assert (read.detected[0].encoding, read.detected[0].compressed) == (expected, pack is gzip.compress)


@pytest.mark.parametrize("log_format", ["jddc", "jsonl-transcripts", "jsonl-messages", "jsonl-conversations"])
def test_read_conversations_finds_gbk_behind_much_ascii(log_format):
    padding = {
        "jddc": "p{n}\tU\t0\t0\t0\tnan\tok\n",
        "jsonl-transcripts": '{{"id": "p{n}", "conversation": "user: ok agent: fine"}}\n',
        "jsonl-messages": '{{"conversation_id": "p{n}", "role": "user", "text": "ok"}}\n',
        "jsonl-conversations": '{{"id": "p{n}", "messages": [{{"role": "user", "text": "ok"}}]}}\n',
    }[log_format]
    head = "".join(padding.format(n=n) for n in range(600_000 // len(padding)))
    read = Read(head.encode() + SHAPES[log_format].decode().encode("gbk"))
    assert said(next(c for c in read.conversations if c.conversation_id == "c1")) == TURNS


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
@pytest.mark.parametrize("shift", range(6))
def test_read_conversations_is_not_fooled_by_a_character_at_the_border_of_what_it_looks_at(encoding, shift):
    ascii_line = json.dumps({"id": "p", "note": "x" * 1000}).encode() + b"\n"
    filler = ascii_line * 300
    filler = filler[: (1 << 18) - 40 - shift].rsplit(b"\n", 1)[0]
    room = (1 << 18) - shift - len(filler) - 1 - len('{"id": "c1", "messages": [{"role": "user", "text": "')
    first = json.dumps(conversation(1), ensure_ascii=False).encode(encoding)
    padded = filler + b"\n" + b" " * max(room, 0) + first
    read = Read(padded)
    assert read.detected[0].encoding == encoding
    assert said(read.conversations[-1]) == TURNS


def test_read_conversations_keeps_what_else_a_conversation_says():
    read = Read(lines(conversation(1, 渠道="小程序", vip=True, score=4.5, tags=["a", "b"], skill=None, shop="一店")))
    assert read.conversation.channel == "小程序"
    assert read.conversation.attributes == {"vip": "true", "score": "4.5", "tags": '["a","b"]', "shop": "一店"}


def test_read_conversations_leaves_the_jddc_user_and_missing_products_out():
    rows = f"s\tU7\t0\t1\t0\tnan\t{ASK}\ns\tU7\t1\t1\t0\t1234\t{TELL}\n"
    assert Read(rows.encode()).conversation.attributes == {"is_transfer": "1", "is_repeat": "0", "sku": "1234"}


@pytest.mark.parametrize(
    ("user", "agent"),
    [("customer", "assistant"), ("用户", "客服"), ("顾客", "机器人"), ("Buyer", "SELLER"), ("visitor", "在线客服007"),
     ("用户_18", "客服小林"), ("访客", "bot"), ("client", "agent-3")],
)  # fmt: skip
def test_read_conversations_knows_roles_by_their_common_names(user, agent):
    rows = [
        {"speaker": user, "content": ASK},
        {"speaker": "system", "content": "排队"},
        {"speaker": agent, "content": TELL},
    ]
    assert said(Read(lines({"session_id": 7, "turns": rows})).conversation) == TURNS


def test_read_conversations_rejects_a_role_it_does_not_know_without_repeating_it():
    rows = [{"role": "user", "text": ASK}, {"role": "林小姐", "text": TELL}, {"role": "王小姐", "text": TELL}]
    reject = Read(lines({"id": 7, "messages": rows}, conversation(1))).rejects[0]
    assert (reject.reason, reject.line, reject.conversation_id) == (Reason.UNREADABLE, 1, "7")
    assert "message 2" in reject.detail
    assert "林" not in reject.detail


def test_read_conversations_rejects_the_empty_and_the_one_sided_with_their_lines():
    quiet = {"id": "q", "messages": [{"role": "user", "text": " "}, {"role": "system", "text": "欢迎"}]}
    alone = {"id": "a", "messages": [{"role": "user", "text": ASK}]}
    read = Read(lines(conversation(1)) + b"\n\n" + lines(quiet, alone))
    found = [(reject.conversation_id, reject.reason, reject.line) for reject in read.rejects]
    assert found == [("q", Reason.EMPTY, 4), ("a", Reason.ONE_SIDED, 5)]


def test_read_conversations_makes_stable_ids_where_there_are_none():
    bare = {"messages": MESSAGES}
    content = lines(bare, bare) + json.dumps([bare, bare], ensure_ascii=False).encode()
    first, again = Read(content), Read(content)
    ids = [found.conversation_id for found in first.conversations]
    assert ids == ["log-0:1", "log-0:2", "log-0:3", "log-0:3:2"]
    assert first.all == again.all


def test_read_conversations_groups_messages_over_all_objects():
    first = lines(message("a", "user", "一"), message("b", "user", "甲"), message("a", "agent", "二"))
    second = lines(message("b", "agent", "乙"), message("a", "user", "三"))
    read = Read(first, lines(conversation(1)), second)
    assert [found.conversation_id for found in read.conversations] == ["c1", "a", "b"]
    assert [turn.text for turn in read.conversations[1].turns] == ["一", "二", "三"]
    assert (read.conversations[2].source_uri, read.conversations[2].line) == ("log-0", 2)


def test_read_conversations_orders_messages_by_time_and_keeps_one_without_behind_the_one_before_it():
    late, early = "2026-11-22 09:00:00", "2026-11-22 08:00:00"
    timed = [message("a", "user", "二", time=late), message("a", "agent", "一", time=early)]
    assert [turn.text for turn in Read(lines(*timed)).conversation.turns] == ["一", "二"]
    assert Read(lines(*timed)).conversation.started_at == datetime(2026, 11, 22, tzinfo=UTC)
    untimed = [*timed, message("a", "user", "三", time="上午")]
    assert [turn.text for turn in Read(lines(*untimed)).conversation.turns] == ["一", "三", "二"]


def test_read_conversations_keeps_line_numbers_over_quoted_fields():
    rows = (
        f'id,role,text\nc1,user,"{ASK}\n第二行, 还有""引号"""\nc1,agent,"{TELL}"\nragged\nc2,user,在吗\nc2,agent,在\n'
    )
    read = Read(rows.encode())
    assert said(read.conversations[0])[0] == ("user", f'{ASK}\n第二行, 还有"引号"')
    assert [found.line for found in read.conversations] == [2, 6]
    assert [(reject.line, reject.reason) for reject in read.rejects] == [(5, Reason.UNREADABLE)]


def test_read_conversations_loses_only_the_line_of_a_quote_that_never_closes():
    rows = [f"c{n},{role},{'“' if n != 3 else chr(34)}text" for n in range(2001) for role in ("user", "agent")]
    rows[4001] = 'c2000,agent,"text"'
    read = Read(("id,role,text\n" + "\n".join(rows)).encode())
    assert len(read.conversations) == 2001


def test_read_conversations_takes_rows_without_any_content_for_blank_lines():
    read = Read(f"id,role,text\nc1,user,{ASK}\n,,\nc1,agent,{TELL}\n,,\n".encode())
    assert said(read.conversation) == TURNS


def test_read_conversations_rejects_ragged_rows_but_not_delimiters_too_many():
    read = Read(f"id,text,role,x\nc1,{ASK},user,1,,\nc1,{TELL},agent,1\nc1,a,b,c,d\nc1,user\n".encode())
    assert said(read.conversations[0]) == TURNS
    assert [(reject.reason, reject.line) for reject in read.rejects] == [(Reason.UNREADABLE, 4), (Reason.UNREADABLE, 5)]


def test_read_conversations_recognizes_rows_that_are_longer_than_what_it_looks_at():
    rows = "".join(f"s\tU\t{at % 2}\t0\t0\tnan\t{'好' * 40_000}\n" for at in range(4))
    assert Read(rows.encode()).detected[0].format == "jddc"


def test_read_conversations_reads_a_stray_quote_as_text():
    rows = 'id,role,text\nc1,user,"5寸" 的屏幕 6" 的也行\nc1,agent,"好\nc2,user,在吗\nc2,agent,在\n'
    read = Read(rows.encode())
    assert {found.conversation_id for found in read.conversations} == {"c1", "c2"}


@pytest.mark.parametrize("indent", [None, 2])
def test_read_conversations_reads_a_json_document(indent):
    listed = json.dumps(
        [conversation(1), conversation(2), {"x": 1}, conversation(3)], ensure_ascii=False, indent=indent
    )
    read = Read(listed.encode())
    assert [found.conversation_id for found in read.conversations] == ["c1", "c2", "c3"]
    assert len(read.rejects) == 1
    if indent:
        assert [found.line for found in read.conversations] == [2, 16, 33]


def test_read_conversations_says_from_where_a_json_document_is_cut():
    listed = json.dumps([conversation(1), conversation(2)], ensure_ascii=False, indent=1)[:-30]
    read = Read(listed.encode())
    assert [found.conversation_id for found in read.conversations] == ["c1"]
    assert [(reject.reason, reject.line) for reject in read.rejects] == [(Reason.UNREADABLE, 16)]


def test_read_conversations_takes_a_list_of_bare_messages_for_one_conversation():
    assert said(Read(json.dumps(MESSAGES, indent=1).encode()).conversation) == TURNS
    assert said(Read(lines(MESSAGES)).conversation) == TURNS


@pytest.mark.parametrize("content", ["会话ID,角色,内容\n", "session_id\tsender\tcontent", "id;role;text\r\n\r\n"])
def test_read_conversations_says_that_a_header_has_nothing_below_it(content):
    read = Read(content.encode())
    assert "a header without a row" in read.detected[0].note
    assert read.all == read.detected


@settings(deadline=None)
@given(st.lists(st.sampled_from(["name", "name (2)", "content", "会话ID", "角色", "渠道", "", "note"]), max_size=9))
@example(["name", "name", "name (2)", "", ""])
def test_read_conversations_loses_no_column_of_a_table(more):
    header = ["会话ID", "角色", "content", *more]
    values = [f"v{at}" for at in range(len(more))]
    rows = [["c1", "用户", ASK, *values], ["c1", "客服", TELL, *values]]
    found = Read("\n".join(",".join(row) for row in [header, *rows]).encode()).conversation
    assert (found.conversation_id, said(found)) == ("c1", TURNS)
    assert sorted([*found.attributes.values(), *filter(None, [found.channel])]) == sorted(values)


def test_read_conversations_names_columns_of_one_name_apart():
    table = f"id,role,text,name,text,,name\nc1,用户,{ASK},甲,译文,9,乙\nc1,客服,{TELL},甲,,,乙\n"
    attributes = Read(table.encode()).conversation.attributes
    assert attributes == {"name": "甲", "name (2)": "乙", "text (2)": "译文", "column 6": "9"}


def test_read_conversations_mends_half_an_emoji_and_what_strict_json_refuses():
    content = (
        b'{"id": "c1", "score": NaN, "note": "a\tb", "messages": [{"role": "user", "text": "\\ud83d"},'
        b' {"role": "agent", "text": "ok\\ud83d\\ude00"}]}'
    )
    found = Read(content).conversation
    assert said(found) == [("user", "\ufffd"), ("agent", "ok😀")]
    assert found.attributes == {"note": "a\tb"}


def test_read_conversations_keeps_ids_apart_that_are_numbers_of_many_digits():
    ids = [20261122000000000000001, 20261122000000000000002]
    for key, said_by_user in (("messages", [{"role": "user", "text": "a"}]), ("conversation", "用户：在吗")):
        rejects = Read(lines(*({"id": name, key: said_by_user} for name in ids))).rejects
        assert [reject.conversation_id for reject in rejects] == list(map(str, ids))
    messages = lines(*({"session_id": name, "role": "user", "text": "a"} for name in ids))
    assert {reject.conversation_id for reject in Read(messages).rejects} == set(map(str, ids))


@pytest.mark.parametrize(
    "record",
    [{"messages": 5}, {"messages": ["x"]}, {"messages": [5]}, {"messages": [{"role": "?"}]}, {"messages": []}, {"note": "x"},
     {"conversation": "nobody speaks"}, {"role": "?", "text": "x"}, {"prompt": "x"}, {"entity_content": "{"}],
)  # fmt: skip
def test_read_conversations_names_what_it_can_not_use(record):
    for name, content in (("c7", lines({"id": "c7", **record})), ("8", json.dumps([{"id": 8, **record}]).encode())):
        assert Read(content + lines(conversation(1))).rejects[0].conversation_id == name
    assert Read(lines({"id": "c7", "messages": MESSAGES}), log_format="jsonl-sft").reject.conversation_id == "c7"


def test_read_conversations_ignores_nuls_and_marks_inside():
    content = b"\0\0" + lines(conversation(1)) + b"\0\0\0\n" + "\ufeff".encode() + lines(conversation(2))
    read = Read(content)
    assert len(read.conversations) == 2
    assert read.rejects == []


def test_read_conversations_refuses_a_format_that_is_none():
    with pytest.raises(UsageError, match=r"no log format 'xml'; there are auto, .*jddc"):
        Read(b"", log_format="xml")


def test_read_conversations_rejects_a_file_that_is_not_of_the_format_asked_for():
    assert "csv" in Read(SHAPES["jsonl-conversations"], log_format="csv").reject.detail
    assert Read(SHAPES["csv"], log_format="jddc").reject.reason is Reason.UNREADABLE
    assert "jsonl-sft" in Read(SHAPES["jsonl-messages"], log_format="jsonl-sft").reject.detail


def test_read_conversations_reads_transcripts_in_one_file_parted_by_rules_and_headings():
    text = (
        f"会话编号：a1\n渠道：电话\n时间：2026-11-22 08:01:02\n用户：{ASK}\n  再问一句\n客服：{TELL}\n"
        f"会话编号：a2\n[08:10] 顾客: {ASK}\n[08:11] 客服(小林): {TELL}\n-----\n客户：{ASK}\n坐席：{TELL}\n"
    )
    first, second, third = Read(text.encode()).conversations
    assert (first.conversation_id, first.channel, first.started_at, first.line) == ("a1", "电话", MORNING, 4)
    assert first.turns[0].text == f"{ASK}\n  再问一句"
    assert (second.conversation_id, said(second), second.line) == ("a2", TURNS, 8)
    assert (third.conversation_id, said(third), third.line) == ("log-0:11", TURNS, 11)


def test_read_conversations_reads_a_transcript_a_line():
    read = Read(f"用户：{ASK}客服：{TELL}\n".encode() * 3)
    assert [said(found) for found in read.conversations] == [TURNS] * 3
    assert [found.line for found in read.conversations] == [1, 2, 3]


def test_read_conversations_reads_a_row_of_a_platform_data_set():
    content = json.dumps(json.loads(SHAPES["jsonl-sft"]), ensure_ascii=False)
    read = Read(lines({"entity_id": "e9", "entity_content": content}))
    assert (read.conversation.conversation_id, said(read.conversation)) == ("e9", TURNS)


# Whatever is put into a file, every record of it comes out: as its conversation, or as a reject with its line.
