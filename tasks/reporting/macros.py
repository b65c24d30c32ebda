"""The report's figures as a macro for analysts: `metrics_of` in `_catalog/views.sql`."""

from typing import Final

from tasks.reporting.queries import read_question
from tasks.reporting.rules.groups import WORDS
from tasks.warehouse.rules.views import duckdb_type

_QUESTIONS: Final = {
    "outcomes": "outcomes_by_value",
    "reasons": "rejects_by_reason",
    "texts": "texts_known",
    "used": "run_usage",
}

_ARGUMENTS: Final = {
    "$first": "first_day",
    "$last": "last_day",
    "$zone": "zone",
    "$attributes": "with_attributes",
    "$min_count": "min_count",
    "$sample": "5000",
}


def metrics_macro() -> str:
    """Return the statement that creates `metrics_of(first_day, last_day)`: rows of METRICS of any days, without words.

    `zone`, `with_attributes` and `min_count` may be named, as the settings are for the report.
    """
    no_words = ", ".join(f"CAST(NULL AS {duckdb_type(field.type)}) AS {field.name}" for field in WORDS)
    parts = [f"words AS (SELECT {no_words} WHERE false)"]
    parts += [f"{name} AS (\n{_body(question)}\n)" for name, question in _QUESTIONS.items()]
    return (
        "-- The report's figures of any days, in long form: FROM metrics_of(DATE '2026-11-16', DATE '2026-11-22');\n"
        "CREATE OR REPLACE MACRO metrics_of(\n"
        "    first_day, last_day, zone := 'Asia/Shanghai', with_attributes := CAST([] AS VARCHAR[]), min_count := 10\n"
        ") AS TABLE\nWITH " + ",\n".join(parts) + f"\nFROM (\n{_body('metrics')}\n);\n"
    )


def _body(question: str) -> str:
    """Return a question's SQL without its comments, with the macro's arguments in the places of its values."""
    lines = (line for line in read_question(question).splitlines() if not line.startswith("--"))
    body = "\n".join(lines)
    for value, argument in _ARGUMENTS.items():
        body = body.replace(value, argument)
    return body
