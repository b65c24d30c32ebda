"""Chats that a system exports as XML."""

from datetime import UTC, datetime

import pytest

from tasks.reading.rules.objects.xml_values import DamagedXml, is_xml, values_of_xml
from tests.builders.logs import Read, said

ONE = [("user", "杯盖漏水"), ("agent", "给您换新"), ("user", "好")]
TWO = [("user", "发票抬头错了"), ("agent", "请发抬头"), ("user", "稍等")]
CHATS = {"c1": ONE, "c2": TWO}


def chats(root, chat, message, end="", begin='<?xml version="1.0" encoding="{}"?>\n'):
    talks = [
        chat.format(id=name, said="".join(
            message.format(side={"user": "visitor"}.get(side, "operator"), words=words, time=f"2026-11-21 10:0{at}:00")
            for at, (side, words) in enumerate(turns)))
        for name, turns in CHATS.items()
    ]  # fmt: skip
    return f"{begin}<{root}>\n{''.join(talks)}{end}</{root.split()[0]}>\n"


DOCUMENTS = {
    "attributes": chats("chats", '<chat id="{id}">{said}</chat>', '<message from="{side}" time="{time}">{words}</message>\n'),
    "elements": chats("ArrayOfChat", "<Chat><ChatId>{id}</ChatId><Messages>{said}</Messages></Chat>",
                      "<Message><SenderType>{side}</SenderType><Body><![CDATA[{words}]]></Body><SentAt>{time}</SentAt></Message>"),
    "a namespace": chats('x:export xmlns:x="urn:shop" made="2026-11-22"', '<x:session x:id="{id}">{said}</x:session>',
                         '<x:msg x:sender="{side}" x:at="{time}">{words}</x:msg>'),
    "messages that name their conversation": chats("log", "{said}", "<m><sid>{{id}}</sid><role>{side}</role><text>{words}</text><time>{time}</time></m>"),
    "a dump's fields": chats("resultset", "{said}", '<row><field name="sid">{{id}}</field><field name="role">{side}</field><field name="text">{words}</field><field name="time">{time}</field></row>'),
    "no declaration": chats("chats", '<chat id="{id}">{said}</chat>', '<message from="{side}" time="{time}">{words}</message>', begin=""),
    "a footer": chats("chats", '<chat id="{id}">{said}</chat>', '<message from="{side}" time="{time}">{words}</message>', "<total>2</total>"),
}  # fmt: skip


def document(name):
    """The text of a document; each message names its conversation where the conversations have no element."""
    text = DOCUMENTS[name]
    for at in CHATS:
        text = text.replace("{id}", at, 3)
    return text


@pytest.mark.parametrize("name", DOCUMENTS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb2312", "utf-16"])
def test_read_reads_the_chats_of_a_document(name, encoding):
    found = Read(document(name).replace("{}", encoding.removesuffix("-sig"), 1).encode(encoding)).conversations
    assert [(talk.conversation_id, said(talk)) for talk in found] == list(CHATS.items())
    assert [talk.started_at for talk in found] == [datetime(2026, 11, 21, 2, 0, tzinfo=UTC)] * 2


def test_what_is_whole_before_the_damage_is_read_and_the_rest_is_named():
    content = document("attributes").replace("{}", "utf-8")
    cut = content.index("请发抬头")
    read = Read(content[:cut].encode())
    assert [talk.conversation_id for talk in read.conversations] == ["c1"]
    assert any("XML that is damaged at line" in reject.detail for reject in read.rejects)


def test_one_chat_alone_is_one_conversation():
    content = '<chat id="c1">' + "".join(f'<message from="{side}">{words}</message>' for side, words in ONE) + "</chat>"
    assert (Read(content.encode()).conversation.conversation_id, said(Read(content.encode()).conversation)) == (
        "c1",
        ONE,
    )


@pytest.mark.parametrize(
    "page",
    [
        '<?xml version="1.0"?><Error><Code>NoSuchKey</Code><Message>no such key</Message></Error>',
        '<?xml version="1.0"?><!DOCTYPE html><html><body><p>502</p><p>Bad Gateway</p></body></html>',
        '<?xml version="1.0"?>\n<broken><a></broken>',
    ],
)
def test_read_names_a_document_that_is_no_log(page):
    assert "XML" in Read(page.encode()).reject.detail


def test_entities_are_not_expanded():
    bomb = (
        '<?xml version="1.0"?>'
        + "<!-- x -->" * 200
        + '<!DOCTYPE l [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><l><m>&b;</m><m>1</m></l>'
    )
    assert is_xml(bomb.encode()[:1024])
    with pytest.raises(DamagedXml):
        list(values_of_xml(bomb.encode()))


def test_text_that_begins_with_a_tag_is_no_document():
    assert not is_xml(b"<user>hello<agent>hi")


def test_values_are_given_as_they_end_and_nest_only_so_deep():
    flat = ("<l>" + "".join(f"<m><n>{at}</n></m>" for at in range(5)) + "</l>").encode()
    assert list(values_of_xml(flat)) == [{"n": str(at)} for at in range(5)]
    with pytest.raises(DamagedXml):
        list(values_of_xml(b"<a>" * 100 + b"</a>" * 100))
