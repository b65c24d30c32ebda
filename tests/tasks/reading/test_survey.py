"""A survey says what a log is taken for; where no conversation is found, its mapping finds them when it is saved."""

import io
from datetime import UTC
from functools import partial
from itertools import groupby
from pathlib import Path

import orjson
import pytest

from tasks.reading.conversations import LogObject, LogReader
from tasks.reading.rules.formats import load_mappings
from tasks.reading.survey import survey_logs
from tests.builders.logs import PREPARE, Read, said

ASK, TELL, THANK = "壶盖打不开了", "我给您换一个新的壶盖", "好的"
SAID = (("系统", "会话开始"), ("客户", ASK), ("客服", TELL), ("客户", THANK))
TURNS = [("user", ASK), ("agent", TELL), ("user", THANK)]


def table(header: str) -> bytes:
    """Return five conversations as rows of id, channel, kind, speaker, text and time, below a header."""
    rows = [
        f"K{talk:04},小程序,文本,{side},{words},2026/11/2{talk} 10:0{at}:00"
        for talk in range(5)
        for at, (side, words) in enumerate(SAID)
    ]
    return "\n".join([header, *rows, ""]).encode("gb18030")


def survey(content: bytes, folder: Path, mappings: Path | None = None):
    folder.mkdir(exist_ok=True)
    reader = LogReader(PREPARE, folder, mappings=load_mappings(mappings), zone=UTC)
    return survey_logs([LogObject("log", partial(io.BytesIO, content))], reader)


def test_a_column_of_words_for_both_sides_tells_who_speaks_whatever_it_is_called():
    read = Read(table("会话编号,来源渠道,消息类型,谁发的,消息内容,发送时间"))
    assert [said(conversation) for conversation in read.conversations] == [TURNS] * 5
    assert read.detected[0].note == "谁发的 is taken for who speaks, by its values"


def test_two_such_columns_are_asked_for():
    content = table("会话编号,来源渠道,消息类型,谁发的,消息内容,发送时间").decode("gb18030")
    lines = [f"{line},{line.split(',')[3]}" for line in content.splitlines()]
    (detected,) = Read("\n".join(lines).encode()).detected
    assert "no column for a speaker among 会话编号、" in detected.note.replace(", ", "、")


def test_a_row_that_holds_the_name_of_a_column_is_no_header():
    (detected,) = Read(table("甲,乙,丙,丁,戊,己")).detected
    assert detected.format == "unknown"


@pytest.mark.parametrize("header", ["单子,哪里,类别,谁,说了什么,几点", "甲,乙,丙,丁,戊,己"])
def test_what_gives_no_conversation_gets_a_mapping_that_does(header, tmp_path):
    found = survey(table(header), tmp_path / "a")
    assert found.conversations == 0
    mapping = tmp_path / "mine.toml"
    mapping.write_text(found.files[0].mapping, encoding="utf-8")
    again = survey(table(header), tmp_path / "b", mapping)
    assert (again.conversations, len(again.tally.days), again.tally.undated) == (5, 5, 0)
    assert [line.split("：")[1] for line in again.shown[0].text.split("\n")] == [ASK, TELL, THANK]


def test_what_is_understood_gets_no_mapping(tmp_path):
    found = survey(table("会话编号,来源渠道,消息类型,发送者身份,消息内容,发送时间"), tmp_path / "a")
    assert (found.conversations, found.files[0].mapping, found.rejects) == (5, "", {})


NAMELESS = [
    {"session_id": f"K{talk}", "sender_type": side, "msg_type": kind, "content": words}
    for talk in range(3)
    for side, kind, words in (
        ("", "系统消息", "会话开始"),
        ("客户", "文本", ASK),
        ("客服", "文本", TELL),
        ("", "系统消息", "会话已转接"),
        ("客户", "文本", THANK),
    )
]


def as_csv(rows: list[dict[str, str]]) -> bytes:
    return "\n".join([",".join(rows[0]), *(",".join(row.values()) for row in rows), ""]).encode()


def as_lines(rows: list[dict[str, str]]) -> bytes:
    return b"".join(orjson.dumps(row) + b"\n" for row in rows)


def as_lists(rows: list[dict[str, str]]) -> bytes:
    talks = groupby(rows, lambda row: row["session_id"])
    messages = [{"session_id": name, "messages": [without(row, "session_id") for row in talk]} for name, talk in talks]
    return as_lines(messages)


def without(row: dict[str, str], name: str) -> dict[str, str]:
    return {key: value for key, value in row.items() if key != name}


@pytest.mark.parametrize("written", [as_csv, as_lines, as_lists])
def test_lines_without_a_speaker_are_the_systems_where_their_kind_says_so(written, tmp_path):
    found = survey(written(NAMELESS), tmp_path / "a")
    assert (found.conversations, found.rejects, found.tally.notes) == (3, {}, [])
    assert found.files[0].mapping == ""
    assert '""' not in found.files[0].speakers
    assert [line.split("：")[1] for line in found.shown[0].text.split("\n")] == [ASK, TELL, THANK]


def test_lines_without_a_speaker_and_of_no_kind_are_asked_for_and_left_out_by_the_mapping(tmp_path):
    rows = [without(row, "msg_type") for row in NAMELESS]
    found = survey(as_csv(rows), tmp_path / "a")
    (note,) = found.tally.notes
    assert "6 of 15 rows can't be read; roles that are not known: an empty one (6). A mapping says" in note
    assert note.endswith('and { "" = "system" } leaves lines out that are nobody\'s.')
    mapping = tmp_path / "mine.toml"
    mapping.write_text(found.files[0].mapping, encoding="utf-8")
    again = survey(as_csv(rows), tmp_path / "b", mapping)
    assert (again.conversations, again.rejects, again.tally.notes) == (3, {}, [])
