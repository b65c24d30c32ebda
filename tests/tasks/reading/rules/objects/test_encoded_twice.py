"""Logs that were encoded twice, or joined from lines of two encodings, are read as they were meant."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.reading.rules.objects.encoded_twice import way_to_mend
from tests.builders.logs import Read, said

TURNS = [("user", "电饭煲三天了还没发货，什么时候能发？"), ("agent", "已为您催促仓库，预计明天发出。“好”")]
TABLE = "会话ID,角色,内容\n" + "".join(f"c1,{side},{words}\n" for side, words in TURNS)


def as_latin(text, encoding):
    """A text whose bytes somebody took for this encoding's."""
    return text.encode().decode("latin-1") if encoding == "latin-1" else "".join(
        bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in text.encode()
    )  # fmt: skip


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
def test_read_reads_a_table_that_was_encoded_twice(encoding):
    assert said(Read(as_latin(TABLE, encoding).encode()).conversation) == TURNS


@pytest.mark.parametrize("indent", [None, 1])
def test_read_reads_escapes_of_bytes(indent):
    """Facebook and Instagram write each byte of UTF-8 as an escape of its own."""
    messages = [{"role": side, "text": words.encode().decode("latin-1")} for side, words in TURNS]
    found = Read(json.dumps({"conversation_id": "c1", "messages": messages}, indent=indent).encode()).conversation
    assert said(found) == TURNS


@given(st.lists(st.integers(1, 40), min_size=1, max_size=30))
def test_escapes_of_bytes_are_mended_wherever_chunks_end(sizes):
    written = json.dumps("已为您催促仓库\\n".encode().decode("latin-1") * 3).encode()
    mend = way_to_mend(written)
    assert mend is not None
    source = io.BytesIO(written)
    chunks = [*map(source.read, sizes), source.read()]
    assert b"".join(mend(iter(chunks))) == b"".join(mend(iter([written])))


@pytest.mark.parametrize(
    "text",
    ["Où est ma commande n° 5 ? Très bien", "已为您催促仓库", '{"text": "caf\\u00e9 \\u4f60\\u597d"}', "Ã©té",
     '{"text": "caf\\u00e9 pay\\u00e9\\u00a0\\u00ab oui \\u00bb"}'],
)  # fmt: skip
def test_what_was_encoded_once_stays(text):
    assert way_to_mend(text.encode()) is None


@pytest.mark.parametrize(("file", "line"), [("utf-8", "gb18030"), ("gb18030", "utf-8")])
def test_read_reads_a_line_in_the_other_encoding(file, line):
    lines = TABLE.splitlines()
    more = [f"c1,用户,好的，第{at}天了还没有收到" for at in range(6)]
    written = [found.encode(file) for found in [*lines, *more]]
    written[2] = lines[2].encode(line)
    assert said(Read(b"\n".join(written)).conversation)[:2] == TURNS
