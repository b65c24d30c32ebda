"""Answers to own questions as rows of QUESTION_ANSWERS, also those that came in the nightly's own calls."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.domain.records import Answer, GivenUp, Request
from tasks.parsing.rows import becomes_row
from tasks.questions.rules.questions import Questionnaire
from tasks.questions.rules.typed_answers import TypedAnswer, typed_answers
from tasks.warehouse.rules.tables import QUESTION_ANSWERS

_ROWS_AT_A_TIME: Final = 5_000


def answer_rows(request: Request, answer: Answer, typed: Sequence[TypedAnswer], version: str) -> list[dict[str, Any]]:
    """A row for each question of one conversation."""
    return [
        {
            "conversation_id": request.conversation.conversation_id,
            "content_hash": request.content_hash,
            "question": typed_answer.question.id,
            "kind": typed_answer.question.kind,
            "said": typed_answer.said,
            "yes": typed_answer.yes,
            "choice": typed_answer.choice,
            "score": typed_answer.score,
            "text": typed_answer.text,
            "questions_version": version,
            "model": answer.model,
            "answered_at": answer.answered_at,
            "run_id": answer.run_id,
        }
        for typed_answer in typed
    ]


class SameCallAnswers:
    """Gathers a run's answers to own questions in a file, some thousand rows in memory at a time.

    Args:
        questionnaire: what is asked behind the nightly's prompt.
        version: of that whole prompt.
        path: of the file, in the run's scratch folder.
    """

    def __init__(self, questionnaire: Questionnaire, version: str, path: Path) -> None:
        self.version = version
        self.conversations = 0
        self._questionnaire = questionnaire
        self._path = path
        self._rows: list[dict[str, Any]] = []
        self._writer = pq.ParquetWriter(path, QUESTION_ANSWERS, compression="zstd")

    def add(self, request: Request, answer: Answer | GivenUp) -> None:
        """Take what the answer to one conversation says of the questions; one that says nothing of them has no rows.

        An answer that is known from before says nothing of questions that were not asked then.
        """
        if not (isinstance(answer, Answer) and self._were_asked(answer) and becomes_row(answer)):
            return
        typed = typed_answers(answer.text, self._questionnaire)
        if typed is None:
            return
        self.conversations += 1
        self._rows += answer_rows(request, answer, typed, answer.prompt_version)
        if len(self._rows) >= _ROWS_AT_A_TIME:
            self._write()

    def _were_asked(self, answer: Answer) -> bool:
        return answer.prompt_version.endswith(f".{self._questionnaire.version}")

    def finish(self) -> Path:
        """The file, whole."""
        self._write()
        self._writer.close()
        return self._path

    def _write(self) -> None:
        if self._rows:
            self._writer.write_table(pa.Table.from_pylist(self._rows, schema=QUESTION_ANSWERS))
            self._rows = []
