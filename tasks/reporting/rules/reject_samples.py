"""Sample a day's rejects for operators: one row a reason, with places to look at and nothing personal."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from tasks.reporting.rules.texts import reason_label, reason_todo

_EXAMPLES = 3


@dataclass(slots=True)
class _Reason:
    count: int = 0
    places: list[str] = field(default_factory=list)


def reject_samples(batches: Iterable[pa.RecordBatch]) -> list[dict[str, Any]]:
    """A row a reason, the most frequent first: how many, what to do, and the first few by file and line.

    Args:
        batches: of REJECTS. Details and the model's words may hold what somebody said, and stay out.
    """
    reasons: dict[str, _Reason] = {}
    for batch in batches:
        columns = (batch.column(name).to_pylist() for name in ("reason", "source_uri", "line"))
        for reason, source_uri, line in zip(*columns, strict=True):
            found = reasons.setdefault(reason, _Reason())
            found.count += 1
            if len(found.places) < _EXAMPLES:
                found.places.append(f"{source_uri}:{line}")
    by_count = sorted(reasons.items(), key=lambda item: (-item[1].count, item[0]))
    return [
        {
            "原因 reason": f"{reason_label(reason).zh} {reason}",
            "数量 count": found.count,
            "例 file:line": ", ".join(found.places),
            "怎么办 what to do": reason_todo(reason).zh,
        }
        for reason, found in by_count
    ]
