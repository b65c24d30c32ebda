from datetime import UTC, date, datetime
from functools import partial

import pytest

from tasks.domain.records import Conversation, Reason, Reject, Turn
from tasks.domain.shards import Shard
from tasks.preparing.prompts import load_prompt
from tasks.preparing.requests import prepare, storable_reject
from tasks.reading.batches import ConversationIds, batches_of
from tasks.reading.conversations import LogReader

DAY = date(2026, 11, 22)
BEGAN = datetime(2026, 11, 22, 2, tzinfo=UTC)
PREPARE = partial(prepare, prompt=load_prompt("sft-v1"), model="m", max_input_tokens=2000)


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
        found = list(
            batches_of(
                readings(),
                LogReader(PREPARE, folder, storable=storable_reject),
                ids,
                size=7,
                detected=lambda _: None,
                shard=shard,
            )
        )
        ids.close()
        return found

    return read


def test_batches_of_holds_everything_once_in_order(batches):
    found = batches()
    assert [batch.number for batch in found] == list(range(len(found)))
    assert {batch.read for batch in found[:-1]} == {7}
    lines = [request.conversation.line for batch in found for request in batch.requests]
    assert lines == sorted(lines)
    assert sum(batch.read for batch in found) == len(list(readings()))
    rejects = [reject for batch in found for reject in batch.rejects]
    twice = [reject for reject in rejects if reject.reason is Reason.DUPLICATE]
    assert len(twice) == 20
    assert {(reject.started_at, reject.channel) for reject in twice} == {(BEGAN, "app")}
    assert {reject.conversation_id for reject in rejects if reject.reason is Reason.ONE_SIDED} == {"[手机号]"}


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


def test_batches_of_says_where_two_records_of_one_conversation_differ(tmp_path):
    def logged(words, line):
        return Conversation("c1", (Turn("user", "到哪了"), Turn("agent", words)), "a.jsonl", line, BEGAN, "app")

    ids = ConversationIds(tmp_path)
    readings = iter([logged("今天送到", 1), logged("今天送到", 2), logged("明天送到", 3)])
    (batch,) = batches_of(readings, LogReader(PREPARE, tmp_path), ids, size=7, detected=lambda _: None)
    ids.close()
    assert [(reject.line, reject.detail) for reject in batch.rejects] == [
        (2, "the same conversation is in a.jsonl, line 1; that one counts"),
        (3, "a conversation of this id that differs is in a.jsonl, line 1; that one counts"),
    ]
