"""A record in the warehouse that outlives the process, for one process at a time.

It is only ever replaced as it was read, so that of two processes that take up the same work one stops before it has
asked the platform for anything.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Generic, Protocol, Self, TypeVar

from tasks.domain.errors import PreconditionFailed, UsageError
from tasks.domain.ports import ObjectStore


class Encodable(Protocol):
    """A value that knows its bytes."""

    def encode(self) -> bytes:
        """Return the record's bytes."""


T = TypeVar("T", bound=Encodable)


class StoredRecord(Generic[T]):
    """A value as it was last written to its key; `save` replaces both."""

    def __init__(self, store: ObjectStore, key: str, value: T, etag: str | None = None) -> None:
        self._store = store
        self._key = key
        self._etag = etag
        self.value = value

    @classmethod
    def find(cls, store: ObjectStore, key: str, decode: Callable[[bytes], T]) -> Self | None:
        """Return the record at a key, if there is one."""
        stored = store.stat(key)
        return cls(store, key, decode(store.read_path(key)), stored.etag) if stored else None

    @property
    def uri(self) -> str:
        """The record's address."""
        return self._store.uri_of(self._key)

    async def save(self, value: T) -> None:
        """Write the value down.

        Raises:
            UsageError: another process has taken the work up.
        """
        condition: dict[str, Any] = {"if_match": self._etag} if self._etag else {"if_absent": True}
        try:
            self._etag = await asyncio.to_thread(self._store.write_path, self._key, value.encode(), **condition)
        except PreconditionFailed:
            raise UsageError(
                f"Another run is at work on {self.uri}; nothing was submitted twice. Wait for it, or cancel it and "
                "start this one again."
            ) from None
        self.value = value
