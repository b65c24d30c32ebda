"""The sheet in which people answer a shop's own questions, and the meaning of a filled-in row.

The cells to fill in stand right beside the dialogue, the model's answers to the right of them, so that nobody is led by
it. A column names its question whole: a sheet of other questions is refused.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from tasks.domain.records import Request
from tasks.questions.rules.questions import Question, Questionnaire
from tasks.questions.rules.typed_answers import TypedAnswer, is_unknown, typed_answer
from tasks.reviewing.rules.review_sheet import RowError, cell_text
from tasks.reviewing.rules.sheet_form import SheetForm

NUMBER: Final = "编号"

UNCLEAR: Final = "看不出"

_DIALOGUE: Final = "对话"

_INSTRUCTIONS: Final = (
    "请先读“对话”并回答黄色列里的问题，再看右边模型的答案。",
    f"有选项的请从下拉列表中选择；对话里看不出答案的，选“{UNCLEAR}”；空着的格视为尚未回答。",
    "请不要改动“编号”和第一行。行可以排序、删除；其它列的改动不会被读取。",
    f"Read the dialogue and answer the questions in yellow before you look at the model's answers. {UNCLEAR}: the "
    "dialogue does not tell. Leave 编号 and the first row alone.",
)


def column_of(question: Question) -> str:
    """The column in which a question is answered."""
    return f"{question.id}：{' '.join(question.text.split())}"


def form_of(questionnaire: Questionnaire) -> SheetForm:
    """The sheet of some questions."""
    asked = tuple(map(column_of, questionnaire.questions))
    choices = {column_of(question): (*_words(question), UNCLEAR) for question in questionnaire.questions}
    return SheetForm(
        number=NUMBER,
        columns=(NUMBER, _DIALOGUE, *asked, *(f"模型：{question.id}" for question in questionnaire.questions)),
        to_fill_in=asked,
        choices={column: words for column, words in choices.items() if len(words) > 1},
        instructions=_INSTRUCTIONS,
        widths={NUMBER: 20, _DIALOGUE: 70},
    )


def _words(question: Question) -> tuple[str, ...]:
    match question.kind:
        case "yes_no":
            return ("是", "否")
        case "one_of":
            return question.options
        case "scale":
            return ("1", "2", "3", "4", "5")
        case "text":
            return ()


def number_of(request: Request) -> str:
    """The number of a conversation in a sheet: one that no spreadsheet takes for a number or a date."""
    return f"Q-{request.content_hash[:16]}"


def sheet_row(request: Request, answers: Sequence[TypedAnswer]) -> list[str]:
    """The cells of one conversation, by column of the questions' form."""
    return [
        number_of(request),
        cell_text(request.text),
        *("" for _ in answers),
        *(cell_text(answer.said or UNCLEAR) for answer in answers),
    ]


def labels_of(
    rows: Iterable[tuple[int, Mapping[str, str]]], questionnaire: Questionnaire
) -> tuple[dict[str, list[TypedAnswer]], list[RowError]]:
    """People's answers by the number of the conversation, and the cells that say none that there is.

    Args:
        rows: the sheet's rows with their numbers in it, by column.
        questionnaire: the questions it was made for.
    """
    found: dict[str, list[TypedAnswer]] = {}
    errors: list[RowError] = []
    for row, cells in rows:
        given = found.setdefault(cells[NUMBER].strip(), [])
        for question in questionnaire.questions:
            said = cells[column_of(question)].strip()
            answer = typed_answer(question, said)
            values = (answer.yes, answer.choice, answer.score, answer.text)
            if said and not is_unknown(said) and all(value is None for value in values):
                words = "、".join((*_words(question), UNCLEAR))
                errors.append(RowError(row, column_of(question), f"“{said[:40]}”无法识别，请从 {words} 中选择。"))
            elif said:
                given.append(answer)
    return {number: given for number, given in found.items() if given}, errors
