"""Rules for when a day's logs count as complete."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any, Final, Literal

from tasks.domain.ports import StoredObject

MARKER: Final = "_SUCCESS"


@dataclass(frozen=True, slots=True)
class ArrivedLogs:
    """A day's logs, as they were when its run began with them.

    Args:
        objects: in key order.
        complete: false where they still arrived at the deadline or during the run; None where nobody waited to see.
    """

    objects: list[StoredObject]
    complete: bool | None = None

    @property
    def size(self) -> int:
        """Their bytes."""
        return sum(stored.size for stored in self.objects)

    @property
    def fingerprint(self) -> str:
        """A digest, 24 hex digits, of keys, sizes and ETags; it differs when an object is added, removed or changed."""
        listing = "\n".join(f"{stored.key} {stored.size} {stored.etag}" for stored in self.objects)
        return blake2b(listing.encode(errors="surrogateescape"), digest_size=12).hexdigest()

    def facts(self) -> dict[str, Any]:
        """Return the logs' columns of the table `runs`."""
        return {"logs_complete": self.complete, "logs_fingerprint": self.fingerprint, "log_bytes": self.size}


def have_grown(logs: ArrivedLogs, fingerprint: str | None, size: int | None) -> bool:
    """Return true where a day's logs hold more than when its tables were made.

    Logs of which there is less now were thinned out or expired: making the day again would take rows from it.

    Args:
        logs: as they are now.
        fingerprint: of the logs that the tables were made from; None where an older version made them.
        size: theirs.
    """
    if fingerprint is None or size is None or not logs.objects:
        return False
    return logs.fingerprint != fingerprint and logs.size >= size


def judge_arrival(
    logs: Sequence[StoredObject], *, marked: bool, now: datetime, deadline: datetime, quiet_seconds: float
) -> Literal["complete", "wait", "late"]:
    """Decide to begin with these logs (complete), to wait for more, or to begin with what there is (late).

    Logs that first change when the waiting is long over, as in a fresh clone, a restored backup or a copy without its
    times, count as complete: their age says nothing of an export that goes on.

    Args:
        logs: the day's log objects so far.
        marked: whether whoever writes them has left the object `_SUCCESS` beside them.
        now: aware.
        deadline: aware; from then on nothing is waited for.
        quiet_seconds: logs that have not changed for so long are complete without the marker, too.
    """
    newest, quiet = max((log.modified for log in logs), default=None), timedelta(seconds=quiet_seconds)
    if newest is not None and (marked or now - newest >= quiet):
        return "complete"
    if now < deadline:
        return "wait"
    return "late" if newest is None or newest < deadline + quiet else "complete"
