"""The rule of who holds a day, without clock or store.

A lease is an object that its holder rewrites every few seconds. Nobody compares clocks: a waiter believes a holder dead
when the object has not changed for `TIME_TO_LIVE_SECONDS` of the waiter's own time, or at once when the
holder is a process of the waiter's own machine that is gone.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date

import orjson

from tasks.domain.layout import LEASES_PREFIX

TIME_TO_LIVE_SECONDS = 60.0

RENEW_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Holder:
    """A process: its machine (host name and boot), and the process by an id unique on that machine."""

    host: str
    boot: str
    pid: int
    started: str


@dataclass(frozen=True, slots=True)
class Lease:
    """The content of a lease object. `renewals` makes every rewrite differ from the one before.

    `token` is another each time that somebody takes the lease: a run begun again in its process has the same id.
    """

    run_id: str
    holder: Holder
    renewals: int = 0
    token: str = ""

    def encode(self) -> bytes:
        """The object's bytes."""
        return orjson.dumps(self)


def decode_lease(data: bytes) -> Lease | None:
    """The lease of an object; None when it is not one, which counts as a dead holder's."""
    try:
        values = orjson.loads(data)
        return Lease(values["run_id"], Holder(**values["holder"]), values["renewals"], values.get("token", ""))
    except (ValueError, KeyError, TypeError):
        return None


def is_late_renewal(found: Lease | None, lease: Lease) -> bool:
    """Return true for a lease that its own holder wrote after `lease`, the last that the store confirmed."""
    return found is not None and found.renewals > lease.renewals and replace(found, renewals=lease.renewals) == lease


def leased_day(key: str) -> date | None:
    """The day whose lease, or whose shard's, a key is; None for another key."""
    name = key.removeprefix(f"{LEASES_PREFIX}day=")
    try:
        return date.fromisoformat(name.partition(".")[0])
    except ValueError:
        return None


def holds(found: Lease | None, run_id: str, unchanged_seconds: float) -> bool:
    """Return true if a run still holds the lease, as seen from outside."""
    return found is not None and found.run_id == run_id and unchanged_seconds < TIME_TO_LIVE_SECONDS


def can_take_over(
    found: Lease | None,
    *,
    here: Holder,
    unchanged_seconds: float,
    is_running: Callable[[Holder], bool],
) -> bool:
    """Return true if a day that carries a lease may be taken over.

    Args:
        found: the lease, None where the object holds no lease.
        here: the process that wants the day.
        unchanged_seconds: for so long this process has not seen the object change.
        is_running: returns true if a process of this very machine still runs.
    """
    if found is None:
        return True
    same_machine = (found.holder.host, found.holder.boot) == (here.host, here.boot)
    if same_machine and found.holder != here and not is_running(found.holder):
        return True
    return unchanged_seconds >= TIME_TO_LIVE_SECONDS
