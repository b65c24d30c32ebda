"""Logs that a system exports as a web page, often under the name .xls."""

from datetime import UTC, datetime

import pytest

from tasks.reading.rules.tables.web_pages import is_page, log_in_page
from tests.builders.logs import Read, said

TURNS = [("user", "杯盖漏水"), ("agent", "给您换新"), ("user", "好")]
NAMES = ["会话ID", "角色", "内容", "时间"]
ROWS = [["c1", side, words, f"2026-11-21 10:0{at}:00"] for at, (side, words) in enumerate(TURNS)]

HTML = "<html><body><table border=1>{}</table></body></html>".format(
    "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in [NAMES, *ROWS])
)
UNCLOSED = "<table><tr><th>{}{}</table>".format(
    "<th>".join(NAMES), "".join("<tr><td>" + "<td>".join(row) for row in ROWS)
)
EXCEL_2003 = '<?xml version="1.0"?><Workbook xmlns:ss="x"><Worksheet><Table>{}</Table></Worksheet></Workbook>'.format(
    "".join(
        f"<Row>{''.join(f'<Cell><Data ss:Type={chr(34)}String{chr(34)}>{cell}</Data></Cell>' for cell in row)}</Row>"
        for row in [NAMES, *ROWS]
    )
)
BUBBLES = "<!DOCTYPE html><head><title>Chat</title><style>p{}</style></head>" + "".join(
    f"<div><span>{'Visitor' if row[1] == 'user' else 'Agent'}</span> <span>{row[3]}</span><p>{row[2]}</p></div>"
    for row in ROWS
)
LINES = (
    "<div>" + "".join(f"<p><b>{'顾客' if row[1] == 'user' else '客服'}</b>：{row[2]}</p>" for row in ROWS) + "</div>"
)


@pytest.mark.parametrize("page", [HTML, UNCLOSED, EXCEL_2003])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_read_reads_the_table_of_a_page(page, encoding):
    found = Read(page.encode(encoding)).conversation
    assert (found.conversation_id, said(found)) == ("c1", TURNS)
    assert found.started_at == datetime(2026, 11, 21, 2, 0, tzinfo=UTC)


@pytest.mark.parametrize("page", [BUBBLES, LINES])
def test_read_reads_the_dialogue_of_a_page(page):
    assert said(Read(page.encode()).conversation) == TURNS


@pytest.mark.parametrize(
    "page",
    [
        "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>",
        "<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>",
        "<html><body><table><tr><td>账号</td><td>密码</td></tr></table></body></html>",
        "<!doctype html><script>var 客服 = '用户：您好 客服：在';</script>",
    ],
)
def test_read_names_a_page_that_is_no_log(page):
    assert "a web page or XML, not a log" in Read(page.encode()).reject.detail


def test_log_in_page_leaves_cells_out_that_excel_leaves_out():
    row = '<Row><Cell>c1</Cell><Cell ss:Index="3">user</Cell><Cell>漏水</Cell></Row>'
    assert log_in_page(f"<?xml?><Table>{row}{row}</Table>".encode())[0] == "c1,,user,漏水\nc1,,user,漏水\n"


def test_log_in_page_keeps_a_line_end_within_its_cell():
    row = "<tr><td>c1</td><td>user</td><td>漏水<br>很多</td></tr>"
    assert log_in_page(f"<table>{row}{row}</table>".encode())[0].split("\n")[0] == "c1,user,漏水\v很多"


@pytest.mark.parametrize("text", ["<3 谢谢", "客服：<p>您好</p>", "", "c1,user,<br>"])
def test_is_page_takes_no_message_for_a_page(text):
    assert not is_page(text.encode())


def test_a_page_of_telegram_is_named_with_the_export_that_is_read():
    page = '<html><body><div class="from_name">Ann</div><div class="text">hi</div></body></html>'
    assert Read(page.encode()).reject.detail.endswith("export the chats as JSON, which is read")
