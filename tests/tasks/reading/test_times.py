"""Times that can't be read are said once a file, and a mapping's form of times holds in every format."""

import json

import pytest

from tasks.reading.rules.formats import load_mappings
from tests.builders.logs import Read

ROWS = [("用户", "水壶漏水", "22~11~2026 10~00"), ("客服", "给您换", "22~11~2026 10~01"), ("用户", "好", "")]


def as_table(rows):
    return "".join(f"{line}\n" for line in ["会话,谁,话,何时", *(",".join(["c1", *row]) for row in rows)]).encode()


def as_rows(rows):
    return "".join(
        json.dumps({"会话": "c1", "谁": who, "话": words, "何时": time}, ensure_ascii=False) + "\n"
        for who, words, time in rows
    ).encode()


def as_records(rows):
    said = [{"谁": who, "话": words, "何时": time} for who, words, time in rows]
    return json.dumps({"会话": "c1", "messages": said}, ensure_ascii=False).encode()


FORMATS = [as_table, as_rows, as_records]


@pytest.fixture
def mapping(tmp_path):
    def load(more=""):
        path = tmp_path / "own.toml"
        columns = '"会话" = "conversation_id", "谁" = "role", "话" = "text", "何时" = "time"'
        path.write_text(f'[own]\nmatch = ["会话"]\ncolumns = {{ {columns} }}\n{more}')
        return load_mappings(path)

    return load


@pytest.mark.parametrize("write", FORMATS)
def test_times_that_cannot_be_read_are_said_once_a_file(write, mapping):
    read = Read(write(ROWS), write(ROWS), mappings=mapping())
    assert all(conversation.started_at is None for conversation in read.conversations)
    assert len(read.tally.notes) == len({note.partition(":")[0] for note in read.tally.notes})
    assert all("2 times can't be read" in note or "4 times" in note for note in read.tally.notes)
    assert all("of the form 99~99~9999 99~99;" in note for note in read.tally.notes)


@pytest.mark.parametrize("write", FORMATS)
def test_a_mapping_gives_the_form_of_times(write, mapping):
    read = Read(write(ROWS), mappings=mapping('times = ["%d~%m~%Y %H~%M"]\n'))
    assert [turn.time and f"{turn.time:%H:%M}" for turn in read.conversation.turns] == ["02:00", "02:01", None]
    assert f"{read.conversation.started_at:%F %T}" == "2026-11-22 02:00:00"
    assert read.tally.notes == []


@pytest.mark.parametrize("time", ["", "NULL", "-", "0", "2026-11-22 10:00:00"])
def test_a_time_that_is_missing_is_no_remark(time, mapping):
    read = Read(as_table([("用户", "水壶漏水", time), ("客服", "给您换", time)]), mappings=mapping())
    assert len(read.conversations) == 1
    assert read.tally.notes == []


def test_the_form_of_a_time_repeats_none_of_its_words(mapping):
    read = Read(as_table([("用户", "在", "小林13800138000"), ("客服", "好", "下午三点")]), mappings=mapping())
    (note,) = read.tally.notes
    assert "of the form xx99999999999;" in note


def test_a_time_without_a_date_is_said_where_the_log_could_have_one(mapping):
    read = Read(as_table([("用户", "在", "10:00"), ("客服", "好", "10:01")]), mappings=mapping())
    (note,) = read.tally.notes
    assert "2 times name no date (their form is 99:99)" in note
    assert Read("[10:00] 用户：在\n[10:01] 客服：好\n".encode()).tally.notes == []
