"""Answers as lines of the answer log, and answers won back from the published tables."""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import datetime
from typing import get_args

import orjson
import pyarrow as pa

from tasks.domain.records import Answer, Fields, Outcome, Reason
from tasks.parsing.answers import render_fields

_NAMES = frozenset(field.name for field in fields(Answer))

_TYPES: Mapping[str, type] = {field.name: field.type for field in fields(Answer) if isinstance(field.type, type)}

_HIGHEST_COUNT = 2**31 - 1  # what the tables' columns hold

_OUTCOMES = frozenset(get_args(Outcome))

_PAID_REASONS: dict[str, Outcome] = {
    Reason.UNPARSEABLE.value: "answered",
    Reason.INVALID_FIELDS.value: "answered",
    Reason.REFUSED.value: "refused",
    Reason.TOO_LONG.value: "too_long",
    Reason.INVALID_REQUEST.value: "invalid_request",
    Reason.LOST_TO_THINKING.value: "lost_to_thinking",
}


def encode_answer(answer: Answer) -> bytes:
    """One line, its line end included."""
    return orjson.dumps(answer, option=orjson.OPT_APPEND_NEWLINE)


def decode_answer(line: bytes) -> Answer | None:
    """The answer of a line; None for a line that is torn, or of no answer's shape, which is then simply not known."""
    try:
        values = orjson.loads(line)
        if not isinstance(values, dict) or not values.keys() <= _NAMES or values["outcome"] not in _OUTCOMES:
            return None
        values["answered_at"] = datetime.fromisoformat(values["answered_at"])
        return Answer(**values) if all(_fits(name, value) for name, value in values.items()) else None
    except (ValueError, KeyError, TypeError):
        return None


def _fits(name: str, value: object) -> bool:
    """Return true if a field's value can be stored as the field's column."""
    if type(value) is int and not 0 <= value <= _HIGHEST_COUNT:
        return False
    if isinstance(value, datetime) and value.tzinfo is None:
        return False
    return type(value) is _TYPES.get(name, str)


def answers_in_summaries(rows: pa.RecordBatch) -> Iterator[Answer]:
    """The answers behind published rows, as far as the rows show them; their request hash is empty."""
    for row in rows.to_pylist():
        row_fields = Fields(
            issue=row["issue"],
            plan=row["plan"],
            accepted=row["accepted"],
            negative_sentiment=row["negative_sentiment"],
            accepted_text=row["accepted_text"],
            negative_sentiment_text=row["negative_sentiment_text"],
        )
        yield Answer(
            request_hash="",
            content_hash=row["content_hash"],
            outcome="answered",
            text=render_fields(row_fields),
            model=row["model"],
            prompt_version=row["prompt_version"],
            prompt_tokens=row["prompt_tokens"],
            completion_tokens=row["completion_tokens"],
            latency_ms=row["latency_ms"],
            attempts=row["attempts"],
            answered_at=row["summarized_at"],
            run_id=row["run_id"],
        )


def answers_in_rejects(rows: pa.RecordBatch, answered_at: datetime) -> Iterator[Answer]:
    """The answers behind published rejects that were answered; the others are worth another call."""
    for row in rows.to_pylist():
        outcome = _PAID_REASONS.get(row["reason"])
        if outcome is None or not row["content_hash"]:
            continue
        yield Answer(
            request_hash="",
            content_hash=row["content_hash"],
            outcome=outcome,
            text=row["raw_output"],
            model="",
            prompt_version="",
            prompt_tokens=0,
            completion_tokens=0,
            latency_ms=0,
            attempts=row["attempts"],
            answered_at=answered_at,
            run_id=row["run_id"],
        )
