"""Messages that are signed with an id or a nickname: the conversation says elsewhere whose it is."""

import json

import pytest

from tests.builders.logs import Read, said

TURNS = [("user", "灯罩碎了，能补一个吗"), ("agent", "可以，今天补寄"), ("user", "好，多谢")]

PEOPLE = [{"id": "p1", "kind": "customer"}, {"id": "p2", "kind": "agent"}]


def record(about, signed, key="author"):
    return {"id": "c1", **about, "messages": [{key: signed[side], "text": words} for side, words in TURNS]}


TOLD = {
    "a list of people": record({"people": PEOPLE}, {"user": "p1", "agent": "p2"}, "by"),
    "ids that are numbers": record({"members": [{"uid": 7, "role": "visitor"}, {"uid": 8, "role": "staff"}]}, {"user": 7, "agent": 8}, "by"),
    "the customer's id": record({"requester_id": 5}, {"user": 5, "agent": 9}, "by"),
    "the customer's nickname in an object": record({"visitor": {"username": "g-1"}}, {"user": "g-1", "agent": "kf"}, "username"),
    "the agent's name": record({"assignee": "小夏"}, {"user": "王", "agent": "小夏"}, "nick"),
}  # fmt: skip


@pytest.mark.parametrize("kind", TOLD)
def test_read_tells_sides_by_the_people_of_the_conversation(kind):
    assert said(Read(json.dumps(TOLD[kind], ensure_ascii=False).encode()).conversation) == TURNS


UNTOLD = {
    "nobody is said to be anything": record({"shop": "p1"}, {"user": "p1", "agent": "p2"}, "by"),
    "people of one kind": record({"people": [{"id": "p1", "kind": "customer"}]}, {"user": "p1", "agent": "p2"}, "by"),
    "all messages signed alike": record({"requester_id": 5}, {"user": 5, "agent": 5}, "by"),
    "one of the people signs all": record({"people": PEOPLE}, {"user": "p1", "agent": "p1"}, "by"),
    "people that are not all there": record({"people": PEOPLE}, {"user": "p1", "agent": "p3"}, "by"),
}


@pytest.mark.parametrize("kind", UNTOLD)
def test_read_names_messages_whose_side_nothing_tells(kind):
    assert "name no speaker" in Read(json.dumps(UNTOLD[kind], ensure_ascii=False).encode()).reject.detail


def test_read_tells_no_sides_where_conversations_tell_them_in_different_ways():
    other = record({"people": PEOPLE}, {"user": "p1", "agent": "p2"}, "by") | {"id": "c2"}
    log = [record({"requester_id": 5}, {"user": 5, "agent": 9}, "by"), other]
    assert Read("\n".join(map(json.dumps, log)).encode()).conversations == []


@pytest.mark.parametrize(("user", "agent"), [("客户王", "客服小马"), ("customer", "Ann"), ("王女士", "agent")])
def test_the_only_unknown_role_of_a_conversation_is_the_other_sides(user, agent):
    found = Read(json.dumps(record({}, {"user": user, "agent": agent}, "from")).encode())
    assert said(found.conversation) == TURNS
    assert "only the other side is known" in found.tally.notes[0]


def test_two_unknown_roles_stay_unknown():
    messages = [*record({}, {"user": "王", "agent": "agent"}, "from")["messages"], {"from": "李", "text": "我也是"}]
    assert "a role that is not known" in Read(json.dumps({"id": "c1", "messages": messages}).encode()).reject.detail


def table(*speakers):
    rows = [
        f"c{at},{user if side == 'user' else '客服小夏'},{words}"
        for at, user in enumerate(speakers)
        for side, words in TURNS
    ]
    return "\n".join(["会话ID,发送人,内容", *rows]).encode()


def test_names_beside_the_agents_in_a_table_are_the_customers():
    found = Read(table("王女士", "jd_45a"))
    assert [said(talk) for talk in found.conversations] == [TURNS, TURNS]
    assert "taken for the user's" in found.tally.notes[0]


def test_two_unknown_names_in_one_conversation_of_a_table_are_nobodys():
    assert Read(table("王女士") + "\nc0,李先生,我也是".encode()).conversations == []


def test_names_in_columns_of_both_sides_tell_who_speaks():
    rows = [f"c1,jd_45a,小夏,{'jd_45a' if side == 'user' else '小夏'},{words}" for side, words in TURNS]
    log = "\n".join(["会话ID,顾客账号,客服账号,发送方,内容", *rows]).encode()
    assert said(Read(log).conversation) == TURNS
