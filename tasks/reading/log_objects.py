"""The objects that are a day's logs."""

import re
from collections.abc import Iterator
from typing import BinaryIO, Final, Protocol

from tasks.domain.errors import BucketMissing, NoLogs
from tasks.domain.ports import ObjectStore, StoredObject

_BESIDE_LOGS: Final = re.compile(
    r"(?:readme|license|licence|changelog|notice)(?:\.(?:md|txt|rst|zh\.md))?|.*\.(?:md5|sha1|sha256|crc|toml|ya?ml)",
    re.I,
)


def list_logs(store: ObjectStore, name: str) -> list[StoredObject]:
    """The day's log objects in key order: the object `name`, or everything below it.

    Hidden objects (`.part`, `_SUCCESS`) are left out, as everywhere in this ecosystem; so are, in a folder, what people
    lay beside logs: READMEs, licenses, checksums.

    Raises:
        NoLogs: there is none.
    """
    objects = list(_logs(store, name))
    if not objects:
        raise NoLogs(
            f"There are no logs in {store.uri_of(name)}. Check the source and the day, and whether the export has run; "
            "nothing was changed."
        )
    return objects


def all_logs(store: ObjectStore, name: str) -> list[StoredObject]:
    """The day's log objects in key order; none where there are none."""
    try:
        return list(_logs(store, name))
    except BucketMissing:
        return []


def has_logs(store: ObjectStore, name: str) -> bool:
    """True if there is any log object, asked for as cheaply as can be."""
    try:
        return next(_logs(store, name), None) is not None
    except BucketMissing:
        return False


def _logs(store: ObjectStore, name: str) -> Iterator[StoredObject]:
    for found in store.list_objects(name):
        belongs = not name or found.key == name or found.key.startswith(f"{name}/")
        *folders, last = found.key.split("/")
        hidden = any(part.startswith((".", "_")) for part in (*folders, last))
        if belongs and not hidden and (found.key == name or not _BESIDE_LOGS.fullmatch(last)):
            yield found


class LogSource(Protocol):
    """The part of an object store that reading needs."""

    def uri_of(self, key: str) -> str:
        """The full address of one object."""

    def open_object(self, key: str) -> BinaryIO:
        """The whole object as a seekable binary file to close."""
