"""Calls of the BOS server on multipart uploads."""

import hashlib
import time
import uuid
import zlib
from typing import Any

import orjson

from tests.servers.bos_bucket import MIN_PART_BYTES, Bucket, Entry, Upload
from tests.servers.bos_wire import BosCall, Reply, WireError, iso_time


class UploadCalls(BosCall):
    """Multipart uploads: initiate, part, complete, abort, list."""

    def _initiate(self, bucket: Bucket, key: str) -> Reply:
        upload_id = uuid.uuid4().hex
        bucket.uploads[upload_id] = Upload(key, time.time(), self._given_headers())
        return self._json({"bucket": self.server.bos.bucket, "key": key, "uploadId": upload_id})

    def _upload(self, bucket: Bucket, key: str) -> Upload:
        upload = bucket.uploads.get(self.query["uploadId"])
        if upload is None or upload.key != key:
            raise WireError(404, "NoSuchUpload", "The specified multipart upload does not exist.")
        return upload

    def _part(self, bucket: Bucket, key: str) -> Reply:
        upload, number = self._upload(bucket, key), int(self.query["partNumber"])
        if not 1 <= number <= 10_000:
            raise WireError(400, "InvalidArgument", "partNumber")
        self._check_digests(self.data)
        etag = hashlib.md5(self.data).hexdigest()
        upload.parts[number] = etag, self.data
        return Reply(200, {"ETag": f'"{etag}"'})

    def _complete(self, bucket: Bucket, key: str) -> Reply:
        upload = self._upload(bucket, key)
        listed = [(part["partNumber"], part["eTag"].strip('"')) for part in orjson.loads(self.data)["parts"]]
        if not listed or [number for number, _ in listed] != sorted({number for number, _ in listed}):
            raise WireError(400, "InvalidPartOrder", "The parts must be in ascending order.")
        if any(upload.parts.get(number, ("", b""))[0] != etag for number, etag in listed):
            raise WireError(400, "InvalidPart", "One or more of the parts could not be found.")
        pieces = [upload.parts[number][1] for number, _ in listed]
        if any(len(piece) < MIN_PART_BYTES for piece in pieces[:-1]):
            raise WireError(400, "EntityTooSmall", "A part is smaller than the minimum.")
        data = b"".join(pieces)
        crc = self.headers.get("x-bce-content-crc32")
        if crc and int(crc) != zlib.crc32(data):
            raise WireError(400, "BadDigest", "The CRC32 you specified did not match what we received.")
        self._check_conditions(bucket.entries.get(key))
        etag = "-" + hashlib.md5("".join(etag for _, etag in listed).encode()).hexdigest()
        given = {name: value for name, value in self._given_headers().items() if name != "content-type"}
        bucket.put(Entry(key, len(data), etag, time.time(), {**upload.headers, **given}), data)
        del bucket.uploads[self.query["uploadId"]]
        return self._json({"location": "", "bucket": self.server.bos.bucket, "key": key, "eTag": etag})

    def _abort(self, bucket: Bucket, key: str) -> Reply:
        self._upload(bucket, key)
        del bucket.uploads[self.query["uploadId"]]
        return Reply(204)

    def _list_parts(self, bucket: Bucket, key: str) -> Reply:
        parts = sorted(self._upload(bucket, key).parts.items())
        listed = [{"partNumber": number, "eTag": etag, "size": len(data)} for number, (etag, data) in parts]
        return self._json({"key": key, "uploadId": self.query["uploadId"], "isTruncated": False, "parts": listed})

    def _list_uploads(self, bucket: Bucket, name: str) -> Reply:
        prefix, marker = self.query.get("prefix", ""), self.query.get("keyMarker", "")
        limit = min(int(self.query.get("maxUploads") or 1000), self.server.bos.max_page)
        found = sorted(
            (upload.key, upload_id, upload.started)
            for upload_id, upload in bucket.uploads.items()
            if upload.key.startswith(prefix) and upload.key > marker
        )
        page: dict[str, Any] = {
            "bucket": name,
            "prefix": prefix,
            "isTruncated": len(found) > limit,
            "uploads": [
                {"key": key, "uploadId": upload_id, "initiated": iso_time(started)}
                for key, upload_id, started in found[:limit]
            ],
        }
        if len(found) > limit:
            page["nextKeyMarker"] = found[limit - 1][0]
        return self._json(page)
