"""The data dictionary: one description a column, for tasks/warehouse/README.md, the catalog and Parquet's metadata."""

from collections.abc import Callable, Mapping

import pyarrow as pa

from tasks.warehouse.rules.views import TABLES, duckdb_type

ABOUT: Mapping[str, str] = {
    "summaries": "One row for each conversation that was summarized.",
    "rejects": "One row for each conversation (or line of a log) that was not summarized.",
    "metrics": "The day's figures in long form. A share's `value` is `numerator / denominator`, counted in "
    "conversations; a count has no denominator.",
    "runs": "One row for each run that published the day. The last one by `finished_at` counts; only cost, calls and "
    "tokens add up. This table is written last: it marks the day published.",
    "golden": "One row for each labeled conversation that the night asked among its others (`--golden`). The words "
    "beside it are the model's and a person's.",
    "themes": "One row for each theme of the taxonomy that the day was assigned by.",
    "question_answers": "One row for each conversation and question (`flows.ask_questions`). The column of the "
    "question's kind is set.",
    "labels": "One row for each reviewed conversation.",
}

COLUMNS: Mapping[str, Mapping[str, str]] = {
    "summaries": {
        "conversation_id": "as logged; one that is a phone number or the like is `[手机号:…]`, with a token of its own",
        "started_at": "time of the first message; null where the log has no times",
        "channel": "as logged, or empty",
        "turns": "messages, of both sides",
        "issue": "what the customer asked; null: not said",
        "plan": "what the agent offered; null: not said",
        "accepted": "the customer accepted the plan; null: unknown, never counted as no",
        "negative_sentiment": "the customer was unhappy; null: unknown",
        "accepted_text": "the model's own words about acceptance",
        "negative_sentiment_text": "the model's own words about sentiment",
        "truncated": "the conversation was too long; its middle was left out",
        "model": "the model that answered; one day may hold several",
        "prompt_version": "the prompt that was used",
        "prompt_tokens": "tokens of the request",
        "completion_tokens": "tokens of the answer",
        "latency_ms": "milliseconds from request to answer",
        "attempts": "calls it took, refusals by the quota left out",
        "source_uri": "the log object",
        "content_hash": "fingerprint of the text that was sent",
        "summarized_at": "time of the answer",
        "run_id": "the run that bought the answer",
        "attributes": (
            "the log's other columns; masked values carry a token that is equal for equal values; of two columns "
            "with one name the second is `name (2)`"
        ),
        "theme": "theme of the issue: an id of the taxonomy, `other` where none fits, null without an issue",
        "plan_theme": "theme of the plan, likewise",
        "suspicious": "the conversation tries to steer its reader: instructions to a model, forged turns or answers",
        "user_messages": "messages of the customer",
        "agent_messages": "messages of agents and robots",
        "first_response_seconds": (
            "from the customer's first message to the next of an agent or a robot; null without times"
        ),
        "resolution_seconds": "from the first message to the last; null without times",
        "agent": "the agent, as the log's column says (`agent`, `客服`, …), masked like other names; null: none",
        "csat": "the customer's rating as logged (`rating`, `满意度`, …); null where there is none",
        "contradicted": (
            "the fields whose answer plain words of the conversation contradict, such as `plan,accepted`; null "
            "where there are none"
        ),
    },
    "rejects": {
        "conversation_id": "where it could be read",
        "reason": "one of a fixed set of reasons",
        "detail": "what exactly was wrong",
        "raw_output": "the model's words, if there were any",
        "source_uri": "the log object",
        "line": "the line in it",
        "attempts": "calls that were made",
        "run_id": "the run that published the day",
        "content_hash": "fingerprint of the text, where one was sent",
        "started_at": "when the conversation began, where that is known",
        "channel": "as logged, where that is known",
    },
    "metrics": {
        "metric": "name of the figure",
        "dimension": "what it is broken down by; `all` is the whole day",
        "value_key": "the value of that dimension",
        "value": "the figure",
        "numerator": "count above the line",
        "denominator": "count below the line; null for a count",
    },
    "runs": {
        "run_id": "the run",
        "status": (
            "`done`: the day is complete; `limited`: `--limit` cut it; `too_many_rejects`: more than `--max-"
            "reject-ratio`. The last two are done again"
        ),
        "started_at": "start",
        "finished_at": "time of publication",
        "seconds": "duration",
        "conversations": "summarized + rejected",
        "summarized": "rows in `summaries` afterwards",
        "rejected": "rows in `rejects` afterwards",
        "reused": "conversations that needed no call",
        "calls": "calls that were paid for",
        "retries": "calls repeated after a fault",
        "quota_refusals": "calls that the quota refused",
        "prompt_tokens": "tokens of the requests",
        "completion_tokens": "tokens of the answers",
        "cost": "by the prices set, in your currency",
        "quota_use": "used part of the quota; null without `--rpm`",
        "summarizer": "`qianfan`, `openai`, …",
        "model": "the model",
        "prompt_version": "the prompt",
        "log_objects": "log files read",
        "version": "release and hash of the code; `python -m flows.wiring.version` prints it",
        "masked": "replacements, by kind",
        "cached_tokens": "prompt tokens from the service's cache",
        "model_options": "model options that are not the defaults",
        "unread_files": "log files that could not be read",
        "unread_conversations": "conversations in them, estimated by size",
        "outside_day": "conversations in the logs that began on other days",
        "logs_complete": "false: logs still arrived at the deadline or during the run; null: the run did not wait",
        "logs_fingerprint": "hash of the log files' names, sizes and versions",
        "log_bytes": "bytes of logs",
        "currency": "currency of `cost`",
        "published_at": (
            "when the day's rows were published; later than `finished_at` where its themes were assigned anew or "
            "rows were erased"
        ),
        "last_of_day": "the day's last run: sums over these rows count each conversation once",
        "golden_calls": "those of `calls` that were for golden conversations",
        "golden_cost": "the part of `cost` that was for golden conversations",
    },
    "golden": {
        "conversation_id": "the labeled conversation",
        "content_hash": "fingerprint of its text; the same every night",
        "asked_at": "when it was answered",
        "model": "the model that answered",
        "prompt_version": "the prompt that was used",
        "prompt_tokens": "tokens of the request",
        "completion_tokens": "tokens of the answer",
        "run_id": "the run that asked",
        "reason": "why the answer is no summary; null where it is one",
        "issue": "the model's issue",
        "plan": "the model's plan",
        "accepted": "the model's verdict; null: unknown",
        "negative_sentiment": "the model's verdict; null: unknown",
        "label_issue": "the person's issue",
        "label_plan": "the person's plan",
        "label_accepted": "the person's verdict; null: unknown",
        "label_negative_sentiment": "the person's verdict; null: unknown",
        "issue_right": "both issues have the same theme",
        "plan_right": "both plans have the same theme",
        "accepted_right": "both verdicts are the same",
        "negative_sentiment_right": "both verdicts are the same",
        "changed": "the night's answers as a whole differ from earlier nights, tested",
    },
    "themes": {
        "theme": "id; never renamed or reused",
        "theme_group": "its group",
        "name_zh": "Chinese name",
        "name_en": "English name",
        "group_zh": "the group's Chinese name",
        "group_en": "the group's English name",
        "definition": "what belongs to it",
        "keywords": "words that hint at it",
        "retired": "no longer assigned",
    },
    "question_answers": {
        "conversation_id": "as in `summaries`",
        "content_hash": "as in `summaries`",
        "question": "id of the question",
        "kind": "`yes_no`, `one_of`, `scale` or `text`",
        "said": "the model's own words",
        "yes": "answer to `yes_no`; null: unknown",
        "choice": "answer to `one_of`",
        "score": "answer to `scale`, 1 to 5",
        "text": "answer to `text`",
        "questions_version": "version of the questions' file",
        "model": "the model",
        "answered_at": "time of the answer",
        "run_id": "the run",
    },
    "labels": {
        "conversation_id": "as in `summaries`",
        "content_hash": "as in `summaries`",
        "text": "the masked dialogue",
        "truncated": "its middle was left out",
        "issue": "by the reviewer",
        "plan": "by the reviewer",
        "accepted": "by the reviewer; null: can't be told",
        "negative_sentiment": "by the reviewer",
        "reviewer": "the name in the sheet",
        "note": "the note in the sheet",
        "sample_id": "the sample",
        "stratum": "why it was drawn",
        "model": "who had summarized it",
        "prompt_version": "with which prompt",
        "labeled_at": "time of the import",
        "second_reviewer": "the second person",
        "second_accepted": "by the second person",
        "second_negative_sentiment": "by the second person",
    },
}


def describe(table: str, column: str) -> str:
    """Return what a column holds; empty for one that is not described yet."""
    if column == "day":
        return "the day; a partition, not a column of the files"
    return COLUMNS[table].get(column, "")


def described(schema: pa.Schema, table: str) -> pa.Schema:
    """Return a schema with each field's description under the metadata key `description`."""
    fields = [field.with_metadata({"description": describe(table, field.name)}) for field in schema]
    return pa.schema(fields, metadata=schema.metadata)


def arrow_type(kind: pa.DataType) -> str:
    """Return an Arrow type's name in Markdown, where angle brackets alone are a tag."""
    name = str(kind).replace("tz=", "").replace("item: ", "")
    return f"`{name}`" if "<" in name else name


def columns_markdown(table: str, type_name: Callable[[pa.DataType], str] = arrow_type) -> str:
    """Return a table's columns as a table of Markdown."""
    head = ["| column | type | meaning |", "| --- | --- | --- |"]
    rows = [f"| `{field.name}` | {type_name(field.type)} | {describe(table, field.name)} |" for field in TABLES[table]]
    return "\n".join([*head, *rows])


def dictionary_markdown() -> str:
    """Return the data dictionary of all tables, with DuckDB's types."""
    blocks = [
        "# Data dictionary",
        "Written by `python -m flows.build_catalog`. Types are DuckDB's. Each view also has `day`, a DATE.",
    ]
    for table, about in ABOUT.items():
        blocks += [f"## {table}", about, columns_markdown(table, duckdb_type)]
    return "\n\n".join(blocks) + "\n"
