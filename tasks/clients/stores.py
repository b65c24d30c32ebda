"""From an address, as a user writes it, to its store."""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tasks.clients.bos.credentials import BosCredentials
from tasks.clients.boundary import Boundary
from tasks.clients.folder_store import FolderStore
from tasks.domain.errors import UsageError
from tasks.domain.ports import ObjectStore


@dataclass(frozen=True, slots=True)
class Named:
    """The objects of a store to read, as addresses.

    Args:
        base: what a person named; links up to here are theirs.
        place: what is read, at it or below it.
    """

    base: str
    place: str


def open_store(
    uri: str, credentials: BosCredentials, *, scratch: Path | None = None, only: Named | None = None
) -> ObjectStore:
    """The store at a path, `file://…` or `bos://bucket/prefix`. Nothing is called yet.

    Args:
        uri: its address.
        credentials: for BOS; a folder needs none.
        scratch: the folder for objects being downloaded, by default the system's folder for temporary files.
        only: no symbolic link below it leads out of it; None: links are followed.

    Raises:
        UsageError: the address can't be right, or credentials are missing.
    """
    scheme, separator, rest = uri.partition("://")
    if not separator:
        if not uri:
            raise UsageError("An address is empty: give a path, file://… or bos://bucket/prefix.")
        if found := re.match(r"(bos|file|block|s3):/?", uri):
            raise UsageError(f"{uri!r} would be a folder of that name: write {found[1]}://… with two slashes.")
        if uri.startswith("~"):
            raise UsageError(f"{uri!r} would be a folder of that name: write the whole path; ~ is the shell's.")
        return FolderStore(Path(uri), _boundary(only))
    if scheme == "file":
        return FolderStore(_local_path(uri), _boundary(only))
    if scheme != "bos":
        raise UsageError(f"{uri!r} has an unknown scheme: give a path, file://… or bos://bucket/prefix.")
    missing = [
        name
        for name, value in (
            ("BCE_ACCESS_KEY_ID", credentials.access_key_id),
            ("BCE_SECRET_ACCESS_KEY", credentials.secret_access_key),
            ("BOS_ENDPOINT", credentials.endpoint),
        )
        if not value
    ]
    if missing:
        raise UsageError(
            f"{uri} needs credentials: set {', '.join(missing)} "
            "(BOS_ENDPOINT is the bucket's region, such as https://bj.bcebos.com)."
        )
    from tasks.clients.bos.store import BosStore  # noqa: PLC0415  a warehouse in a folder needs no SDK

    bucket, _, prefix = rest.partition("/")
    return BosStore(bucket, prefix, credentials, scratch=scratch)


def _boundary(only: Named | None) -> Boundary | None:
    if only is None:
        return None
    base, place = (_local_path(uri) if uri.startswith("file://") else Path(uri) for uri in (only.base, only.place))
    return Boundary.of(base, place)


def _local_path(uri: str) -> Path:
    parts = urlsplit(uri)
    if parts.netloc not in ("", "localhost") or not parts.path:
        raise UsageError(f"{uri!r} names a machine, not a folder here: write file:///the/path or just the path.")
    # "?" and "#" mean nothing in the name of a folder.
    return Path(unquote(uri.removeprefix("file://").removeprefix("localhost")))
