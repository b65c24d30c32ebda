"""Faults of BOS: every use outlasts them, loses nothing, and takes no lost reply for a lost race."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tasks.clients.bos.store import BosStore
from tasks.domain.errors import (
    BucketMissing,
    PreconditionFailed,
    StoreError,
    StoreUnavailable,
)
from tests.builders.bos_stores import PART_BYTES, open_store
from tests.servers.bos import BosServer
from tests.servers.bos_state import FAULTS

USES: dict[str, Callable[[BosStore, Path], object]] = {
    "list": lambda store, large: [found.key for found in store.list_objects()],
    "stat": lambda store, large: store.stat("k"),
    "read": lambda store, large: store.read_path("k"),
    "write": lambda store, large: store.write_path("new", b"new"),
    "write if absent": lambda store, large: store.write_path("new", b"new", if_absent=True),
    "write file if absent": lambda store, large: store.write_file("new", large, if_absent=True),
    "delete": lambda store, large: store.delete("k"),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("use", USES)
def test_every_use_outlasts_every_fault(bos: BosServer, large: Path, use: str, fault: str) -> None:
    store = open_store(bos, timeout_seconds=0.2 if fault == "stall" else 90)
    bos.put("kefu/k", b"1" * 1000)
    undisturbed = USES[use](store, large)
    bos.put("kefu/k", b"1" * 1000)
    if "new" in "".join(bos.keys()):
        store.delete("new")
    # Every request of the use fails once, whichever way it comes.
    bos.script.extend([fault, "", "", fault, "", fault, fault, "", fault] if "file" in use else [fault])
    result = USES[use](store, large)
    if use == "stat":
        assert isinstance(undisturbed, type(result))
    else:
        assert result == undisturbed
    assert any(seen.fault == fault for seen in bos.log)
    bos.script.clear()
    assert ("k" in [found.key for found in store.list_objects()]) == (use != "delete")
    if use.startswith("write"):
        assert store.read_path("new") == (large.read_bytes() if "file" in use else b"new")


def test_ten_percent_of_faults_lose_and_mix_nothing(bos: BosServer, large: Path) -> None:
    bos.spread_faults(0.1)
    store = open_store(bos, backoff_seconds=0.0005)

    def work(thread: int) -> None:
        for number in range(12):
            key, data = f"{thread}/{number}", b"%d %d " % (thread, number) * 500
            first = store.write_path(key, b"first", if_absent=True)
            store.write_path(key, data, if_match=first)
            assert store.read_path(key) == data
        store.write_file(f"{thread}/large", large)
        appender = store.appender(f"{thread}/log")
        for number in range(700):
            appender.append(b"%d\n" % number)
        appender.close()
        log = [store.read_path(found.key) for found in store.list_objects(f"{thread}/log")]
        assert b"".join(log) == b"".join(b"%d\n" % number for number in range(700))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert {seen.fault for seen in bos.log} >= {"http_500", "html_502", "reset_before", "reset_after", "cut_short"}
    assert all(store.read_path(f"{thread}/large") == large.read_bytes() for thread in range(4))
    assert all(bos.read(f"kefu/{t}/{n}") == b"%d %d " % (t, n) * 500 for t in range(4) for n in range(12))


@pytest.mark.parametrize("size", [10, 3 * PART_BYTES])
def test_a_lost_reply_is_not_taken_for_a_lost_race(bos: BosServer, store: BosStore, tmp_path: Path, size: int) -> None:
    path = tmp_path / "local"
    path.write_bytes(b"x" * size)
    steps = ["", "", "", ""] if size > PART_BYTES else []
    bos.script.extend([*steps, "reset_after"])
    etag = store.write_file("k", path, if_absent=True)
    bos.script.extend([*steps, "reset_after"])
    assert store.write_file("k", path, if_match=etag) == etag  # the same content again
    assert bos.requests["put" if size == 10 else "complete"] == 4
    found = store.stat("k")
    assert found is not None
    assert found.etag == etag
    assert bos.uploads() == []


def test_a_lost_reply_and_a_lost_race_are_a_lost_race(bos: BosServer, store: BosStore) -> None:
    rival = open_store(bos)
    bos.script.append("reset_before")

    def overtake(operation: str, key: str) -> None:
        bos.before = None
        rival.write_path("k", b"same bytes")

    bos.before = overtake
    with pytest.raises(PreconditionFailed, match="exists already"):
        store.write_path("k", b"same bytes", if_absent=True)


def test_conditions_hold_where_etags_have_no_quotes(bos: BosServer, store: BosStore, large: Path) -> None:
    bos.bare_etags = True
    first = store.write_path("k", b"1")
    second = store.write_file("k", large, if_match=first)
    with pytest.raises(PreconditionFailed):
        store.write_path("k", b"2", if_match=first)
    store.write_path("k", b"2", if_match=second)
    assert bos.read("kefu/k") == b"2"
    assert bos.uploads() == []


def test_an_upload_that_somebody_gave_up_is_told(bos: BosServer, store: BosStore, large: Path) -> None:
    def give_up(operation: str, key: str) -> None:
        if operation == "part":
            bos.before = None
            store.abort_uploads(datetime.now(UTC) + timedelta(hours=1))

    bos.before = give_up
    with pytest.raises(StoreUnavailable, match="given up"):
        store.write_file("k", large)


def test_a_download_goes_on_where_it_broke_off(bos: BosServer, store: BosStore) -> None:
    data = bytes(range(256)) * 4096
    bos.put("kefu/k", data)
    bos.script.extend(["cut_short", "cut_short", "reset_before", ""])
    assert store.read_path("k") == data
    assert [seen.status for seen in bos.log] == [200, 206, 0, 206]


def test_a_download_that_broke_off_begins_anew_where_ranges_are_ignored(bos: BosServer, store: BosStore) -> None:
    bos.ranges = False
    bos.put("kefu/k", bytes(range(256)) * 400)
    bos.script.extend(["cut_short", "cut_short", ""])
    assert store.read_path("k") == bytes(range(256)) * 400


def test_a_download_of_a_replaced_object_begins_anew(bos: BosServer, store: BosStore) -> None:
    bos.put("kefu/k", b"old" * 100_000)
    bos.script.append("cut_short")

    def replace(operation: str, key: str) -> None:
        bos.after = None
        bos.put("kefu/k", b"new!" * 100_000)

    bos.after = replace
    data = store.read_path("k")
    assert data in (b"new!" * 100_000, b"old" * 100_000)
    assert 412 in [seen.status for seen in bos.log]


def test_a_changed_byte_is_noticed_in_a_download_that_broke_off(bos: BosServer, store: BosStore, large: Path) -> None:
    store.write_path("k", large.read_bytes())
    bos.script.extend(["cut_short", "corrupt", ""])
    assert store.read_path("k") == large.read_bytes()


@pytest.mark.parametrize("multipart", [False, True])
def test_a_changed_byte_is_noticed(bos: BosServer, store: BosStore, large: Path, multipart: bool) -> None:
    if multipart:
        store.write_file("k", large)
    else:
        store.write_path("k", large.read_bytes())
    bos.script.extend(["corrupt", "corrupt", ""])
    assert store.read_path("k") == large.read_bytes()
    bos.faults = {"corrupt": 1.0}
    with pytest.raises(StoreUnavailable, match="do not match their checksum"):
        store.read_path("k")


@pytest.mark.parametrize(
    ("fault", "told"),
    [("http_500", "500 InternalError"), ("slow_down", "503 SlowDown"), ("html_502", "not from BOS"), ("stall", "time")],
)
def test_lasting_faults_end_after_a_bounded_number_of_attempts(bos: BosServer, fault: str, told: str) -> None:
    bos.faults = {fault: 1.0}
    store = open_store(bos, attempts=3, timeout_seconds=0.5 if fault == "stall" else 90)
    with pytest.raises(StoreUnavailable) as caught:
        list(store.list_objects())
    assert len(bos.log) == 3
    message = str(caught.value)
    assert told in message
    assert f"bos://{bos.bucket}/kefu" in message
    assert bos.endpoint in message
    assert "start again" in message
    assert "\n" not in message


def test_a_missing_bucket_is_told_by_every_use(bos: BosServer, large: Path) -> None:
    store = open_store(bos, bucket="elsewhere")
    for use in USES.values():
        with pytest.raises(BucketMissing, match=r"no bucket 'elsewhere' at http.*region"):
            use(store, large)


@pytest.mark.parametrize("fault", ["http_500", "reset_before"])
def test_a_failed_upload_is_given_up(bos: BosServer, store: BosStore, large: Path, fault: str) -> None:
    bos.script.extend(["", "", *[fault] * 8])
    with pytest.raises(StoreUnavailable):
        store.write_file("k", large)
    assert bos.uploads() == []
    assert bos.keys() == []


def test_no_fault_raises_anything_but_store_errors(bos: BosServer, large: Path) -> None:
    bos.faults = dict.fromkeys(FAULTS, 1 / len(FAULTS))
    store = open_store(bos, attempts=1, timeout_seconds=0.02)
    for _ in range(15):
        for use in USES.values():
            with suppress(StoreError):
                use(store, large)
