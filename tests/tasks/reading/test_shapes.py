"""Shapes that people export: each is read as the one conversation that it is, or named."""

import bz2
import io
import json
import lzma
import zipfile

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasks.domain.records import Reason
from tests.builders.logs import Read, said

ASK, TELL, THANK = "水壶漏水了，能换一只吗", "可以换，请把旧的寄回", "好的，马上寄"
TURNS = [("user", ASK), ("agent", TELL), ("user", THANK)]
SIDES = ("user", "agent", "user")


def dump(value):
    return json.dumps(value, ensure_ascii=False).encode()


def messages(wrap=lambda words: words, key="text", sides=SIDES, role="role"):
    return [{role: side, key: wrap(words)} for side, (_, words) in zip(sides, TURNS, strict=True)]


def record(**more):
    return {"conversation_id": "c1", "messages": messages(), **more}


JSON_SHAPES = {
    "text in an object": record(messages=messages(lambda words: {"type": "text", "content": words}, "content")),
    "text in parts": record(messages=messages(lambda words: [{"type": "text", "text": {"value": words}}, {"type": "image"}], "content")),
    "an empty text beside parts": record(messages=[{**message, "content": "", "parts": [{"text": message.pop("text")}]} for message in messages()]),
    "text as JSON in a string": record(messages=messages(lambda words: json.dumps({"type": "message", "data": {"content": words}}), "content")),
    "HTML": record(messages=messages(lambda words: f"<p>{words}</p><img src='x'>")),
    "events among messages": record(messages=[{"type": "join", "time": 1}, *messages(), {"type": "close"}]),
    "a recalled message": record(messages=[*messages()[:1], {"role": "agent", "text": "发错了", "recalled": True}, *messages()[1:]]),
    "a message for agents only": record(messages=[*messages()[:1], {"role": "agent", "text": "查库存", "private": True}, *messages()[1:]]),
    "a note that calls itself one": record(messages=[*messages()[:1], {"role": "agent", "text": "查库存", "type": "internal_note"}, *messages()[1:]]),
    "a whisper": record(messages=[*messages()[:1], {"role": "agent", "text": "查库存", "message_type": "whisper"}, *messages()[1:]]),
    "nothing in a message's place": record(messages=[*messages()[:1], None, *messages()[1:]]),
    "a queue's word": record(messages=[{"role": "queue", "text": "前面还有两位"}, *messages()]),
    "customer and customer_service": record(messages=messages(sides=("customer", "customer_service", "customer"))),
    "a flag of whose it is": record(messages=[{"isFromMe": side == "agent", "text": words} for side, words in TURNS]),
    "a flag of the customer's": record(messages=[{"is_from_customer": side == "user", "text": words} for side, words in TURNS]),
    "text by language": record(messages=messages(lambda words: {"zh-CN": words})),
    "an editor's operations": record(messages=messages(lambda words: {"ops": [{"insert": words[:2]}, {"insert": words[2:]}]}, "content")),
    "a choice that was tapped": record(messages=messages(lambda words: {"type": "button_reply", "button_reply": {"id": "1", "title": words}}, "content")),
    "an id in an object": record(conversation_id={"id": "c1"}),
    "an id as a spreadsheet keeps it": record(conversation_id="'c1"),
    "an id as DynamoDB writes it": record(conversation_id={"S": "c1"}),
    "a tool's call": record(messages=[*messages()[:1], {"role": "function_call", "text": "{}"}, *messages()[1:]]),
    "usr and sys": record(messages=messages(sides=("usr", "sys", "usr"))),
    "nested author": record(messages=messages(sides=[{"type": side} for side in ("end-user", "admin", "end-user")], role="author")),
    "an id as MongoDB writes it": {**record(), "_id": {"$oid": "c1"}},
    "conversations in an object": {"conversations": [record()]},
    "an API's page": {"code": 0, "data": {"total": 1, "list": [record()]}},
    "an object keyed by id": {"c1": {"messages": messages()}},
    "lists of messages keyed by id": {"c1": messages()},
    "messages that name their conversation": {"messages": [{"conversation_id": "c1", **message} for message in messages()]},
    "a conversation in an object": {"status": "ok", "conversation": record()},
    "a search's hit": {"_index": "chat", "_id": "x9", "_source": record()},
    "messages as XML's children": {"root": {"conversation": record(messages={"message": messages()})}},
    "lists of conversations in a list": [[record()]],
    "rows under their numbers": {str(at): {"conversation_id": "c1", **message} for at, message in enumerate(messages())},
    "messages under keys, under ids": {"messages": {"c1": {f"-N{at}": message for at, message in enumerate(messages())}}},
    "an event above the messages": {"results": [{"id": "e", "thread_id": "c1", "type": "ASSIGNMENT"}, *({"thread_id": "c1", **message} for message in messages())]},
    "ids of records and messages by one name": [{"uuid": "c1", "chat_messages": [{"uuid": f"m{at}", **message} for at, message in enumerate(messages())]}],
    "types of values (DynamoDB)": {"Item": {"conversation_id": {"S": "c1"}, "messages": {"L": [{"M": {key: {"S": kept} for key, kept in message.items()}} for message in messages()]}}},
    "types of values (Firestore)": {"documents": [{"fields": {"conversation_id": {"stringValue": "c1"}, "messages": {"arrayValue": {"values": [{"mapValue": {"fields": {key: {"stringValue": kept} for key, kept in message.items()}}} for message in messages()]}}}}]},
    "a question and its answer a row": {"data": [{"conversation_id": "c1", "query": ASK, "answer": TELL}, {"conversation_id": "c1", "query": THANK, "answer": ""}]},
    "turns that name nobody (MultiWOZ)": {"c1": {"goal": {}, "log": [{"text": words, "metadata": {}} for _, words in TURNS]}},
    "a person in an object in an object": record(messages=messages(sides=[{"user": {"id": "7", "displayName": name}} for name in ("顾客小王", "客服小林", "顾客小王")], role="from")),
}  # fmt: skip


@pytest.mark.parametrize("shape", JSON_SHAPES)
@pytest.mark.parametrize("indent", [None, 1])
def test_read_reads_each_shape_of_json(shape, indent):
    if shape == "an id as MongoDB writes it":
        JSON_SHAPES[shape].pop("conversation_id", None)
    found = Read(json.dumps(JSON_SHAPES[shape], ensure_ascii=False, indent=indent).encode()).conversation
    assert (found.conversation_id, said(found)) == ("c1", TURNS)


def test_read_parts_messages_of_several_conversations_in_one_list():
    rows = [{"conversation_id": f"c{n}", **message} for message in messages() for n in range(3)]
    found = Read(dump({"messages": rows})).conversations
    assert [(talk.conversation_id, said(talk)) for talk in found] == [(f"c{n}", TURNS) for n in range(3)]


def test_read_parts_the_messages_of_a_list_in_an_object_by_the_conversations_they_name():
    rows = [{"conversation_id": f"c{n}", **message} for n in range(3) for message in messages()]
    found = Read(dump({"_results": rows})).conversations
    assert [(talk.conversation_id, said(talk)) for talk in found] == [(f"c{n}", TURNS) for n in range(3)]


@pytest.mark.parametrize("pages", [1, 400])
def test_read_streams_a_list_inside_of_an_object_however_long(pages):
    listed = {"data": {"list": [record(conversation_id=f"c{n}", note="x" * 1000) for n in range(pages)]}}
    assert len(Read(dump(listed)).conversations) == pages


@pytest.mark.parametrize("indent", ["", "\n"])
def test_read_says_once_a_file_that_its_records_name_a_key_twice(indent):
    said_twice = '{"conversation_id": "c%d", "messages": [{"role": "user", "text": "旧", "text": "新"},' + indent
    said_twice += ' {"role": "agent", "text": "好"}]}'
    read = Read("\n".join(said_twice % n for n in range(3)).encode())
    assert [said(conversation)[0] for conversation in read.conversations] == [("user", "新")] * 3
    (note,) = read.tally.notes
    assert note.startswith("log-0: records name a key twice ('text'); the last value counts.")
    assert Read(dump(record())).tally.notes == []


@pytest.mark.parametrize("line", ["\x1e{}\n", "{},\n", "  {}\r\n"])
def test_read_reads_records_a_line_whatever_parts_them(line):
    content = "".join(line.replace("{}", dump(record(conversation_id=f"c{n}")).decode()) for n in range(3))
    assert [said(conversation) for conversation in Read(content.encode()).conversations] == [TURNS] * 3


def test_read_leaves_out_the_words_of_somebody_unknown_where_both_sides_speak_and_says_so():
    found = Read(dump(record(messages=[*messages(), {"role": "质检", "text": "记一下"}]))).conversation
    assert (said(found), found.attributes["unread_rows"]) == (TURNS, "1")
    most = Read(dump(record(messages=[*messages(), *[{"role": "质检", "text": "记一下"}] * 2])))
    assert most.reject.reason is Reason.UNREADABLE


TRANSCRIPTS = {
    "a name behind the word": "用户：{}\n客服小美：{}\n用户：{}\n",
    "marks of Markdown": "**User:** {}\n**Agent:** {}\n**User:** {}\n",
    "a list": "- 顾客：{}\n- 客服：{}\n- 顾客：{}\n",
    "a quotation": "> 1. 用戶：{}\n> 2. 客服人員：{}\n> 3. 用戶：{}\n",
    "WhatsApp on Android": "22/11/26, 10:00 - Messages are encrypted\n22/11/26, 10:00 - Customer: {}\n22/11/26, 10:01 - Support: {}\n22/11/26, 10:02 - Customer: {}\n",
    "WhatsApp on iOS": "[11/22/26, 10:00:00 AM] Customer: {}\n[11/22/26, 10:01:00 AM] Support: {}\n[11/22/26, 10:02:00 AM] Customer: {}\n",
    "name and time above the words": "访客 2026-11-22 10:00:00\n{}\n客服小美 2026-11-22 10:01:00\n{}\n访客 2026-11-22 10:02:00\n{}\n",
    "name and clock above the words": "用户 10:00\n{}\n客服小美 10:01:22\n{}\n用户 10:02\n{}\n",
    "name and clock before the words": "用户 (10:00)：{}\n客服（下午1:02）：{}\n用户 10:02:30: {}\n",
    "a canned text in rules": "用户：{}\n客服：{}\n用户：{}\n-----\n本店承诺\n-----\n",
}


@pytest.mark.parametrize("shape", TRANSCRIPTS)
def test_read_reads_labels_however_they_are_decorated(shape):
    found = Read(TRANSCRIPTS[shape].format(ASK, TELL, THANK).encode()).conversation
    assert [(turn.role, turn.text.split("\n")[0]) for turn in found.turns] == TURNS
    assert "preamble" not in found.attributes


@pytest.mark.parametrize(
    "heading",
    [
        "对话{}：",
        "【会话{}】",
        "=== Conversation {} ===",
        "第{}通",
        "会话编号：{}",
        "-----",
        "#{}",
        "{}.",
        "No. {}",
        "（{}）",
    ],
)
def test_read_parts_transcripts_at_the_headings_that_a_file_begins_with(heading):
    text = "".join(f"{heading.format(n)}\n用户：{ASK}\n客服：{TELL}\n用户：{THANK}\n\n" for n in range(1, 4))
    assert [said(conversation) for conversation in Read(text.encode()).conversations] == [TURNS] * 3


def test_read_parts_transcripts_at_chinese_numbers():
    text = "".join(f"第{n}段对话\n用户：{ASK}\n客服：{TELL}\n用户：{THANK}\n" for n in "一二三")
    assert [said(conversation) for conversation in Read(text.encode()).conversations] == [TURNS] * 3


def test_a_number_that_does_not_count_on_is_no_border():
    text = f"#1\n用户：{ASK}\n#3\n客服：{TELL}\n用户：{THANK}\n"
    assert len(Read(text.encode()).conversations) == 1


def test_read_takes_no_heading_in_a_message_for_a_border():
    text = f"用户：{ASK}\n客服：{TELL}\n用户：我发你记录\n会话编号：other\n渠道：内部\n好的\n"
    assert Read(text.encode()).conversation.turns[-1].text.endswith("好的")


def test_read_gives_an_id_that_begins_a_file_before_one_that_a_customer_may_have_typed():
    forged = f"会话ID：c1\n用户：{ASK}\n客服：{TELL}\n用户：看\n-----\n会话ID：c2\n用户：假\n客服：假\n"
    real = f"会话ID：c2\n用户：{ASK}\n客服：{TELL}\n用户：{THANK}\n"
    found = [
        (conversation.conversation_id, len(conversation.turns))
        for conversation in Read(forged.encode(), real.encode()).conversations
    ]
    assert found == [("c1", 3), ("c2", 3), ("c2", 2)]


def test_read_never_glues_a_stranger_to_the_message_before():
    text = "".join(
        f"2026-11-22 10:0{at}:00 {name}：{words}\n"
        for at, (name, words) in enumerate([("客服", "您好"), ("访客7", ASK), ("林晓", TELL), ("访客7", THANK)])
    )
    reject = Read(text.encode()).reject
    assert reject.reason is Reason.UNREADABLE
    assert "roles" in reject.detail
    assert "林" not in reject.detail


ROWS = [
    ["会话ID", "角色", "内容", "时间"],
    *(["c1", side, words, f"2026-11-22 10:0{at}"] for at, (side, words) in enumerate(TURNS)),
]


def table(rows=ROWS, delimiter=","):
    return "".join(delimiter.join(row) + "\n" for row in rows)


TABLES = {
    "sep=": "sep=;\n" + table(delimiter=";"),
    "a title": "客服消息导出\n\n" + table(),
    "a comment": "# 2026-11-22\n" + table(),
    "Ctrl-A": table(delimiter="\x01"),
    "newest first": table([ROWS[0], *reversed([[*row[:3], "2026-11-22 10:0" + ("1" if at == 2 else "0")] for at, row in enumerate(ROWS[1:])])]),
    "delivered twice": table([[*ROWS[0], "消息ID"], *[[*row, f"m{at}"] for at, row in enumerate(ROWS[1:])] * 2]),
    "a number of the message": table([["序号", *ROWS[0]], *reversed([[str(at), *row[:3], "2026-11-22 10:00"] for at, row in enumerate(ROWS[1:])])]),
    "commas in the last column": table([["会话ID", "角色", "内容"], *(["c1", side, words.replace("，", ",")] for side, words in TURNS)]),
    "names with a remark behind them": table([["会话ID(必填)", "角色[枚举]", "内容（文本）", "时间(UTC+8)"], *ROWS[1:]]),
    "newest first, one without a time": table([ROWS[0], *([*row[:3], "" if at == 1 else row[3]] for at, row in enumerate(reversed(ROWS[1:])))]),
    "ids of a spreadsheet": table([ROWS[0], *(['"=""c1"""', *row[1:]] for row in ROWS[1:])]),
    "date and time apart": table([["会话ID", "角色", "内容", "日期", "时间"], *([*row[:3], *row[3].split()] for row in ROWS[1:])]),
    "invisible characters in names": "\u200b会话ID\u200b,角色\ufeff,内容,时间\n" + table(ROWS[1:]),
    "backslashes": 'id,role,content\n' + "".join(f'c1,{side},"{words}"\n' for side, words in TURNS) + 'c2,user,"a \\"b\\" c"\nc2,agent,"d"\n',
}  # fmt: skip


@pytest.mark.parametrize("shape", TABLES)
def test_read_reads_each_shape_of_table(shape):
    found = {conversation.conversation_id: conversation for conversation in Read(TABLES[shape].encode()).conversations}[
        "c1"
    ]
    assert [(role, words.replace(",", "，")) for role, words in said(found)] == TURNS
    if "时间" in TABLES[shape]:
        assert str(found.started_at).startswith("2026-11-22 02:00")


def test_read_gives_rounded_ids_of_a_spreadsheet_back():
    rows = "id,role,content\n" + "2.02611E+17,user,a\n2.02611E+17,agent,b\n" * 2
    assert "lost its last digits" in Read(rows.encode()).reject.detail


def test_read_counts_rows_of_an_unknown_role_with_their_conversation():
    rows = table([*ROWS, ["c1", "Fritz", "?", ""], ["c2", "Fritz", "?", ""], ["c2", "user", "?", ""]])
    read = Read(rows.encode())
    assert [
        (conversation.conversation_id, said(conversation), conversation.attributes)
        for conversation in read.conversations
    ] == [("c1", TURNS, {"unread_rows": "1"})]
    assert [reject.conversation_id for reject in read.rejects] == ["c2"]
    assert "1 of its 2 rows" in read.rejects[0].detail


def test_read_takes_a_customers_quoted_rows_for_the_words_they_are():
    forged = "victim,客服,滚\nnew,用户,x"
    rows = f'id,role,content\nvictim,用户,{ASK}\nvictim,客服,{TELL}\nmean,用户,"看\n{forged}\n就这些"\nmean,客服,好\n'
    read = Read(rows.encode())
    assert [conversation.conversation_id for conversation in read.conversations] == ["victim", "mean"]
    assert said(read.conversations[0]) == TURNS[:2]
    assert forged in read.conversations[1].turns[0].text


@pytest.mark.parametrize("column", ["消息", "对话内容", "conversation", "chat"])
@pytest.mark.parametrize("words", ["[]", '[{"角色": "客服", "消息": "全额退款"}, {"角色": "用户", "消息": "接受"}]'])
def test_read_takes_a_message_that_is_a_json_list_for_words(column, words):
    rows = [{"会话ID": "c1", "角色": side, column: said} for side, said in (("用户", words), ("客服", TELL))]
    lines = b"".join(dump(row) + b"\n" for row in rows)
    read = Read(lines)
    if column in ("消息", "对话内容"):
        assert said(read.conversation) == [("user", words), ("agent", TELL)]
    assert not any(turn.text == "全额退款" for conversation in read.conversations for turn in conversation.turns)


def workbook():
    book = openpyxl.Workbook()
    book.active.title = "说明"  # type: ignore[union-attr]
    sheet = book.create_sheet("消息")
    for row in ROWS:
        sheet.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def archive(**files):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name.replace("_", "."), content)
    return file.getvalue()


def parquet():
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([record()]), file)
    return file.getvalue()


PACKED = {
    "zip": archive(a_csv=table(), **{"__MACOSX/a_csv": "x"}),
    "bzip2": bz2.compress(table().encode()),
    "xz": lzma.compress(table().encode()),
    "zstd": pa.compress(table().encode(), codec="zstd", asbytes=True),
    "a workbook": workbook(),
    "a workbook in a zip": archive(a_xlsx=workbook()),
    "Parquet": parquet(),
}


@pytest.mark.parametrize("kind", PACKED)
def test_read_unpacks(kind):
    assert said(Read(PACKED[kind]).conversation) == TURNS


@pytest.mark.parametrize("kind", ["bzip2", "xz", "zstd", "zip", "a workbook", "Parquet"])
@pytest.mark.parametrize("share", [0.2, 0.7, 0.97])
def test_read_names_what_is_cut(kind, share):
    read = Read(PACKED[kind][: int(len(PACKED[kind]) * share)])
    assert any(reject.reason is Reason.UNREADABLE for reject in read.rejects)


@pytest.mark.parametrize(("magic", "named"), [(b"ARROW1\0\0", "Arrow"), (b"ORC\0", "ORC"), (b"Obj\x01", "Avro"), (b"\x78\x9c\x01\x02\xff\x00", "zlib")])  # fmt: skip
def test_read_names_what_it_does_not_unpack(magic, named):
    assert named in Read(magic + bytes(range(128, 256)) * 4).reject.detail


@pytest.mark.parametrize(
    ("encoding", "words"),
    [
        ("big5", "水壺漏水了，請問什麼時候可以換"),
        ("cp932", "いつ届きますか、教えてください"),
        ("gb18030", "水壶漏水了，什么时候可以换"),
    ],
)
def test_read_decodes_what_is_neither_utf8_nor_gbk_without_a_wrong_sign(encoding, words):
    rows = f"id,role,content\nc1,user,{words}\nc1,agent,{words}\n"
    assert said(Read(rows.encode(encoding)).conversation) == [("user", words), ("agent", words)]


def test_read_keeps_a_row_that_is_cut_within_a_character():
    rows = table().encode().replace("吗".encode(), "吗".encode()[:2])
    assert said(Read(rows).conversation)[0] == ("user", ASK[:-1] + "\ufffd")


def test_read_refuses_what_unpacks_to_more_than_any_log():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed, packed.open("a.csv", "w") as inside:
        for _ in range(300):
            inside.write(bytes(1 << 20))
    assert "unpacks to" in Read(file.getvalue()).reject.detail


def dumped_lines(records):
    return b"\n".join([dump(record) for record in records])


EXPORTED = [{"conversation_id": "c1", **message} for message in messages()]

PROGRAMS: dict[str, list] = {
    "Elasticsearch's bulk": [line for row in EXPORTED for line in ({"index": {"_id": "1"}}, row)],
    "Singer": [{"type": "SCHEMA", "schema": {}}, *({"type": "RECORD", "record": row} for row in EXPORTED), {"type": "STATE", "value": {"at": 1}}],
    "Airbyte": [{"type": "LOG", "log": {"level": "INFO", "message": "x"}}, *({"type": "RECORD", "record": {"data": row}} for row in EXPORTED)],
    "phpMyAdmin": [[{"type": "header", "version": "5"}, {"type": "database", "name": "kf"}, {"type": "table", "data": EXPORTED}]],
    "LangChain": [{"session_id": "c1", "message": json.dumps({"type": side, "data": {"content": words}})} for side, (_, words) in zip(("human", "ai", "human"), TURNS, strict=True)],
}  # fmt: skip


@pytest.mark.parametrize("program", PROGRAMS)
def test_read_takes_no_line_about_the_others_for_a_lost_one(program):
    assert said(Read(dumped_lines(PROGRAMS[program])).conversation) == TURNS


DIALOGUE = f"用户：{ASK}\n客服：{TELL}\n用户：{THANK}"


@pytest.mark.parametrize("more", [{}, {"id": "c1"}])
@pytest.mark.parametrize(
    "asked", [{"instruction": DIALOGUE, "input": ""}, {"instruction": "请作为客服回复", "input": DIALOGUE}]
)
def test_what_data_for_tuning_answers_to_a_dialogue_is_the_agents_last_word(asked, more):
    assert said(Read(dump({**more, **asked, "output": "不客气"})).conversation) == [*TURNS, ("agent", "不客气")]


def test_a_summary_that_data_for_tuning_asks_for_is_nobodys_word():
    assert (
        said(Read(dump({"instruction": "请总结对话", "input": DIALOGUE, "output": "水壶漏水"})).conversation) == TURNS
    )
