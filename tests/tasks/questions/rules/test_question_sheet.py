from dataclasses import replace
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from tasks.domain.errors import UsageError
from tasks.questions.rules.question_sheet import NUMBER, UNCLEAR, column_of, form_of, labels_of, sheet_row
from tasks.questions.rules.questions import parse_questions
from tasks.questions.rules.typed_answers import typed_answer
from tasks.reviewing.sheets import read_sheet, write_form
from tests.builders.asked import requests
from tests.tasks.questions.test_typed_answers import FILE, QUESTIONS

FORM = form_of(QUESTIONS)
PROMISED, WANTED, POLITENESS, LESSON = map(column_of, QUESTIONS.questions)


def read_back(*rows):
    """Labels of rows of cells, by column, that went through a file."""
    cells = [[f"Q-{place}", "对话", *row, "", "", "", ""] for place, row in enumerate(rows)]
    return labels_of(read_sheet(write_form(FORM, cells, "a.csv"), "a.csv", FORM), QUESTIONS)


def test_a_filled_in_row_is_read_as_the_model_is():
    labels, errors = read_back(("是", "电话", "4", "早点回电话"), ("否", UNCLEAR, "", ""), ("", "", "", ""))
    assert errors == []
    assert [(label.question.id, label.yes, label.choice, label.score, label.text) for label in labels["Q-0"]] == [
        ("promised", True, None, None, None),
        ("channel_wanted", None, "电话", None, None),
        ("politeness", None, None, 4, None),
        ("lesson", None, None, None, "早点回电话"),
    ]
    assert [(label.question.id, label.yes, label.choice) for label in labels["Q-1"]] == [
        ("promised", False, None),
        ("channel_wanted", None, None),
    ]
    assert "Q-2" not in labels


@pytest.mark.parametrize(("column", "said"), [(PROMISED, "也许"), (WANTED, "传真"), (POLITENESS, "6")])
def test_a_word_that_is_no_answer_is_refused_with_its_place(column, said):
    cells = {name: said if name == column else "" for name in FORM.to_fill_in}
    _, (error,) = read_back(tuple(cells.values()))
    assert (error.row, error.column) == (2, column)


def test_each_column_offers_its_own_words():
    book = load_workbook(BytesIO(write_form(FORM, [], "a.xlsx")))
    offered = {
        str(validation.sqref)[0]: validation.formula1
        for validation in book.worksheets[0].data_validations.dataValidation
    }
    assert offered == {
        "C": '"是,否,看不出"',
        "D": '"电话,短信,在线,看不出"',
        "E": '"1,2,3,4,5,看不出"',
    }


def test_options_that_a_list_cannot_hold_are_written_by_hand():
    long = parse_questions(FILE.replace("电话", "电话, 固定电话"), "q.toml")
    book = load_workbook(BytesIO(write_form(form_of(long), [], "a.xlsx")))
    assert {str(validation.sqref)[0] for validation in book.worksheets[0].data_validations.dataValidation} == {"C", "E"}


def test_a_sheet_of_other_questions_is_refused():
    other = parse_questions(FILE.replace("承诺了时间", "承诺了赔偿"), "q.toml")
    sheet = write_form(FORM, [], "a.csv")
    with pytest.raises(UsageError, match="promised：客服是否承诺了赔偿"):
        read_sheet(sheet, "a.csv", form_of(other))


@given(st.text(max_size=20), st.text(max_size=20))
def test_what_stands_in_a_dialogue_or_an_answer_is_never_a_formula(text, said):
    request = replace(requests(1)[0], text=f"={text}")
    answers = [typed_answer(question, said) for question in QUESTIONS.questions]
    row = sheet_row(request, answers)
    assert len(row) == len(FORM.columns)
    book = load_workbook(BytesIO(write_form(FORM, [row], "a.xlsx")))
    assert {cell.data_type for cell in book.worksheets[0][2] if cell.value is not None} <= {"s"}
    assert book.worksheets[0].cell(2, FORM.columns.index(NUMBER) + 1).value == row[0]
