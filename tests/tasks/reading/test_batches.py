import asyncio
import io
import json
import threading
from datetime import UTC, date, datetime
from functools import partial
from typing import Any, BinaryIO

import pytest

from tasks.clients.folder_store import FolderStore
from tasks.domain.errors import UsageError
from tasks.domain.ports import StoredObject
from tasks.domain.records import Conversation, Reason, Reject, Turn
from tasks.domain.shards import Shard
from tasks.preparing.logged import Steps, prepare_logged
from tasks.preparing.prompts import load_prompt
from tasks.preparing.requests import prepare, storable_reject
from tasks.reading.batches import Batch, ConversationIds, Preparing, batch_of, logged_of, read_batches
from tasks.reading.conversations import LogReader

DAY = date(2026, 11, 22)
BEGAN = datetime(2026, 11, 22, 2, tzinfo=UTC)
PREPARE = partial(prepare, prompt=load_prompt("sft-v1"), model="m", max_input_tokens=2000)


STEPS = Steps(PREPARE, storable_reject)


def readings():
    for number in range(200):
        # Every second conversation says what the one before said; every tenth id comes twice.
        turns = (Turn("user", f"第{number // 2}单怎么还没到"), Turn("agent", "今天送到"))
        yield Conversation(f"c{number - (number % 10 == 9)}", turns, "a.jsonl", number + 1, BEGAN, "app")
        if number % 50 == 0:
            yield Reject("13912345678", Reason.ONE_SIDED, "only the user speaks", "a.jsonl", number + 1)


@pytest.fixture
def batches(tmp_path):
    def read(shard=None):
        folder = tmp_path / (shard.name if shard else "all")
        folder.mkdir()
        ids = ConversationIds(folder)
        logged = logged_of(readings(), ids, size=7, detected=lambda _: None)
        found = [batch_of(number, prepare_logged(STEPS, some), shard) for number, some in enumerate(logged)]
        ids.close()
        return found

    return read


def test_batches_hold_everything_once_in_order(batches):
    found = batches()
    assert [batch.number for batch in found] == list(range(len(found)))
    assert [batch.read for batch in found[:-1]] == [7] * 8 + [14] * 10
    lines = [request.conversation.line for batch in found for request in batch.requests]
    assert lines == sorted(lines)
    assert sum(batch.read for batch in found) == len(list(readings()))
    rejects = [reject for batch in found for reject in batch.rejects]
    twice = [reject for reject in rejects if reject.reason is Reason.DUPLICATE]
    assert len(twice) == 20
    assert {(reject.started_at, reject.channel) for reject in twice} == {(BEGAN, "app")}
    assert {reject.conversation_id for reject in rejects if reject.reason is Reason.ONE_SIDED} == {"[手机号]"}


class EndlessLogs:
    """A log of blank lines without an end."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.ended = threading.Event()

    def uri_of(self, key: str) -> str:
        return key

    def open_object(self, key: str) -> BinaryIO:
        logs = self

        class Endless(io.RawIOBase):
            def readable(self) -> bool:
                return True

            def seekable(self) -> bool:
                return True

            def seek(self, offset: int, whence: int = 0) -> int:
                return offset

            def readinto(self, buffer: Any) -> int:
                logs.begun.set()
                buffer[:] = b"\n" * len(buffer)
                return len(buffer)

            def close(self) -> None:
                logs.ended.set()
                super().close()

        return io.BufferedReader(Endless())


def test_a_reading_that_is_cancelled_leaves_no_thread_behind_that_reads_on(tmp_path):
    logs = EndlessLogs()
    day = [StoredObject("a.jsonl", 10**12, "etag", BEGAN)]

    async def read() -> None:
        async for _ in read_batches(logs, day, LogReader(PREPARE, tmp_path), size=10, detected=lambda _: None):
            raise AssertionError("there is nothing in it")

    async def cancelled() -> None:
        reading = asyncio.create_task(read())
        await asyncio.to_thread(logs.begun.wait)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading

    asyncio.run(cancelled())
    assert logs.ended.is_set()


def sizes_of(tmp_path, conversations, *, size, turns=2):
    said = tuple(Turn("agent" if number % 2 else "user", "好的") for number in range(turns))
    day = (Conversation(f"c{number}", said, "a.jsonl", number + 1, BEGAN) for number in range(conversations))
    ids = ConversationIds(tmp_path)
    sizes = [len(batch) for batch in logged_of(day, ids, size=size, detected=lambda _: None)]
    ids.close()
    assert sum(sizes) == conversations
    return sizes[:-1]


def test_batches_of_a_large_day_grow_to_twice_their_size(tmp_path):
    sizes = sizes_of(tmp_path, 1_000, size=9)
    assert sizes[:8] == [9] * 8
    assert set(sizes[8:]) == {18}


def test_batches_that_are_large_already_grow_no_more(tmp_path):
    assert set(sizes_of(tmp_path, 30_000, size=2_500)) == {2_500}


def test_batches_of_long_conversations_grow_as_far_as_memory_allows(tmp_path):
    assert set(sizes_of(tmp_path, 400, size=9, turns=2_000)) == {9, 10}


def test_batches_of_shards_hold_each_request_in_one_of_them_and_twins_together(batches):
    everything = sorted(request.conversation.line for batch in batches() for request in batch.requests)
    shards = [
        [request for batch in batches(Shard(DAY, number, 3, "run")) for request in batch.requests]
        for number in range(3)
    ]
    assert sorted(request.conversation.line for shard in shards for request in shard) == everything
    hashes = [{request.request_hash for request in shard} for shard in shards]
    assert all(hashes)
    assert sum(map(len, hashes)) == len(set.union(*hashes)) < len(everything)


def test_batches_of_a_shard_hold_no_rejects(batches):
    assert not any(batch.rejects for batch in batches(Shard(DAY, 0, 1, "run")))


def test_a_batch_says_where_two_records_of_one_conversation_differ(tmp_path):
    def logged(words, line, speakers=("user", "agent")):
        said = tuple(Turn(role, text) for role, text in zip(speakers, ("到哪了", words), strict=True))
        return Conversation("c1", said, "a.jsonl", line, BEGAN, "app")

    ids = ConversationIds(tmp_path)
    others = logged("明天送到", 3), logged("今天送到", 4, speakers=("agent", "user"))
    readings = iter([logged("今天送到", 1), logged("今天送到", 2), *others])
    (read,) = logged_of(readings, ids, size=7, detected=lambda _: None)
    ids.close()
    batch = batch_of(0, prepare_logged(STEPS, read))
    assert [(reject.line, reject.detail) for reject in batch.rejects] == [
        (2, "the same conversation is in a.jsonl, line 1; that one counts"),
        (3, "a conversation of this id that differs is in a.jsonl, line 1; that one counts"),
        (4, "a conversation of this id that differs is in a.jsonl, line 1; that one counts"),
    ]


def read_all(folder, beside=None, shard=None):
    lines = [
        {
            "conversation_id": f"c{number}",
            "messages": [{"role": "user", "text": "到哪了"}, {"role": "agent", "text": "到了"}],
        }
        for number in range(50)
    ]
    (folder / "a.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    store = FolderStore(folder)
    (folder / "scratch").mkdir(exist_ok=True)

    async def read() -> list[Batch]:
        found = read_batches(
            store,
            list(store.list_objects("a.jsonl")),
            LogReader(PREPARE, folder / "scratch", storable=storable_reject),
            size=4,
            detected=lambda _: None,
            shard=shard,
            beside=beside,
        )
        return [batch async for batch in found]

    return asyncio.run(read())


def test_read_batches_are_in_order_whichever_is_prepared_first(tmp_path):
    under_way = set()
    most = 0

    async def prepare(batch):
        nonlocal most
        number = batch.logged[0][0].line
        under_way.add(number)
        most = max(most, len(under_way))
        await asyncio.sleep(0 if number % 8 == 1 else 0.001)
        under_way.discard(number)
        return prepare_logged(STEPS, batch.logged)

    found = read_all(tmp_path, Preparing(prepare, ahead=3))
    assert [request.conversation.line for batch in found for request in batch.requests] == list(range(1, 51))
    assert [batch.number for batch in found] == list(range(11))
    assert 1 < most <= 4


def test_read_batches_of_shards_are_as_large_and_numbered_without_gaps(tmp_path):
    found = [read_all(tmp_path, shard=Shard(DAY, number, 2, "run")) for number in range(2)]
    assert sum(len(batch.requests) for batches in found for batch in batches) == 50
    assert all([batch.number for batch in batches] == list(range(len(batches))) for batches in found)


def test_read_batches_raise_what_preparing_raises_and_leave_nothing_under_way(tmp_path):
    async def prepare(batch):
        if batch.logged[0][0].line > 8:
            raise UsageError("no room for a conversation")
        return prepare_logged(STEPS, batch.logged)

    with pytest.raises(UsageError, match="no room"):
        read_all(tmp_path, Preparing(prepare, ahead=3))
