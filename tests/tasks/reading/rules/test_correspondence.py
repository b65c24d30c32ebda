"""Logs that say who writes to whom and name no conversation: the pair, or the room, is the conversation."""

import json

import pytest

from tests.builders.logs import Read, said

SPOKEN = [("user", "壶盖打不开了，怎么办"), ("agent", "您好，我给您登记换新"), ("user", "好，谢谢")]
AGENTS = ("LinYu", "HeQing")
PAIRS = [(f"wx{at:04}k", AGENTS[at % 2]) for at in range(4)]


def letters(pairs=PAIRS):
    """Return the messages of all pairs in turn: sender, receiver, text, time in milliseconds."""
    return [
        (
            *((customer, agent) if side == "user" else (agent, customer)),
            words + "！" * who,
            1_763_800_000_000 + at * 60_000 + who,
        )
        for at, (side, words) in enumerate(SPOKEN)
        for who, (customer, agent) in enumerate(pairs)
    ]


def as_lines(record, pairs=PAIRS):
    return "\n".join(json.dumps(record(*letter), ensure_ascii=False) for letter in letters(pairs)).encode()


def archived(sender, receiver, words, time, **more):
    text = {"msgtype": "text", "text": {"content": words}}
    return {
        "msgid": f"{time}_{sender}",
        "from": sender,
        "tolist": [receiver],
        "roomid": "",
        "msgtime": time,
        **text,
        **more,
    }


def of_an_app(sender, receiver, words, time):
    body = {"bodies": [{"type": "txt", "msg": words}], "ext": {}}
    return {"msg_id": str(time), "timestamp": str(time), "from": sender, "to": receiver, "payload": body}


def with_kinds(sender, receiver, words, time):
    people = {name: {"uid": name, "role": "mall_cs" if name in AGENTS else "user"} for name in (sender, receiver)}
    return {"from": people[sender], "to": people[receiver], "content": words, "ts": time // 1000}


def of_a_table(sender, receiver, words, time):
    return {"fromAccount": sender, "toAccount": receiver, "msgContent": words, "sendTime": time}


def as_table(names):
    rows = [",".join([sender, receiver, words, str(time)]) for sender, receiver, words, time in letters()]
    return "\n".join([names, *rows]).encode()


SAID = [[(side, words + "！" * who) for side, words in SPOKEN] for who in range(4)]

LOGS = {
    "an archive": as_lines(archived),
    "an app's messages": as_lines(of_an_app),
    "objects with a kind": as_lines(with_kinds),
    "accounts": as_lines(of_a_table),
    "a document": json.dumps({"data": [of_a_table(*letter) for letter in letters()]}).encode(),
    "a table": as_table("发送者,接收者,消息,发送时间"),
    "nicknames": as_table("from_nick,to_nick,content,time"),
}


@pytest.mark.parametrize("shape", LOGS)
def test_a_pair_is_a_conversation_and_who_writes_to_many_is_the_agent(shape):
    read = Read(LOGS[shape])
    assert [said(conversation) for conversation in read.conversations] == SAID
    assert {" & ".join(sorted(pair)) for pair in PAIRS} == {talk.conversation_id for talk in read.conversations}
    (note,) = read.tally.notes
    assert note.endswith("all that two people write to each other counts as one.")


def test_a_room_is_a_conversation_whoever_listens():
    def in_room(sender, receiver, words, time):
        room = f"room-{({sender, receiver} - {*AGENTS}).pop()}"
        return archived(sender, receiver, words, time, tolist=[receiver, "Boss"], roomid=room)

    read = Read(as_lines(in_room))
    assert [said(conversation) for conversation in read.conversations] == SAID
    assert {conversation.conversation_id for conversation in read.conversations} == {
        f"room-{name}" for name, _ in PAIRS
    }


def test_a_shops_own_accounts_are_the_agents():
    read = Read(as_lines(of_a_table, [("雨", "蓝河家居:小林")]))
    assert said(read.conversation) == SPOKEN


@pytest.mark.parametrize("pairs", [PAIRS[:1], [("wx1", "LinYu"), ("wx1", "HeQing"), ("wx1", "ZhouMin")]])
def test_names_whose_sides_nothing_tells_are_asked_for(pairs):
    read = Read(as_lines(of_a_table, pairs))
    assert read.conversations == []
    assert "a role that is not known" in read.rejects[0].detail


def test_words_for_the_sides_are_no_names_that_part_conversations():
    sides = {**dict.fromkeys(AGENTS, "客服"), **{name: "客户" for name, _ in PAIRS}}
    read = Read(as_lines(lambda sender, receiver, words, time: of_a_table(sides[sender], sides[receiver], words, time)))
    assert read.conversations == []


def test_a_log_that_names_its_conversations_is_parted_by_them():
    def numbered(sender, receiver, words, time):
        role = "agent" if sender in AGENTS else "user"
        return {"session_id": "s1", "role": role, **of_a_table(sender, receiver, words, time)}

    assert Read(as_lines(numbered, PAIRS[:1])).conversation.conversation_id == "s1"
