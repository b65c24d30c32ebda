"""Permissions of a folder: what an account may not do is said before anything is lost."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tasks.clients.folder_store import FolderStore
from tasks.domain.errors import (
    StoreRefused,
)

NOBODY = 65534


@contextmanager
def as_nobody() -> Iterator[None]:
    """Permissions count, even where the tests run as root."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def public(tmp_path: Path) -> Iterator[Path]:
    """The root with one object, reachable for everybody, which tmp_path is not."""
    root = tmp_path / "warehouse"
    FolderStore(root).write_path("table/k", b"old")
    above = [folder for folder in root.parents if folder.stat().st_uid == os.geteuid() and folder != folder.parent]
    modes = {folder: stat.S_IMODE(folder.stat().st_mode) for folder in above}
    for folder, mode in modes.items():
        folder.chmod(mode | 0o055)
    for path in (root, *root.rglob("*")):
        path.chmod(0o755)
    yield root
    for folder, mode in modes.items():
        folder.chmod(mode)
    for path in (root, *root.rglob("*")):
        path.chmod(0o755)


def test_a_missing_permission_is_told_before_anything_is_published(public: Path) -> None:
    store = FolderStore(public)
    (public / "closed").mkdir()
    for path in (public, public / ".store", public / "table"):
        path.chmod(0o777)
    (public / ".store" / "lock").chmod(0o666)
    with as_nobody(), store.staged("table/k", b"new") as publish:
        with (
            pytest.raises(StoreRefused, match=r"closed/day/k.*Permission denied"),
            store.staged("closed/day/k", b"new"),
        ):
            publish()
        assert store.read_path("table/k") == b"old"


def test_missing_permissions_are_told_and_nothing_is_lost(public: Path) -> None:
    store = FolderStore(public)
    for path in (public, public / ".store", public / "table"):
        path.chmod(0o555)
    (public / ".store" / "lock").chmod(0o444)
    with as_nobody():
        assert store.read_path("table/k") == b"old"
        for use in (
            lambda: store.write_path("table/k", b"new"),
            lambda: store.delete("table/k"),
            lambda: store.appender("table/log"),
        ):
            with pytest.raises(StoreRefused, match=rf"{public}/table/.*Permission denied.*permission"):
                use()
        assert store.read_path("table/k") == b"old"
    (public / "table").chmod(0o000)
    with as_nobody():
        for look in (
            lambda: list(store.list_objects()),
            lambda: store.stat("table/k"),
            lambda: store.read_path("table/k"),
        ):
            with pytest.raises(StoreRefused, match="Permission denied"):
                look()
