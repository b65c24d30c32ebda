"""The data dictionary: one sentence a column, as Markdown and as metadata of Parquet fields."""

from collections.abc import Mapping

import pyarrow as pa

from tasks.warehouse.rules.views import TABLES, duckdb_type

ABOUT: Mapping[str, str] = {
    "summaries": "One row a conversation that was summarized.",
    "rejects": "One row a conversation, or a line of a log, that was not summarized, and why.",
    "metrics": "The day's figures in long form; value = numerator / denominator where there is one.",
    "runs": "One row a run that published the day. Of several, the last by finished_at counts; add up cost and tokens.",
    "golden": "One row a golden conversation that was asked among a night's others; none of it is in the other tables.",
}

COLUMNS: Mapping[str, Mapping[str, str]] = {
    "summaries": {
        "conversation_id": "The conversation's id in the logs. One that spans midnight may be in two days.",
        "started_at": "When it began; null where the log has no times.",
        "channel": "Where it came from, such as app; null or empty where the log does not say.",
        "turns": "Messages in it, of both sides.",
        "issue": "What the customer asked, in a sentence.",
        "plan": "What the agent offered, in a sentence.",
        "accepted": "Whether the customer accepted the plan; null is unknown, never no.",
        "negative_sentiment": "Whether the customer showed negative sentiment; null is unknown.",
        "accepted_text": "The model's own words about acceptance.",
        "negative_sentiment_text": "The model's own words about sentiment.",
        "truncated": "Whether its middle was cut out because it was too long.",
        "model": "The model that summarized it.",
        "prompt_version": "The prompt it was summarized with.",
        "prompt_tokens": "Tokens of the request.",
        "completion_tokens": "Tokens of the answer.",
        "latency_ms": "Milliseconds from request to answer.",
        "attempts": "Calls that it took.",
        "source_uri": "The log file it was read from.",
        "content_hash": "Hash of what was sent to the model; equal texts have equal hashes.",
        "summarized_at": "When it was answered.",
        "run_id": "The run that bought the answer.",
        "attributes": "The log's other columns by name, such as shop or agent.",
        "theme": "What the issue is about: an id of the taxonomy, other where none fits.",
        "plan_theme": "What the plan is about, likewise.",
        "suspicious": "Whether the text tries to steer whoever reads it.",
        "user_messages": "Messages of the customer.",
        "agent_messages": "Messages of the agents and of robots.",
        "first_response_seconds": "From the customer's first message to the next of an agent; null without times.",
        "resolution_seconds": "From the first message to the last; null without times.",
        "agent": "The agent as the log's column names one; null where it has none.",
        "csat": "The customer's rating as logged; null where the log has none.",
        "contradicted": "The fields that plain words of the conversation contradict; null for none.",
    },
    "rejects": {
        "conversation_id": "The conversation's id, where it could be read.",
        "reason": "Why, one of a fixed set.",
        "detail": "What exactly was wrong.",
        "raw_output": "What the model answered, where it did.",
        "source_uri": "The log file.",
        "line": "The line in it.",
        "attempts": "Calls that were made.",
        "run_id": "The run.",
        "content_hash": "Hash of what was sent, where something was.",
        "started_at": "When the conversation began, where that is known.",
        "channel": "Where it came from, where that is known.",
    },
    "metrics": {
        "metric": "The figure's name.",
        "dimension": "What it is broken down by; all is the whole day.",
        "value_key": "The value of that dimension.",
        "value": "The figure.",
        "numerator": "The count above the line.",
        "denominator": "The count below the line; null for a count.",
    },
    "runs": {
        "run_id": "The run.",
        "status": "done is complete; limited (cut by --limit) and too_many_rejects are done again.",
        "started_at": "When it began.",
        "finished_at": "When it published.",
        "seconds": "How long it took.",
        "conversations": "summarized + rejected.",
        "summarized": "Rows in summaries after it.",
        "rejected": "Rows in rejects after it.",
        "reused": "Conversations that needed no call.",
        "calls": "Calls that were paid.",
        "retries": "Calls made again after a fault.",
        "quota_refusals": "Calls that the quota refused.",
        "prompt_tokens": "Tokens of its requests.",
        "completion_tokens": "Tokens of its answers.",
        "cost": "What it cost, by the prices set.",
        "quota_use": "The part that it used of what the endpoint would have allowed; null where that is not known.",
        "summarizer": "Who read the conversations.",
        "model": "The model.",
        "prompt_version": "The prompt.",
        "log_objects": "Log files read.",
        "version": "The version of this program.",
        "masked": "What was masked in its conversations, by kind.",
        "cached_tokens": "Prompt tokens that the endpoint had in its cache.",
        "model_options": "Options that went with every request.",
        "unread_files": "Log files that could not be read.",
        "unread_conversations": "About how many conversations are in what could not be read, by size.",
        "outside_day": "Conversations of the logs that began on another day.",
        "logs_complete": "Whether the logs were all there when it began.",
        "logs_fingerprint": "Hash of the log files' names, sizes and versions.",
        "log_bytes": "Bytes of logs read.",
        "currency": "The currency of the cost.",
        "published_at": "When its rows were last published, also with new themes or without erased ones; for loads.",
        "last_of_day": "Whether it is the day's last: sums over these count each conversation once.",
        "golden_calls": "Those of its calls that were for golden conversations.",
        "golden_cost": "The part of its cost that was for golden conversations.",
    },
    "golden": {
        "conversation_id": "The labeled conversation's id.",
        "content_hash": "Hash of the conversation as logged; the same on every night.",
        "asked_at": "When it was answered.",
        "model": "The model that answered.",
        "prompt_version": "The prompt it was asked with.",
        "prompt_tokens": "Tokens of the request.",
        "completion_tokens": "Tokens of the answer.",
        "run_id": "The run that asked.",
        "reason": "Why the answer would have been a reject; null where it holds a summary.",
        "issue": "The issue that the model named.",
        "plan": "The plan that it named.",
        "accepted": "Its verdict on acceptance; null is unknown.",
        "negative_sentiment": "Its verdict on sentiment; null is unknown.",
        "label_issue": "The issue that a person wrote.",
        "label_plan": "The plan that a person wrote.",
        "label_accepted": "The person's verdict on acceptance; null is unknown.",
        "label_negative_sentiment": "The person's verdict on sentiment; null is unknown.",
        "issue_right": "Whether both issues have the same theme.",
        "plan_right": "Whether both plans have the same theme.",
        "accepted_right": "Whether both verdicts on acceptance are the same.",
        "negative_sentiment_right": "Whether both verdicts on sentiment are the same.",
        "changed": "Whether the night's answers as a whole differ from the nights before, tested.",
    },
}


def describe(table: str, column: str) -> str:
    """Return what a column holds; empty for one that is not described yet."""
    if column == "day":
        return "The day; a partition, not a column of the files."
    return COLUMNS[table].get(column, "")


def described(schema: pa.Schema, table: str) -> pa.Schema:
    """Return a schema with each field's description under the metadata key `description`."""
    fields = [field.with_metadata({"description": describe(table, field.name)}) for field in schema]
    return pa.schema(fields, metadata=schema.metadata)


def dictionary_markdown() -> str:
    """Return the data dictionary of all tables."""
    blocks = ["# Data dictionary", "Written by `python -m flows.build_catalog`. Types are DuckDB's."]
    for table, schema in TABLES.items():
        rows = ["| column | type | what it holds |", "| --- | --- | --- |"]
        rows.append(f"| `day` | DATE | {describe(table, 'day')} |")
        rows += [f"| `{field.name}` | {duckdb_type(field.type)} | {describe(table, field.name)} |" for field in schema]
        blocks += [f"## {table}", ABOUT[table], "\n".join(rows)]
    return "\n\n".join(blocks) + "\n"
