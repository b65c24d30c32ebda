"""An object store in a folder. The only writer of objects under its root is this module.

A write goes to a file in the hidden folder `.store` and takes the object's name in one step. `.store/lock` makes the
step and the check before it atomic, for all processes on all machines that see the folder. Its writers' files are
locked too, which distinguishes leftovers of dead writers from files in use.
"""

import errno
import fcntl
import os
import secrets
import shutil
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Final

from tasks.clients.boundary import Boundary
from tasks.clients.folder_faults import explained, printable_path
from tasks.domain.errors import (
    BucketMissing,
    ObjectMissing,
    PreconditionFailed,
    UsageError,
)
from tasks.domain.ports import Appender, Publish, StoredObject

_HIDDEN = ".store"

_COPY_BYTES = 1 << 20

_NOT_THERE = frozenset({errno.ENOENT, errno.ELOOP})


# Of this user and, where analysts are to read, of the folder's group; never of every account on the machine.
_SHARED_FILE, _SHARED_FOLDER = 0o640, 0o750

_PRIVATE_FILE, _PRIVATE_FOLDER = 0o600, 0o700

_PRIVATE: Final = ("_", "labels/", "reviews/", "shadows/", "evaluations/", "comparisons/", "models/")


class FolderStore:
    """Objects are files below `root`; files and folders whose name begins with a dot are none. Safe in threads.

    Args:
        root: the folder.
        within: symbolic links are followed only to what lies in there; None: wherever they lead.
    """

    def __init__(self, root: Path, within: Boundary | None = None) -> None:
        self._root = root
        self._within = within

    @property
    def uri(self) -> str:
        """The folder's path, as it was given."""
        return printable_path(str(self._root))

    def uri_of(self, key: str) -> str:
        """The path of one object."""
        return printable_path(str(self._root / key))

    def list_objects(self, prefix: str = "") -> Iterator[StoredObject]:
        """Objects whose key begins with `prefix`, in key order (code points).

        Raises:
            BucketMissing: there is no such root folder.
            StoreRefused: a symbolic link leads out of what may be read.
        """
        folder = prefix.rpartition("/")[0]
        if folder:
            _check_key(folder)
        with self._explained("list"):
            if not self._root.is_dir():
                raise self._root_missing()
            start = self._root / folder
            if start.is_dir():
                for found in _walk(start, f"{folder}/" if folder else "", prefix, ()):
                    if not prefix or found.key == prefix or found.key.startswith(f"{prefix.rstrip('/')}/"):
                        self._check_inside(found.key)
                    yield found

    def stat(self, key: str) -> StoredObject | None:
        """The object, or None when there is none."""
        with self._explained("read", key):
            try:
                found = self._path(key).stat()
            except (FileNotFoundError, NotADirectoryError):
                return None
            return _stored(key, found) if stat.S_ISREG(found.st_mode) else None

    def open_object(self, key: str) -> BinaryIO:
        """The object as a file to close; what is written later does not change it.

        Raises:
            ObjectMissing: there is no such object.
            BucketMissing: there is not even the root folder.
            StoreRefused: a symbolic link leads out of what may be read.
        """
        with self._explained("read", key):
            try:
                path = self._path(key)
                self._check_inside(key)
                return path.open("rb")
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                if not self._root.is_dir():
                    raise self._root_missing() from None
                raise ObjectMissing(f"There is no object {self.uri_of(key)}.") from None

    def read_path(self, key: str) -> bytes:
        """The whole object in memory. Errors as in `open_object`."""
        with self.open_object(key) as file, self._explained("read", key):
            return file.read()

    def write_path(self, key: str, data: bytes, *, if_match: str | None = None, if_absent: bool = False) -> str:
        """Write one object atomically and durably; return its etag.

        Args:
            key: where.
            data: the whole object.
            if_match: only over the object that has this etag.
            if_absent: only where there is no object.

        Raises:
            PreconditionFailed: somebody else was first.
        """
        with self.staged(key, data) as publish:
            return publish(if_match=if_match, if_absent=if_absent)

    def write_file(self, key: str, path: Path, *, if_match: str | None = None, if_absent: bool = False) -> str:
        """Write one object from a local file; return its etag. Conditions as in `write_path`."""
        with self.staged(key, path) as publish:
            return publish(if_match=if_match, if_absent=if_absent)

    @contextmanager
    def staged(self, key: str, content: Path | bytes) -> Iterator[Publish]:
        """A copy on the disk that nobody reads until it is published.

        Raises:
            StoreRefused: this user may not write the object; raised now, before others are published with it.
        """
        with self._explained("write", key):
            _check_permission(self._path(key))
        with (
            self._explained("write", key),
            BytesIO(content) if isinstance(content, bytes) else content.open("rb") as source,
            self._new_file(key) as (file, new),
        ):
            shutil.copyfileobj(source, file, _COPY_BYTES)
            file.flush()
            os.fsync(file.fileno())
            yield partial(self._replace, key, file, new)

    def delete(self, key: str) -> None:
        """Remove one object; no error when there is none."""
        if self.stat(key) is None:
            return
        with self._explained("remove", key), suppress(FileNotFoundError):
            self._hidden()
            with self._locked():
                self._path(key).unlink()

    def appender(self, key_prefix: str) -> Appender:
        """Records for `key_prefix` + `.jsonl`, each written at once."""
        key = f"{key_prefix}.jsonl"
        path = self._path(key)
        with self._explained("append to", key):
            _make_folder(path.parent, self._root, _is_private(key))
            return _FolderAppender(path)

    def abort_uploads(self, started_before: datetime) -> int:
        """None: what dead writers left here goes with the next write."""
        return 0

    def _path(self, key: str) -> Path:
        _check_key(key)
        return self._root / key

    def _check_inside(self, key: str) -> None:
        if self._within is not None:
            self._within.check(self._root / key, self.uri_of(key))

    def _replace(
        self, key: str, file: BinaryIO, new: Path, *, if_match: str | None = None, if_absent: bool = False
    ) -> str:
        path = self._path(key)
        with self._explained("write", key):
            _make_folder(path.parent, self._root, _is_private(key))
            with self._locked():
                before = self.stat(key)
                if if_absent and before is not None:
                    raise PreconditionFailed(f"{self.uri_of(key)} exists already; nothing was written.")
                if if_match is not None and (before is None or before.etag != if_match):
                    raise PreconditionFailed(
                        f"{self.uri_of(key)} was changed by somebody else meanwhile; nothing was written."
                    )
                self._date(file, path)
                written = _stored(key, os.fstat(file.fileno()))
                os.replace(new, path)
            _sync_folder(path.parent)
            return written.etag

    def _date(self, file: BinaryIO, path: Path) -> None:
        # The system's own time stamps stand still for milliseconds, and a freed inode is soon used again: without a
        # date of our own, later than the last one, two contents of one size could have the same etag.
        now = time.time_ns()
        with suppress(FileNotFoundError):
            now = max(now, path.stat().st_mtime_ns + 1_000)
        os.utime(file.fileno(), ns=(now, now))

    @contextmanager
    def _new_file(self, key: str) -> Iterator[tuple[BinaryIO, Path]]:
        hidden = self._hidden()
        new = hidden / f"new-{secrets.token_hex(8)}"
        with self._locked():
            _remove_abandoned(hidden)
            mode = _PRIVATE_FILE if _is_private(key) else _SHARED_FILE
            descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        with open(descriptor, "wb") as file:
            try:
                yield file, new
            finally:
                new.unlink(missing_ok=True)

    def _hidden(self) -> Path:
        hidden = self._root / _HIDDEN
        _make_folder(hidden, self._root, private=False)
        return hidden

    @contextmanager
    def _locked(self) -> Iterator[None]:
        name = self._root / _HIDDEN / "lock"
        with open(os.open(name, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, _SHARED_FILE), "ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _root_missing(self) -> BucketMissing:
        return BucketMissing(f"There is no folder {self.uri}: check the path, and that its disk is mounted.")

    def _explained(self, action: str, key: str = "") -> AbstractContextManager[None]:
        return explained(action, self.uri_of(key) if key else self.uri)


class _FolderAppender:
    """One file, one `write` for what comes at once, so threads' records stay whole and a kill tears one at most."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, _PRIVATE_FILE)
        self._lock = threading.Lock()
        size = os.fstat(self._file).st_size
        self._torn = size > 0 and os.pread(self._file, 1, size - 1) != b"\n"

    def append(self, data: bytes) -> None:
        """Write records at once; they begin on a line of their own even after a torn one."""
        with self._lock, explained("append to", printable_path(str(self._path))):
            assert self._file is not None, "append after close"
            left = memoryview(b"\n" + data if self._torn else data)
            while left:
                self._torn = True
                left = left[os.write(self._file, left) :]
            self._torn = not data.endswith(b"\n")

    def flush(self) -> None:
        """Return when the records are on the disk itself."""
        with self._lock, explained("append to", printable_path(str(self._path))):
            if self._file is not None:
                os.fsync(self._file)

    def close(self) -> None:
        """Flush and close. Closing twice is harmless."""
        self.flush()
        with self._lock:
            if self._file is not None:
                os.close(self._file)
                self._file = None


def _check_key(key: str) -> None:
    if any(not part or part.startswith(".") for part in key.split("/")) or "\0" in key:
        raise UsageError(
            f"{key!r} can't be the key of an object in a folder: "
            "each part between slashes needs a name that does not begin with a dot."
        )


def _check_permission(path: Path) -> None:
    folder = next(above for above in path.parents if above.exists())
    if folder.is_dir() and not os.access(folder, os.W_OK | os.X_OK, effective_ids=True):
        # Root may do everything, except on a disk that turned read-only.
        error = errno.EROFS if os.statvfs(folder).f_flag & os.ST_RDONLY else errno.EACCES
        raise OSError(error, os.strerror(error))


def _walk(folder: Path, key: str, prefix: str, above: tuple[tuple[int, int], ...]) -> Iterator[StoredObject]:
    """The objects in one folder whose own key is `key` (ends with a slash, or is empty), and below it.

    Args:
        folder: to search.
        key: what their keys begin with.
        prefix: what they must begin with.
        above: the folders on the way here, so that a loop of symbolic links ends.
    """
    try:
        found = folder.stat()
        this = (found.st_dev, found.st_ino)
        if this in above:
            return
        with os.scandir(folder) as entries:
            names = [f"{name}/" if is_folder else name for name, is_folder in map(_kind, entries) if name[0] != "."]
    except FileNotFoundError:
        return
    for name in sorted(names):
        below = key + name
        if name.endswith("/"):
            if below.startswith(prefix) or prefix.startswith(below):
                yield from _walk(folder / name, below, prefix, (*above, this))
        elif below.startswith(prefix):
            try:
                found = (folder / name).stat()
            except OSError as error:
                if error.errno in _NOT_THERE:
                    continue  # removed meanwhile, or a link to nowhere
                raise
            if stat.S_ISREG(found.st_mode):
                yield _stored(below, found)


def _kind(entry: "os.DirEntry[str]") -> tuple[str, bool]:
    try:
        return entry.name, entry.is_dir()
    except OSError:
        return entry.name, False  # a link to itself; reading it tells


def _stored(key: str, found: os.stat_result) -> StoredObject:
    return StoredObject(
        key=key,
        size=found.st_size,
        etag=f"{found.st_mtime_ns:x}-{found.st_ino:x}-{found.st_size:x}",
        modified=datetime.fromtimestamp(found.st_mtime, UTC),
    )


def _is_private(key: str) -> bool:
    """Return true if an object holds whole texts or raw answers, which only the user of the runs needs to read."""
    return key.startswith(_PRIVATE)


def _make_folder(folder: Path, root: Path, private: bool) -> None:
    """Make a folder and those above it, closed to other accounts; private ones below the root to the group, too."""
    if folder.is_dir():
        return
    if folder.parent != folder:
        _make_folder(folder.parent, root, private)
    inside = folder != root and root in folder.parents
    folder.mkdir(mode=_PRIVATE_FOLDER if private and inside else _SHARED_FOLDER, exist_ok=True)


def _remove_abandoned(hidden: Path) -> None:
    for path in hidden.glob("new-*"):
        try:
            with path.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink()
        except (BlockingIOError, FileNotFoundError, PermissionError):
            continue  # a live writer's, just published, or another user's


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
