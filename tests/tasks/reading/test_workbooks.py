"""Workbooks: every sheet with messages is read, others are named."""

import io

import openpyxl

from tests.builders.logs import Read, said

TURNS = [("user", "外套的拉链坏了"), ("agent", "给您换一件新的"), ("user", "好的谢谢你们")]
HEADER = ["会话ID", "角色", "内容", "时间"]


def workbook(sheets):
    book = openpyxl.Workbook(write_only=True)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    held = io.BytesIO()
    book.save(held)
    return held.getvalue()


def messages(number):
    return [[f"c{number}", side, words, f"2026-11-2{number} 10:0{at}:00"] for at, (side, words) in enumerate(TURNS)]


def test_read_reads_every_sheet_with_messages():
    found = Read(workbook({"九月": [["某店"], HEADER, *messages(1)], "十月": [HEADER, *messages(2)]}))
    assert [(talk.conversation_id, said(talk)) for talk in found.conversations] == [("c1", TURNS), ("c2", TURNS)]
    assert [talk.source_uri for talk in found.conversations] == ["log-0!九月", "log-0!十月"]


def test_read_names_the_sheets_that_it_leaves_out():
    found = Read(workbook({"说明": [["本表"], ["由系统导出"]], "明细": [HEADER, *messages(1)]}))
    assert said(found.conversation) == TURNS
    assert found.detected[0].note.endswith("sheets without messages are left out: 说明")
    assert found.conversation.source_uri == "log-0"


def test_read_reads_a_sheet_whose_columns_their_values_tell():
    found = Read(workbook({"说明": [["本表"]], "明细": [["会话ID", "哪一方", "说了啥", "时间"], *messages(1)]}))
    assert said(found.conversation) == TURNS


def test_read_writes_no_more_columns_than_a_sheet_has():
    found = Read(workbook({"明细": [["", "", "聊天明细"], HEADER, *[[*row, None, None] for row in messages(1)]]}))
    assert said(found.conversation) == TURNS
    assert list(found.detected[0].columns) == HEADER
