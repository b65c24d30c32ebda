"""Erasures and the runs that carry texts never work at once."""

import subprocess
import sys
import threading
import time
from datetime import date

import pytest

from tasks.clients.folder_store import FolderStore
from tasks.domain.errors import DayBusy, RunStopped, StoreUnavailable
from tasks.domain.layout import ERASURE_LEASE
from tasks.domain.shards import Shard
from tasks.warehouse import day_lease
from tasks.warehouse.day_lease import Patience, acquire_day, acquire_shard, this_process
from tasks.warehouse.erasure_lease import acquire_texts, begin_erasure
from tasks.warehouse.rules.lease import Holder, Lease

DAY = date(2026, 11, 22)


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setattr(day_lease, "_POLL_SECONDS", 0.005)
    return FolderStore(tmp_path)


def texts(store, run_id="report", wait_seconds=0.0, notify=lambda _: None, **options):
    return acquire_texts(store, run_id, Patience(wait_seconds, notify, **options))


def erasure(store, run_id="erasure", wait_seconds=0.0, notify=lambda _: None, **options):
    return begin_erasure(store, run_id, Patience(wait_seconds, notify, **options))


def dead_process() -> Holder:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    here = this_process()
    return Holder(here.host, here.boot, child.pid, "1")


def left(store):
    return [stored.key for stored in store.list_objects()]


def test_an_erasure_waits_for_whoever_holds_a_day_or_texts_and_leaves_nothing(store):
    for name in ("day=2026-11-20", "texts/dead", "erasure"):
        store.write_path(f"_staging/leases/{name}.json", Lease("dead", dead_process()).encode())
    store.write_path("_staging/leases/readme.txt", b"of somebody else")
    holders = {
        "report": texts(store),
        "sheet": texts(store, "sheet"),
        "night": acquire_day(store, DAY, "night", Patience(0, lambda _: None)),
        "shards": acquire_shard(store, Shard(date(2026, 11, 23), 0, 2, "lost"), Patience(0, lambda _: None)),
    }
    told: list[str] = []

    def tell(sentence: str) -> None:
        told.append(sentence)
        holders.pop(next(name for name in holders if name in sentence.replace("report, sheet or table", ""))).release()

    erasure(store, wait_seconds=90, notify=tell).release()
    assert (len(told), holders) == (4, {})
    assert left(store) == ["_staging/leases/readme.txt"]


def test_an_erasure_that_gives_up_waiting_lets_others_begin(store):
    report = texts(store)
    with pytest.raises(DayBusy, match="run report"):
        erasure(store)
    with pytest.raises(RunStopped):
        erasure(store, wait_seconds=90, stopping=lambda: True)
    texts(store, "sheet").release()
    report.release()
    assert left(store) == []


def test_a_run_that_can_not_see_whether_there_is_an_erasure_holds_none_up(store, tmp_path):
    class Away(FolderStore):
        def stat(self, key):
            if key == ERASURE_LEASE:
                raise StoreUnavailable("The store is away.")
            return super().stat(key)

    with pytest.raises(StoreUnavailable):
        texts(Away(tmp_path))
    assert left(store) == []


def test_runs_with_texts_work_beside_each_other_and_wait_for_an_erasure(store):
    under_way = erasure(store)
    with pytest.raises(DayBusy, match="An erasure"):
        texts(store)
    with pytest.raises(DayBusy, match="An erasure"):
        erasure(store, "another")
    assert left(store) == ["_staging/leases/erasure.json"], "what waits holds nothing up"
    report = texts(store, wait_seconds=90, notify=lambda _: under_way.release())
    sheet = texts(store, "sheet")
    report.release()
    sheet.release()
    assert left(store) == []


def test_no_order_lets_an_erasure_and_a_run_with_texts_work_at_once(store):
    inside, wrong = set[str](), list[set[str]]()

    def work(name, begin):
        for number in range(8):
            lease = begin(store, f"{name}{number}", wait_seconds=90)
            inside.add(name)
            if "erasure" in inside and len(inside) > 1:
                wrong.append(set(inside))
            time.sleep(0.002)
            inside.discard(name)
            lease.release()

    threads = [threading.Thread(target=work, args=each) for each in (("erasure", erasure), ("a", texts), ("b", texts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert left(store) == []


def test_an_erasure_waits_for_many_no_longer_than_for_one_so_that_it_gives_up_before_who_waits_for_it(
    store, monkeypatch
):
    reports = {name: texts(store, name) for name in ("run-a", "run-b", "run-c")}
    told: list[str] = []
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += 25
        if now[0] % 50 == 0:  # the one that is waited for ends at the second look
            reports.pop(next(name for name in reports if name in told[-1])).release()

    monkeypatch.setattr(time, "sleep", sleep)
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    with pytest.raises(DayBusy):
        erasure(store, wait_seconds=120, notify=told.append)
    (last,) = reports.values()
    last.release()
    assert (now[0], len(told)) == (125, 3)
