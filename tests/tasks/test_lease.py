import os
import subprocess
import sys
import threading
from datetime import date

import pytest

from tasks import lease as leasing
from tasks.clients.folder import FolderStore
from tasks.domain.errors import DayBusy, LeaseLost
from tasks.domain.leases import TIME_TO_LIVE_SECONDS, Holder, Lease, decode_lease, judge, lease_key
from tasks.lease import acquire_day, is_running, this_process

DAY = date(2026, 11, 22)
HERE = Holder("night", "boot-1", 100, "5")


@pytest.fixture
def store(tmp_path):
    return FolderStore(tmp_path)


def hold(store, run_id="run", wait_seconds=0.0, **options):
    return acquire_day(store, DAY, run_id, wait_seconds=wait_seconds, tell=lambda _: None, **options)


def dead_process() -> Holder:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    here = this_process()
    return Holder(here.host, here.boot, child.pid, "1")


def test_judge_takes_over_from_the_dead_of_this_machine_at_once():
    neighbor = Lease("other", Holder("night", "boot-1", 7, "3"))
    assert judge(neighbor, here=HERE, unchanged_seconds=0, is_running=lambda _: False) == "take"
    assert judge(neighbor, here=HERE, unchanged_seconds=0, is_running=lambda _: True) == "wait"


@pytest.mark.parametrize(("host", "boot"), [("day", "boot-1"), ("night", "boot-0")])
def test_judge_waits_a_lifetime_for_another_machine(host, boot):
    stranger = Lease("other", Holder(host, boot, 7, "3"))
    for seconds, verdict in ((0, "wait"), (TIME_TO_LIVE_SECONDS - 1, "wait"), (TIME_TO_LIVE_SECONDS, "take")):
        assert judge(stranger, here=HERE, unchanged_seconds=seconds, is_running=lambda _: False) == verdict


def test_judge_takes_what_is_no_lease():
    assert decode_lease(b"half a le") is None
    assert judge(None, here=HERE, unchanged_seconds=0, is_running=lambda _: True) == "take"


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
    threading.Timer(0.1, first.release).start()
    hold(store, "second", wait_seconds=10).release()


def test_acquire_day_takes_over_from_a_dead_process(store):
    store.write_path(lease_key(DAY), Lease("dead", dead_process()).encode())
    mine = hold(store)
    mine.check()
    mine.release()


def test_acquire_day_by_many_at_once_lets_one_in(store):
    held, busy = [], []

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
    assert mine.lost
    mine.release()
    found = decode_lease(store.read_path(lease_key(DAY)))
    assert found is not None
    assert found.run_id == "thief"


def test_is_running_tells_a_process_from_another_of_the_same_id():
    here = this_process()
    assert is_running(here)
    assert not is_running(Holder(here.host, here.boot, os.getpid(), "1"))
    assert not is_running(dead_process())
