"""A day of a few conversations in a folder, and the rows that a run over it published."""

from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq

DAY = date(2026, 11, 22)
NUMBER = 12


def write_logs(folder: Path, numbers: range, text: str = "") -> None:
    folder.mkdir(exist_ok=True)
    lines = [
        orjson.dumps(
            {
                "conversation_id": f"c{number:03}",
                "messages": [
                    {"role": "user", "text": f"第{number}个水杯漏水，能换吗？{text}"},
                    {"role": "agent", "text": "可以换，明天为您安排上门取件。"},
                    {"role": "user", "text": "好的"},
                ],
            }
        )
        for number in numbers
    ]
    (folder / f"{numbers.start:03}.jsonl").write_bytes(b"\n".join(lines))


def rows(warehouse: Path, table: str) -> list[dict[str, Any]]:
    """The day's rows of a table."""
    file = warehouse / table / f"day={DAY}" / f"{table}.parquet"
    return list(pq.ParquetFile(file).read().to_pylist())
