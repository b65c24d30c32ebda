"""Keeping erasures and the runs that carry texts apart: what a run has read, it would write again after the erasure.

A run first says that it carries texts, then looks for an erasure; an erasure first says that it is one, then looks for
such runs. So one of the two always sees the other. The run gives way.
"""

import time
from dataclasses import replace
from uuid import uuid4

from tasks.domain.layout import ERASURE_LEASE, LEASES_PREFIX, TEXTS_LEASES_PREFIX
from tasks.domain.ports import ObjectStore
from tasks.warehouse.day_lease import DayLease, Patience, acquire, acquire_day
from tasks.warehouse.rules.lease import leased_day


def acquire_texts(store: ObjectStore, run_id: str, patience: Patience) -> DayLease:
    """Hold off erasures for a run that reads texts here and writes of them; wait for one under way. Blocking.

    Args and errors as for `acquire_day`.
    """
    while True:
        lease = acquire(store, f"{TEXTS_LEASES_PREFIX}{uuid4().hex}.json", "A text", run_id, patience)
        try:
            if store.stat(ERASURE_LEASE) is None:
                return lease
        except BaseException:
            lease.release()
            raise
        lease.release()
        _acquire_erasure(store, run_id, patience).release()


def begin_erasure(store: ObjectStore, run_id: str, patience: Patience) -> DayLease:
    """Return when every run that carries texts now has ended; new ones wait until the lease is released. Blocking.

    Args and errors as for `acquire_day`. The patience is one for all of them: it is over before that of whoever waits
    for the erasure.
    """
    until = time.monotonic() + patience.seconds

    def left() -> Patience:
        return replace(patience, seconds=max(0.0, until - time.monotonic()))

    erasure = _acquire_erasure(store, run_id, left())
    try:
        held = [stored.key for stored in store.list_objects(LEASES_PREFIX)]
        for key in held:
            if key.startswith(TEXTS_LEASES_PREFIX):
                acquire(store, key, "A report, sheet or table", run_id, left()).release()
        for day in sorted({day for key in held if (day := leased_day(key))}):
            acquire_day(store, day, run_id, left()).release()
    except BaseException:
        erasure.release()
        raise
    return erasure


def _acquire_erasure(store: ObjectStore, run_id: str, patience: Patience) -> DayLease:
    return acquire(store, ERASURE_LEASE, "An erasure", run_id, patience)
