"""Messages that the customer never saw, that came twice or stand in the wrong order, and rows without an id."""

import json

import pytest

from tests.builders.logs import Read, said

ASK, TELL, THANK = "水壶漏水了，能换一只吗", "可以换，请把旧的寄回", "好的，马上寄"
TURNS = [("user", ASK), ("agent", TELL), ("user", THANK)]


def messages(*more):
    return [{"role": side, "text": words, **(more[at] if more else {})} for at, (side, words) in enumerate(TURNS)]


def records(found):
    return json.dumps({"conversation_id": "c1", "messages": found}, ensure_ascii=False).encode()


def rows(found, own="c1"):
    lines = [{"conversation_id": own, **message} for message in found]
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode()


def table(found, own="c1"):
    names = [*dict.fromkeys(name for message in found for name in message)]
    body = [",".join([own, *(str(message.get(name, "")) for name in names)]) for message in found]
    return "\n".join([",".join(["conversation_id", *names]), *body, ""]).encode()


FORMATS = [records, rows, table]

UNSEEN = [
    {"type": "note"}, {"msg_type": "system"}, {"消息类型": "系统消息"}, {"status": "draft"}, {"发送状态": "发送失败", "状态": "发送失败"},
    {"deleted_at": "2026-11-22 10:00:30"}, {"deletedAt": 1795312830}, {"撤回时间": "2026-11-22 10:00:30"}, {"is_note": 1},
    {"isRevoke": "true"}, {"removed": True}, {"visible_to": "agents"}, {"deleted_at": "20261122100030"}, {"deletedAt": "1795312830"},
]  # fmt: skip

SEEN = [
    {"type": "text"}, {"deleted_at": ""}, {"deletedAt": 0}, {"is_note": 0}, {"deleted_at": "0000-00-00 00:00:00"},
    {"deleted_at": "0001-01-01T00:00:00Z"}, {"deletedAt": "1970-01-01 08:00:00"}, {"删除时间": "9999-12-31 23:59:59"},
    {"deleted_at": "00000000000000"},
]  # fmt: skip


@pytest.mark.parametrize("write", FORMATS)
@pytest.mark.parametrize("mark", UNSEEN, ids=str)
def test_read_leaves_out_what_no_customer_saw(mark, write):
    found = messages()
    found.insert(1, {"role": "agent", "text": "查库存", **mark})
    assert said(Read(write(found)).conversation) == TURNS


@pytest.mark.parametrize("write", FORMATS)
@pytest.mark.parametrize("mark", SEEN, ids=str)
def test_read_keeps_what_is_marked_as_said(mark, write):
    assert said(Read(write(messages(mark, mark, mark))).conversation) == TURNS


NAMES = ["seq_no", "sequenceNumber", "msgIndex", "turn_idx", "turn", "round", "position", "line_no", "行号", "消息顺序"]


@pytest.mark.parametrize("write", FORMATS)
@pytest.mark.parametrize("name", NAMES)
def test_read_puts_messages_in_the_order_of_their_numbers(name, write):
    found = messages(*({name: at} for at in range(3)))
    assert said(Read(write([found[2], found[0], found[1]])).conversation) == TURNS


@pytest.mark.parametrize("time", [{}, {"time": "2026-11-22 10:00:00"}])
@pytest.mark.parametrize(("write", "name"), [(records, "id"), (records, "msg_id"), (rows, "msg_id"), (table, "msg_id")])
def test_read_turns_messages_whose_ids_count_down(write, name, time):
    found = messages(*({name: at + 100, **time} for at in range(3)))
    assert said(Read(write(found[::-1])).conversation) == TURNS
    assert said(Read(write(found)).conversation) == TURNS


def test_read_takes_a_message_of_a_list_once_by_its_own_id():
    found = messages(*({"id": f"m{at}"} for at in range(3)))
    assert said(Read(records([message for message in found for _ in "12"])).conversation) == TURNS


def test_read_takes_ids_of_speakers_for_no_ids_of_messages():
    found = messages({"id": 7, "time": "2026-11-22 10:00:00"}, {"id": 9}, {"id": 7})
    again = {**found[0], "time": "2026-11-22 10:05:00"}
    assert len(Read(records([*found, again])).conversation.turns) == 4


@pytest.mark.parametrize("write", [rows, table])
@pytest.mark.parametrize("own", ["NULL", "null", "nan", "NaN", "None", "N/A", "-", "undefined", "无", "\\N", "(null)"])
def test_read_takes_the_word_for_no_id_for_none(own, write):
    read = Read(write(messages(), own))
    assert read.conversations == []
    assert "names no conversation" in read.rejects[0].detail


def test_read_gives_a_record_with_a_word_for_no_id_one_of_its_own():
    found = json.dumps({"conversation_id": "null", "messages": messages()}).encode()
    assert [conversation.conversation_id for conversation in Read(found, found).conversations] == ["log-0:1", "log-1:1"]


def test_read_leaves_out_a_row_that_is_a_picture():
    picture = {"conversation_id": "c1", "role": "user", "msgtype": "image", "image": {"md5": "9f"}}
    found = rows(messages({"msgtype": "text"}, {"msgtype": "text"}, {"msgtype": "text"}))
    assert said(Read(found + json.dumps(picture).encode()).conversation) == TURNS


def test_read_knows_who_is_external_in_an_archive():
    """企业微信's staff have ids of their own choice, a customer one that begins with wm."""
    pair = ("wm" + "Ab12" * 7, "LinXia")
    lines = [
        {"msgid": at, "from": pair[side == "agent"], "tolist": [pair[side == "user"]], "msgtype": "text", "text": {"content": words}}
        for at, (side, words) in enumerate(TURNS)
    ]  # fmt: skip
    assert said(Read("\n".join(map(json.dumps, lines)).encode()).conversation) == TURNS


def test_a_reject_names_the_keys_beside_a_text_that_nobody_is_said_to_speak():
    found = "".join(json.dumps({"user": "U1", "text": words}, ensure_ascii=False) + "\n" for _, words in TURNS)
    assert "no name known for a speaker is among user" in Read(found.encode()).rejects[0].detail
