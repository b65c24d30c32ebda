"""BOS through the real SDK, against a server that checks signatures and fails on demand."""

import logging
import socket
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tasks.clients.bos_connection import BosOptions
from tasks.clients.bos_credentials import BosCredentials
from tasks.clients.bos_store import BosStore
from tasks.domain.errors import (
    BucketMissing,
    ObjectMissing,
    PreconditionFailed,
    StoreError,
    StoreFull,
    StoreRefused,
    StoreUnavailable,
    UsageError,
)
from tests.servers.bos import BosServer
from tests.servers.bos_state import FAULTS

PART_BYTES = 128 * 1024
ROOT = Path(__file__).parents[3]


@pytest.fixture
def bos() -> Iterator[BosServer]:
    with BosServer() as server:
        yield server


def open_store(bos: BosServer, prefix: str = "kefu", **options: Any) -> BosStore:
    credentials: dict[str, Any] = {
        "endpoint": bos.endpoint,
        "access_key_id": bos.access_key_id,
        "secret_access_key": bos.secret_access_key,
        "session_token": "",
    }
    calls: dict[str, Any] = {"attempts": 8, "backoff_seconds": 0.001, "timeout_seconds": 90, "part_bytes": PART_BYTES}
    bucket, scratch = options.pop("bucket", bos.bucket), options.pop("scratch", None)
    for name, value in options.items():
        (credentials if name in credentials else calls)[name] = value
    return BosStore(bucket, prefix, BosCredentials(**credentials), scratch=scratch, options=BosOptions(**calls))


@pytest.fixture
def store(bos: BosServer) -> BosStore:
    return open_store(bos)


@pytest.fixture
def large(tmp_path: Path) -> Path:
    path = tmp_path / "large"
    path.write_bytes(bytes(range(250)) * 1500)
    return path


def test_list_objects_pages_through_more_than_a_thousand(bos: BosServer, store: BosStore) -> None:
    keys = sorted(f"kefu/日 志/{number}+%.jsonl" for number in range(1203))
    for key in keys:
        bos.put(key, b"x")
    bos.put("kefu/日 志/", b"")  # the console marks a folder so
    bos.put("kefu-other/k", b"")
    bos.put("kefu", b"")
    assert [f"kefu/{found.key}" for found in store.list_objects()] == keys
    assert bos.requests == {"list": 2}
    assert len(list(open_store(bos, "").list_objects("kefu/"))) == 1203
    assert [found.key for found in open_store(bos, "").list_objects("kefu-")] == ["kefu-other/k"]


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


def test_a_dead_endpoint_is_told_by_its_address(bos: BosServer) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(StoreUnavailable, match=f"refused.*{address}.*BOS_ENDPOINT"):
        open_store(bos, endpoint=address).read_path("k")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"access_key_id": "nobody"}, "check BCE_ACCESS_KEY_ID"),
        ({"secret_access_key": "wrong-secret"}, "check BCE_SECRET_ACCESS_KEY"),
    ],
)
def test_wrong_credentials_are_refused_without_a_retry_storm(bos: BosServer, options: Any, told: str) -> None:
    store = open_store(bos, **options)
    for use in (lambda: list(store.list_objects()), lambda: store.write_path("k", b""), lambda: store.read_path("k")):
        before = len(bos.log)
        with pytest.raises(StoreRefused, match=told) as caught:
            use()
        assert len(bos.log) - before <= 2  # the SDK itself asks a second time
        assert "wrong-secret" not in str(caught.value)
    with pytest.raises(StoreRefused):
        store.stat("k")
    assert bos.keys() == []


def test_a_missing_permission_names_the_action_and_the_object(bos: BosServer, store: BosStore) -> None:
    bos.denied = {"put", "head"}
    with pytest.raises(StoreRefused, match=rf"Can't write bos://{bos.bucket}/kefu/k: 403 AccessDenied.*permission"):
        store.write_path("k", b"")
    with pytest.raises(StoreRefused, match=r"Can't read .*kefu/k: 403.*permission"):
        store.stat("k")


def test_temporary_credentials_send_their_token(bos: BosServer, store: BosStore) -> None:
    bos.session_token = "session"
    with pytest.raises(StoreRefused):
        store.write_path("k", b"")
    open_store(bos, session_token="session").write_path("k", b"")


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


def test_abort_uploads_spares_the_young_and_the_others(bos: BosServer, store: BosStore) -> None:
    bos.max_page = 2
    for key in ("kefu/a", "kefu/b", "kefu/c", "kefu/d", "kefu/e", "other/f"):
        store._client.initiate_multipart_upload(bos.bucket, key)
    now = datetime.now(UTC)
    assert store.abort_uploads(now - timedelta(hours=1)) == 0
    assert len(bos.uploads()) == 6
    assert store.abort_uploads(now + timedelta(hours=1)) == 5
    assert [upload.key for upload in bos.uploads()] == ["other/f"]


def test_appender_writes_a_segment_every_256_records_without_waiting(bos: BosServer) -> None:
    arrived, hold = threading.Event(), threading.Event()

    def wait(operation: str, key: str) -> None:
        arrived.set()
        hold.wait()

    bos.before = wait
    appender = open_store(bos).appender("log")
    for number in range(256):
        appender.append(b"%d\n" % number)
    assert arrived.wait(90)
    for number in range(256, 300):
        appender.append(b"%d\n" % number)
    hold.set()
    appender.close()
    assert bos.keys() == ["kefu/log-000001.jsonl", "kefu/log-000002.jsonl"]
    assert [len(bos.read(key).splitlines()) for key in ("kefu/log-000001.jsonl", "kefu/log-000002.jsonl")] == [256, 44]


def test_appender_tells_the_next_record_of_a_failure_and_keeps_them_all(bos: BosServer) -> None:
    store = open_store(bos, attempts=2)
    appender = store.appender("log")
    bos.denied = {"put"}
    appender.append(b"first\n")
    with pytest.raises(StoreRefused):
        appender.flush()
    appended = 0

    def append_until_told() -> None:
        nonlocal appended
        while True:
            appended += 1
            appender.append(b"%d\n" % appended)
            time.sleep(0.001 if appended > 255 else 0)

    with pytest.raises(StoreRefused):
        append_until_told()
    bos.denied = set()
    appender.close()
    lines = b"".join(map(bos.read, list(bos.keys()))).splitlines()
    assert lines == [b"first", *(b"%d" % number for number in range(1, appended + 1))]


def test_reading_keeps_memory_flat(bos: BosServer) -> None:
    bos.put("kefu/k", b"0123456789abcdef" * (2 << 20))
    store = open_store(bos)
    tracemalloc.start()
    try:
        with store.open_object("k") as file:
            _, peak = tracemalloc.get_traced_memory()
            assert file.seek(0, 2) == 32 << 20
    finally:
        tracemalloc.stop()
    assert peak < 8 << 20


def test_a_full_scratch_folder_is_told_by_its_path(bos: BosServer, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    bos.put("kefu/k", b"")
    with pytest.raises(StoreFull, match="file/scratch"):
        open_store(bos, scratch=tmp_path / "file" / "scratch").open_object("k")
    open_store(bos, scratch=tmp_path / "new" / "scratch").open_object("k").close()


LIMITED = """
import resource, sys
from pathlib import Path
from tasks.clients.bos_credentials import BosCredentials
from tasks.clients.bos_store import BosStore
from tasks.domain.errors import StoreFull
bucket, endpoint, key, secret, scratch = sys.argv[1:]
store = BosStore(bucket, "", BosCredentials(key, secret, endpoint), scratch=Path(scratch))
resource.setrlimit(resource.RLIMIT_FSIZE, (20, 20))
try:
    store.open_object("k")
except StoreFull as error:
    print(error)
"""


@pytest.mark.parametrize("size", [21, 3 << 20])  # what fits a buffer, and what does not
def test_a_disk_that_fills_up_is_told_by_its_path(bos: BosServer, tmp_path: Path, size: int) -> None:
    bos.put("k", b"x" * size)
    command = [sys.executable, "-c", LIMITED, bos.bucket, bos.endpoint, bos.access_key_id, bos.secret_access_key]
    told = subprocess.run([*command, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout
    assert told.startswith(f"Can't keep a download in {tmp_path}: File too large. Make room there")
    assert bos.requests == {"get": 1}


def test_the_sdk_logs_no_secrets(bos: BosServer, store: BosStore, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        store.write_path("k", b"")
        with pytest.raises(ObjectMissing):
            store.read_path("not there")
    assert [record for record in caplog.records if record.name.startswith("baidubce")] == []


@pytest.mark.parametrize(
    "options",
    [
        {"bucket": "Bad_Bucket"},
        {"bucket": ""},
        {"prefix": "a/../b"},
        {"endpoint": "http://"},
        {"endpoint": "ftp://bj.bcebos.com"},
        {"endpoint": "http://bj.bcebos.com/path"},
    ],
)
def test_what_can_not_be_right_is_wrong_use_before_any_request(bos: BosServer, options: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        open_store(bos, **options)


def test_a_region_is_called_by_the_bucket_own_host_and_https_is_the_default(
    bos: BosServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = int(bos.endpoint.rpartition(":")[2])
    asked: list[str] = []

    def resolve(host: Any, *args: Any, **named: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    open_store(bos, endpoint="http://bj.bcebos.com").write_path("中 文", b"here")
    assert set(asked) == {f"{bos.bucket}.bj.bcebos.com"}
    assert bos.read("kefu/中 文") == b"here"
    with pytest.raises(StoreUnavailable, match=r"SSL.*https://bj\.bcebos\.com"):
        open_store(bos, endpoint="bj.bcebos.com", attempts=1).stat("k")


def test_a_served_folder_is_shared_by_processes_and_outlives_the_server(tmp_path: Path) -> None:
    def serve() -> tuple[subprocess.Popen[str], BosStore]:
        command = [sys.executable, "-m", "tests.servers.bos", "--root", str(tmp_path / "served")]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        endpoint, bucket, key, secret = process.stdout.readline().split()
        return process, BosStore(bucket, "", BosCredentials(key, secret, endpoint))

    for read in (False, True):
        process, store = serve()
        try:
            if read:
                assert store.read_path("中/k") == b"kept"
                assert [found.key for found in store.list_objects()] == ["中/k"]
            else:
                store.write_path("中/k", b"kept")
        finally:
            process.kill()
            process.communicate()


def test_no_fault_raises_anything_but_store_errors(bos: BosServer, large: Path) -> None:
    bos.faults = dict.fromkeys(FAULTS, 1 / len(FAULTS))
    store = open_store(bos, attempts=1, timeout_seconds=0.02)
    for _ in range(15):
        for use in USES.values():
            with suppress(StoreError):
                use(store, large)
