"""Rows of a table that hold no message of their own, and rows that hold two."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from tasks.reading.rules.correspondence import WORKED_OUT, Between
from tasks.reading.rules.json.reshaping import texts_of_sides
from tasks.reading.rules.speakers import speaker_of
from tasks.reading.rules.vocabulary import Vocabulary

_TOTALS: Final = frozenset(
    "合计 总计 小计 汇总 共计 總計 合計 total totals subtotal sum count grandtotal".split()  # noqa: SIM905
)

# What programs write below a table. A sentence may be the second line of a message.
_FOOTER: Final = re.compile(
    r"\(?\d{1,9} (?:rows?|records?|行)(?: in set)?(?:\s?\(.{0,20}\)| affected| selected|受影响)?\)?"
    r"|共\s?\d{1,9}\s?[条行页个]\S{0,12}|第\s?\d{1,6}\s?页\s?.{0,20}"
    r"|[-=*\s]{0,20}end(?: of (?:file|report|export))?[-=*\s]{0,20}"
    r"|(?:导出|生成|打印|制表)(?:人|时间|日期)[:：].{0,80}"
    r"|(?:exported|generated) (?:by|on|at)\b.{0,80}|(?:copyright\b|©).{0,80}",
    re.I,
)

_RULER: Final = " \t-=:+|_─━—*"

_FEW_FILLED: Final = 3

_LONGEST_NAME: Final = 24

# 坐席姓名, 客服工号: a column about a speaker.
_OF_A_SPEAKER: Final = re.compile(r"(?:名|称|号|编码|时间|内容|类型|身份|话术?|原话|回复|说的?|id|name|type)$", re.I)

_SENTENCE: Final = re.compile(r"[，。！？,!?：:]")


def says_nothing(row: Sequence[str], vocabulary: Vocabulary) -> bool:
    """True for a ruler (`|---|---|`), a line of totals, and a second header in other words."""
    filled = [field.strip() for field in row if field.strip()]
    if is_ruler(filled):
        return True
    if len(filled) == 1 and _FOOTER.fullmatch(filled[0]):
        return True
    first = filled[0].rstrip(":：").replace(" ", "").lower()
    if len(filled) <= _FEW_FILLED and any(first.startswith(word) for word in _TOTALS):
        return True
    if max(map(len, filled)) > 40 or len(filled) < _FEW_FILLED:
        return False
    if not any(vocabulary.means(field, "conversation_id") for field in filled):
        return False  # the shape of fields that are no names is ten times the work
    shape = vocabulary.shape(tuple(dict.fromkeys(filled)))
    return bool(shape.conversation_id and shape.role and shape.text and len({*filled}) == len(filled))


def is_ruler(row: Sequence[str]) -> bool:
    """True for a row of nothing but lines, such as `|---|---|`."""
    return all(not field.strip(_RULER) for field in row)


def are_names(header: Sequence[str]) -> bool:
    """True for cells none of which is a speaker, a time, a number or a sentence, as some of a row's are."""
    return not any(
        not cell or len(cell) > _LONGEST_NAME or cell[0].isdigit() or _is_speaker(cell) or _SENTENCE.search(cell)
        for cell in header
    )


def _is_speaker(cell: str) -> bool:
    return speaker_of(cell) is not None and not _OF_A_SPEAKER.search(cell)


class Sides(NamedTuple):
    """The places of what the user says and of what the agent says, where a row holds both."""

    user: int
    agent: int


def sides_of(header: Sequence[str], vocabulary: Vocabulary) -> Sides | None:
    """The columns of both sides' texts in a header that names a conversation, and no speaker."""
    names = tuple(header)
    shape = vocabulary.shape(names)
    if len(set(names)) < len(names) or shape.speaks or not shape.conversation_id:
        return None
    found = texts_of_sides(names, vocabulary)
    return Sides(names.index(found[0]), names.index(found[1])) if found else None


SIDES_HEADER: Final = ("role", "text")


def message_rows(rows: Iterable[tuple[int, list[str]]], sides: Sides) -> Iterator[tuple[int, list[str]]]:
    """Each row once for each side that says something in it, with the side and its words at the end."""
    for number, row in rows:
        if len(row) <= max(sides):
            yield number, row
            continue
        for name, place in (("user", sides.user), ("agent", sides.agent)):
            if row[place].strip():
                yield number, [*row, name, row[place]]


def letter_rows(
    rows: Iterable[tuple[int, list[str]]], header: Sequence[str], between: Between, vocabulary: Vocabulary
) -> Iterator[tuple[int, list[str]]]:
    """Each row that says who writes to whom with its conversation and its side at the end."""
    for number, row in rows:
        found = between.worked_out(dict(zip(header, row, strict=False)), vocabulary)
        yield number, [*row, *(found.get(name, "") for name in WORKED_OUT)]
