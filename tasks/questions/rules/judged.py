"""A model's answers to own questions, judged by people's: from a sheet, or from a file with a line a conversation."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from tasks.domain.errors import UsageError
from tasks.evaluating.rules.agreement import Confusion, Estimate, wilson
from tasks.evaluating.rules.scoring import score_text
from tasks.questions.rules.questions import Question, Questionnaire
from tasks.questions.rules.typed_answers import TypedAnswer, typed_answers

Labels = Mapping[str, Sequence[TypedAnswer]]


def read_labels(lines: Iterable[bytes], place: str, questionnaire: Questionnaire) -> Labels:
    """People's answers by conversation id, from JSON lines of `conversation_id` and an answer by question id.

    Raises:
        UsageError: a line is no such object, or names no question that is asked.
    """
    found: dict[str, Sequence[TypedAnswer]] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        typed = typed_answers(line.decode("utf-8", "replace"), questionnaire)
        try:
            conversation = orjson.loads(line)["conversation_id"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            conversation = None
        if typed is None or not isinstance(conversation, str):
            raise UsageError(
                f"{place}, line {number}: it needs a conversation_id and an answer to a question by its id."
            )
        found[conversation] = [answer for answer in typed if answer.said is not None]
    return found


@dataclass(slots=True)
class _Counts:
    labeled: int = 0
    right: int = 0
    unknown: int = 0
    yes: Confusion = field(default_factory=Confusion)
    distances: list[int] = field(default_factory=list)
    overlaps: list[float] = field(default_factory=list)

    def add(self, label: TypedAnswer, answer: TypedAnswer | None) -> None:
        truth, said = _value(label), _value(answer) if answer else None
        self.labeled += 1
        self.right += said == truth
        self.unknown += said is None and truth is not None
        self.yes.add(label.yes, answer.yes if answer else None, missing=answer is None)
        if label.score is not None and answer is not None and answer.score is not None:
            self.distances.append(abs(label.score - answer.score))
        if label.text is not None:
            said_text = answer.text if answer and answer.text else ""
            self.overlaps.append(score_text(said_text, label.text).rouge_l)

    def figures(self, question: Question) -> dict[str, Any]:
        share = wilson(self.right, self.labeled)
        figures: dict[str, Any] = {
            "kind": question.kind,
            "labeled": self.labeled,
            "accuracy": round(share.value, 4),
            "accuracy_interval": [round(share.low, 4), round(share.high, 4)],
            "unanswered": self.unknown,
        }
        if question.kind == "yes_no":
            agreement = self.yes.agreement()
            for name in ("macro_f1", "positive_f1", "kappa"):
                estimate: Estimate | None = getattr(agreement, name)
                figures[name] = round(estimate.value, 4) if estimate else None
        if question.kind == "scale":
            figures["mean_distance"] = round(sum(self.distances) / len(self.distances), 4) if self.distances else None
        if question.kind == "text":
            figures["rouge_l"] = round(sum(self.overlaps) / len(self.overlaps), 2) if self.overlaps else None
        return figures


def _value(answer: TypedAnswer) -> object:
    return next((value for value in (answer.yes, answer.choice, answer.score, answer.text) if value is not None), None)


def judge_answers(
    questionnaire: Questionnaire, labels: Labels, answers: Mapping[str, Sequence[TypedAnswer]]
) -> dict[str, dict[str, Any]]:
    """The figures of each question, over the labeled conversations that were asked about.

    Args:
        answers: the model's, by the names that the labels have; an empty list where it gave none.
    """
    counts = {question.id: _Counts() for question in questionnaire.questions}
    for conversation, given in labels.items():
        if conversation not in answers:
            continue
        said = {answer.question.id: answer for answer in answers[conversation]}
        for label in given:
            counts[label.question.id].add(label, said.get(label.question.id))
    return {
        question.id: counts[question.id].figures(question)
        for question in questionnaire.questions
        if counts[question.id].labeled
    }
