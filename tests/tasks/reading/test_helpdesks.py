"""Exports of the trade's helpdesks are read without a setting, each by the mapping of its name."""

import json

import pytest

from tasks.reading.rules.formats import BUILT_IN, load_mappings
from tests.builders.logs import Read, said

ASK, TELL, THANK = "我的台灯不亮了，可以换一盏吗", "可以的，今天给您补发一盏", "好的，辛苦了"
TURNS = [("user", ASK), ("agent", TELL), ("user", THANK)]
SECONDS = 1795312800


def lines(*values):
    return "".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values).encode()


def three(user, agent, *, role="from", text="content", **more):
    return [
        {role: side, text: words, **{name: value(at) for name, value in more.items()}}
        for at, (side, words) in enumerate(zip((user, agent, user), (ASK, TELL, THANK), strict=True))
    ]


def part(author, words, kind="comment", at=1):
    return {"type": "conversation_part", "part_type": kind, "body": f"<p>{words}</p>", "created_at": SECONDS + at,
            "author": {"type": author, "id": "9"}}  # fmt: skip


TICKET = {"id": 71, "requester_id": 5, "via": {"channel": "email"}, "created_at": "2026-11-22T02:00:00Z"}
COMMENTS = [
    {"author_id": author, "plain_body": words, "public": public, "created_at": f"2026-11-22T02:0{at}:00Z"}
    for at, (author, words, public) in enumerate(
        [(5, ASK, True), (8, "内部：先查库存", False), (8, TELL, True), (5, THANK, True)]
    )
]
EVENTS = [
    {"type": "message", "author_id": author, "text": words, "created_at": f"2026-11-22T02:0{at}:00Z"}
    for at, (author, words) in enumerate([("c1", ASK), ("a@shop", TELL), ("c1", THANK)])
]

EXPORTS = {
    "zendesk": lines({**TICKET, "comments": COMMENTS}),
    "intercom": lines(
        {"type": "conversation", "id": "71", "created_at": SECONDS,
         "source": {"type": "conversation", "body": f"<p>{ASK}</p>", "author": {"type": "user"}},
         "conversation_parts": {"type": "conversation_part.list", "conversation_parts": [
             part("admin", "先看看", "note"), part("admin", "", "assignment"), part("admin", TELL), part("user", THANK, at=2)]}},
    ),
    "freshdesk": lines(
        {"id": 71, "subject": "台灯", "description": f"<div>{ASK}</div>", "description_text": ASK, "created_at": "2026-11-22T02:00:00Z",
         "conversations": [
             {"body_text": "内部备注", "incoming": False, "private": True, "user_id": 8, "created_at": "2026-11-22T02:00:30Z"},
             {"body_text": TELL, "incoming": False, "private": False, "user_id": 8, "created_at": "2026-11-22T02:01:00Z"},
             {"body_text": THANK, "incoming": True, "private": False, "user_id": 5, "created_at": "2026-11-22T02:02:00Z"}]},
    ),
    "livechat": json.dumps(
        {"chats": [{"id": "C", "users": [{"id": "c1", "type": "customer"}, {"id": "a@shop", "type": "agent"}],
                    "thread": {"id": "71", "created_at": "2026-11-22T02:00:00Z",
                               "events": [{"type": "system_message", "text": "会话开始"}, *EVENTS]}}], "found_chats": 1},
        ensure_ascii=False).encode(),
    "chatwoot": lines(
        {"id": 1, "conversation_id": 71, "message_type": 0, "private": False, "content": ASK, "created_at": SECONDS},
        {"id": 2, "conversation_id": 71, "message_type": 2, "private": False, "content": "已分配给客服", "created_at": SECONDS + 1},
        {"id": 3, "conversation_id": 71, "message_type": 1, "private": True, "content": "库存够", "created_at": SECONDS + 2},
        {"id": 4, "conversation_id": 71, "message_type": 1, "private": False, "content": TELL, "created_at": SECONDS + 3},
        {"id": 5, "conversation_id": 71, "message_type": 0, "private": False, "content": THANK, "created_at": SECONDS + 4},
    ),
    "crisp": lines(*(
        {"session_id": "71", "type": kind, "from": side, "origin": "chat", "content": words, "fingerprint": at, "timestamp": (SECONDS + at) * 1000}
        for at, (side, words, kind) in enumerate(
            [("user", ASK, "text"), ("operator", "先查库存", "note"), ("operator", TELL, "text"), ("user", THANK, "text")]))),
    "qiyu": lines({"sessionId": 71, "messages": three(1, 0, text="msg", mType=lambda at: 1, time=lambda at: (SECONDS + at) * 1000)}),
    "qiyu-export": "".join(
        f"{row}\n" for row in ["会话ID,来源渠道,访客,发送者类型,消息内容,发送时间", f"71,App,访客7,访客,{ASK},2026/11/22 10:00:00",
                               f"71,App,访客7,客服,{TELL},2026/11/22 10:01:00", f"71,App,访客7,访客,{THANK},2026/11/22 10:02:00"]).encode("gbk"),
    "wechat-kf": json.dumps(
        {"errcode": 0, "next_cursor": "x", "msg_list": [
            {"msgtype": "event", "origin": 4, "send_time": SECONDS, "event": {"event_type": "enter_session", "external_userid": "71"}},
            *({"msgid": f"m{at}", "open_kfid": "wk1", "external_userid": "71", "send_time": SECONDS + at, "origin": origin, "msgtype": "text", "text": {"content": words}}
              for at, (origin, words) in enumerate(((3, ASK), (5, TELL), (3, THANK))))]}, ensure_ascii=False).encode(),
    "meiqia": lines({"conv_id": 71, "agent_nick_name": "小林", "conv_start_tm": "2026-11-22T10:00:00",
                     "conv_content": three("client", "agent", timestamp=lambda at: f"2026-11-22T10:0{at}:00")}),
    "udesk": lines(*(
        {"im_sub_session_id": 71, **row, "created_at": f"2026-11-22 10:0{at}:00"}
        for at, row in enumerate(three("customer", "agent", role="sender")))),
    "zhichi": lines(*({"cid": "71", **row} for row in three(0, 2, role="sender_type", text="msg", t=lambda at: (SECONDS + at) * 1000))),
    "kuaishangtong": lines({"recId": "71", "messages": three("visitor", "worker", role="sender", text="msg", sendTime=lambda at: f"2026-11-22 10:0{at}:00")}),
    "qianniu": "".join(
        f"{row}\n" for row in ["会话ID,买家昵称,客服昵称,发送人,消息内容,发送时间", f"71,tb_z,小林,tb_z,{ASK},2026-11-22 10:00:00",
                               f"71,tb_z,小林,旗舰店:小林,{TELL},2026-11-22 10:01:00", f"71,tb_z,小林,tb_z,{THANK},2026-11-22 10:02:00"]).encode(),
    "jingmai": lines(*({"sid": "71", "customer": "jd_z", "waiter": "shop_a", "waiterSend": at == 1, "content": words, "time": f"2026-11-22 10:0{at}:00"}
                       for at, words in enumerate((ASK, TELL, THANK)))),
}  # fmt: skip


@pytest.mark.parametrize("name", EXPORTS)
def test_read_knows_what_a_helpdesk_exports_without_a_setting(name):
    read = Read(EXPORTS[name])
    assert read.detected[0].format == name
    assert (read.conversation.conversation_id, said(read.conversation)) == ("71", TURNS)
    assert read.conversation.started_at.isoformat().startswith("2026-11-22T02:00:0")


def udesk(kind, sender, words, at):
    envelope = json.dumps({"type": kind, "data": {"content": words}}, ensure_ascii=False)
    return {"sender": sender, "content": envelope, "created_at": f"2026-11-22 10:0{at}:00"}


PAGES = {
    "udesk's log of a session": {"status": 0, "total": 5, "item": [
        udesk("start_session", "agent", "会话开始", 0), udesk("message", "customer", ASK, 0),
        udesk("rich", "agent", TELL, 1), udesk("message", "customer", THANK, 2), udesk("close", "agent", "会话结束", 3)]},
    "旺旺's log of two people": {"chatlog_get_response": {"count": 3, "ret": "10000", "msgs": {"msg": [
        {"direction": side, "content": words, "time": f"2026-11-22 10:0{at}:00"}
        for at, (side, words) in enumerate([(1, ASK), (0, TELL), (1, THANK)])]}}},
    "a chat within an event": {"event": "chat_finished", "chat_id": 71, "visitor": {"name": "雨"}, "chat": {"messages": [
        {"timestamp": SECONDS + at, "type": side, "message": words} for at, (side, words) in enumerate(zip(("visitor", "agent", "visitor"), (ASK, TELL, THANK), strict=True))]}},
    "sides of one letter": {"event": "transcript", "chat": {"id": "71", "visitor": {"name": "雨"}, "messages": [
        {"sender": {"t": side}, "type": "msg", "msg": words, "time": f"2026-11-22T02:00:0{at}Z"}
        for at, (side, words) in enumerate((("s", "小林加入"), ("v", ASK), ("a", TELL), ("v", THANK)))]}},
    "a record with a kind of its own": {"kind": "Conversation", "id": "71", "visitor": {"kind": "Visitor"}, "items": [
        {"kind": f"MessageTo{other}", "body": words, "timestamp": SECONDS + at}
        for at, (other, words) in enumerate((("Operator", ASK), ("Visitor", TELL), ("Operator", THANK)))]},
    "an opener beside embedded threads": {"_embedded": {"conversations": [
        {"id": 71, "threads": 3, "createdBy": {"id": 8, "type": "customer"}, "_embedded": {"threads": [
            {"id": at, "body": f"<p>{words}</p>", "createdBy": {"id": 3, "type": side}, "createdAt": f"2026-11-22T02:0{at}:00Z"}
            for at, (side, words) in reversed(list(enumerate((("customer", ASK), ("user", TELL), ("customer", THANK)))))]}}]}},
    "notes of a ticket as a list": [
        {"body_text": words, "id": at, "incoming": incoming, "private": private, "ticket_id": 71, "created_at": f"2026-11-22T02:0{at}:00Z"}
        for at, (incoming, private, words) in enumerate(((True, False, ASK), (False, True, "先查库存"), (False, False, TELL), (True, False, THANK)))],
    "a messenger's chat with a call in it": {"name": "雨", "id": 71, "messages": [
        {"id": 1, "type": "service", "date": "2026-11-22T10:00:00", "actor": "雨", "action": "phone_call", "text": ""},
        *({"id": 2 + at, "type": "message", "date": f"2026-11-22T10:0{at}:00", "from": name, "text": words}
          for at, (name, words) in enumerate((("雨", ASK), ("蓝河客服小林", [TELL[:3], {"type": "bold", "text": TELL[3:]}]), ("雨", THANK))))]},
    "咚咚's session": {"success": True, "data": [
        {"sid": "71", "waiterSend": side, "content": words, "createdTime": (SECONDS + at) * 1000, "revokeFlag": gone}
        for at, (side, words, gone) in enumerate([(0, ASK, 0), (1, "打错了", 1), (1, TELL, 0), (0, THANK, 0)])]},
}  # fmt: skip


@pytest.mark.parametrize("page", PAGES)
def test_read_takes_an_api_s_page_as_it_came_for_one_conversation(page):
    conversation = Read(json.dumps(PAGES[page], ensure_ascii=False).encode()).conversation
    assert said(conversation) == TURNS
    assert conversation.started_at.isoformat().startswith("2026-11-22T02:00:0")
    names_none = page in ("udesk's log of a session", "旺旺's log of two people")
    assert conversation.conversation_id == ("log-0:1" if names_none else "71")


def test_read_takes_each_thread_of_a_livechat_for_a_conversation():
    chat = json.loads(EXPORTS["livechat"])["chats"][0]
    later = {**chat, "thread": {**chat["thread"], "id": "72"}}
    found = Read(json.dumps({"chats": [chat, later]}, ensure_ascii=False).encode()).conversations
    assert [(talk.conversation_id, talk.attributes["id"]) for talk in found] == [("71", "C"), ("72", "C")]


def test_unconfirmed_names_are_names_of_their_mapping():
    for name, mapping in BUILT_IN.items():
        assert set(mapping.unconfirmed) <= {*mapping.renames, *mapping.match}, name
        assert mapping.source.startswith("https://"), name


def test_read_knows_the_text_that_qianniu_saves():
    text = f"tb_z (2026-11-22 10:00:00):\n{ASK}\n旗舰店:小林 (2026-11-22 10:01:00):\n{TELL}\ntb_z (2026-11-22 10:02:00):\n{THANK}\n"
    assert said(Read(text.encode()).conversation) == TURNS


def test_read_does_not_take_the_numbers_of_steps_in_a_transcript_for_a_helpdesk_s_roles():
    text = f"用户：{ASK}\n客服：请这样做\n0：断电\n1：重启\n2：再看\n用户：{THANK}\n"
    assert said(Read(text.encode()).conversation) == [
        ("user", ASK),
        ("agent", "请这样做\n0：断电\n1：重启\n2：再看"),
        ("user", THANK),
    ]


def test_read_takes_a_shop_that_names_its_customers_otherwise_from_a_mapping_of_three_lines(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text(
        '[own]\ncolumns = { "who.kind" = "role", "talk" = "messages" }\nroles = { "gast" = "user", "*" = "agent" }\n'
    )
    log = {
        "id": "71",
        "talk": [
            {"who": {"kind": side}, "text": words}
            for side, words in zip(("gast", "Anna", "gast"), (ASK, TELL, THANK), strict=True)
        ],
    }
    read = Read(lines(log), mappings=load_mappings(path))
    assert (read.detected[0].format, said(read.conversation)) == ("own", TURNS)
