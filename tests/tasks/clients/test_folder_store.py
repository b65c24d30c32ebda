"""Faults that only a folder has: links, full disks, dead writers, other processes."""

import errno
import os
import shutil
import signal
import stat
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from tasks.clients.boundary import Boundary
from tasks.clients.folder_store import FolderStore
from tasks.domain.errors import (
    BucketMissing,
    ObjectMissing,
    StoreError,
    StoreFull,
    StoreRefused,
    StoreUnavailable,
    UsageError,
)

ROOT = Path(__file__).parents[3]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "warehouse"


@pytest.fixture
def store(root: Path) -> FolderStore:
    return FolderStore(root)


def keys(store: FolderStore) -> list[str]:
    return [found.key for found in store.list_objects()]


def run(code: str, *arguments: object) -> "subprocess.Popen[str]":
    """Start Python code in a process of its own; it prints a line when it is ready."""
    command = [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_files_that_are_no_objects_are_not_listed(store: FolderStore, root: Path) -> None:
    store.write_path("day/a.jsonl", b"a")
    (root / "day" / ".a.jsonl.swp").write_bytes(b"")
    (root / ".git").mkdir()
    (root / ".git" / "config").write_bytes(b"")
    (root / "empty").mkdir()
    os.mkfifo(root / "day" / "pipe")
    assert keys(store) == ["day/a.jsonl"]
    assert store.stat("day") is None
    assert store.stat("day/pipe") is None
    with pytest.raises(ObjectMissing):
        store.open_object("day")


def test_links_are_followed_and_loops_end(store: FolderStore, root: Path, tmp_path: Path) -> None:
    store.write_path("day/a", b"a")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "b").write_bytes(b"b")
    (root / "day" / "linked").symlink_to(tmp_path / "elsewhere")
    (root / "day" / "up").symlink_to(root)
    (tmp_path / "elsewhere" / "round").symlink_to(root / "day")
    (root / "day" / "self").symlink_to(root / "day" / "self")
    (root / "day" / "nowhere").symlink_to(root / "gone")
    assert keys(store) == ["day/a", "day/linked/b"]
    assert store.read_path("day/linked/b") == b"b"


@pytest.mark.parametrize(
    "target", ["../elsewhere", "../elsewhere/secret", "/proc/self/environ", "../../..", "day/../../elsewhere"]
)
def test_links_out_of_what_is_read_are_refused(root: Path, tmp_path: Path, target: str) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "secret").write_bytes(b"another account's")
    (root / "day" / "deep").mkdir(parents=True)
    (root / "day" / "a").write_bytes(b"a")
    (root / "day" / "near").symlink_to("a")
    confined = FolderStore(root, Boundary.of(root, root / "day"))
    assert [found.key for found in confined.list_objects("day")] == ["day/a", "day/near"]
    assert confined.read_path("day/near") == b"a"
    (root / "day" / "z").symlink_to(target if target.startswith("/") else root / target)
    with pytest.raises(StoreRefused, match=r"is behind a symbolic link that leads out of .*/day, .* Lay a copy"):
        list(confined.list_objects("day"))
    behind = "day/z/secret" if (root / "day" / "z" / "secret").exists() else "day/z"
    with pytest.raises(StoreRefused, match="symbolic link"):
        confined.read_path(behind)


def test_a_link_beside_what_is_read_disturbs_nobody(root: Path, tmp_path: Path) -> None:
    (root / "day").mkdir(parents=True)
    (root / "day" / "a").write_bytes(b"a")
    (root / "day-archive").symlink_to(tmp_path)
    confined = FolderStore(root, Boundary.of(root, root / "day"))
    assert "day/a" in [found.key for found in confined.list_objects("day")]


def test_a_boundary_is_what_is_named_wherever_that_leads(root: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    root.mkdir()
    (root / "linked").symlink_to(disk)
    assert Boundary.of(root / "linked", root / "linked").within == disk, "a person named the link"
    assert Boundary.of(root, root / "linked").within == root, "whoever writes into the folder made it"


def test_names_that_are_no_utf8_are_read_and_printable(store: FolderStore, root: Path) -> None:
    root.mkdir()
    with open(os.fsencode(root) + b"/\xbb\xe1\xbb\xb0.csv", "wb") as file:
        file.write(b"x")
    [found] = store.list_objects()
    assert store.read_path(found.key) == b"x"
    assert store.uri_of(found.key).encode().startswith(os.fsencode(root) + rb"/\xbb")


@pytest.mark.parametrize("key", ["/etc/passwd", "a/../../b", ".", ".hidden", "a/.hidden/b", "a//b", "nul\0", "a/"])
def test_keys_stay_below_the_root_and_in_sight(store: FolderStore, root: Path, key: str) -> None:
    for use in (store.read_path, store.stat, store.delete, store.appender, lambda key: store.write_path(key, b"")):
        with pytest.raises(UsageError, match="key"):
            use(key)
    with pytest.raises(UsageError):
        list(store.list_objects("../"))
    assert not root.exists()


@pytest.mark.parametrize(
    ("key", "file", "folder"),
    [("summaries/day=1/k", 0o640, 0o750), ("_reviews/k", 0o600, 0o700), ("labels/day=1/k", 0o600, 0o700)],
)
def test_what_is_written_is_closed_to_other_accounts(store: FolderStore, root: Path, key, file, folder) -> None:
    before = os.umask(0o000)
    try:
        store.write_path(key, b"")
        store.appender("_answers/log").close()
    finally:
        os.umask(before)
    modes = [
        stat.S_IMODE((root / name).stat().st_mode) for name in (key, Path(key).parent, "_answers", "_answers/log.jsonl")
    ]
    assert modes == [file, folder, 0o700, 0o600]
    assert not [path for path in root.rglob("*") if path.stat().st_mode & 0o007]


def test_etags_of_quick_writes_differ_though_inode_and_size_do_not(store: FolderStore) -> None:
    assert len({store.write_path("k", b"%03d" % number) for number in range(50)}) == 50


def test_an_object_written_by_others_changes_its_etag(store: FolderStore, root: Path) -> None:
    before = store.write_path("k", b"1")
    with (root / "k").open("ab") as file:
        file.write(b"2")
    found = store.stat("k")
    assert found is not None
    assert found.etag != before


DEAD_WRITER = """
    import sys
    from pathlib import Path
    from tasks.clients.folder_store import FolderStore
    print("ready", flush=True)
    FolderStore(Path(sys.argv[1])).write_file("table", Path(sys.argv[2]))
"""


def test_what_a_killed_writer_left_is_removed_and_a_live_one_is_spared(
    store: FolderStore, root: Path, tmp_path: Path
) -> None:
    store.write_path("table", b"old")
    pipes = [tmp_path / "pipe 0", tmp_path / "pipe 1"]
    for pipe in pipes:
        os.mkfifo(pipe)
    writers = [run(DEAD_WRITER, root, pipe) for pipe in pipes]
    sources = [pipe.open("wb", buffering=0) for pipe in pipes]
    for source in sources:
        source.write(b"half")
    deadline = time.monotonic() + 90
    while len(list((root / ".store").glob("new-*"))) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert keys(store) == ["table"]
    writers[0].send_signal(signal.SIGKILL)
    writers[0].communicate()
    store.write_path("other", b"")
    assert len(list((root / ".store").glob("new-*"))) == 1
    assert store.read_path("table") == b"old"
    sources[1].write(b" and whole")
    for source in sources:
        source.close()
    writers[1].communicate()
    assert writers[1].returncode == 0
    assert store.read_path("table") == b"half and whole"
    assert [path.name for path in (root / ".store").iterdir()] == ["lock"]


RACER = """
    import sys
    from contextlib import suppress
    from pathlib import Path
    from tasks.clients.folder_store import FolderStore
    from tasks.domain.errors import PreconditionFailed
    store = FolderStore(Path(sys.argv[1]))
    print("ready", flush=True)
    sys.stdin.readline()
    wins = 0
    for number in range(40):
        with suppress(PreconditionFailed):
            store.write_path(f"lease {number}", sys.argv[2].encode(), if_absent=True)
            wins += 1
    done = 0
    while done < 25:
        before, value = store.stat("counter"), int(store.read_path("counter"))
        with suppress(PreconditionFailed):
            store.write_path("counter", b"%d" % (value + 1), if_match=before.etag)
            done += 1
    print(wins)
"""


def test_of_racing_processes_exactly_one_wins(store: FolderStore, root: Path) -> None:
    store.write_path("counter", b"0")
    racers = [run(RACER, root, number) for number in range(3)]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    assert sum(int(racer.communicate()[0]) for racer in racers) == 40
    assert store.read_path("counter") == b"75"


LIMITED = """
    import resource, sys
    from pathlib import Path
    from tasks.clients.folder_store import FolderStore
    from tasks.domain.errors import StoreFull
    store = FolderStore(Path(sys.argv[1]))
    appender = store.appender("log")
    appender.append(b"before\\n")
    resource.setrlimit(resource.RLIMIT_FSIZE, (20, 20))
    for use in (lambda: store.write_path("k", b"x" * 21), lambda: appender.append(b"y" * 21 + b"\\n")):
        try:
            use()
        except StoreFull as error:
            print(error)
    appender.append(b"after\\n")
"""


def test_a_full_disk_leaves_what_was_there(store: FolderStore, root: Path) -> None:
    store.write_path("k", b"old")
    told = run(LIMITED, root).communicate()[0].splitlines()
    assert len(told) == 2
    for message, name in zip(told, ("k", "log.jsonl"), strict=True):
        assert str(root / name) in message
        assert "Make room" in message
    assert store.read_path("k") == b"old"
    assert keys(store) == ["k", "log.jsonl"]
    assert [path.name for path in (root / ".store").iterdir()] == ["lock"]


@pytest.mark.parametrize("fault", ["ENOSPC", "EDQUOT", "EROFS", "EIO"])
def test_a_failing_disk_is_told_by_path_and_remedy(
    store: FolderStore, root: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    store.write_path("k", b"old")

    def fail(descriptor: int) -> None:
        raise OSError(getattr(errno, fault), os.strerror(getattr(errno, fault)))

    monkeypatch.setattr(os, "fsync", fail)
    expected = StoreUnavailable if fault == "EIO" else StoreFull
    with pytest.raises(expected) as caught:
        store.write_path("k", b"new")
    assert str(caught.value).startswith(f"Can't write {root}/k: {os.strerror(getattr(errno, fault))}. ")
    assert store.read_path("k") == b"old"
    assert [path.name for path in (root / ".store").iterdir()] == ["lock"]


def test_a_disk_that_turned_read_only_is_no_missing_permission(
    store: FolderStore, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write_path("k", b"old")
    really = os.statvfs(root)
    told = os.statvfs_result((*really[:8], really.f_flag | os.ST_RDONLY, really.f_namemax))
    monkeypatch.setattr(os, "access", lambda *_, **__: False)  # what the system says there even to root
    monkeypatch.setattr(os, "statvfs", lambda _: told)
    with pytest.raises(StoreFull, match=r"Read-only file system\. Mount it writable"):
        store.write_path("k", b"new")
    assert store.read_path("k") == b"old"


def test_an_appender_on_a_full_disk_tells_so(store: FolderStore, root: Path) -> None:
    root.mkdir()
    (root / "log.jsonl").symlink_to("/dev/full")
    appender = store.appender("log")
    with pytest.raises(StoreFull, match=r"Can't append to .*log\.jsonl: No space left"):
        appender.append(b"x\n")


def test_a_record_after_a_torn_one_begins_on_its_own_line(store: FolderStore, root: Path) -> None:
    appender = store.appender("log")
    appender.append(b"whole\n")
    appender.close()
    with (root / "log.jsonl").open("ab") as file:
        file.write(b'{"torn": ')
    appender = store.appender("log")
    appender.append(b"next\n")
    appender.append(b"last\n")
    appender.close()
    assert store.read_path("log.jsonl").splitlines() == [b"whole", b'{"torn": ', b"next", b"last"]


def test_a_file_in_the_way_is_told(store: FolderStore, root: Path) -> None:
    store.write_path("table", b"")
    for use in (lambda: store.write_path("table/k", b""), lambda: store.appender("table/log")):
        with pytest.raises(StoreRefused, match="move it away"):
            use()
    (root / "folder").mkdir()
    with pytest.raises(StoreRefused, match="move it away"):
        store.write_path("folder", b"")
    with pytest.raises(BucketMissing):
        list(FolderStore(root / "table").list_objects())
    with pytest.raises(StoreRefused):
        FolderStore(root / "table").write_path("k", b"")


def test_a_folder_that_goes_away_fails_cleanly(store: FolderStore, root: Path) -> None:
    store.write_path("k", b"")
    appender = store.appender("log")
    shutil.rmtree(root)
    appender.append(b"kept by the open file\n")
    appender.close()
    with pytest.raises(BucketMissing, match="disk is mounted"):
        store.read_path("k")
    assert store.stat("k") is None
    store.delete("k")


def test_files_that_vanish_while_listed_are_left_out(store: FolderStore, root: Path) -> None:
    for name in ("a", "b", "c/d", "e"):
        store.write_path(name, b"")
    listing = store.list_objects()
    assert next(listing).key == "a"
    (root / "b").unlink()
    shutil.rmtree(root / "c")
    assert [found.key for found in listing] == ["e"]


def test_a_long_name_is_no_crash(store: FolderStore) -> None:
    with pytest.raises(StoreError, match="name too long"):
        store.write_path("长" * 100, b"")
