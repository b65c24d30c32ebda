"""A model's answers to own questions, as values of their types."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from tasks.parsing.json_records import loaded
from tasks.preparing.masking import mask
from tasks.questions.rules.questions import Question, Questionnaire

_YES = re.compile(r"是的?|有的?|对的?|yes|true|y|1", re.IGNORECASE)
_NO = re.compile(r"否|不是的?|没有?|无|不|no|false|n|0", re.IGNORECASE)
_SCORE = re.compile(r"([1-5])(?:\.0)?\s*(?:分|星|/\s*5)?")
_UNKNOWN = re.compile(r"|null|none|无法判断|看不出|未知|不清楚|未提及|n/?a|-+", re.IGNORECASE)
_LONGEST = 500


@dataclass(frozen=True, slots=True)
class TypedAnswer:
    """One answer: `said` is the model's word; of the values, that of the question's kind is set if it is known."""

    question: Question
    said: str | None
    yes: bool | None = None
    choice: str | None = None
    score: int | None = None
    text: str | None = None


def typed_answers(output: str, questionnaire: Questionnaire) -> list[TypedAnswer] | None:
    """The answers in a model's output, one for each question; None where it holds no object with any of them."""
    record = _record(output, {question.id for question in questionnaire.questions})
    if record is None:
        return None
    return [typed_answer(question, record.get(question.id)) for question in questionnaire.questions]


def is_unknown(said: str) -> bool:
    """Return true for a word by which nothing is known, such as 看不出, and for none."""
    return _UNKNOWN.fullmatch(said) is not None


def _record(output: str, ids: set[str]) -> Mapping[str, object] | None:
    begin, end = output.find("{"), output.rfind("}")
    value = loaded(output[begin : end + 1]) if 0 <= begin < end else None
    if not isinstance(value, dict):
        return None
    record = {str(key).strip(): item for key, item in value.items()}
    return record if ids & set(record) else None


def typed_answer(question: Question, value: object) -> TypedAnswer:
    """Read one value as the answer to a question."""
    if isinstance(value, bool):
        value = "是" if value else "否"
    said = mask(str(value).strip())[:_LONGEST] if isinstance(value, str | int | float) else ""
    if is_unknown(said):
        return TypedAnswer(question, said or None)
    plain = said.rstrip("。.！! ")
    match question.kind:
        case "yes_no":
            yes = True if _YES.fullmatch(plain) else False if _NO.fullmatch(plain) else None
            return TypedAnswer(question, said, yes=yes)
        case "one_of":
            held = [option for option in question.options if option in plain]
            chosen = plain if plain in question.options else held[0] if len(held) == 1 else None
            return TypedAnswer(question, said, choice=chosen)
        case "scale":
            score = _SCORE.fullmatch(plain)
            return TypedAnswer(question, said, score=int(score.group(1)) if score else None)
        case "text":
            return TypedAnswer(question, said, text=said)
