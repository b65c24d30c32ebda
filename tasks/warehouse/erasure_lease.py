"""Keeping erasures and the runs that carry texts apart: what a run has read, it would write again after the erasure.

A run first says that it carries texts, then looks for an erasure; an erasure first says that it is one, then looks for
such runs. So one of the two always sees the other. The run gives way.
"""

from collections.abc import Callable
from uuid import uuid4

from tasks.domain.layout import ERASURE_LEASE, LEASES_PREFIX, TEXTS_LEASES_PREFIX
from tasks.domain.ports import ObjectStore
from tasks.warehouse.day_lease import DayLease, acquire, acquire_day
from tasks.warehouse.rules.lease import leased_day


def acquire_texts(
    store: ObjectStore,
    run_id: str,
    *,
    wait_seconds: float,
    notify: Callable[[str], None],
    stopping: Callable[[], bool] = lambda: False,
) -> DayLease:
    """Hold off erasures for a run that reads texts here and writes of them; wait for one under way. Blocking.

    Args and errors as for `acquire_day`.
    """
    while True:
        lease = acquire(
            store, f"{TEXTS_LEASES_PREFIX}{uuid4().hex}.json", "A text", run_id, wait_seconds, notify, stopping
        )
        try:
            if store.stat(ERASURE_LEASE) is None:
                return lease
        except BaseException:
            lease.release()
            raise
        lease.release()
        acquire_erasure(store, run_id, wait_seconds, notify, stopping).release()


def acquire_erasure(
    store: ObjectStore,
    run_id: str,
    wait_seconds: float,
    notify: Callable[[str], None],
    stopping: Callable[[], bool],
) -> DayLease:
    """Hold all erasures of a warehouse, so that there is one at a time. Blocking.

    Args and errors as for `acquire_day`.
    """
    return acquire(store, ERASURE_LEASE, "An erasure", run_id, wait_seconds, notify, stopping)


def begin_erasure(
    store: ObjectStore,
    run_id: str,
    *,
    wait_seconds: float,
    notify: Callable[[str], None],
    stopping: Callable[[], bool] = lambda: False,
) -> DayLease:
    """Return when every run that carries texts now has ended; new ones wait until the lease is released. Blocking.

    Args and errors as for `acquire_day`.
    """
    erasure = acquire_erasure(store, run_id, wait_seconds, notify, stopping)
    try:
        held = [stored.key for stored in store.list_objects(LEASES_PREFIX)]
        for key in held:
            if key.startswith(TEXTS_LEASES_PREFIX):
                acquire(store, key, "A report, sheet or table", run_id, wait_seconds, notify, stopping).release()
        for day in sorted({day for key in held if (day := leased_day(key))}):
            acquire_day(store, day, run_id, wait_seconds=wait_seconds, notify=notify, stopping=stopping).release()
    except BaseException:
        erasure.release()
        raise
    return erasure
