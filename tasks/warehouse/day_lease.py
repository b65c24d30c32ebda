"""Holding a day, so that no two runs ever write it at once.

The pure rule is in `tasks/warehouse/rules/lease.py`; here are its clock, its thread and its process table.
"""

import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from uuid import uuid4

from tasks.domain.errors import DayBusy, LeaseLost, ObjectMissing, PreconditionFailed, RunStopped, StoreError
from tasks.domain.layout import lease_key, shard_leases_prefix
from tasks.domain.ports import ObjectStore
from tasks.domain.shards import Shard
from tasks.warehouse.rules.lease import (
    RENEW_SECONDS,
    TIME_TO_LIVE_SECONDS,
    Holder,
    Lease,
    can_take_over,
    decode_lease,
    holds,
    is_late_renewal,
)

_log = logging.getLogger(__name__)

_POLL_SECONDS = 2.0

# Of a machine that slept, the monotonic clock does not count the sleep.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


@dataclass(frozen=True, slots=True)
class Patience:
    """A run's wait for another one that holds what it wants.

    Args:
        seconds: how long it waits for a live holder.
        notify: called once, with a sentence, if there is something to wait for.
        stopping: returns true to give up waiting.
    """

    seconds: float
    notify: Callable[[str], object]
    stopping: Callable[[], bool] = lambda: False


class DayLease:
    """A day (or a shard of one) held in a warehouse, renewed by a thread of its own until `release`."""

    def __init__(self, store: ObjectStore, key: str, lease: Lease, etag: str) -> None:
        self._store = store
        self._key = key
        self._lease = lease
        self._etag = etag
        self._proved_at = _now()
        self._lost: str | None = None
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._renew_until_stopped, name="lease", daemon=True)
        self._thread.start()

    @property
    def run_id(self) -> str:
        """The run that holds the lease."""
        return self._lease.run_id

    def check(self) -> None:
        """Prove that the day is still this run's; called before each step that others can see.

        Raises:
            LeaseLost: it is not.
            StoreError: it can't be proved.
        """
        with self._lock:
            self._renew()

    @property
    def is_stale(self) -> bool:
        """True if the last renewal is so old that another run may hold the day: this process or machine stood still."""
        return self._lost is not None or _now() - self._proved_at > TIME_TO_LIVE_SECONDS / 2

    def renew_if_stale(self) -> None:
        """Prove it as `check` does, but only where it is doubtful. Errors as there."""
        with self._lock:
            if self.is_stale:
                self._renew()

    def release(self) -> None:
        """Let go of the day. Harmless when it is lost already; where the store fails, the hold runs out by itself."""
        self._stop.set()
        self._thread.join()
        with self._lock:
            try:
                self._renew()  # nobody may come between the last check and the removal
                self._store.delete(self._key)
            except LeaseLost:
                pass
            except StoreError as error:
                _log.warning("The lease %s stays until it runs out: %s", self._store.uri_of(self._key), error)

    def _renew_until_stopped(self) -> None:
        while not self._stop.wait(RENEW_SECONDS):
            with self._lock, suppress(StoreError):
                try:
                    self._renew()
                except LeaseLost as lost:
                    _log.error(lost)
                    return

    def _renew(self) -> None:
        if self._lost is not None:
            raise LeaseLost(self._lost)
        began = _now()
        try:
            self._rewrite()
        except (PreconditionFailed, ObjectMissing):
            self._lost = (
                f"Another run took over {self._store.uri_of(self._key)} while this one did not answer. "
                "Nothing more is written here; what was paid for is kept, and the other run uses it."
            )
            raise LeaseLost(self._lost) from None
        self._proved_at = began  # others count from the write, not from its reply

    def _rewrite(self) -> None:
        for is_last in (False, False, True):
            renewed = replace(self._lease, renewals=self._lease.renewals + 1)
            try:
                self._etag = self._store.write_path(self._key, renewed.encode(), if_match=self._etag)
            except PreconditionFailed:
                stored = self._store.stat(self._key)
                found = decode_lease(self._store.read_path(self._key))
                if is_last or stored is None or found is None or not is_late_renewal(found, self._lease):
                    raise
                # A renewal that the store never confirmed, as it was away, has arrived after all.
                self._lease, self._etag = found, stored.etag
            else:
                self._lease = renewed
                return


def acquire_day(store: ObjectStore, day: date, run_id: str, patience: Patience) -> DayLease:
    """Hold a day; wait for another live run to end, take over from a dead one. Blocking.

    Args:
        store: the warehouse.
        day: the day to hold.
        run_id: who holds it.
        patience: with a live holder.

    Raises:
        DayBusy: a live run still holds the day.
        RunStopped: it was to stop waiting.
    """
    lease = acquire(store, lease_key(day), str(day), run_id, patience)
    try:
        _outlive_shards(store, day, run_id, patience)
    except BaseException:
        lease.release()
        raise
    return lease


def acquire_shard(store: ObjectStore, shard: Shard, patience: Patience) -> DayLease:
    """Hold a shard for the run that holds its day; wait for another worker that answers it. Blocking.

    Raises:
        DayBusy: another worker still answers it.
        RunStopped: it was to stop waiting.
    """
    return acquire(store, shard.lease_key, f"{shard.name} of {shard.day}", shard.run_id, patience)


class DayWatch:
    """Checks, from a shard's worker, that a run still holds its day."""

    def __init__(self, store: ObjectStore, day: date, run_id: str) -> None:
        self._store = store
        self._key = lease_key(day)
        self._run_id = run_id
        self._found: Lease | None = None
        self._etag = ""
        self._changed_at = time.monotonic()

    @property
    def etag(self) -> str:
        """Of the lease as it was last seen."""
        return self._etag

    def is_held(self) -> bool:
        """Return true if the run holds the day; while the store does not answer, as of the last check. Blocking."""
        try:
            stored = self._store.stat(self._key)
            if stored is None:
                return False
            if stored.etag != self._etag:
                self._found = decode_lease(self._store.read_path(self._key))
                self._etag, self._changed_at = stored.etag, time.monotonic()
        except ObjectMissing:
            return False
        except StoreError as error:
            _log.warning("Whether the day is still held can't be seen: %s", error)
        return holds(self._found, self._run_id, time.monotonic() - self._changed_at)


def is_alive(store: ObjectStore, day: date, run_id: str) -> bool:
    """Return true if a run holds a day: its lease changes while this watches. Blocks for two heartbeats at most."""
    watch = DayWatch(store, day, run_id)
    first = watch.is_held() and watch.etag
    until = time.monotonic() + 2 * RENEW_SECONDS
    while first and time.monotonic() < until:
        time.sleep(_POLL_SECONDS)
        if watch.is_held() and watch.etag != first:
            return True
    return False


def _outlive_shards(store: ObjectStore, day: date, run_id: str, patience: Patience) -> None:
    """Return when no shard of an earlier run asks for anything: they stop when they see that the day is not theirs."""
    here, changed, notified = this_process(), dict[str, tuple[str, float]](), False
    while True:
        living = False
        for stored in store.list_objects(shard_leases_prefix(day)):
            if changed.setdefault(stored.key, (stored.etag, time.monotonic()))[0] != stored.etag:
                changed[stored.key] = (stored.etag, time.monotonic())
            try:
                found = decode_lease(store.read_path(stored.key))
            except ObjectMissing:
                continue
            if found is not None and found.run_id == run_id:
                continue  # this very run's, from before it was started again
            unchanged = time.monotonic() - changed[stored.key][1]
            if can_take_over(found, here=here, unchanged_seconds=unchanged, is_running=is_running):
                store.delete(stored.key)
            else:
                living = True
        if not living:
            return
        if patience.stopping():
            raise RunStopped(f"Stopped while it waited for shards of an earlier run of {day}; start it again later.")
        if not notified:
            patience.notify(f"Waiting for shards of an earlier run of {day} to end.")
            notified = True
        time.sleep(_POLL_SECONDS)


def acquire(store: ObjectStore, key: str, what: str, run_id: str, patience: Patience) -> DayLease:
    """Hold whatever a key stands for; args and errors as for `acquire_day`, `what` names it in messages. Blocking."""
    mine = Lease(run_id, this_process(), token=uuid4().hex)
    began = time.monotonic()
    seen_etag, seen_at, notified = "", began, False
    while True:
        stored = store.stat(key)
        try:
            if stored is None:
                return DayLease(store, key, mine, store.write_path(key, mine.encode(), if_absent=True))
            if stored.etag != seen_etag:
                seen_etag, seen_at = stored.etag, time.monotonic()
            found = decode_lease(store.read_path(key))
            unchanged = time.monotonic() - seen_at
            if can_take_over(found, here=mine.holder, unchanged_seconds=unchanged, is_running=is_running):
                return DayLease(store, key, mine, store.write_path(key, mine.encode(), if_match=stored.etag))
        except (PreconditionFailed, ObjectMissing):
            continue  # somebody changed it between the read and the write: read again
        assert found is not None
        who = f"run {found.run_id} (process {found.holder.pid} on {found.holder.host})"
        if patience.stopping():
            raise RunStopped(f"Stopped while it waited for {who}, which works on {what}; start it again later.")
        if time.monotonic() - began >= patience.seconds:
            raise DayBusy(
                f"{what} in {store.uri} is being worked on by {who}. Wait for it to end and start again, "
                "or let this one wait longer (--busy-wait-seconds); nothing was changed."
            )
        if not notified:
            patience.notify(
                f"{what} in {store.uri} is being worked on by {who}; waiting up to {patience.seconds:.0f} s for that."
            )
            notified = True
        time.sleep(_POLL_SECONDS)


def this_process() -> Holder:
    """This process."""
    pid = os.getpid()
    return Holder(socket.gethostname(), _boot_id(), pid, _start_mark(pid) or "")


def is_running(holder: Holder) -> bool:
    """Return true if a process of this machine still runs, or if that can't be determined."""
    mark = _start_mark(holder.pid)
    if mark is not None:
        return mark == holder.started
    try:
        os.kill(holder.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _now() -> float:
    return time.clock_gettime(_CLOCK)


def _boot_id() -> str:
    # Containers share the boot but not the process table: the PID namespace distinguishes them.
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return ""


def _start_mark(pid: int) -> str | None:
    # A PID is used again after a while; its start time (field 22, after the parenthesized name) is not.
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[19]
