"""Promises of every object store, held against a folder and against BOS's wire."""

import gzip
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.clients.bos.connection import BosOptions
from tasks.clients.bos.credentials import BosCredentials
from tasks.clients.bos.store import BosStore
from tasks.clients.folder_store import FolderStore
from tasks.domain.errors import BucketMissing, ObjectMissing, PreconditionFailed, UsageError
from tasks.domain.ports import ObjectStore
from tests.servers.bos import BosServer

PART_BYTES = 128 * 1024
AWKWARD_KEYS = [
    "plain.jsonl",
    "two words/and a+plus.jsonl",
    "100%/50%25.jsonl",
    "日志/二〇二六年/会话 一.jsonl",
    "q?a=b&c#d;e='f'\"g\".csv",
    "emoji/😀.tsv",
    "~tilde_under-dash!*()/[x]{y}.gz",
    "day=2026-11-22/part=0.parquet",
]


@pytest.fixture(scope="module")
def bos() -> Iterator[BosServer]:
    with BosServer() as server:
        yield server


@pytest.fixture(params=["folder", "bos"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], ObjectStore]:
    """Opens one and the same empty place, each time as another process would."""
    if request.param == "folder":
        return lambda: FolderStore(tmp_path / "数据 仓库")
    bos: BosServer = request.getfixturevalue("bos")
    prefix = f"{tmp_path.name}/数据 仓库"
    bos.max_page = 7

    def open_bos() -> ObjectStore:
        return BosStore(
            bos.bucket,
            prefix,
            BosCredentials(bos.access_key_id, bos.secret_access_key, bos.endpoint),
            options=BosOptions(part_bytes=PART_BYTES),
        )

    return open_bos


@pytest.fixture
def store(opened: Callable[[], ObjectStore]) -> ObjectStore:
    return opened()


def keys(store: ObjectStore, prefix: str = "") -> list[str]:
    return [found.key for found in store.list_objects(prefix)]


@pytest.mark.parametrize("key", AWKWARD_KEYS)
def test_store_keeps_objects_under_awkward_keys(store: ObjectStore, key: str) -> None:
    data = f"内容 of {key}".encode()
    before = datetime.now(UTC)
    etag = store.write_path(key, data)
    after = datetime.now(UTC)
    found = store.stat(key)
    assert found is not None
    assert (found.key, found.size, found.etag) == (key, len(data), etag)
    second = timedelta(seconds=1)  # BOS tells whole ones
    assert before - second < found.modified < after + second
    assert store.read_path(key) == data
    listed = list(store.list_objects())
    assert [(item.key, item.size, item.etag) for item in listed] == [(key, len(data), etag)]
    assert keys(store, key[:3]) == [key]
    assert store.uri_of(key) == f"{store.uri}/{key}"
    store.delete(key)
    assert store.stat(key) is None
    assert keys(store) == []


def test_list_objects_is_in_code_point_order_over_many_pages(store: ObjectStore) -> None:
    written = ["a-b/c", "a.b", "a/b", "a0", "a b", "A", "aa/b/c/d", "é", "中", "文/x", "\ufffd", "😀", "z/1"]
    written += [f"n/{number}" for number in range(20)]
    for key in written:
        store.write_path(key, b"")
    assert keys(store) == sorted(written)
    assert keys(store, "a") == sorted(key for key in written if key.startswith("a"))
    assert keys(store, "n/1") == sorted(key for key in written if key.startswith("n/1"))
    assert keys(store, "a/") == ["a/b"]
    assert keys(store, "nothing/here") == []
    assert keys(store, "中/nothing") == []


NAMES = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="/."), min_size=1, max_size=6)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["write", "absent", "match", "stale", "delete", "read", "list"]),
        st.sampled_from(["k/a", "k/b", "c", "d/中 文", "%20+"]),
        st.binary(max_size=6),
    ),
    max_size=25,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, names=st.lists(NAMES, unique=True, max_size=3))
def test_store_behaves_like_a_dictionary(
    opened: Callable[[], ObjectStore], steps: list[tuple[str, str, bytes]], names: list[str]
) -> None:
    store = opened()
    stale = store.write_path("old", b"1")
    for stored in list(store.list_objects()):
        store.delete(stored.key)
    model: dict[str, bytes] = {}
    for name in names:
        store.write_path(f"names/{name}", name.encode())
        model[f"names/{name}"] = name.encode()
    for step, key, data in steps:
        found = store.stat(key)
        assert (found is not None) == (key in model)
        if step == "write":
            store.write_path(key, data)
            model[key] = data
        elif step == "absent":
            with suppress(PreconditionFailed):
                store.write_path(key, data, if_absent=True)
                assert key not in model
                model[key] = data
        elif step == "match" and found is not None:
            store.write_path(key, data, if_match=found.etag)
            model[key] = data
        elif step == "stale":
            if found is None or found.etag != stale:
                with pytest.raises(PreconditionFailed):
                    store.write_path(key, data, if_match=stale)
        elif step == "delete":
            store.delete(key)
            model.pop(key, None)
        elif step == "read" and key in model:
            assert store.read_path(key) == model[key]
        elif step == "list":
            assert keys(store) == sorted(model)
    assert {key: store.read_path(key) for key in keys(store)} == model


def test_etag_changes_with_content_of_the_same_size(store: ObjectStore) -> None:
    etags = [store.write_path("k", b"%04d" % number) for number in range(40)]
    assert len(set(etags)) == 40


@pytest.mark.parametrize("size", [0, 10, PART_BYTES, 3 * PART_BYTES + 17])
def test_write_file_keeps_every_size_and_its_conditions(store: ObjectStore, tmp_path: Path, size: int) -> None:
    path = tmp_path / "local"
    path.write_bytes(bytes(range(256)) * (size // 256) + b"x" * (size % 256))
    etag = store.write_file("k", path, if_absent=True)
    assert store.read_path("k") == path.read_bytes()
    found = store.stat("k")
    assert found is not None
    assert (found.etag, found.size) == (etag, size)
    with pytest.raises(PreconditionFailed):
        store.write_file("k", path, if_absent=True)
    store.write_path("k", b"newer")
    with pytest.raises(PreconditionFailed):
        store.write_file("k", path, if_match=etag)
    assert store.read_path("k") == b"newer"
    found = store.stat("k")
    assert found is not None
    store.write_file("k", path, if_match=found.etag)
    assert store.read_path("k") == path.read_bytes()


def test_conditions_name_the_object_and_what_happened(store: ObjectStore) -> None:
    store.write_path("k", b"1")
    with pytest.raises(PreconditionFailed, match="exists already"):
        store.write_path("k", b"2", if_absent=True)
    with pytest.raises(PreconditionFailed, match="changed by somebody else"):
        store.write_path("k", b"2", if_match="0123456789abcdef0123456789abcdef")
    with pytest.raises(PreconditionFailed, match="somebody else"):
        store.write_path("not there", b"2", if_match="0123456789abcdef0123456789abcdef")
    assert keys(store) == ["k"]
    assert store.read_path("k") == b"1"


def test_open_object_is_seekable_and_not_changed_by_later_writes(store: ObjectStore) -> None:
    store.write_path("k.gz", gzip.compress("旧的".encode()))
    with store.open_object("k.gz") as file:
        store.write_path("k.gz", b"new")
        store.delete("k.gz")
        with gzip.open(file) as text:
            assert text.read().decode() == "旧的"
        file.seek(0)
        assert file.read(2) == b"\x1f\x8b"


def test_missing_objects_are_told_from_everything_else(store: ObjectStore) -> None:
    store.write_path("there/k", b"")
    for key in ("not there", "there/not", "there/k/below"):
        with pytest.raises(ObjectMissing, match=r"There is no object .*there"):
            store.open_object(key)
        with pytest.raises(ObjectMissing):
            store.read_path(key)
        assert store.stat(key) is None
        store.delete(key)


@pytest.mark.parametrize("key", ["", "up/../../etc/passwd", "..", "./here", "slash/"])
def test_keys_that_no_store_takes_are_wrong_use(store: ObjectStore, key: str) -> None:
    for use in (store.stat, store.open_object, store.delete, lambda key: store.write_path(key, b"")):
        with pytest.raises(UsageError, match="key"):
            use(key)


def test_readers_see_the_old_or_the_new_object_whole(opened: Callable[[], ObjectStore], tmp_path: Path) -> None:
    size, versions = 3 * PART_BYTES, 12
    opened().write_path("table", b"0" * size)
    stop, reading = threading.Event(), threading.Barrier(3)

    def read() -> set[bytes]:
        store = opened()
        seen = {store.read_path("table")[:1]}
        reading.wait()
        last = False
        while not last:
            last = stop.is_set()
            data = store.read_path("table")
            assert len(data) == size
            assert data.count(data[:1]) == size
            seen.add(data[:1])
        return seen

    with ThreadPoolExecutor(2) as pool:
        readers = [pool.submit(read) for _ in range(2)]
        store = opened()
        reading.wait()
        for version in range(1, versions):
            path = tmp_path / "local"
            path.write_bytes(b"%c" % (48 + version) * size)
            if version % 2:
                store.write_file("table", path)
            else:
                store.write_path("table", path.read_bytes())
        stop.set()
        assert all({b"0", b"%c" % (47 + versions)} <= reader.result() for reader in readers)


def test_of_many_writers_of_an_absent_object_one_wins(opened: Callable[[], ObjectStore], tmp_path: Path) -> None:
    start = threading.Barrier(6)
    large = tmp_path / "large"
    large.write_bytes(b"L" * (2 * PART_BYTES))

    def write(number: int) -> bool:
        store = opened()
        start.wait()
        try:
            if number % 2:
                store.write_file("lease", large, if_absent=True)
            else:
                store.write_path("lease", b"%d" % number, if_absent=True)
        except PreconditionFailed:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(write, range(6))) == 1


def test_conditional_writes_lose_no_increment(opened: Callable[[], ObjectStore]) -> None:
    opened().write_path("counter", b"0")

    def increment(_: int) -> None:
        store = opened()
        done = 0
        while done < 8:
            before = store.stat("counter")
            assert before is not None
            value = int(store.read_path("counter"))
            with suppress(PreconditionFailed):
                store.write_path("counter", b"%d" % (value + 1), if_match=before.etag)
                done += 1

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(increment, range(3)))
    assert opened().read_path("counter") == b"24"


def appended(store: ObjectStore, prefix: str) -> list[bytes]:
    found = keys(store, prefix)
    assert all(key.startswith(prefix) and key.endswith(".jsonl") for key in found)
    return b"".join(map(store.read_path, found)).splitlines()


def test_appender_keeps_records_in_order_and_goes_on_after_a_restart(opened: Callable[[], ObjectStore]) -> None:
    first = [b"%d" % number for number in range(600)]
    appender = opened().appender("_answers/day=2026-11-22/甲")
    for record in first:
        appender.append(record + b"\n")
    appender.flush()
    assert appended(opened(), "_answers/day=2026-11-22/甲") == first
    appender.append(b"late\n")
    appender.close()
    appender.close()
    again = opened().appender("_answers/day=2026-11-22/甲")
    again.append(b"again\n")
    again.close()
    other = opened().appender("_answers/day=2026-11-22/乙")
    other.append(b"other\n")
    other.close()
    assert appended(opened(), "_answers/day=2026-11-22/甲") == [*first, b"late", b"again"]
    assert appended(opened(), "_answers/day=2026-11-22/乙") == [b"other"]


def test_appender_takes_records_from_many_threads(store: ObjectStore) -> None:
    appender = store.appender("log")

    def append(thread: int) -> None:
        for number in range(300):
            appender.append(b"%d %d %s\n" % (thread, number, b"x" * 50))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(append, range(4)))
    appender.close()
    records = appended(store, "log")
    assert len(records) == 1200
    assert all(len(record.split()) == 3 and record.endswith(b"x" * 50) for record in records)
    for thread in range(4):
        mine = [int(record.split()[1]) for record in records if record.startswith(b"%d " % thread)]
        assert mine == list(range(300))


def test_appender_without_records_leaves_nothing_to_read(store: ObjectStore) -> None:
    store.write_path("k", b"")
    appender = store.appender("log")
    appender.flush()
    appender.close()
    assert appended(store, "log") == []


def test_a_missing_place_is_told_on_reading(tmp_path: Path, bos: BosServer) -> None:
    folder = FolderStore(tmp_path / "nowhere")
    credentials = BosCredentials(bos.access_key_id, bos.secret_access_key, bos.endpoint)
    bucket = BosStore("no-such-bucket", "a", credentials)
    for store, named in ((folder, "nowhere"), (bucket, "no-such-bucket")):
        with pytest.raises(BucketMissing, match=named):
            list(store.list_objects())
        with pytest.raises(BucketMissing, match=named):
            store.read_path("k")
