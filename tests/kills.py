"""The death of a process at a chosen moment, felt inside this one."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest

from tasks.clients.folder_store import FolderStore


class Killed(BaseException):
    """The process is gone: nothing below it catches this."""


@contextmanager
def killed_at_write(number: int, *, written: bool) -> Iterator[None]:
    """The block dies at its write of that number into a folder: right after it, or right before."""
    writes = 0
    really_write = FolderStore.write_path

    def dying(self: FolderStore, key: str, data: bytes, **condition: Any) -> str:
        nonlocal writes
        writes += 1
        if writes == number and not written:
            raise Killed
        etag = really_write(self, key, data, **condition)
        if writes == number:
            raise Killed
        return etag

    with patch.object(FolderStore, "write_path", dying), pytest.raises(Killed):
        yield
