"""Plain records are read as the careful reader reads them, or left to it."""

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.domain.records import Conversation
from tasks.reading.rules.context import LogContext
from tasks.reading.rules.json.plain_records import PlainRecords
from tasks.reading.rules.json.records import JsonRecords
from tasks.reading.rules.messages import Message
from tasks.reading.rules.tables.rows import TableRows, header_columns
from tasks.reading.rules.timestamps import TimestampParser

ROLES = st.sampled_from(["user", "agent", "系统", "顾客", "某某", "", 3, None])
WORDS = [
    "水壶漏水",
    " ",
    "",
    "<br>",
    "<b>换货</b>",
    "&#99999999999;",
    '{"type":"text","text":"在"}',
    "用户：",
    ["分开"],
    7,
]
TEXTS = st.sampled_from(WORDS)
TIMES = st.sampled_from(["2026-11-22 10:00:00", "2026-11-22 09:00:00", "", None, 1795305662, "昨天"])
MESSAGES = st.fixed_dictionaries(
    {"role": ROLES, "text": TEXTS},
    optional={"time": TIMES, "seq": st.integers(0, 3), "recalled": st.booleans(), "conversation_id": st.just("c9")},
)
LABELS = st.sampled_from(
    ["用户：", "客服:", "agent: ", "系统：", "**客服**：", "", "小美：", "[10:00] 用户：", "地址："]
)
TRANSCRIPTS = st.lists(st.tuples(LABELS, st.sampled_from(["漏水", "", "<br>", "问：客服：在", " "]))).map(
    lambda lines: "\n".join(label + words for label, words in lines)
)
RECORDS = st.fixed_dictionaries(
    {},
    optional={
        "conversation_id": st.sampled_from(["c1", " c2 ", "", 7, None]),
        "messages": st.one_of(st.lists(MESSAGES, max_size=5), st.none(), st.just('[{"role": "user", "text": "在"}]')),
        "conversation": TRANSCRIPTS,
        "started_at": TIMES,
        "channel": st.sampled_from(["App", "", None, {"name": "小程序"}]),
        "shop": st.sampled_from(["一店", None, 3, {"id": 1}]),
        "role": ROLES,
        "text": TEXTS,
        "time": TIMES,
    },
)


def log():
    return LogContext("log-0", TimestampParser(ZoneInfo("Asia/Shanghai")))


def careful_reader():
    records = JsonRecords(log())
    records._plain = PlainRecords(log(), lists=False, transcripts=False, messages=False)
    return records


@given(RECORDS)
def test_json_records_reads_a_plain_record_as_the_careful_reader_does(record):
    records = JsonRecords(log())
    list(records.read(record, 1))  # the roles are known from here on
    assert list(records.read(record, 2)) == list(careful_reader().read(record, 2))


HEADERS = [
    "id,role,text",
    "会话ID,角色,内容,time,店铺",
    "role,id,text,shop,time,channel",
    "id,role,text,seq",
]
CELLS = {
    "id": ["c1", " c1 ", '="007"', "71.0", "1.5E+17", "1.", "", "7"],
    "role": ["user", " agent", "客服", "系统", "某某", ""],
    "text": ["水壶漏水", "水壶,漏水", "<b>换货</b>", "", " ", "NULL"],
}
OTHERS = ["2026-11-22 10:00:00", "", "NULL", "7"]


def rows_of(header):
    """Rows of a header; some have a cell too few or too many."""
    names = {"会话ID": "id", "角色": "role", "内容": "text"}
    cells = [st.sampled_from(CELLS.get(names.get(name, name), OTHERS)) for name in header]
    whole = st.tuples(*cells).map(list)
    torn = whole.flatmap(lambda row: st.sampled_from([row[:-1], [*row, "多"], [*row, ""]]))
    return st.tuples(st.just(header), st.lists(st.one_of(whole, whole, whole, torn), min_size=1, max_size=8))


@given(st.sampled_from(HEADERS).flatmap(lambda header: rows_of(header.split(","))))
def test_table_rows_reads_a_plain_row_as_the_careful_reader_does(table):
    header, rows = table
    columns = header_columns(header, log())
    assert columns
    plain, careful = (TableRows(log(), columns, ",") for _ in range(2))
    careful._plain = False
    again = [*rows, *rows]  # the roles are known from the second time on
    assert [plain.read(at, row) for at, row in enumerate(again)] == [
        careful.read(at, row) for at, row in enumerate(again)
    ]


@pytest.mark.parametrize(
    ("record", "kind"),
    [
        ({"conversation_id": "c1", "messages": [{"role": "user", "text": "在吗"}, {"role": "agent", "text": "在"}]}, Conversation),
        ({"conversation_id": "c1", "conversation": "用户：在吗\n客服：在"}, Conversation),
        ({"conversation_id": "c1", "role": "user", "text": "在吗", "time": 1795305662}, Message),
    ],
)  # fmt: skip
def test_plain_records_reads_the_usual_shapes_itself(record, kind):
    context = log()
    for role in ("user", "agent"):
        context.vocabulary.speaker(role)
    plain = PlainRecords(context, lists=True, transcripts=True, messages=True)
    assert isinstance(plain.read(record, 1), kind)
