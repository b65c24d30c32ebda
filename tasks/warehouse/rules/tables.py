"""The warehouse's tables: Arrow schemas, partition keys, and rows as Arrow.

Columns are added at the end; none is renamed or retyped without a new `SCHEMA_VERSION` and a note in
CHANGELOG.md.
The partition column `day` is in the path (`table/day=2026-11-22/table.parquet`), not in the file.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import pyarrow as pa

from tasks.domain.records import Reject, Request, Summarized
from tasks.warehouse.rules.measures import Measures, measure

SCHEMA_VERSION = "1"

_UTC_MICROSECONDS = pa.timestamp("us", tz="UTC")


def _schema(*columns: tuple[str, pa.DataType]) -> pa.Schema:
    return pa.schema(
        [pa.field(name, kind) for name, kind in columns],
        metadata={"kefu.schema_version": SCHEMA_VERSION},
    )


SUMMARIES = _schema(
    ("conversation_id", pa.string()),
    ("started_at", _UTC_MICROSECONDS),
    ("channel", pa.string()),
    ("turns", pa.int32()),
    ("issue", pa.string()),
    ("plan", pa.string()),
    ("accepted", pa.bool_()),
    ("negative_sentiment", pa.bool_()),
    ("accepted_text", pa.string()),
    ("negative_sentiment_text", pa.string()),
    ("truncated", pa.bool_()),
    ("model", pa.string()),
    ("prompt_version", pa.string()),
    ("prompt_tokens", pa.int32()),
    ("completion_tokens", pa.int32()),
    ("latency_ms", pa.int32()),
    ("attempts", pa.int16()),
    ("source_uri", pa.string()),
    ("content_hash", pa.string()),
    ("summarized_at", _UTC_MICROSECONDS),
    ("run_id", pa.string()),
    ("attributes", pa.map_(pa.string(), pa.string())),
    ("theme", pa.string()),
    ("plan_theme", pa.string()),
    ("suspicious", pa.bool_()),
    ("user_messages", pa.int32()),
    ("agent_messages", pa.int32()),
    ("first_response_seconds", pa.float64()),
    ("resolution_seconds", pa.float64()),
    ("agent", pa.string()),
    ("csat", pa.string()),
    ("contradicted", pa.string()),
)

REJECTS = _schema(
    ("conversation_id", pa.string()),
    ("reason", pa.string()),
    ("detail", pa.string()),
    ("raw_output", pa.string()),
    ("source_uri", pa.string()),
    ("line", pa.int64()),
    ("attempts", pa.int16()),
    ("run_id", pa.string()),
    ("content_hash", pa.string()),
    ("started_at", _UTC_MICROSECONDS),
    ("channel", pa.string()),
)

METRICS = _schema(
    ("metric", pa.string()),
    ("dimension", pa.string()),
    ("value_key", pa.string()),
    ("value", pa.float64()),
    ("numerator", pa.int64()),
    ("denominator", pa.int64()),
)

RUNS = _schema(
    ("run_id", pa.string()),
    ("status", pa.string()),
    ("started_at", _UTC_MICROSECONDS),
    ("finished_at", _UTC_MICROSECONDS),
    ("seconds", pa.float64()),
    ("conversations", pa.int64()),
    ("summarized", pa.int64()),
    ("rejected", pa.int64()),
    ("reused", pa.int64()),
    ("calls", pa.int64()),
    ("retries", pa.int64()),
    ("quota_refusals", pa.int64()),
    ("prompt_tokens", pa.int64()),
    ("completion_tokens", pa.int64()),
    ("cost", pa.float64()),
    ("quota_use", pa.float64()),
    ("summarizer", pa.string()),
    ("model", pa.string()),
    ("prompt_version", pa.string()),
    ("log_objects", pa.int64()),
    ("version", pa.string()),
    ("masked", pa.map_(pa.string(), pa.int64())),
    ("cached_tokens", pa.int64()),
    ("model_options", pa.string()),
    ("unread_files", pa.int64()),
    ("unread_conversations", pa.int64()),
    ("outside_day", pa.int64()),
    ("logs_complete", pa.bool_()),
    ("logs_fingerprint", pa.string()),
    ("log_bytes", pa.int64()),
    ("currency", pa.string()),
    ("published_at", _UTC_MICROSECONDS),
    ("last_of_day", pa.bool_()),
    ("golden_calls", pa.int64()),
    ("golden_cost", pa.float64()),
)

# Golden conversations asked among a night's others: the model's words beside people's. `changed` is the whole night's.
GOLDEN = _schema(
    ("conversation_id", pa.string()),
    ("content_hash", pa.string()),
    ("asked_at", _UTC_MICROSECONDS),
    ("model", pa.string()),
    ("prompt_version", pa.string()),
    ("prompt_tokens", pa.int32()),
    ("completion_tokens", pa.int32()),
    ("run_id", pa.string()),
    ("reason", pa.string()),
    ("issue", pa.string()),
    ("plan", pa.string()),
    ("accepted", pa.bool_()),
    ("negative_sentiment", pa.bool_()),
    ("label_issue", pa.string()),
    ("label_plan", pa.string()),
    ("label_accepted", pa.bool_()),
    ("label_negative_sentiment", pa.bool_()),
    ("issue_right", pa.bool_()),
    ("plan_right", pa.bool_()),
    ("accepted_right", pa.bool_()),
    ("negative_sentiment_right", pa.bool_()),
    ("changed", pa.bool_()),
)

# A candidate's rows: those of SUMMARIES, and where its answer was none, why.
SHADOWS = _schema(
    *((field.name, field.type) for field in SUMMARIES),
    ("reason", pa.string()),
    ("detail", pa.string()),
    ("raw_output", pa.string()),
)

# The taxonomy by which a day's themes were assigned.
THEMES = _schema(
    ("theme", pa.string()),
    ("theme_group", pa.string()),
    ("name_zh", pa.string()),
    ("name_en", pa.string()),
    ("group_zh", pa.string()),
    ("group_en", pa.string()),
    ("definition", pa.string()),
    ("keywords", pa.list_(pa.string())),
    ("retired", pa.bool_()),
)

# Answers to a shop's own questions; of yes, choice, score and text the one of the question's kind is set.
QUESTION_ANSWERS = _schema(
    ("conversation_id", pa.string()),
    ("content_hash", pa.string()),
    ("question", pa.string()),
    ("kind", pa.string()),
    ("said", pa.string()),
    ("yes", pa.bool_()),
    ("choice", pa.string()),
    ("score", pa.int8()),
    ("text", pa.string()),
    ("questions_version", pa.string()),
    ("model", pa.string()),
    ("answered_at", _UTC_MICROSECONDS),
    ("run_id", pa.string()),
)

LABELS = _schema(
    ("conversation_id", pa.string()),
    ("content_hash", pa.string()),
    ("text", pa.string()),
    ("truncated", pa.bool_()),
    ("issue", pa.string()),
    ("plan", pa.string()),
    ("accepted", pa.bool_()),
    ("negative_sentiment", pa.bool_()),
    ("reviewer", pa.string()),
    ("note", pa.string()),
    ("sample_id", pa.string()),
    ("stratum", pa.string()),
    ("model", pa.string()),
    ("prompt_version", pa.string()),
    ("labeled_at", _UTC_MICROSECONDS),
    ("second_reviewer", pa.string()),
    ("second_accepted", pa.bool_()),
    ("second_negative_sentiment", pa.bool_()),
)

SAMPLES = _schema(
    ("number", pa.string()),
    ("day", pa.date32()),
    ("stratum", pa.string()),
    ("conversation_id", pa.string()),
    ("content_hash", pa.string()),
    ("text", pa.string()),
    ("truncated", pa.bool_()),
    ("issue", pa.string()),
    ("plan", pa.string()),
    ("accepted", pa.bool_()),
    ("negative_sentiment", pa.bool_()),
    ("model", pa.string()),
    ("prompt_version", pa.string()),
)


AssignThemes = Callable[[pa.Array], pa.Array]


def conform(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Rows of any version of a table as rows of this one: columns that did not exist then are null.

    Raises:
        ValueError: a column is of a type that no version of the table had.
    """
    if batch.schema.equals(schema):
        return batch
    there = {name: batch.column(index) for index, name in enumerate(batch.schema.names)}
    columns = [
        there[field.name].cast(field.type) if field.name in there else pa.nulls(batch.num_rows, field.type)
        for field in schema
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def summary_rows(rows: Sequence[Summarized], assign: AssignThemes | None = None) -> pa.RecordBatch:
    """Rows as a record batch of SUMMARIES, in the order given.

    Args:
        rows: what was summarized.
        assign: texts to the ids of their themes; without it, themes stay null.
    """
    measures = [measure(row.request.conversation) for row in rows]
    columns: dict[str, list[object]] = {
        "conversation_id": [row.request.conversation.conversation_id for row in rows],
        "started_at": [row.request.conversation.started_at for row in rows],
        "channel": [row.request.conversation.channel for row in rows],
        "turns": [len(row.request.conversation.turns) for row in rows],
        "issue": [row.fields.issue for row in rows],
        "plan": [row.fields.plan for row in rows],
        "accepted": [row.fields.accepted for row in rows],
        "negative_sentiment": [row.fields.negative_sentiment for row in rows],
        "accepted_text": [row.fields.accepted_text for row in rows],
        "negative_sentiment_text": [row.fields.negative_sentiment_text for row in rows],
        "truncated": [row.request.truncated for row in rows],
        "model": [row.answer.model for row in rows],
        "prompt_version": [row.answer.prompt_version for row in rows],
        "prompt_tokens": [row.answer.prompt_tokens for row in rows],
        "completion_tokens": [row.answer.completion_tokens for row in rows],
        "latency_ms": [row.answer.latency_ms for row in rows],
        "attempts": [row.answer.attempts for row in rows],
        "source_uri": [row.request.conversation.source_uri for row in rows],
        "content_hash": [row.request.content_hash for row in rows],
        "summarized_at": [row.answer.answered_at for row in rows],
        "run_id": [row.answer.run_id for row in rows],
        "attributes": [list(row.request.conversation.attributes.items()) for row in rows],
        "theme": [None] * len(rows),
        "plan_theme": [None] * len(rows),
        "suspicious": [row.request.suspicious for row in rows],
        **{name: [getattr(measure, name) for measure in measures] for name in Measures._fields},
        "contradicted": [",".join(row.contradicted) or None for row in rows],
    }
    batch = _batch(columns, SUMMARIES)
    return with_themes(batch, assign) if assign else batch


def with_themes(batch: pa.RecordBatch, assign: AssignThemes) -> pa.RecordBatch:
    """The rows with the themes of their issues and plans, whatever these columns held before."""
    # Both columns at once: a call takes as long as some hundred texts before it begins.
    themes = assign(pa.concat_arrays([batch["issue"], batch["plan"]]))
    columns = {name: batch[name] for name in batch.schema.names} | {
        "theme": themes[: len(batch)],
        "plan_theme": themes[len(batch) :],
    }
    return _batch(columns, SUMMARIES)


def complete_batch(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Rows of an older schema, or of somebody else's hand, in today's: missing columns are null, others are cast."""
    columns = [
        batch[field.name].cast(field.type) if field.name in batch.schema.names else pa.nulls(len(batch), field.type)
        for field in schema
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def republished(runs: Sequence[Mapping[str, object]], now: datetime) -> list[Mapping[str, object]]:
    """Return a day's rows of `runs`, the last one published now: whoever loads what changed loads the day again."""
    return [*runs[:-1], {**runs[-1], "published_at": now}]


def reject_rows(rejects: Sequence[Reject], run_id: str) -> pa.RecordBatch:
    """Rejects as a record batch of REJECTS, in the order given."""
    columns: dict[str, list[object]] = {
        "conversation_id": [reject.conversation_id for reject in rejects],
        "reason": [reject.reason.value for reject in rejects],
        "detail": [reject.detail for reject in rejects],
        "raw_output": [reject.raw_output for reject in rejects],
        "source_uri": [reject.source_uri for reject in rejects],
        "line": [reject.line for reject in rejects],
        "attempts": [reject.attempts for reject in rejects],
        "run_id": [run_id] * len(rejects),
        "content_hash": [reject.content_hash for reject in rejects],
        "started_at": [reject.started_at for reject in rejects],
        "channel": [reject.channel for reject in rejects],
    }
    return _batch(columns, REJECTS)


def shadow_rows(outcomes: Sequence[tuple[Request, Summarized | Reject]], model: str, run_id: str) -> pa.Table:
    """A candidate's answers as a table of SHADOWS; a conversation that it did not summarize has its reason."""
    rows = []
    for request, outcome in outcomes:
        if isinstance(outcome, Summarized):
            rows += summary_rows([outcome]).to_pylist()
        else:
            rows.append(
                {
                    "conversation_id": outcome.conversation_id,
                    "started_at": request.conversation.started_at,
                    "channel": request.conversation.channel,
                    "turns": len(request.conversation.turns),
                    "truncated": request.truncated,
                    "model": model,
                    "attempts": outcome.attempts,
                    "source_uri": outcome.source_uri,
                    "content_hash": outcome.content_hash,
                    "run_id": run_id,
                    "reason": outcome.reason.value,
                    "detail": outcome.detail,
                    "raw_output": outcome.raw_output,
                }
            )
    return pa.Table.from_pylist(rows, schema=SHADOWS)


def _batch(columns: Mapping[str, Sequence[object]], schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays(
        [pa.array(columns[field.name], type=field.type) for field in schema], schema=schema
    )
