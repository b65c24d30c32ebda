"""Encodings: told by the characters that they make of a log."""

import pytest

from tasks.reading.rules.objects.encodings import encoding_of, utf16_of
from tests.builders.logs import Read, said

SPOKEN = {
    "gb18030": ("订单还没有发货，请问什么时候能到", "亲，明天就发，请您放心"),
    "big5hkscs": ("訂單還沒有發貨，請問什麼時候會到", "您好，明天就會發出，請放心"),
    "cp932": ("注文した商品がまだ届いていません", "申し訳ございません、明日お届けします"),
    "euc_jp": ("注文した商品がまだ届いていません", "申し訳ございません、明日お届けします"),
    "cp949": ("주문한 상품이 아직 도착하지 않았어요", "죄송합니다 고객님 내일 도착합니다"),
    "cp1251": ("Мой заказ до сих пор не пришёл", "Извините, он приедет завтра"),
    "cp1252": ("Où est passée ma commande, désolé ?", "Elle sera livrée demain, à votre porte"),
}


def table(encoding):
    ask, tell = SPOKEN[encoding]
    return f"session_id,role,content\nc1,customer,{ask}\nc1,agent,{tell}\n"


@pytest.mark.parametrize("encoding", SPOKEN)
def test_read_reads_each_encoding(encoding):
    ask, tell = SPOKEN[encoding]
    found = Read(table(encoding).encode(encoding))
    assert (found.detected[0].encoding, said(found.conversation)) == (encoding, [("user", ask), ("agent", tell)])


@pytest.mark.parametrize("encoding", SPOKEN)
def test_encoding_of_takes_no_utf_8_for_another(encoding):
    assert encoding_of(table(encoding).encode()) == "utf-8"


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("words", SPOKEN)
def test_read_reads_utf_16_without_its_mark(encoding, words):
    found = Read(table(words).encode(encoding))
    assert (found.detected[0].encoding, said(found.conversation)[0][1]) == ("utf-16", SPOKEN[words][0])


def test_utf16_of_takes_padding_for_nothing():
    assert utf16_of(b"session_id,role" + b"\0" * 64) == ""
    assert utf16_of(b"\0" * 64) == ""
    assert utf16_of(b"") == ""


def test_utf16_of_wants_an_end_that_is_whole_no_more_than_the_log():
    text = "客服：好😀，1,2,3,4,5,6,7,8,9\n".encode("utf-16-le")
    assert {utf16_of(text[:size]) for size in range(40, len(text))} == {"utf-16-le"}


def test_read_says_of_a_log_whose_encoding_nothing_tells_that_it_may_be_garbled():
    words = "สินค้ายังไม่มาเลยค่ะ ช่วยเช็คให้หน่อย"
    content = f"session_id,role,content\nc1,customer,{words}\nc1,agent,{words}\n".encode("cp874")
    assert "its texts may be garbled. Save it as UTF-8." in Read(content).tally.notes[0]


@pytest.mark.parametrize("encoding", SPOKEN)
def test_read_doubts_no_encoding_that_it_knows(encoding):
    assert Read(table(encoding).encode(encoding)).tally.notes == []


@pytest.mark.parametrize("byte", [0xA5, 0xA4, 0xB0, 0xE0, 0x83])
def test_a_byte_that_fills_a_file_is_no_foreign_language(byte):
    assert encoding_of(bytes([byte]) * 700) == "gb18030"
