"""Appending records to BOS, which has no append for many writers: numbered objects, written by a thread."""

import threading
from contextlib import suppress

from tasks.domain.errors import PreconditionFailed, StoreError
from tasks.domain.ports import ObjectStore

_RECORDS_IN_A_SEGMENT = 256

_SAVE_SECONDS = 5.0


class BosAppender:
    """Collects records, which a thread of its own writes as numbered objects. Safe in threads."""

    def __init__(self, store: ObjectStore, key_prefix: str) -> None:
        self._store = store
        self._key_prefix = key_prefix
        self._number = 1
        self._records: list[bytes] = []
        self._failure: StoreError | None = None
        self._saving = threading.Lock()
        self._due = threading.Event()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._save_until_closed, name="appender", daemon=True)
        self._thread.start()

    def append(self, data: bytes) -> None:
        """Hold records, a line each; never waits for the network.

        Raises:
            StoreError: the records before could not be written; they are still held, and `flush` tries again.
        """
        self._records += data.splitlines(keepends=True)
        if self._failure is not None:
            raise self._failure
        if len(self._records) >= _RECORDS_IN_A_SEGMENT:
            self._due.set()

    def flush(self) -> None:
        """Return when all records are in the bucket."""
        with self._saving:
            self._save()

    def close(self) -> None:
        """Flush, and end the thread. Closing twice is harmless."""
        self._closed.set()
        self._due.set()
        self._thread.join()
        self.flush()

    def _save(self) -> None:
        count = len(self._records)
        segment = b"".join(self._records[:count])
        while segment:
            key = f"{self._key_prefix}-{self._number:06}.jsonl"
            self._number += 1
            with suppress(PreconditionFailed):  # an earlier process of the same name was here: go on behind it
                self._store.write_path(key, segment, if_absent=True)
                segment = b""
        del self._records[:count]
        self._failure = None

    def _save_until_closed(self) -> None:
        while not self._closed.is_set():
            self._due.wait(_SAVE_SECONDS)
            self._due.clear()
            try:
                self.flush()
            except StoreError as error:  # raised by the next `append`: buy nothing that is not kept
                self._failure = error
