"""Calls of the BOS server on buckets and objects."""

import hashlib
import time
from bisect import bisect_left
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import unquote

from tests.servers.bos_bucket import Bucket, Entry
from tests.servers.bos_wire import BosCall, Reply, WireError, base64_of, iso_time


class ObjectCalls(BosCall):
    """Buckets and objects: list, put, copy, get, delete."""

    def _found(self, bucket: Bucket, key: str) -> Entry:
        if key not in bucket.entries:
            raise WireError(404, "NoSuchKey", "The specified key does not exist.")
        return bucket.entries[key]

    def _put_bucket(self, bucket: Bucket | None, name: str) -> Reply:
        bos = self.server.bos
        if bucket is not None:
            raise WireError(409, "BucketAlreadyExists")
        bos.buckets[name] = Bucket(bos._root / name)
        return Reply()

    def _head_bucket(self, bucket: Bucket, name: str) -> Reply:
        return Reply()

    def _delete_bucket(self, bucket: Bucket, name: str) -> Reply:
        if bucket.keys:
            raise WireError(409, "BucketNotEmpty")
        del self.server.bos.buckets[name]
        bucket.folder.rmdir()
        return Reply(204)

    def _list(self, bucket: Bucket, name: str) -> Reply:
        prefix, marker = self.query.get("prefix", ""), self.query.get("marker", "")
        delimiter = self.query.get("delimiter", "")
        limit = min(int(self.query.get("maxKeys") or 1000), self.server.bos.max_page)
        contents: list[dict[str, Any]] = []
        folders: list[str] = []
        last, truncated = "", False
        for key in bucket.keys[bisect_left(bucket.keys, max(prefix, marker)) :]:
            if not key.startswith(prefix):
                break
            folder = ""
            if delimiter and delimiter in key[len(prefix) :]:
                folder = prefix + key[len(prefix) :].partition(delimiter)[0] + delimiter
            if key <= marker or (folder and (folder <= marker or folder in folders[-1:])):
                continue
            if len(contents) + len(folders) == limit:
                truncated = True
                break
            last = folder or key
            if folder:
                folders.append(folder)
                continue
            entry = bucket.entries[key]
            contents.append(
                {
                    "key": key,
                    "lastModified": iso_time(entry.modified),
                    "eTag": entry.etag,
                    "size": entry.size,
                    "storageClass": "STANDARD",
                    "owner": {"id": "owner", "displayName": "owner"},
                }
            )
        page = {
            "name": name,
            "prefix": prefix,
            "delimiter": delimiter,
            "marker": marker,
            "maxKeys": limit,
            "isTruncated": truncated,
            "contents": contents,
        }
        if truncated:
            page["nextMarker"] = last
        if folders:
            page["commonPrefixes"] = [{"prefix": folder} for folder in folders]
        return self._json(page)

    def _put(self, bucket: Bucket, key: str) -> Reply:
        self._check_digests(self.data)
        self._check_conditions(bucket.entries.get(key))
        etag = hashlib.md5(self.data).hexdigest()
        bucket.put(Entry(key, len(self.data), etag, time.time(), self._given_headers()), self.data)
        return Reply(200, {"ETag": f'"{etag}"', "Content-MD5": base64_of(etag)})

    def _copy(self, bucket: Bucket, key: str) -> Reply:
        source, _, source_key = unquote(self.headers["x-bce-copy-source"]).removeprefix("/").partition("/")
        if source not in self.server.bos.buckets:
            raise WireError(404, "NoSuchBucket")
        place = self.server.bos.buckets[source]
        entry = self._found(place, source_key)
        self._check_conditions(bucket.entries.get(key))
        copied = Entry(key, entry.size, entry.etag, time.time(), entry.headers)
        bucket.put(copied, place.read(entry))
        return self._json({"eTag": entry.etag, "lastModified": iso_time(copied.modified)})

    def _head(self, bucket: Bucket, key: str) -> Reply:
        return self._get(bucket, key)

    def _get(self, bucket: Bucket, key: str) -> Reply:
        entry = self._found(bucket, key)
        self._check_conditions(entry)
        first, last, status = 0, entry.size - 1, 200
        headers = {
            "Content-Type": "application/octet-stream",
            **entry.headers,
            "ETag": f'"{entry.etag}"',
            "Last-Modified": format_datetime(datetime.fromtimestamp(entry.modified, UTC), usegmt=True),
            "Accept-Ranges": "bytes",
        }
        if not entry.etag.startswith("-"):
            headers["Content-MD5"] = base64_of(entry.etag)
        span = self.headers.get("Range", "")
        if span.startswith("bytes=") and self.server.bos.ranges:
            begin, _, end = span.removeprefix("bytes=").partition("-")
            first = int(begin)
            last = min(last, int(end)) if end else last
            if first > last:
                raise WireError(416, "InvalidRange", "The requested range cannot be satisfied.")
            status = 206
            headers["Content-Range"] = f"bytes {first}-{last}/{entry.size}"
        file, start = bucket.open(entry)
        self.opened = file
        return Reply(status, headers, (bucket.path(key), start + first, last - first + 1))

    def _delete(self, bucket: Bucket, key: str) -> Reply:
        self._found(bucket, key)
        bucket.remove(key)
        return Reply(204)
