"""Messages, a row each, to conversations: grouped by id over all objects of a day, in bounded memory.

Up to `MEMORY_BYTES` of rows stay in memory, and conversations come in the order of their first message. Beyond
that every row goes to one of `PARTITIONS` scratch files by a hash of its conversation's id; conversations come
partition by partition, within one in the order of their first message. Either order follows from the input alone.
"""

import hashlib
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import orjson

from tasks.domain.errors import StoreFull
from tasks.domain.records import Conversation, Reason, Reject
from tasks.reading.rules.dialogue import Header, Unread, conversation_from
from tasks.reading.rules.messages import Message
from tasks.reading.rules.objects.log_bytes import LINE_LIMIT_BYTES
from tasks.reading.rules.timestamps import TimestampParser, UnknownTimes
from tasks.reading.rules.utterances import Utterance
from tasks.reading.sealed_files import SealedFiles

MEMORY_BYTES: Final = 32 << 20

PARTITIONS: Final = 256

PARTITION_BYTES: Final = 64 << 20

_HASH_BYTES: Final = 8


class MessageGroups:
    """Takes messages in log order, then gives their conversations, once. A context manager for its files.

    A conversation's channel, start and attributes are the first that any of its messages names.

    Args:
        scratch: an existing folder; a folder of its own is made in it, and removed at the end.
    """

    def __init__(
        self,
        scratch: Path,
        timestamps: TimestampParser,
        memory_bytes: int = MEMORY_BYTES,
        partition_bytes: int = PARTITION_BYTES,
    ) -> None:
        self._scratch = scratch
        self._timestamps = timestamps
        self._memory_bytes = memory_bytes
        self._partition_bytes = partition_bytes
        self._files = SealedFiles()
        self._rows: list[bytes] = []
        self._size = 0
        self._uris: dict[str, int] = {}
        self._last_id, self._last_key = "", b'""'
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self.unknown_times: dict[str, UnknownTimes] = {}  # by the object of a conversation's first message

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._folder:
            self._folder.cleanup()

    def add(self, message: Message) -> None:
        """Take one message.

        Raises:
            StoreFull: the scratch folder can't take the rows.
        """
        conversation_id, uri, line, speaker, text, time, started, channel, attributes, number, key = message
        if conversation_id != self._last_id:
            self._last_id, self._last_key = conversation_id, orjson.dumps(conversation_id)
        said = (speaker, text, time, number, key)
        about = (started, channel, attributes) if started or channel or attributes else None
        at = self._uris.get(uri)
        if at is None:
            at = self._uris[uri] = len(self._uris)
        row = b"%b\t%b\n" % (self._last_key, orjson.dumps((at, line, said, about)))
        self._rows.append(row)
        self._size += len(row)
        if self._size > self._memory_bytes:
            self._spill()

    def conversations(self) -> Iterator[Conversation | Reject]:
        """Every conversation of the messages taken, or why it is none."""
        if self._folder is None:
            yield from self._grouped(self._rows)
            return
        self._spill()
        yield from self._from_files(Path(self._folder.name), level=0)

    def _spill(self) -> None:
        try:
            if self._folder is None:
                self._folder = tempfile.TemporaryDirectory(prefix="messages-", dir=self._scratch)
            _scatter(self._rows, Path(self._folder.name), 0, self._files)
        except OSError as error:
            raise StoreFull(
                f"The scratch folder {self._scratch} can't take the day's messages: {error.strerror}. "
                "Make room there, or choose another."
            ) from error
        self._rows, self._size = [], 0

    def _from_files(self, folder: Path, level: int) -> Iterator[Conversation | Reject]:
        for path in sorted(folder.iterdir()):
            if path.stat().st_size <= self._partition_bytes or level + 1 == _HASH_BYTES // 2:
                yield from self._grouped(self._files.lines(path))
            else:
                finer = path.with_suffix(".finer")
                finer.mkdir()
                for batch in _batches(self._files.lines(path), self._memory_bytes):
                    _scatter(batch, finer, level + 1, self._files)
                path.unlink()
                yield from self._from_files(finer, level + 1)
                continue
            path.unlink()

    def _grouped(self, rows: Iterable[bytes]) -> Iterator[Conversation | Reject]:
        """Bounded by the rows' own size, and by `LINE_LIMIT_BYTES` for any one conversation."""
        groups: dict[bytes, list[bytes]] = {}
        sizes: dict[bytes, int] = {}
        for row in rows:
            key, _, message = row.partition(b"\t")
            if key not in groups:
                groups[key], sizes[key] = [message], len(message)
                continue
            size = sizes[key] = sizes[key] + len(message)
            if size <= LINE_LIMIT_BYTES:
                groups[key].append(message)
            else:
                del groups[key][1:]
        uris = list(self._uris)
        for key, messages in groups.items():
            yield self._conversation(orjson.loads(key), messages, sizes[key], uris)

    def _conversation(
        self, conversation_id: str, rows: list[bytes], size: int, uris: list[str]
    ) -> Conversation | Reject:
        first_uri, first_line, *_ = orjson.loads(rows[0])
        uri = uris[first_uri]
        if size > LINE_LIMIT_BYTES:
            detail = f"{size >> 20} MB of messages share this id: no conversation is that long"
            return Reject(conversation_id, Reason.UNREADABLE, detail, uri, first_line)
        utterances: list[Utterance] = []
        unread = Unread()
        started, channel = None, ""
        attributes: dict[str, str] = {}
        for _, _, said, about in orjson.loads(b"[%b]" % b",".join(rows)):
            if said[0] is None:
                unread = Unread(unread.rows + 1, unread.why or said[1])
                continue
            utterances.append(said)
            if about:
                started = about[0] if started is None else started
                channel = channel or about[1]
                attributes = {**about[2], **attributes} if about[2] else attributes
        header = Header(conversation_id, uri, first_line, started, channel, attributes)
        found = conversation_from(utterances, self._timestamps, header, unread)
        if (unknown := self._timestamps.take_unknown()).count:
            self.unknown_times[uri] = self.unknown_times.get(uri, UnknownTimes()).and_those(unknown)
        return found


def _scatter(rows: Iterable[bytes], folder: Path, level: int, files: SealedFiles) -> None:
    """Append each row to the file of its key's hash; rows of one key stay together, in order."""
    parts: dict[int, list[bytes]] = {}
    for row in rows:
        digest = hashlib.blake2b(row.partition(b"\t")[0], digest_size=_HASH_BYTES).digest()
        parts.setdefault(digest[level] % PARTITIONS, []).append(row)
    for part, lines in parts.items():
        files.append(folder / f"{part:03}", b"".join(lines))


def _batches(rows: Iterable[bytes], limit: int) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    size = 0
    for row in rows:
        batch.append(row)
        size += len(row)
        if size > limit:
            yield batch
            batch, size = [], 0
    yield batch
