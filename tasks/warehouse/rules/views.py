"""Views over the warehouse's files, as SQL that DuckDB reads: what the pipeline queries is what analysts query."""

from collections.abc import Sequence

import pyarrow as pa

from tasks.warehouse.rules.tables import METRICS, REJECTS, RUNS, SUMMARIES

TABLES = {"summaries": SUMMARIES, "rejects": REJECTS, "metrics": METRICS, "runs": RUNS}


def view_sql(table: str, files: Sequence[str]) -> str:
    """Return the statement that creates a table's view over files or patterns of files.

    Every column of today's schema is there, null in files of an older one; `day` is a DATE; columns of a newer schema
    stay. Without files the view is empty.
    """
    columns = ", ".join(f"CAST(NULL AS {duckdb_type(field.type)}) AS {field.name}" for field in TABLES[table])
    empty = f"SELECT {columns}, CAST(NULL AS DATE) AS day WHERE false"
    if not files:
        return f"CREATE OR REPLACE VIEW {table} AS\n{empty};"
    listed = ", ".join(quoted(file) for file in files)
    read = (
        f"SELECT * REPLACE (CAST(day AS DATE) AS day)\n"
        f"FROM read_parquet([{listed}], hive_partitioning = true, union_by_name = true)"
    )
    return f"CREATE OR REPLACE VIEW {table} AS\n{empty}\nUNION ALL BY NAME\n{read};"


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
    if pa.types.is_timestamp(kind):
        return "TIMESTAMP WITH TIME ZONE" if kind.tz else "TIMESTAMP"
    names = {
        pa.string(): "VARCHAR",
        pa.bool_(): "BOOLEAN",
        pa.int16(): "SMALLINT",
        pa.int32(): "INTEGER",
        pa.int64(): "BIGINT",
        pa.float64(): "DOUBLE",
        pa.date32(): "DATE",
    }
    if kind not in names:
        raise TypeError(f"{kind} has no name in DuckDB here; add it.")
    return names[kind]
