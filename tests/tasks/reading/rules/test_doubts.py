"""A file that was read otherwise than it is meant tells on it: one note says what to look at, and none where all is well."""

import json

import pytest

from tests.builders.logs import Read, said

ASK, TELL, THANK = "伞骨断了一根，能补寄吗", "可以的，今天给您补寄", "谢谢，等你们"
SIDES = [("user", ASK), ("agent", TELL), ("user", THANK)]


def lines(records):
    return "\n".join(json.dumps(record, ensure_ascii=False) for record in records).encode()


def rows(**more):
    return [
        {
            "session_id": f"s{conversation}",
            "role": role,
            "content": text,
            "time": f"2026-11-22 10:0{at}:00",
            **{name: make(conversation, at, text) for name, make in more.items()},
        }
        for conversation in range(2)
        for at, (role, text) in enumerate(SIDES)
    ]


def without(name, records):
    return [{key: kept for key, kept in record.items() if key != name} for record in records]


def whole(**more):
    messages = [{"role": role, "content": text} for role, text in SIDES]
    return [{"messages": messages, **{name: make(at) for name, make in more.items()}} for at in range(2)]


DOUBTFUL = {
    "no id": (lines(whole(标题=lambda at: "雨伞")), "name no id"),
    "an id under a key of its own": (
        lines(whole(shopKey=lambda at: f"k-{at}", orderNo=lambda at: f"o-{at}")),
        'shopKey, orderNo may hold it: columns = { "shopKey" = "conversation_id" }',
    ),
    "an id a message": (
        lines(without("session_id", rows(id=lambda conversation, at, text: conversation * 3 + at))),
        "no two of its messages share an id (id)",
    ),
    "one side": (lines([{**row, "role": "agent"} for row in rows()]), "only the agent speaks in it (role)"),
    "times of another name": (
        lines(whole(conversation_id=lambda at: f"c{at}", last_seen=lambda at: "2026-11-22 10:00:05")),
        '{ "last_seen" = "time" }',
    ),
    "time stamps in texts": (
        lines(rows(content=lambda conversation, at, text: f"{text}\n2026-11-22 10:00:09 王某\n好")),
        "still hold time stamps",
    ),
    "seconds in texts": (
        lines(rows(content=lambda conversation, at, text: f"{text} ( 12s )")),
        "still hold time stamps",
    ),
    "labels in texts": (
        lines(rows(content=lambda conversation, at, text: f"{text}\n客服小美：在的")),
        "still hold speakers' labels",
    ),
    "HTML in texts": (lines(rows(content=lambda conversation, at, text: f"&lt;b&gt;{text}")), "still hold HTML"),
    "JSON in texts": (
        lines(rows(content=lambda conversation, at, text: json.dumps({"k": text, "j": 1}, ensure_ascii=False))),
        "still hold JSON",
    ),
    "events alone": (lines(rows(recalled=lambda *_: 1)), "nothing in it"),
    "blank lines": ("\n\n".join(f"顾客：{ASK}\n客服：{TELL}" for _ in range(2)).encode(), "blank lines part"),
    "an unknown name": (f"客服：在\n[2026-11-22 10:00:00] 王某: {ASK}\n客服：{TELL}".encode(), "taken for the user's"),
}


@pytest.mark.parametrize("kind", DOUBTFUL)
def test_read_notes_once_what_speaks_against_the_way_a_file_was_read(kind):
    log, expected = DOUBTFUL[kind]
    (note,) = Read(log).tally.notes
    assert note.startswith("log-0: ")
    assert expected in note


def test_read_notes_that_customers_ids_part_the_messages():
    header = "客户ID,角色,内容,时间\n"
    table = header + "".join(
        f"u{who},{'用户' if role == 'user' else '客服'},{text},\n" for who in range(2) for role, text in SIDES
    )
    (note,) = Read(table.encode()).tally.notes
    assert "parted by 客户ID, which names a customer" in note


def test_read_counts_further_files_of_one_doubt_in_one_note():
    log = lines(whole())
    (note,) = Read(log, log, log).tally.notes
    assert note.startswith("log-0: ")
    assert note.endswith("Likewise in 2 more files.")


@pytest.mark.parametrize(
    "log",
    [
        lines(rows()),
        lines(whole(conversation_id=lambda at: f"c{at}", started_at=lambda at: "2026-11-22 10:00:00")),
        f"顾客：{ASK}\n客服：{TELL}\n顾客：{THANK}".encode(),
        f"顾客：{ASK}\n\n客服：{TELL}\n\n顾客：{THANK}".encode(),
        lines(rows()[:1]),  # somebody began, nobody came
        lines(
            [
                {**record, "last_seen": "2026-11-22 10:00:05"} if at == 0 else record
                for at, record in enumerate(whole(conversation_id=lambda at: f"c{at}"))
            ]
        ),  # a time in one of two is no column of times
        lines(
            [
                *rows(),
                *rows(session_id=lambda *_: "s9", content=lambda _, at, text: f"{text}\n2026-11-20 08:00 已揽收"),
            ][:7]
        ),
    ],
)
def test_read_notes_nothing_of_a_plain_file(log):
    assert Read(log).tally.notes == []


def test_a_doubt_changes_nothing_of_what_is_read():
    assert [said(found) for found in Read(lines(whole())).conversations] == [SIDES, SIDES]
