"""Objects and unfinished uploads of the BOS server, in a folder a bucket."""

import hashlib
import os
from bisect import bisect_left
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson

MIN_PART_BYTES = 100 * 1024


@dataclass(frozen=True)
class Entry:
    """An object's data besides its bytes."""

    key: str
    size: int
    etag: str
    modified: float
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Upload:
    """An unfinished multipart upload."""

    key: str
    started: float
    headers: dict[str, str]
    parts: dict[int, tuple[str, bytes]] = field(default_factory=dict)


class Bucket:
    """Objects of one bucket: a file each (a line of JSON, then the bytes), replaced atomically."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.uploads: dict[str, Upload] = {}
        self.entries: dict[str, Entry] = {}
        for path in folder.iterdir():
            if path.suffix == ".new":
                path.unlink()
                continue
            with path.open("rb") as file:
                entry = Entry(**orjson.loads(file.readline()))
            self.entries[entry.key] = entry
        self.keys = sorted(self.entries)

    def path(self, key: str) -> Path:
        return self.folder / hashlib.sha256(key.encode()).hexdigest()

    def put(self, entry: Entry, data: bytes) -> None:
        path = self.path(entry.key)
        new = path.with_suffix(".new")
        new.write_bytes(orjson.dumps(asdict(entry)) + b"\n" + data)
        os.replace(new, path)
        if entry.key not in self.entries:
            self.keys.insert(bisect_left(self.keys, entry.key), entry.key)
        self.entries[entry.key] = entry

    def open(self, entry: Entry) -> tuple[Any, int]:
        """The object's file and where its bytes begin."""
        file = self.path(entry.key).open("rb")
        return file, len(file.readline())

    def read(self, entry: Entry) -> bytes:
        file, start = self.open(entry)
        with file:
            file.seek(start)
            return bytes(file.read())

    def remove(self, key: str) -> None:
        self.path(key).unlink()
        del self.entries[key]
        del self.keys[bisect_left(self.keys, key)]
