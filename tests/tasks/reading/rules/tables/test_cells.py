"""Cells and rows of tables as databases, spreadsheets and people leave them."""

import io

import openpyxl
import pytest

from tests.builders.logs import Read, said

TURNS = [("user", "杯子碎了，怎么办"), ("agent", "给您补发"), ("user", "好的")]


def table(delimiter=",", own="c1", more="", text="{}", below=""):
    rows = [[own, side, text.format(words)] for side, words in TURNS]
    head = delimiter.join(["会话ID", "角色", "内容", *filter(None, [more])])
    return "\n".join([head, *map(delimiter.join, rows), below]).encode()


@pytest.mark.parametrize("sign", ["@#@", "<>", "---", "^|^", "&&", "|+|", "%%"])
def test_read_tells_a_delimiter_of_several_signs_by_the_header(sign):
    assert said(Read(table(sign)).conversation) == TURNS


BELOW = [
    "共3条", "共 3 条记录", "(3 rows affected)", "(3 行受影响)", "3 rows selected", "-- END --", "End of report", "\x1a",
    "第1页 共1页", "导出人：小林 导出时间：2026-11-23 09:00", "Exported by Lin", "Copyright 2026 Lanhe", ",,共3条",
]  # fmt: skip


@pytest.mark.parametrize("below", BELOW)
def test_read_leaves_out_what_stands_below_a_table(below):
    assert said(Read(table(text='"{}"', below=below)).conversation) == TURNS


@pytest.mark.parametrize("below", ["说明：明天到", "第二行"])
def test_read_names_a_line_that_may_be_a_message_s_second(below):
    assert Read(table(text='"{}"', below=below)).rejects[0].detail == "a row of 1 fields where 3 are expected"


def test_read_fills_rows_that_all_lack_the_last_column():
    assert said(Read(table(text='"{}"', more="备注")).conversation) == TURNS


IDS = ['"""00123"""', '"=(""00123"")"', '"=T(""00123"")"', "=00123", "'00123", '"=""00123"""']


@pytest.mark.parametrize("own", IDS)
def test_read_takes_a_spreadsheet_s_signs_off_an_id(own):
    assert Read(table(own=own, text='"{}"')).conversation.conversation_id == "00123"


def test_read_takes_a_spreadsheet_s_guard_off_a_text():
    """Chatwoot, say, writes an apostrophe before what a spreadsheet could take for a formula."""
    read = Read("会话ID,角色,内容\nc1,user,'-3度能用吗\nc1,agent,'=可以\nc1,user,'tis fine\n".encode())
    assert said(read.conversation) == [("user", "-3度能用吗"), ("agent", "=可以"), ("user", "'tis fine")]


@pytest.mark.parametrize("word", ["NULL", "\\N", "nan", "(null)", "#N/A"])
def test_read_takes_a_word_for_no_text_for_none(word):
    written = table(text='"{}"') + f"c1,user,{word}\n".encode()
    assert said(Read(written).conversation) == TURNS


def test_read_knows_quotes_behind_a_blank():
    rows = "".join(f'c1, {side}, "{words}, 谢谢"\n' for side, words in TURNS)
    found = Read(f"会话ID, 角色, 内容\n{rows}".encode()).conversation
    assert said(found) == [(side, f"{words}, 谢谢") for side, words in TURNS]


def test_read_takes_the_sign_for_a_carriage_return_out_of_a_workbook():
    book = openpyxl.Workbook()
    sheet = book.create_sheet("messages", 0)
    sheet.append(["会话ID", "角色", "内容"])
    for side, words in TURNS:
        sheet.append(["c1", side, f"{words}_x000D_\n谢谢"])
    out = io.BytesIO()
    book.save(out)
    assert [text for _, text in said(Read(out.getvalue()).conversation)] == [f"{words}\v谢谢" for _, words in TURNS]
