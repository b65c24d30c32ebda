"""When a day's logs count as all there."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Literal

from tasks.domain.ports import StoredObject

MARKER: Final = "_SUCCESS"


def judge_arrival(
    logs: Sequence[StoredObject], *, marked: bool, now: datetime, deadline: datetime, quiet_seconds: float
) -> Literal["complete", "wait", "late"]:
    """Whether to begin with these logs, to wait for more, or to go on with what there is because it is late.

    Args:
        logs: the day's log objects so far.
        marked: whether whoever writes them has left the object `_SUCCESS` beside them.
        now: aware.
        deadline: aware; from then on nothing is waited for.
        quiet_seconds: logs that have not changed for so long are complete without the marker, too.
    """
    newest = max((log.modified for log in logs), default=None)
    if newest is not None and (marked or now - newest >= timedelta(seconds=quiet_seconds)):
        return "complete"
    return "wait" if now < deadline else "late"
