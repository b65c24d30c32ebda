"""A log that is not understood gets a mapping that reads it when it is saved as it stands, or none."""

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.reading.rules.formats import load_mappings
from tasks.reading.rules.suggestions.suggested import suggest_mapping
from tests.builders.logs import Read, said

TALKS = [
    [("user", "我的台灯不亮了，怎么办"), ("agent", "您好，请问换过灯泡吗"), ("user", "换过了，还是不亮"), ("agent", "抱歉，为您登记换新")],
    [("user", "什么时候发货"), ("agent", "亲，今天下午就寄出"), ("user", "能不能快点"), ("agent", "好的，帮您加急")],
    [("user", "发票抬头写错了"), ("agent", "请您把正确的抬头发给我"), ("user", "青禾科技"), ("agent", "已为您重开，感谢理解")],
]  # fmt: skip
NAMES = {"user": ("晴天", "Momo", "江边鸟"), "agent": ("小雅", "小雅", "阿哲")}
LINES = [
    (f"q{talk}", NAMES[side][talk], side, words, f"2026-11-22 1{talk}:0{at}:00")
    for talk, turns in enumerate(TALKS)
    for at, (side, words) in enumerate(turns)
]


def rows(line, lines=LINES, header=""):
    return "\n".join([*filter(None, [header]), *(line(*parts) for parts in lines)])


def as_json(message, around=lambda talk, messages: {"nr": f"q{talk}", "entries": messages}, indent=None):
    records = [
        around(talk, [message(*parts) for parts in LINES if parts[0] == f"q{talk}"]) for talk, _ in enumerate(TALKS)
    ]
    return json.dumps(records, ensure_ascii=False, indent=indent)


LOGS = {
    "columns of unknown names": rows(
        lambda own, name, side, words, time: f"{own},{name},{words},{time}", header="单子,谁呀,讲,几点"
    ),
    "titles above the header": rows(
        lambda own, name, side, words, time: f"{own}\t{name}\t{words}\t{time}", header="晨光家居\n\n单子\t谁呀\t讲\t几点"
    ),
    "no header": rows(lambda own, name, side, words, time: f"{time};{own};{name};{words}"),
    "no header, and words that tell a side beside each other": rows(
        lambda own, name, side, words, time: f"{time}|{own}|{'IN' if side == 'user' else 'OUT'}|{words}"
    ),
    "a robot beside the names": rows(
        lambda own, name, side, words, time: f"{own},{'机器人' if '您好' in words or '亲' in words else name},{words}",
        header="session,who,msg",
    ),
    "codes for the sides": rows(
        lambda own, name, side, words, time: f"{own},{'7' if side == 'user' else '9'},{words},{time}",
        header="session_id,sender,content,time",
    ),
    "one conversation": rows(
        lambda own, name, side, words, time: f"{name},{words},{time}", LINES[:4], header="Author,Content,Date"
    ),
    "a list of unknown name": as_json(
        lambda own, name, side, words, time: {"f": "B" if side == "user" else "S", "c": words, "z": time}
    ),
    "keys within keys": as_json(
        lambda own, name, side, words, time: {"fr": {"t": side[0].upper(), "n": name}, "c": {"x": words}, "z": time},
        lambda talk, messages: {"meta": {"nr": f"q{talk}"}, "talk": {"entries": messages}},
        indent=1,
    ),
    "a table of Markdown": "| nr | wer | was | wann |\n|---|---|---|---|\n"
    + rows(lambda own, name, side, words, time: f"| {own} | {name} | {words} | {time} |"),
    "a column for each side": rows(
        lambda own, name, side, words, time: f"{own},{words if side == 'user' else ''},{words if side == 'agent' else ''}",
        header="单子,机主原话,座席话术",
    ),
    "times in one number": "\n".join(
        json.dumps({"NO": own, "TYP": "12"[side == "agent"], "TXT": words, "TM": re.sub(r"\D", "", time)})
        for own, name, side, words, time in LINES
    ),
    "labeled lines in lists": "\n".join(
        json.dumps({"id": at, "dialog": [f"{NAMES[side][at]}：{words}" for side, words in turns]}, ensure_ascii=False)
        for at, turns in enumerate(TALKS)
    ),
    "labeled lines under a key": "\n".join(
        json.dumps({"k": f"q{at}", "dlg": "\n".join(f"{NAMES[side][at]}：{words}" for side, words in turns)})
        for at, turns in enumerate(TALKS)
    ),
    "labeled lines in cells": "单,全程\n"
    + "\n".join(
        f'q{at},"' + "\n".join(f"{NAMES[side][at]}：{words}" for side, words in turns) + '"'
        for at, turns in enumerate(TALKS)
    ),
    "two agents beside a known word": "\n-----\n".join(
        "\n".join(
            f"[2026-11-22 10:0{at}:00] {'顾客' if side == 'user' else ('小雅', '阿哲')[at > 1]}：{words}"
            for at, (side, words) in enumerate(turns)
        )
        for turns in TALKS
    ),
    "a clock behind the name": rows(
        lambda own, name, side, words, time: f"{name} ({time[11:16]}): {words}", LINES[:4]
    ),
    "a clock before the name": rows(lambda own, name, side, words, time: f"{time[11:16]}\t{name}\t{words}", LINES[:4]),
    "names in a transcript": "\n-----\n".join(
        "\n".join(f"{NAMES[side][talk]}：{words}" for side, words in turns) for talk, turns in enumerate(TALKS)
    ),
}  # fmt: skip


OF_ONE = ("one conversation", "a clock behind the name", "a clock before the name")


def suggested(read):
    head = read.detected[0].head
    assert head is not None
    return suggest_mapping(head)


@pytest.mark.parametrize("shape", LOGS)
def test_a_suggested_mapping_reads_the_file_as_it_stands(shape, tmp_path):
    content = LOGS[shape].encode()
    first = Read(content)
    assert first.conversations == []
    suggestion = suggested(first)
    assert suggestion.missing == ""
    mine = tmp_path / "mine.toml"
    mine.write_text(suggestion.mapping, encoding="utf-8")
    read = Read(content, mappings=load_mappings(mine), log_format="mine")
    assert read.rejects == []
    assert [said(conversation) for conversation in read.conversations] == TALKS[: len(read.conversations)]
    assert len(read.conversations) == (1 if shape in OF_ONE else 3)


@pytest.mark.parametrize(
    ("log", "missing"),
    [
        ("台灯的说明书\n第一步：打开盒子\n第二步：插上电源\n", "no line begins with a speaker's name"),
        ("level: info\nname: x\ntext: 你好\nlevel: info\nname: y\ntext: 在吗\n", "no line begins"),
        ("a,b,c\n1,2,3\n4,5,6\n7,8,9\n", "no column or key tells"),
        (rows(lambda own, name, side, words, time: f"{own},{words},{time}", header="单子,讲,几点"), "no column"),
        ('{"a": 1}\n{"a": 2}\n', "no column or key tells"),
        (rows(lambda own, name, side, words, time: f"{name},{words}", header="谁,讲"), "no line"),
        (rows(lambda own, name, side, words, time: f"{name},{words},{own}{time}", header="谁,讲,别的"), "no reading"),
        (
            "\n\n".join(
                f"# {at}\n" + "\n".join(f"{NAMES[side][at]}: {words}" for side, words in turns)
                for at, turns in enumerate(TALKS)
            ),
            "no line",
        ),
        ("who:user\tsay:在吗\twho2:x\nwho:agent\tsay:您好\twho2:y\n" * 3, "no line begins"),
    ],
)
def test_nothing_is_suggested_where_nothing_reads_the_file(log, missing):
    suggestion = suggested(Read(log.encode()))
    assert suggestion.mapping == ""
    assert suggestion.missing.startswith(missing)


@settings(max_examples=40, deadline=None)
@given(
    order=st.permutations(range(4)),
    names=st.lists(st.sampled_from(["甲列", "kol", "乙", "Feld", "x1", "丙丙", "時", "nr", "谁", "dd"]), min_size=4, max_size=4, unique=True),
    delimiter=st.sampled_from([",", "\t", ";", "|"]),
    words=st.sampled_from([{"user": "客户", "agent": "客服"}, {"user": "P", "agent": "Q"}, {"user": "0", "agent": "1"}]),
)  # fmt: skip
def test_a_table_is_read_right_or_its_mapping_reads_it_right(order, names, delimiter, words, tmp_path_factory):
    table = [names, *([own, words[side], said_so, time] for own, _, side, said_so, time in LINES)]
    content = "\n".join(delimiter.join(row[at] for at in order) for row in table).encode()
    first = Read(content)
    if not first.conversations:
        mine = tmp_path_factory.getbasetemp() / "mine.toml"
        mine.write_text(suggested(first).mapping, encoding="utf-8")
        first = Read(content, mappings=load_mappings(mine), log_format="mine")
    assert first.rejects == []
    assert [said(conversation) for conversation in first.conversations] == TALKS


def of_two_messages(agents):
    lines = [(own, name, words) for own, name, _, words, time in LINES if time[-4] in "01"]
    names = {"小雅": agents[0], "阿哲": agents[-1]}
    return rows(lambda own, name, words: f"{own},{names.get(name, name)},{words}", lines, header="单子,谁呀,讲")


def test_two_messages_each_and_one_agent_show_who_speaks(tmp_path):
    content = of_two_messages(["小雅"]).encode()
    mine = tmp_path / "mine.toml"
    mine.write_text(suggested(Read(content)).mapping, encoding="utf-8")
    read = Read(content, mappings=load_mappings(mine), log_format="mine")
    assert [said(conversation) for conversation in read.conversations] == [talk[:2] for talk in TALKS]


def test_an_id_is_nobodys_name():
    assert suggested(Read(of_two_messages(["小雅", "阿哲"]).encode())).mapping == ""
