"""Views over the warehouse's files, as SQL that DuckDB reads: what the pipeline queries is what analysts query."""

from collections.abc import Mapping, Sequence

import pyarrow as pa

from tasks.warehouse.rules.tables import (
    GOLDEN,
    LABELS,
    METRICS,
    QUESTION_ANSWERS,
    REJECTS,
    RUNS,
    SUMMARIES,
    THEMES,
)

TABLES = {
    "summaries": SUMMARIES,
    "rejects": REJECTS,
    "metrics": METRICS,
    "runs": RUNS,
    "golden": GOLDEN,
    "themes": THEMES,
    "question_answers": QUESTION_ANSWERS,
    "labels": LABELS,
}

# Labels hold whole dialogues, which expire before tables do: no second copy of them.
MONTHLY = ("summaries", "rejects", "metrics", "runs", "golden")

_PUBLISHED = "coalesce(published_at, finished_at) AS published_at"
_LAST = "row_number() OVER (PARTITION BY day ORDER BY finished_at DESC, run_id) = 1 AS last_of_day"


def view_sql(table: str, files: Sequence[str]) -> str:
    """Return the statement that creates a table's view over files or patterns of files.

    Every column of today's schema is there, null in files of an older one; `day` is a DATE; columns of a newer schema
    stay. Without files the view is empty.
    """
    if not files:
        return f"CREATE OR REPLACE VIEW {table} AS\n{_no_rows(table)};"
    listed = ", ".join(quoted(file) for file in files)
    return _view(
        table,
        f"SELECT * REPLACE (CAST(day AS DATE) AS day)\n"
        f"FROM read_parquet([{listed}], hive_partitioning = true, union_by_name = true)",
    )


def view_of_rows_sql(table: str, rows: str) -> str:
    """Return the statement that creates a table's view over rows of another name; columns they lack are null."""
    return _view(table, f"FROM {rows}")


def _view(table: str, rows: str) -> str:
    read = f"{_no_rows(table)}\nUNION ALL BY NAME\n{rows}"
    if table == "runs":  # files of before there were these columns lack them
        read = f"SELECT * REPLACE ({_PUBLISHED}, {_LAST})\nFROM ({read})"
    return f"CREATE OR REPLACE VIEW {table} AS\n{read};"


def _no_rows(table: str) -> str:
    columns = ", ".join(f"CAST(NULL AS {duckdb_type(field.type)}) AS {field.name}" for field in TABLES[table])
    return f"SELECT {columns}, CAST(NULL AS DATE) AS day WHERE false"


def views_sql(days: Mapping[str, Sequence[str]], months: Mapping[str, Sequence[str]], endpoint: str | None) -> str:
    """Return the file that an analyst opens DuckDB with.

    Args:
        days: patterns of the days' files, by table.
        months: patterns of compacted months; their views are called summaries_months and so on.
        endpoint: a bucket's host, empty for the default one; None for a folder.
    """
    blocks = ["-- Views over the warehouse. Open it with: duckdb -init views.sql"]
    if endpoint is not None:
        blocks.append(_secret(endpoint or "s3.bj.bcebos.com"))
    blocks += [view_sql(table, days.get(table, ())) for table in TABLES]
    for table, patterns in months.items():
        files = ", ".join(quoted(pattern) for pattern in patterns)
        blocks.append(
            f"CREATE OR REPLACE VIEW {table}_months AS\n"
            f"SELECT * EXCLUDE (month) FROM read_parquet([{files}], hive_partitioning = true, union_by_name = true);"
        )
    return "\n\n".join(blocks) + "\n"


def _secret(endpoint: str) -> str:
    """Return the statements that let DuckDB read a bucket of BOS through S3; keys come from the environment."""
    host = endpoint.partition("://")[2] or endpoint
    host = host if host.startswith("s3.") else f"s3.{host}"
    region = host.split(".")[1]
    return (
        "-- Keys come from the environment: export AWS_ACCESS_KEY_ID=$BCE_ACCESS_KEY_ID\n"
        "-- and AWS_SECRET_ACCESS_KEY=$BCE_SECRET_ACCESS_KEY first.\n"
        "INSTALL httpfs; LOAD httpfs; INSTALL aws; LOAD aws;\n"
        "CREATE OR REPLACE SECRET kefu (\n"
        f"    TYPE s3, PROVIDER credential_chain, CHAIN 'env', ENDPOINT {quoted(host)}, REGION {quoted(region)}\n"
        ");"
    )


def quoted(text: str) -> str:
    """Return a text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def duckdb_type(kind: pa.DataType) -> str:
    """Return an Arrow type's name in DuckDB.

    Raises:
        TypeError: no column of the warehouse has such a type.
    """
    if pa.types.is_map(kind):
        return f"MAP({duckdb_type(kind.key_type)}, {duckdb_type(kind.item_type)})"
    if pa.types.is_list(kind):
        return f"{duckdb_type(kind.value_type)}[]"
    if pa.types.is_timestamp(kind):
        return "TIMESTAMP WITH TIME ZONE" if kind.tz else "TIMESTAMP"
    names = {
        pa.string(): "VARCHAR",
        pa.bool_(): "BOOLEAN",
        pa.int8(): "TINYINT",
        pa.int16(): "SMALLINT",
        pa.int32(): "INTEGER",
        pa.int64(): "BIGINT",
        pa.float64(): "DOUBLE",
        pa.date32(): "DATE",
    }
    if kind not in names:
        raise TypeError(f"{kind} has no name in DuckDB here; add it.")
    return names[kind]
