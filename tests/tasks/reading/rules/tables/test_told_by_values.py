"""Columns and keys with names that nobody knows, told by what stands in them."""

import json
from datetime import UTC, datetime

import pytest

from tasks.reading.rules.tables.told_by_values import told_by_values, transcripts_by_values
from tasks.reading.rules.vocabulary import Vocabulary
from tests.builders.logs import Read, said

SPOKEN = [("买家", "壶盖裂了，怎么办呢"), ("店小二", "拍张照片给我们看看"), ("买家", "照片已经发过去了")]
TURNS = [("user", SPOKEN[0][1]), ("agent", SPOKEN[1][1]), ("user", SPOKEN[2][1])]


def rows(who="谁", what="言", when="发出时间", talks=2):
    return [
        {"会话号": f"k{talk}", who: side, what: words, when: f"2026-11-21 09:0{at}:00"}
        for talk in range(talks)
        for at, (side, words) in enumerate(SPOKEN)
    ]


def test_told_by_values_finds_who_speaks_what_and_when():
    assert told_by_values(rows(), Vocabulary()) == {"谁": "role", "言": "text", "发出时间": "time"}


def test_told_by_values_leaves_alone_what_the_names_tell():
    assert told_by_values(rows("角色", "内容", "时间"), Vocabulary()) == {}


@pytest.mark.parametrize("name", ["接待会话号", "chat_session_no", "咨询流水", "ConversationKey"])
def test_told_by_values_knows_an_id_by_its_name(name):
    found = told_by_values([{name: row.pop("会话号"), **row} for row in rows()], Vocabulary())
    assert found[name] == "conversation_id"


@pytest.mark.parametrize("name", ["更新时间", "last_read_time", "订单时间", "birth_date"])
def test_told_by_values_takes_no_other_event_for_the_messages_time(name):
    assert name not in told_by_values(rows(when=name), Vocabulary())


def test_told_by_values_takes_one_of_two_columns_of_speakers_for_neither():
    assert told_by_values([{**row, "另一个": row["谁"]} for row in rows()], Vocabulary()) == {}


def test_told_by_values_takes_of_a_name_and_a_kind_the_kind():
    found = told_by_values(
        [{**row, "Party": "Tom" if row["谁"] == "店小二" else "Ann"} for row in rows()], Vocabulary()
    )
    assert found["谁"] == "role"


def test_told_by_values_takes_no_column_for_a_time_that_mostly_holds_none():
    mixed = [{**row, "发出时间": row["发出时间"] if place % 3 == 0 else "待定"} for place, row in enumerate(rows())]
    assert "time" not in told_by_values(mixed, Vocabulary()).values()


@pytest.mark.parametrize("words", ["ok", "12345678", "k-88-1234", "小美"])
def test_told_by_values_takes_no_codes_or_names_for_what_is_said(words):
    found = told_by_values([{**row, "言": words} for row in rows()], Vocabulary())
    assert "text" not in found.values()


def test_told_by_values_says_nothing_of_a_single_row():
    assert told_by_values(rows()[:1], Vocabulary()) == {}


def test_transcripts_by_values_finds_the_column_of_dialogues():
    cell = "顾客：壶盖裂了\n客服：拍张照片"
    assert (
        transcripts_by_values([{"单号": "1", "摘": "壶", "全程": cell}, {"单号": "2", "摘": "盖", "全程": cell}])
        == "全程"
    )
    assert transcripts_by_values([{"单号": "1", "全程": cell, "备份": cell}]) == ""


@pytest.mark.parametrize("form", ["jsonl", "document", "csv"])
def test_read_reads_names_that_nobody_knows(form):
    log = rows()
    if form == "csv":
        content = "\n".join([",".join(log[0]), *(",".join(row.values()) for row in log)])
    else:
        lines = [json.dumps(row, ensure_ascii=False) for row in log]
        content = "\n".join(lines) if form == "jsonl" else "[\n" + ",\n".join(lines) + "\n]"
    found = Read(content.encode())
    assert [(talk.conversation_id, said(talk)) for talk in found.conversations] == [("k0", TURNS), ("k1", TURNS)]
    assert found.conversations[0].started_at == datetime(2026, 11, 21, 1, 0, tzinfo=UTC)
    assert found.rejects == []


def test_read_says_which_column_it_took_for_what():
    log = rows()
    content = "\n".join([",".join(log[0]), *(",".join(row.values()) for row in log)])
    assert Read(content.encode()).detected[0].note == (
        "谁 is taken for who speaks, by its values; 言 is taken for what is said, by its values; "
        "发出时间 is taken for the time, by its values"
    )


@pytest.mark.parametrize("name", ["Conversation", "session", "会话", "Ticket"])
def test_a_column_of_codes_that_is_called_a_conversation_is_its_id(name):
    log = [{name: row.pop("会话号"), **row} for row in rows("角色", "内容", "时间")]
    content = "\n".join([",".join(log[0]), *(",".join(row.values()) for row in log)])
    assert [talk.conversation_id for talk in Read(content.encode()).conversations] == ["k0", "k1"]


def test_the_column_that_parts_the_rows_into_dialogues_is_the_conversation():
    log = [{"受理": row.pop("会话号"), "门店": "一店", **row} for row in rows()]
    content = "\n".join([",".join(log[0]), *(",".join(row.values()) for row in log)])
    assert [(talk.conversation_id, said(talk)) for talk in Read(content.encode()).conversations] == [
        ("k0", TURNS),
        ("k1", TURNS),
    ]


def test_of_two_columns_that_could_be_the_conversation_none_is():
    log = [{"受理": key, "购买": key, **row} for row in rows() for key in [row.pop("会话号")]]
    content = "\n".join([",".join(log[0]), *(",".join(row.values()) for row in log)])
    assert Read(content.encode()).conversations == []


def test_a_row_is_no_header_however_many_rows_follow():
    read = Read("\n".join(",".join(row.values()) for row in rows()).encode())
    assert [said(conversation) for conversation in read.conversations] == [TURNS, TURNS]
    assert read.detected[0].note == "no header"


@pytest.mark.parametrize("change", [{"谁": "王某"}, {"谁": ""}, {"发出时间": "晚些"}, {"会话号": "k9"}])
def test_a_table_without_a_header_is_named_where_a_meaning_is_not_plain(change):
    log = [rows()[0] | change, *rows()[1:]]
    assert Read("\n".join(",".join(row.values()) for row in log).encode()).conversations == []


@pytest.mark.parametrize(
    "mark", [{"type": "recall"}, {"msg_type": "撤回"}, {"visibility": "internal"}, {"status": "revoked"}]
)
@pytest.mark.parametrize("form", ["list", "rows", "csv"])
def test_a_message_whose_kind_or_state_takes_it_back_is_left_out(mark, form):
    ((name, gone),) = mark.items()
    messages = [{"session_id": "c1", "role": side, "text": words, name: "text"} for side, words in TURNS]
    messages.insert(1, {"session_id": "c1", "role": "agent", "text": "发错了", name: gone})
    if form == "list":
        content = json.dumps({"id": "c1", "messages": messages}, ensure_ascii=False)
    elif form == "rows":
        content = "\n".join(json.dumps(message, ensure_ascii=False) for message in messages)
    else:
        content = "\n".join([",".join(messages[0]), *(",".join(message.values()) for message in messages)])
    assert said(Read(content.encode()).conversation) == TURNS


def test_a_messages_own_id_parts_no_conversations():
    log = [{"id": str(at % 3), "受理": row.pop("会话号"), **row} for at, row in enumerate(rows())]
    assert told_by_values(log, Vocabulary())["受理"] == "conversation_id"


def test_an_id_that_parts_dialogues_stays_the_conversations():
    log = [{"id": row.pop("会话号"), "门店": f"s{at // 3}", **row} for at, row in enumerate(rows())]
    assert "conversation_id" not in told_by_values(log, Vocabulary()).values()


def test_of_two_ids_by_name_the_one_that_messages_share_is_the_conversations():
    log = [{"chatMessageId": f"m{at}", "sessionServiceId": row.pop("会话号"), **row} for at, row in enumerate(rows())]
    assert told_by_values(log, Vocabulary())["sessionServiceId"] == "conversation_id"
