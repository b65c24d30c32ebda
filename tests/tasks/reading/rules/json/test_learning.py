"""Names in JSON that its values and its structure tell."""

import json
from datetime import UTC, datetime

import pytest

from tasks.reading.rules.json.learning import learn_from
from tasks.reading.rules.vocabulary import Vocabulary
from tests.builders.logs import Read, said

SPOKEN = [("买家", "壶盖裂了，怎么办呢"), ("店小二", "拍张照片给我们看看"), ("买家", "照片已经发过去了")]
TURNS = [("user", SPOKEN[0][1]), ("agent", SPOKEN[1][1]), ("user", SPOKEN[2][1])]


def test_learn_from_finds_the_list_of_messages_under_any_name():
    vocabulary = Vocabulary()
    learn_from([{"session_id": "k1", "明细": [{"role": "user", "text": "在"}]}], vocabulary)
    assert vocabulary.shape(("session_id", "明细")).messages == ("明细",)


def test_learn_from_takes_a_kind_of_author_for_no_speaker_of_messages():
    authors = [{"type": "user", "name": "一位买家"}, {"type": "admin", "name": "店里的小美"}]
    messages = [{"type": "message", "author": author, "body": "壶盖裂了，怎么办"} for author in authors]
    vocabulary = Vocabulary()
    learn_from([{"id": "k1", "messages": messages}], vocabulary)
    assert vocabulary.shape(tuple(messages[0])).role == "author"


def named(record):
    """The vocabulary that a log of such records teaches."""
    vocabulary = Vocabulary()
    learn_from(record, vocabulary)
    return vocabulary


MESSAGE = {"role": "user", "text": "壶盖裂了"}


def test_learn_from_finds_the_id_of_a_conversation_that_holds_its_messages():
    vocabulary = named([{"ContactId": f"x{n}", "messages": [MESSAGE]} for n in range(2)])
    assert vocabulary.shape(("ContactId", "messages")).conversation_id == "ContactId"


def test_learn_from_takes_what_two_conversations_share_for_no_id():
    vocabulary = named([{"shop_id": "s1", "messages": [MESSAGE]} for _ in range(2)])
    assert vocabulary.shape(("shop_id", "messages")).conversation_id == ""


def test_learn_from_finds_the_id_in_an_object_about_the_conversation():
    record = {"conversation": {"id": "c1", "type": "x"}, "messages": [MESSAGE, {"role": "agent", "text": "拍张照片"}]}
    assert Read(json.dumps(record, ensure_ascii=False).encode()).conversation.conversation_id == "c1"


def test_learn_from_prefers_a_conversations_id_to_a_messages_own():
    messages = [
        {"id": f"m{at}", "chatThreadId": "c1", "direction": "INCOMING", "text": words}
        for at, (_, words) in enumerate(SPOKEN)
    ]
    messages[1]["direction"] = "OUTGOING"
    found = Read(json.dumps({"results": messages}, ensure_ascii=False).encode()).conversation
    assert (found.conversation_id, said(found)) == ("c1", TURNS)


@pytest.mark.parametrize("name", ["t", "at", "发送时刻", "utterance_ts", "when"])
def test_learn_from_finds_a_time_by_a_short_name(name):
    messages = [
        {**MESSAGE, name: "2026-11-21 09:00:00"},
        {"role": "agent", "text": "拍张照片", name: "2026-11-21 09:01:00"},
    ]
    found = Read(json.dumps({"id": "c1", "messages": messages}, ensure_ascii=False).encode()).conversation
    assert found.started_at == datetime(2026, 11, 21, 1, 0, tzinfo=UTC)


@pytest.mark.parametrize("actor", [{"kind": "customer"}, {"isStaff": False}, {"is_customer": True}])
def test_a_speaker_is_known_by_what_an_object_says_of_it(actor):
    other = {"customer": "agent", False: True, True: False}
    records = [{"actor": actor, "payload": {"text": words}} for _, words in SPOKEN]
    records[1]["actor"] = {name: other[value] for name, value in actor.items()}
    if "kind" not in actor:
        records = [{"sender": record["actor"], "text": record["payload"]["text"]} for record in records]
    assert said(Read(json.dumps({"id": "c1", "messages": records}, ensure_ascii=False).encode()).conversation) == TURNS


@pytest.mark.parametrize(
    "lines", [["顾客：壶盖裂了", "客服：拍张照片"], ["[10:00] 顾客：壶盖裂了", "[10:01] 客服：拍张照片"]]
)
def test_learn_from_finds_a_list_of_lines(lines):
    found = Read(json.dumps({"chat_id": "c1", "lines": lines}, ensure_ascii=False).encode()).conversation
    assert said(found) == [("user", "壶盖裂了"), ("agent", "拍张照片")]


def test_learn_from_finds_a_dialogue_in_a_text():
    records = [{"Id": f"c{n}", "Body": "<p>Chat</p>Visitor: 壶盖裂了<br>Agent: 拍张照片<br>"} for n in range(2)]
    found = Read("\n".join(json.dumps(record, ensure_ascii=False) for record in records).encode()).conversations
    assert [(talk.conversation_id, said(talk)[1]) for talk in found] == [
        ("c0", ("agent", "拍张照片")),
        ("c1", ("agent", "拍张照片")),
    ]


def dump(*records):
    return "\n".join(json.dumps(record, ensure_ascii=False) for record in records).encode()


def test_a_list_of_messages_within_the_only_element_of_a_list_is_found():
    spoken = [{"purpose": "external" if side == "user" else "internal", "text": words} for side, words in TURNS]
    record = {"conversationId": "c1", "transcripts": [{"phrases": spoken}]}
    found = Read(dump(record)).conversation
    assert (found.conversation_id, said(found)) == ("c1", TURNS)


def test_several_such_lists_are_conversations_without_an_id():
    spoken = [{"purpose": "external" if side == "user" else "internal", "text": words} for side, words in TURNS]
    found = Read(dump({"conversationId": "c1", "transcripts": [{"phrases": spoken}, {"phrases": spoken}]}))
    assert [said(talk) for talk in found.conversations] == [TURNS, TURNS]
    assert "name no id" in found.tally.notes[0]


def test_of_two_ids_of_the_same_values_the_shorter_is_the_conversations():
    records = [
        {"ContactId": f"x{n}", "InitialContactId": f"x{n}", "messages": [MESSAGE, {"role": "agent", "text": "好"}]}
        for n in range(2)
    ]
    assert [found.conversation_id for found in Read(dump(*records)).conversations] == ["x0", "x1"]


def test_an_id_in_an_object_beside_the_messages_is_found():
    records = [
        {"Meta": {"ContactId": f"x{n}"}, "messages": [MESSAGE, {"role": "agent", "text": "好"}]} for n in range(2)
    ]
    assert [found.conversation_id for found in Read(dump(*records)).conversations] == ["x0", "x1"]


def test_a_speaker_and_a_text_within_objects_are_found():
    rows = [
        {"chatMessageId": f"m{n}{at}", "sessionServiceId": f"c{n}", "fromUser": {"userType": "Visitor" if side == "user" else "Agent"},
         "body": {"bodies": [{"type": "txt", "msg": words}]}}
        for n in range(2) for at, (side, words) in enumerate(TURNS)
    ]  # fmt: skip
    assert [(talk.conversation_id, said(talk)) for talk in Read(dump(*rows)).conversations] == [
        ("c0", TURNS),
        ("c1", TURNS),
    ]


SIGNED = [{"role": side, "content": words} for side, words in TURNS]


@pytest.mark.parametrize(
    "record",
    [
        {"id": "c1", "_embedded": {"messages": [{"is_inbound": side == "user", "text": words} for side, words in TURNS]}},
        {"about": {"conversationId": "c1", "n": 3}, "messageRecords": SIGNED},
        {"data": {"msgs": [{"sid": "c1", "fromUser": int(side == "user"), "body": words} for side, words in TURNS] * 2}},
        {"id": "c1", "conversations": "\n".join(f"{'Human' if side == 'user' else 'Assistant'}: {words}" for side, words in TURNS)},
        {"id": "c1", "messages": [{"sender": {"t": "v" if side == "user" else "a"}, "msg": words} for side, words in TURNS]},
        {"id": "c1", "items": [{"kind": f"MessageTo{'Operator' if side == 'user' else 'Visitor'}", "body": words} for side, words in TURNS]},
    ],
)  # fmt: skip
def test_read_keeps_the_id_of_a_conversation_however_deep_its_messages_lie(record):
    if "data" in record:
        other = [{**message, "sid": "c2"} for message in record["data"]["msgs"][:3]]
        record = {"data": {"msgs": [*record["data"]["msgs"][:3], *other]}}
    found = Read(dump(record)).conversations
    assert [talk.conversation_id for talk in found] == (["c1", "c2"] if "data" in record else ["c1"])
    assert {tuple(said(talk)) for talk in found} == {tuple(TURNS)}


def test_a_messages_own_id_gives_way_to_the_conversation_beside_it():
    rows = [
        {"id": f"m{at}", "conversation": {"id": "c1"}, "from": {"role": side}, "text": words}
        for at, (side, words) in enumerate(TURNS)
    ]
    found = Read(dump(*rows)).conversation
    assert (found.conversation_id, said(found)) == ("c1", TURNS)


def test_customers_and_users_of_a_deep_document_are_both_sides():
    threads = [
        {"type": "reply", "body": words, "createdBy": {"type": "customer" if side == "user" else "user"}}
        for side, words in TURNS
    ]
    record = {"_embedded": {"conversations": [{"id": "c1", "_embedded": {"threads": threads}}]}}
    assert said(Read(dump(record)).conversation) == TURNS


def test_names_beside_the_agents_in_rows_are_the_customers():
    rows = [
        {"session_id": f"c{n}", "from": f"王{n}" if side == "user" else "客服小夏", "text": words}
        for n in range(2)
        for side, words in TURNS
    ]
    found = Read(dump(*rows))
    assert [said(talk) for talk in found.conversations] == [TURNS, TURNS]
    assert "only the other side is known" in found.tally.notes[0]
