"""Logs whose reading can be stopped: a file of any size ends at its next read."""

import threading
from collections.abc import Iterator
from typing import Any, BinaryIO, cast

from tasks.domain.errors import RunStopped
from tasks.reading.log_objects import LogSource


class ReadingStop:
    """A sign that a reading is wanted no more: another thread sets it, the reader's looks at it."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        """Let every further read end the reading."""
        self._event.set()

    def check(self) -> None:
        """Return where the reading goes on.

        Raises:
            RunStopped: the reading was stopped.
        """
        if self._event.is_set():
            raise RunStopped("The reading was stopped.")


class StoppableLogs:
    """A source whose files raise RunStopped once the reading is stopped."""

    def __init__(self, source: LogSource, stop: ReadingStop) -> None:
        self._source, self._stop = source, stop

    def uri_of(self, key: str) -> str:
        """The full address of one object."""
        return self._source.uri_of(key)

    def open_object(self, key: str) -> BinaryIO:
        """The whole object as a file to close."""
        self._stop.check()
        return cast("BinaryIO", _StoppableFile(self._source.open_object(key), self._stop))


class _StoppableFile:
    """A file, but for its reads, which look before."""

    def __init__(self, file: BinaryIO, stop: ReadingStop) -> None:
        self._file, self._stop = file, stop

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __enter__(self) -> "_StoppableFile":
        self._file.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._file.__exit__(*error)

    def __iter__(self) -> Iterator[bytes]:
        while line := self.readline():
            yield line

    def read(self, size: int = -1) -> bytes:
        """Read as the file does."""
        self._stop.check()
        return self._file.read(size)

    def readline(self, size: int = -1) -> bytes:
        """Read as the file does."""
        self._stop.check()
        return self._file.readline(size)

    def readinto(self, buffer: Any) -> int:
        """Read as the file does."""
        self._stop.check()
        return self._file.readinto(buffer)  # type: ignore[attr-defined,no-any-return]

    def read1(self, size: int = -1) -> bytes:
        """Read as the file does."""
        self._stop.check()
        return self._file.read1(size)  # type: ignore[attr-defined,no-any-return]
