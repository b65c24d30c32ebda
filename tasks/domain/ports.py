"""Ports: the interfaces of stores, summarizers, embedders and batch platforms. Clients implement them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Literal, Protocol

from tasks.domain.records import Reply, Request

Phase = Literal["running", "done", "failed"]


@dataclass(frozen=True, slots=True)
class TaskReport:
    """Status of a task; `reason` explains a failure."""

    phase: Phase
    reason: str = ""


class BatchPlatform(Protocol):
    """Runs tasks over folders of prompts. Belongs to one event loop."""

    async def find_task(self, name: str) -> str | None:
        """The id of the task of that name."""

    async def create_task(self, name: str, input_uri: str, output_uri: str) -> str | None:
        """Begin a task and return its id. This costs money.

        None where there may be none: the account has as many as it may have, or nobody answered. Find it, or try again.
        """

    async def describe_task(self, task_id: str) -> TaskReport:
        """Return the status of a task."""

    async def aclose(self) -> None:
        """Give up connections."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One object. `key` is relative to its store's root and uses `/`; `etag` changes with the content."""

    key: str
    size: int
    etag: str
    modified: datetime


class Appender(Protocol):
    """Bytes appended in order, each kept as soon as its store can keep it."""

    def append(self, data: bytes) -> None:
        """Add whole records, a line each. A folder keeps them at once; an object store may hold them until `flush`."""

    def flush(self) -> None:
        """Return when everything appended so far is kept."""

    def close(self) -> None:
        """Flush and give up the resources. Closing twice is harmless."""


class Publish(Protocol):
    """Lets an object be seen that lies ready in its store, in one quick step."""

    def __call__(self, *, if_match: str | None = None, if_absent: bool = False) -> str:
        """Returns its etag; conditions as in `ObjectStore.write_path`. May be tried again after PreconditionFailed."""


class ObjectStore(Protocol):
    """A folder or a bucket prefix. Blocking: call it from a thread. Raises StoreError's family only.

    Every write is atomic: a reader sees the old object or the new one, whole.
    """

    @property
    def uri(self) -> str:
        """The root, as a user writes it: `/data/warehouse`, `bos://bucket/prefix`."""

    def uri_of(self, key: str) -> str:
        """The full address of one object."""

    def list_objects(self, prefix: str = "") -> Iterator[StoredObject]:
        """Objects whose key begins with `prefix`, in key order (code points), however many there are."""

    def stat(self, key: str) -> StoredObject | None:
        """The object, or None when there is none."""

    def open_object(self, key: str) -> BinaryIO:
        """The whole object, verified against its length and checksum, as a seekable binary file to close."""

    def read_path(self, key: str) -> bytes:
        """The whole object in memory. For small ones."""

    def write_path(self, key: str, data: bytes, *, if_match: str | None = None, if_absent: bool = False) -> str:
        """Write one object; return its etag.

        Args:
            if_match: only over the object that has this etag.
            if_absent: only where there is no object.

        Raises:
            PreconditionFailed: somebody else was first.
        """

    def write_file(self, key: str, path: Path, *, if_match: str | None = None, if_absent: bool = False) -> str:
        """Write one object from a local file (any size); return its etag. Conditions as in `write_path`."""

    def staged(self, key: str, content: Path | bytes) -> AbstractContextManager[Publish]:
        """Content (a local file, or bytes) made ready, so that several objects can follow each other at once.

        What is not published when the block ends is given up.
        """

    def delete(self, key: str) -> None:
        """Remove one object; no error when there is none."""

    def abort_uploads(self, started_before: datetime) -> int:
        """Give up unfinished writes that dead writers left and that cost money; return how many."""

    def appender(self, key_prefix: str) -> Appender:
        """Records for `key_prefix` + one or more suffixes ending in `.jsonl`, listed under it in order."""


class Summarizer(Protocol):
    """Answers requests. One instance belongs to one event loop."""

    @property
    def model(self) -> str:
        """The model's name in the rows."""

    @property
    def paid(self) -> bool:
        """True if a call costs money and quota, so that it is paced and its answer kept."""

    async def summarize(self, request: Request, on_sent: Callable[[], None]) -> Reply:
        """One call, no retries; `on_sent` is called as the request's bytes are written.

        Raises:
            CallFault: this call failed.
            EndpointUnusable: no call can succeed.
        """

    async def aclose(self) -> None:
        """Give up connections."""


class Embedder(Protocol):
    """Turns texts into vectors of meaning."""

    @property
    def name(self) -> str:
        """The model's name."""

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """The texts' vectors, in their order; 16 texts at most, none of them empty.

        Raises:
            KefuError: the model can't be called.
        """
