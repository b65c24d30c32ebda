import os
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from tasks.clients.folder_store import FolderStore
from tasks.domain.errors import DayBusy, LeaseLost, RunStopped, StoreError
from tasks.domain.layout import lease_key, shard_leases_prefix
from tasks.domain.shards import Shard
from tasks.warehouse import day_lease as leasing
from tasks.warehouse.day_lease import DayWatch, Patience, acquire_day, acquire_shard, is_running, this_process
from tasks.warehouse.rules.lease import TIME_TO_LIVE_SECONDS, Holder, Lease, can_take_over, decode_lease

DAY = date(2026, 11, 22)
HERE = Holder("night", "boot-1", 100, "5")


@pytest.fixture
def store(tmp_path):
    return FolderStore(tmp_path)


def hold(store, run_id="run", wait_seconds=0.0, **options):
    return acquire_day(store, DAY, run_id, Patience(wait_seconds, lambda _: None, **options))


def dead_process() -> Holder:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    here = this_process()
    return Holder(here.host, here.boot, child.pid, "1")


def test_can_take_over_from_the_dead_of_this_machine_at_once():
    neighbor = Lease("other", Holder("night", "boot-1", 7, "3"))
    assert can_take_over(neighbor, here=HERE, unchanged_seconds=0, is_running=lambda _: False)
    assert not can_take_over(neighbor, here=HERE, unchanged_seconds=0, is_running=lambda _: True)


@pytest.mark.parametrize(("host", "boot"), [("day", "boot-1"), ("night", "boot-0")])
def test_can_take_over_waits_a_lifetime_for_another_machine(host, boot):
    stranger = Lease("other", Holder(host, boot, 7, "3"))
    for seconds, taken in ((0, False), (TIME_TO_LIVE_SECONDS - 1, False), (TIME_TO_LIVE_SECONDS, True)):
        assert can_take_over(stranger, here=HERE, unchanged_seconds=seconds, is_running=lambda _: False) is taken


def test_can_take_over_what_is_no_lease():
    assert decode_lease(b"half a le") is None
    assert can_take_over(None, here=HERE, unchanged_seconds=0, is_running=lambda _: True)


def test_lease_is_read_back_as_it_was_written():
    lease = Lease("run", HERE, 3)
    assert decode_lease(lease.encode()) == lease


def test_acquire_day_is_exclusive_and_leaves_nothing(store):
    first = hold(store, "first")
    with pytest.raises(DayBusy, match="first"):
        hold(store, "second")
    first.check()
    first.release()
    assert store.stat(lease_key(DAY)) is None
    hold(store, "third").release()


def test_acquire_day_waits_for_the_other_to_end(store, monkeypatch):
    monkeypatch.setattr(leasing, "_POLL_SECONDS", 0.02)
    first = hold(store, "first")
    told: list[str] = []

    def tell(sentence: str) -> None:
        told.append(sentence)
        first.release()

    acquire_day(store, DAY, "second", Patience(90, tell)).release()
    assert len(told) == 1
    assert "first" in told[0]


def test_acquire_day_takes_over_from_a_dead_process(store):
    store.write_path(lease_key(DAY), Lease("dead", dead_process()).encode())
    mine = hold(store)
    mine.check()
    mine.release()


@pytest.mark.parametrize("left_behind", [False, True])
def test_acquire_day_by_many_at_once_lets_one_in(store, monkeypatch, left_behind):
    held, busy = [], []
    if left_behind:
        store.write_path(lease_key(DAY), Lease("dead", dead_process()).encode())
    all_have_looked, mine = threading.Barrier(8), threading.local()

    def judge_at_once(*args, **named):
        if not hasattr(mine, "looked"):
            mine.looked = True
            all_have_looked.wait(60)
        return can_take_over(*args, **named)

    if left_behind:
        monkeypatch.setattr(leasing, "can_take_over", judge_at_once)

    def run(number):
        try:
            held.append(hold(store, f"run-{number}"))
        except DayBusy:
            busy.append(number)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(held), len(busy)) == (1, 7)
    held[0].release()


def test_check_says_that_the_day_was_taken_over(store):
    mine = hold(store, "mine")
    store.write_path(lease_key(DAY), Lease("thief", HERE).encode())
    with pytest.raises(LeaseLost, match="took over"):
        mine.check()
    assert mine.is_stale
    with pytest.raises(LeaseLost):
        mine.renew_if_stale()
    mine.release()
    found = decode_lease(store.read_path(lease_key(DAY)))
    assert found is not None
    assert found.run_id == "thief"


def test_check_knows_a_renewal_of_its_own_that_came_late(store):
    mine = hold(store, "mine")
    for _ in range(3):  # the store was away when they were sent, and confirmed none
        found = decode_lease(store.read_path(lease_key(DAY)))
        assert found is not None
        store.write_path(lease_key(DAY), replace(found, renewals=found.renewals + 1).encode())
        mine.check()
        assert not mine.is_stale


AGAIN: dict[str, dict[str, Any]] = {"elsewhere": {"holder": dead_process()}, "here": {"token": "another"}}


@pytest.mark.parametrize("where", AGAIN)
def test_check_knows_that_its_own_run_was_begun_again(store, where):
    mine = hold(store, "mine")
    found = decode_lease(store.read_path(lease_key(DAY)))
    assert found is not None
    store.write_path(lease_key(DAY), replace(found, renewals=9, **AGAIN[where]).encode())
    with pytest.raises(LeaseLost, match="took over"):
        mine.check()
    mine.release()


@pytest.fixture
def away(store, tmp_path):
    """Do without the disk that the warehouse is on, as long as the block lasts."""

    @contextmanager
    def unmounted():
        elsewhere = tmp_path.with_name(f"{tmp_path.name}-elsewhere")
        tmp_path.rename(elsewhere)
        tmp_path.touch()
        yield
        tmp_path.unlink()
        elsewhere.rename(tmp_path)

    return unmounted


def test_check_proves_or_raises(store, away):
    mine = hold(store)
    with away(), pytest.raises(StoreError):
        mine.check()
    mine.check()
    mine.release()


def test_release_leaves_to_time_what_the_store_does_not_take(store, away, caplog):
    mine = hold(store)
    with away():
        mine.release()
    assert "until it runs out" in caplog.text
    assert store.stat(lease_key(DAY)) is not None


def test_a_hold_is_doubtful_when_it_was_not_proved_for_long(store, monkeypatch):
    mine = hold(store)
    assert not mine.is_stale
    later = time.clock_gettime(leasing._CLOCK) + TIME_TO_LIVE_SECONDS
    monkeypatch.setattr(time, "clock_gettime", lambda clock: later)
    assert mine.is_stale
    mine.renew_if_stale()
    assert not mine.is_stale
    mine.release()


def test_a_hold_is_proved_from_when_its_write_began(store, monkeypatch):
    now = [time.clock_gettime(leasing._CLOCK)]
    monkeypatch.setattr(time, "clock_gettime", lambda clock: now[0])
    mine = hold(store)
    really_write = store.write_path

    def slow_write(*args, **named):
        now[0] += TIME_TO_LIVE_SECONDS / 3
        return really_write(*args, **named)

    monkeypatch.setattr(store, "write_path", slow_write)
    mine.check()
    assert not mine.is_stale
    now[0] += TIME_TO_LIVE_SECONDS / 3
    assert mine.is_stale, "others have counted for two thirds of its time"
    mine.release()


def test_acquire_day_stops_waiting_when_it_is_told_to(store, monkeypatch):
    monkeypatch.setattr(leasing, "_POLL_SECONDS", 0.01)
    looks = iter([False, False])
    first = hold(store, "first")
    with pytest.raises(RunStopped, match=r"run first .* start it again later"):
        hold(store, "second", wait_seconds=3600, stopping=lambda: next(looks, True))
    first.release()
    shard = acquire_shard(store, Shard(DAY, 0, 2, "dead"), Patience(0, lambda _: None))
    with pytest.raises(RunStopped, match="start it again later"):
        hold(store, "second", stopping=lambda: next(looks, True))
    shard.release()
    assert list(store.list_objects()) == []


def test_is_running_tells_a_process_from_another_of_the_same_id():
    here = this_process()
    assert is_running(here)
    assert not is_running(Holder(here.host, here.boot, os.getpid(), "1"))
    assert not is_running(dead_process())


def shard(run_id="run") -> Shard:
    return Shard(DAY, 0, 2, run_id)


def test_acquire_shard_is_exclusive_and_beside_the_day(store):
    day = hold(store)
    first = acquire_shard(store, shard(), Patience(0, lambda _: None))
    with pytest.raises(DayBusy, match="shard-000-of-002"):
        acquire_shard(store, shard(), Patience(0, lambda _: None))
    first.release()
    acquire_shard(store, shard(), Patience(0, lambda _: None)).release()
    day.release()
    assert list(store.list_objects()) == []


def test_acquire_day_waits_for_the_shards_of_another_run(store, monkeypatch):
    monkeypatch.setattr(leasing, "_POLL_SECONDS", 0.01)
    old = acquire_shard(store, shard("dead"), Patience(0, lambda _: None))
    told: list[str] = []
    looks = iter(range(3))

    def stopping() -> bool:
        if next(looks) == 2:
            old.release()
        return False

    day = acquire_day(store, DAY, "run", Patience(0, told.append, stopping))
    assert told == [f"Waiting for shards of an earlier run of {DAY} to end."]
    assert store.stat(shard("dead").lease_key) is None
    day.release()


def test_acquire_day_removes_dead_shards_and_leaves_its_own(store):
    store.write_path(Shard(DAY, 0, 2, "dead").lease_key, Lease("dead", dead_process()).encode())
    mine = acquire_shard(store, Shard(DAY, 1, 2, "run"), Patience(0, lambda _: None))
    day = hold(store)
    assert [stored.key for stored in store.list_objects(shard_leases_prefix(DAY))] == [
        Shard(DAY, 1, 2, "run").lease_key
    ]
    mine.release()
    day.release()


def lost_shard(store):
    shard = Shard(date(2026, 11, 23), 0, 2, "lost")
    return acquire_shard(store, shard, Patience(0, lambda _: None))


def test_day_watch_sees_the_run_come_and_go(store):
    watch = DayWatch(store, DAY, "run")
    assert not watch.is_held()
    day = hold(store)
    assert watch.is_held()
    assert not DayWatch(store, DAY, "another").is_held()
    day.check()
    assert watch.is_held()
    day.release()
    assert not watch.is_held()


def test_day_watch_takes_a_lease_that_stands_still_for_given_up(store, monkeypatch):
    store.write_path(lease_key(DAY), Lease("run", HERE).encode())
    watch = DayWatch(store, DAY, "run")
    assert watch.is_held()
    monkeypatch.setattr(time, "monotonic", lambda: 1e9)
    assert not watch.is_held()
