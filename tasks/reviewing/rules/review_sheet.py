"""The review sheet: its columns, and the meaning of a filled-in row.

The cells to fill in stand right beside the dialogue, what the model says to the right of them, so that nobody is led by
it. A row is reviewed when both verdicts are given; they are read as a model's are (对, 错, TRUE, 否。). A corrected
issue or plan replaces the model's; left empty, the model's stands; 无 says that the conversation does not tell. Nothing
but a row's number, its verdicts, corrections, reviewer and note is read back: everything else is known from the sample
that the sheet was made of, so that sorting, deleting rows and what a spreadsheet does to dates and ids harm nothing.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tasks.parsing.verdicts import accepted_of, negative_sentiment_of
from tasks.preparing.masking import mask
from tasks.reviewing.rules.labels import NOT_TOLD, VERDICTS, Label
from tasks.reviewing.rules.sampling import DISAGREEING, RANDOM, UNCERTAIN
from tasks.reviewing.rules.sheet_form import SheetForm

NUMBER: Final = "编号"

ACCEPTED: Final = "是否接受"

NEGATIVE: Final = "是否负面情绪"

ISSUE: Final = "用户问题（更正）"

PLAN: Final = "客服方案（更正）"

REVIEWER: Final = "审核人"

NOTE: Final = "备注"

TO_FILL_IN: Final = (ACCEPTED, NEGATIVE, ISSUE, PLAN, REVIEWER, NOTE)

COLUMNS: Final = (
    NUMBER,
    "日期",
    "会话编号",
    "对话",
    *TO_FILL_IN,
    "抽样原因",
    "模型：用户问题",
    "模型：客服方案",
    "模型：是否接受",
    "模型：是否负面情绪",
)

CHOICES: Final = tuple(VERDICTS.values())

INSTRUCTIONS: Final = (
    "请先读“对话”并填写判断，再看右边模型的答案。",
    "“是否接受”和“是否负面情绪”必填，从下拉列表中选择：是、否、未明确。两项都为空的行视为尚未审核，导入时跳过。",
    "“用户问题（更正）”和“客服方案（更正）”：模型写得对就留空；写得不对，请写出正确的一句话；对话里没有，请写“无”。",
    "请不要改动“编号”。行可以排序、删除；其它列的改动不会被读取。",
    "Read the dialogue and choose both verdicts before you look at the model's answers on the right. Correct issue or "
    "plan only where the model's is wrong. Leave 编号 alone.",
)

FORM: Final = SheetForm(
    number=NUMBER,
    columns=COLUMNS,
    to_fill_in=TO_FILL_IN,
    choices={ACCEPTED: CHOICES, NEGATIVE: CHOICES},
    instructions=INSTRUCTIONS,
    widths={NUMBER: 14, "日期": 11, "会话编号": 16, "抽样原因": 12, "对话": 70, ACCEPTED: 11, NEGATIVE: 14},
)

_STRATA: Final = {RANDOM: "随机", UNCERTAIN: "模型不确定", DISAGREEING: "与规则不一致"}

_READERS: Final[Mapping[str, Callable[[str], bool | None]]] = {ACCEPTED: accepted_of, NEGATIVE: negative_sentiment_of}

_NOT_TOLD_WORDS: Final = frozenset(
    [
        "无",
        "未明确",
        "不明确",
        "未知",
        "不知",
        "不确定",
        "不清楚",
        "无法判断",
        "难以判断",
        "看不出",
        "不详",
        "unknown",
        "unclear",
        "n/a",
        "null",
        "?",
        "？",
    ]
)

_LONGEST: Final = 500

_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class RowError:
    """A row that does not fit: where, and what to do, in the sheet's language.

    `row` counts as the spreadsheet does, the header being 1.
    """

    row: int
    column: str
    message: str

    def __str__(self) -> str:
        return f"第 {self.row} 行，“{self.column}”：{self.message}"


@dataclass(frozen=True, slots=True)
class Review:
    """A row that a person filled in. `sampled` is the SAMPLES row it is about."""

    sampled: Mapping[str, Any]
    label: Label
    reviewer: str
    note: str


def sheet_row(sampled: Mapping[str, Any], reviewer: str = "") -> list[str]:
    """The cells of one SAMPLES row, as COLUMNS has them, those to fill in empty but for the reviewer's name."""
    return [
        sampled["number"],
        sampled["day"].isoformat(),
        cell_text(sampled["conversation_id"]),
        cell_text(sampled["text"]),
        *(reviewer if column == REVIEWER else "" for column in TO_FILL_IN),
        _STRATA[sampled["stratum"]],
        cell_text(sampled["issue"] or NOT_TOLD),
        cell_text(sampled["plan"] or NOT_TOLD),
        VERDICTS[sampled["accepted"]],
        VERDICTS[sampled["negative_sentiment"]],
    ]


def cell_text(text: str) -> str:
    """The text without what no spreadsheet takes."""
    return _UNPRINTABLE.sub("", text)


def sample_of(number: str) -> str:
    """The sample that a row's number names."""
    return number.partition("-")[0]


def read_reviews(
    rows: Iterable[tuple[int, Mapping[str, str]]], sample: Mapping[str, Mapping[str, Any]]
) -> Iterator[Review | RowError | None]:
    """Read each row as a review, an error that says why it is refused, or None where it is not filled in yet.

    Args:
        rows: the sheet's rows with their numbers in it, by column.
        sample: the SAMPLES rows by their `number`.
    """
    seen: dict[str, int] = {}
    for row, cells in rows:
        number = cells[NUMBER].strip()
        if not any(cells[column].strip() for column in (NUMBER, *TO_FILL_IN)):
            continue
        if not any(cells[column].strip() for column in (ACCEPTED, NEGATIVE, ISSUE, PLAN)):
            yield None
        elif number not in sample:
            yield RowError(row, NUMBER, f"“{number[:40]}”不在抽样中，请照原表填写编号。")
        elif number in seen:
            yield RowError(row, NUMBER, f"{number} 与第 {seen[number]} 行重复，以前面的一行为准。")
        else:
            seen[number] = row
            yield _review(row, cells, sample[number])


def _review(row: int, cells: Mapping[str, str], sampled: Mapping[str, Any]) -> Review | RowError:
    verdicts: dict[str, bool | None] = {}
    for column, read in _READERS.items():
        said = cells[column].strip()
        verdicts[column] = read(said)
        if verdicts[column] is None and said.rstrip("。.").lower() not in _NOT_TOLD_WORDS:
            what = f"“{said[:40]}”无法识别" if said else "还没有填写"
            return RowError(row, column, f"{what}，请从 {'、'.join(CHOICES)} 中选择。")
    for column in (ISSUE, PLAN, REVIEWER, NOTE):
        if cells[column].startswith("="):
            return RowError(row, column, "这是公式，请直接写文字。")
        if len(cells[column]) > _LONGEST:
            return RowError(row, column, f"有 {len(cells[column])} 个字，请不要超过 {_LONGEST} 个。")
    label = Label(
        issue=_corrected(cells[ISSUE], sampled["issue"]),
        plan=_corrected(cells[PLAN], sampled["plan"]),
        accepted=verdicts[ACCEPTED],
        negative_sentiment=verdicts[NEGATIVE],
    )
    return Review(sampled, label, _one_line(cells[REVIEWER]), _one_line(cells[NOTE]))


def _corrected(said: str, models: str | None) -> str | None:
    text = _one_line(said)
    if not text:
        return models
    return None if text == NOT_TOLD else text


def _one_line(text: str) -> str:
    return mask(" ".join(cell_text(text).split()))
