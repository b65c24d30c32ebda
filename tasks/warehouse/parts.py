"""Parts of a day's tables: what one batch becomes, in scratch files of Arrow record batches."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.ipc

from tasks.domain.errors import AccountingError
from tasks.warehouse.lean_arrow import use_less_memory

use_less_memory()


@dataclass(frozen=True, slots=True)
class BatchFiles:
    """The result of one batch: two scratch files of Arrow record batches, and the count of what was read.

    `masked` counts the replacements by kind.
    """

    number: int
    read: int
    summarized: int
    summaries: Path
    rejects: Path
    masked: Mapping[str, int] = field(default_factory=dict)


def write_part(
    number: int,
    read: int,
    rows: pa.RecordBatch,
    rejects: pa.RecordBatch,
    folder: Path,
    masked: Mapping[str, int] | None = None,
) -> BatchFiles:
    """Put one batch's rows into scratch.

    Raises:
        AccountingError: a conversation is in neither table, or in both.
    """
    if rows.num_rows + rejects.num_rows != read:
        raise AccountingError(
            f"Batch {number}: {read} conversations read, but {rows.num_rows} summarized and "
            f"{rejects.num_rows} rejected. Nothing is published; please report this as a bug."
        )
    summaries, rejected = (folder / f"{number:06}.{name}" for name in ("summaries", "rejects"))
    part = BatchFiles(number, read, rows.num_rows, summaries, rejected, masked or {})
    for path, batch in ((part.summaries, rows), (part.rejects, rejects)):
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        with (
            pa.OSFile(str(path), "wb") as file,
            pa.ipc.new_file(file, batch.schema, options=options) as writer,
        ):
            writer.write_batch(batch)
    return part
