"""BOS through the real SDK, against a server that checks signatures and fails on demand."""

import logging
import random
import socket
import subprocess
import sys
import threading
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tasks.clients.bos.credentials import BosCredentials
from tasks.clients.bos.store import BosStore
from tasks.domain.errors import (
    ObjectMissing,
    StoreFull,
    StoreRefused,
    StoreUnavailable,
    UsageError,
)
from tests.builders.bos_stores import PART_BYTES, open_store
from tests.servers.bos import BosServer

ROOT = Path(__file__).parents[4]


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


def test_a_session_that_expires_is_renewed_where_it_came_from_and_what_was_under_way_goes_on(
    bos: BosServer, tmp_path: Path
) -> None:
    bos.session_token = "first"
    issued = ["first"]

    def renewed() -> BosCredentials:
        asked.append(issued[-1])
        return BosCredentials(bos.access_key_id, bos.secret_access_key, bos.endpoint, issued[-1], renewed)

    asked: list[str] = []
    store = open_store(bos, session_token="first", renewed=renewed)
    store.write_path("a", b"1")

    def expire(session: str) -> None:
        bos.session_token, bos.access_key_id = session, f"key-of-{session}"
        issued.append(session)

    expire("second")
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda number: store.write_path(f"many/{number}", b"x"), range(24)))
    assert asked == ["second"], "one of the threads asks for all"
    bos.before = lambda operation, key: expire("third") if operation == "part" and "third" not in issued else None
    (tmp_path / "big").write_bytes(content := random.Random(1).randbytes(3 * PART_BYTES))
    store.write_file("big", tmp_path / "big")
    expire("fourth")
    assert store.read_path("big") == content
    assert len(list(store.list_objects("many/"))) == 24


def test_a_refusal_that_no_renewal_mends_is_one_after_one_look(bos: BosServer) -> None:
    asked: list[None] = []

    def the_same() -> BosCredentials:
        asked.append(None)
        return BosCredentials(bos.access_key_id, bos.secret_access_key, bos.endpoint, "old", the_same)

    bos.session_token = "new"
    with pytest.raises(StoreRefused, match="expired"):
        open_store(bos, session_token="old", renewed=the_same).write_path("k", b"")
    assert len(asked) == 1


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
from tasks.clients.bos.credentials import BosCredentials
from tasks.clients.bos.store import BosStore
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
