"""Publishing a day: whatever runs, stalls and dies in whatever order, readers see whole days and know half ones."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import date
from functools import cache
from io import BytesIO
from itertools import count, cycle, product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from greenlet import getcurrent, greenlet  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.clients.bos.connection import BosOptions
from tasks.clients.bos.credentials import BosCredentials
from tasks.clients.bos.store import BosStore
from tasks.clients.folder_store import FolderStore
from tasks.domain.errors import AccountingError, BucketMissing, LeaseLost, ObjectMissing, PreconditionFailed
from tasks.domain.layout import lease_key, partition_key
from tasks.domain.ports import ObjectStore
from tasks.domain.records import Reason, Reject
from tasks.warehouse.day_lease import DayLease, Patience, acquire_day, this_process
from tasks.warehouse.parquet import parquet_bytes
from tasks.warehouse.parts import write_part
from tasks.warehouse.publish import assemble_tables, is_complete, publish_day
from tasks.warehouse.rules.day_tally import DONE
from tasks.warehouse.rules.lease import Lease
from tasks.warehouse.rules.tables import REJECTS, RUNS, SUMMARIES, reject_rows
from tests.servers.bos import BosServer

DAY = date(2026, 11, 22)
TABLES = ("rejects", "summaries", "runs")
# Longer than one read or one part, so that a torn object would show.
LENGTH = 150_000


def bos_store(server: BosServer, prefix: str) -> BosStore:
    return BosStore(
        server.bucket,
        prefix,
        BosCredentials(server.access_key_id, server.secret_access_key, server.endpoint),
        options=BosOptions(part_bytes=128 * 1024),
    )


@pytest.fixture(params=["folder", "bos"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ObjectStore]:
    if request.param == "folder":
        yield FolderStore(tmp_path / "warehouse")
    else:
        with BosServer() as bos:
            yield bos_store(bos, "warehouse")


def content(version: int) -> bytes:
    return bytes([version]) * LENGTH


@cache
def runs_content(version: int) -> bytes:
    """A table of runs that can be read: a damaged one marks no day complete."""
    row = {"run_id": f"{version:03}", "version": "v" * LENGTH, "status": DONE, "summarized": 1}
    made = parquet_bytes(pa.Table.from_pylist([row], schema=RUNS))
    _runs_versions[made] = version
    return made


_runs_versions: dict[bytes, int] = {}


def whole(table: str, version: int) -> bytes:
    return runs_content(version) if table == "runs" else content(version)


def version_of(table: str, found: bytes) -> int:
    if table != "runs":
        return found[0]
    return _runs_versions.get(found, -1)


def files(version: int, folder: Path) -> list[tuple[str, Path | bytes]]:
    """A day's objects: two tables in files, the mark in memory."""
    folder.mkdir(exist_ok=True)
    for table in TABLES[:2]:
        (folder / table).write_bytes(content(version))
    return [
        *((partition_key(table, DAY), folder / table) for table in TABLES[:2]),
        (partition_key("runs", DAY), runs_content(version)),
    ]


def seen(store: ObjectStore) -> list[int | None]:
    """The version of each table; each is one version, whole."""
    versions: list[int | None] = []
    for table in TABLES:
        try:
            found = store.read_path(partition_key(table, DAY))
        except (ObjectMissing, BucketMissing):
            versions.append(None)
            continue
        version = version_of(table, found)
        assert found == whole(table, version), "a mixture of two days, or half of one"
        versions.append(version)
    return versions


class Killed(BaseException):
    """A kill of a run: from here on it does nothing to its store."""


class Stepped:
    """A store that hands back control before each operation, so that a test decides who goes on."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._conductor = getcurrent()
        self._dead = False

    def _pause(self) -> None:
        if self._dead:
            raise Killed
        if getcurrent() is not self._conductor and self._conductor.switch() == "kill":
            self._dead = True
            raise Killed

    def __getattr__(self, name: str) -> Any:
        operation = getattr(self._store, name)
        if isinstance(operation, str):
            return operation

        def stepped(*args: object, **named: object) -> object:
            self._pause()
            return operation(*args, **named)

        return stepped

    def list_objects(self, prefix: str = "") -> Iterator[object]:
        self._pause()
        yield from self._store.list_objects(prefix)

    @contextmanager
    def staged(self, key: str, made: Path | bytes) -> Iterator[Callable[..., str]]:
        self._pause()
        with self._store.staged(key, made) as publish:

            def step(**conditions: Any) -> str:
                self._pause()
                return publish(**conditions)

            yield step


class Run:
    """One run's publication, step by step. It takes the day from whoever has it, as if that one were dead."""

    def __init__(self, store: ObjectStore, version: int, folder: Path) -> None:
        self.version = version
        self.outcome = "running"
        self._lease: DayLease | None = None
        stepped = cast("ObjectStore", Stepped(store))  # made here, where the one is who goes on when it pauses
        self._steps = greenlet(lambda _: self._work(stepped, folder))

    def step(self, order: str = "go") -> None:
        if self.outcome == "running":
            self._steps.switch(order)

    def to_the_end(self) -> int:
        """Go on until it ends; how many steps that took."""
        for number in count():
            if self.outcome != "running":
                return number
            self.step()
        raise AssertionError

    def _work(self, store: ObjectStore, folder: Path) -> None:
        try:
            while self._lease is None:
                with suppress(PreconditionFailed):
                    found = store.stat(lease_key(DAY))
                    # One begun again keeps its name while the first may live.
                    lease = Lease("run", this_process(), token=uuid4().hex)
                    etag = store.write_path(
                        lease_key(DAY),
                        lease.encode(),
                        if_match=found.etag if found else None,
                        if_absent=found is None,
                    )
                    self._lease = DayLease(store, lease_key(DAY), lease, etag)
                    self._lease._stop.set()  # its thread would step by itself
            publish_day.fn(store, DAY, self._lease, files(self.version, folder))
            self.outcome = "published"
        except LeaseLost:
            self.outcome = "lost the day"
        except Killed:
            self.outcome = "killed"


# Who goes on, for how many steps (a publication takes some twenty), and whether that is the end of it.
ORDERS = st.lists(st.tuples(st.integers(1, 3), st.integers(1, 20), st.booleans()), min_size=2, max_size=7)


@settings(max_examples=15)
@given(orders=ORDERS)
def test_publish_day_mixes_nothing_in_a_folder_whoever_stalls_or_dies(orders: list[tuple[int, int, bool]]) -> None:
    with TemporaryDirectory() as folder:
        _play(FolderStore(Path(folder) / "warehouse"), orders, Path(folder))


@settings(max_examples=4)
@given(orders=ORDERS)
def test_publish_day_mixes_nothing_in_bos_whoever_stalls_or_dies(orders: list[tuple[int, int, bool]]) -> None:
    with TemporaryDirectory() as folder, BosServer() as bos:
        _play(bos_store(bos, "warehouse"), orders, Path(folder))


def _play(store: ObjectStore, orders: list[tuple[int, int, bool]], folder: Path) -> None:
    """Let three runs replace a published day in the given order; after every step readers look."""
    runs = [Run(store, version, folder / f"scratch-{version}") for version in range(5)]
    orders = [(0, 99, False), *orders, *((number, 99, False) for number in range(1, 5))]
    for chosen, steps, fatal in orders:
        run = runs[chosen]
        for step in range(steps):
            run.step("kill" if fatal and step == steps - 1 else "go")
            versions = seen(store)
            assert chosen == 0 or None not in versions, "the day was away for a moment"
            assert len(set(versions)) == 1 or not is_complete(store, DAY), f"{versions} counts as complete"
            if run.outcome != "running":
                break
    assert runs[4].outcome == "published"
    assert seen(store) == [4, 4, 4], "the next run repairs whatever it finds"
    assert is_complete(store, DAY)


def test_publish_day_mixes_nothing_wherever_two_runs_cross(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One run stalls after any step, another one after any of its own; the first wakes up and ends, then the other."""
    monkeypatch.setattr(f"{__name__}.LENGTH", 1)
    store, versions = FolderStore(tmp_path / "warehouse"), cycle(range(256))

    def run() -> Run:
        return Run(store, next(versions), tmp_path / "scratch")

    steps = run().to_the_end()
    unseen = 7  # steps to hold the day and to stage: nobody sees anything of them
    assert steps - unseen > 10
    for before, after in product(range(unseen, steps), repeat=2):
        first, second = run(), run()
        for going, number in ((first, before), (second, after), (first, 99), (second, 99)):
            for _ in range(number):
                going.step()
                assert len(set(seen(store))) == 1 or not is_complete(store, DAY), f"mixed after {before} and {after}"
                if going.outcome != "running":
                    break
        if second.outcome != "published":  # the first one, just awake, took the day
            assert first.outcome == "published"
            run().to_the_end()
        assert is_complete(store, DAY)


def test_publish_day_in_bos_knows_its_own_among_objects_that_are_as_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An etag of BOS is that of the content, so it does not tell that another run wrote the same once more."""
    monkeypatch.setattr(f"{__name__}.LENGTH", 1)
    with BosServer() as bos:
        for before in count(1):
            store = bos_store(bos, f"warehouse-{before}")
            Run(store, 1, tmp_path / "scratch").to_the_end()
            stalled, other = Run(store, 2, tmp_path / "scratch-2"), Run(store, 1, tmp_path / "scratch")
            for _ in range(before):
                stalled.step()
            if stalled.outcome == "published":
                break
            other.to_the_end()
            stalled.to_the_end()
            assert len(set(seen(store))) == 1 or not is_complete(store, DAY), f"mixed after {before}"


def test_publish_day_shows_readers_one_whole_day_after_the_other(store: ObjectStore, tmp_path: Path) -> None:
    stop = threading.Event()
    lease = acquire_day(store, DAY, "run", Patience(0, lambda _: None))
    publish_day.fn(store, DAY, lease, files(1, tmp_path / "scratch"))
    read: list[list[int | None]] = []

    def reader() -> None:
        while not stop.is_set():
            read.append(seen(store))

    thread = threading.Thread(target=reader)
    thread.start()
    try:
        for version in range(2, 200):
            publish_day.fn(store, DAY, lease, files(version, tmp_path / "scratch"))
            if version > 20 and len(read) > 5:
                break
    finally:
        stop.set()
        thread.join()
        lease.release()
    assert len(read) > 5
    assert all(version is not None for versions in read for version in versions), "the day was away for a moment"
    for table in zip(*read, strict=True):
        assert list(table) == sorted(table), "an old day came back"


def test_publish_day_killed_at_any_step_leaves_a_day_to_read_and_to_repair(tmp_path: Path) -> None:
    for steps in count(1):
        root, scratch = tmp_path / f"warehouse-{steps}", tmp_path / "scratch"
        first = acquire_day(FolderStore(root), DAY, "first", Patience(0, lambda _: None))
        publish_day.fn(FolderStore(root), DAY, first, files(1, scratch))
        first.release()
        survived = _killed_after(steps, FolderStore(root), files(2, scratch))
        store = FolderStore(root)
        assert set(seen(store)) <= {1, 2}
        if is_complete(store, DAY):
            assert len(set(seen(store))) == 1
        _publish(store, "third", files(3, scratch))
        assert seen(store) == [3, 3, 3]
        assert is_complete(store, DAY)
        assert [path.name for path in (root / ".store").iterdir()] == ["lock"], "a dead run's staging is left"
        if survived:
            assert steps > 12
            return


def _publish(store: ObjectStore, run_id: str, made: list[tuple[str, Path | bytes]]) -> None:
    lease = acquire_day(store, DAY, run_id, Patience(90, lambda _: None))
    publish_day.fn(store, DAY, lease, made)
    lease.release()


def _killed_after(steps: int, store: ObjectStore, made: list[tuple[str, Path | bytes]]) -> bool:
    """Publish in a process that is killed before its step of that number; whether it ended before."""
    pid = os.fork()
    if not pid:
        left = iter(range(steps - 1))

        class Deadly(Stepped):
            def _pause(self) -> None:
                if next(left, None) is None:
                    os.kill(os.getpid(), signal.SIGKILL)

        try:
            _publish(cast("ObjectStore", Deadly(store)), "second", made)
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def reject(number: int) -> Reject:
    return Reject(f"c{number}", Reason.EMPTY, "no messages", "logs/a.jsonl", number)


def part(number: int, rejects: int, folder: Path):
    rows = pa.RecordBatch.from_pylist([], schema=SUMMARIES)
    return write_part(number, rejects, rows, reject_rows([reject(n) for n in range(rejects)], "run"), folder)


def test_write_part_refuses_a_batch_that_lost_or_doubled_a_conversation(tmp_path: Path) -> None:
    rows, rejects = pa.RecordBatch.from_pylist([], schema=SUMMARIES), reject_rows([reject(1)], "run")
    for read in (0, 2):
        with pytest.raises(AccountingError, match=f"{read} conversations read"):
            write_part(0, read, rows, rejects, tmp_path)


def test_assemble_tables_joins_every_part_in_order_or_refuses(tmp_path: Path) -> None:
    parts = [part(number, number + 1, tmp_path) for number in range(4)]
    tables = assemble_tables.fn(parts[::-1], tmp_path)
    assert (tables.summarized, tables.rejected) == (0, 10)
    joined = pq.ParquetFile(BytesIO(tables.rejects.read_bytes())).read()
    assert joined.schema.remove_metadata() == REJECTS.remove_metadata()
    assert joined["line"].to_pylist() == [n for number in range(4) for n in range(number + 1)]
    for wrong in (parts[1:], parts[:2] + parts[3:], [*parts, parts[0]]):
        with pytest.raises(AccountingError, match="Nothing is published"):
            assemble_tables.fn(wrong, tmp_path)
