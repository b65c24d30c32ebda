"""The days that logs are of, by the messages' own time."""

from collections.abc import Sequence

from tasks.domain.ports import ObjectStore, StoredObject
from tasks.reading.conversations import LogReader, log_objects
from tasks.reading.tally import ReadingTally


def count_days(store: ObjectStore, logs: Sequence[StoredObject], reader: LogReader) -> ReadingTally:
    """Read logs to their end for nothing but their days; return the counts."""
    tally = ReadingTally()
    for _ in reader.read(log_objects(store, logs), tally):
        pass
    return tally
