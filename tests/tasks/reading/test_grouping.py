"""Messages come back as whole conversations whether they fit in memory or not."""

import itertools
import os
import random
import tracemalloc
from collections.abc import Callable
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.domain.errors import StoreFull
from tasks.domain.records import Conversation, Reason, Reject
from tasks.reading import grouping
from tasks.reading.grouping import MessageGroups
from tasks.reading.rules.messages import Message
from tasks.reading.rules.timestamps import TimestampParser
from tests.chaos import forked

TIMESTAMPS = TimestampParser(ZoneInfo("Asia/Shanghai"))


def grouped(messages, scratch, **limits):
    with MessageGroups(scratch, TIMESTAMPS, **limits) as groups:
        for message in messages:
            groups.add(message)
        found = list(groups.conversations())
    assert list(scratch.iterdir()) == []
    return found


def rows(order):
    """A message for each number, of the conversation of that number; each knows its place."""
    for at, number in enumerate(order):
        yield Message(f"c{number}", f"log-{at % 3}", at + 1, "agent" if at % 2 else "user", f"第{at}句")


@settings(max_examples=60, deadline=None)
@given(order=st.lists(st.integers(0, 30), max_size=120), memory=st.integers(0, 3000), partition=st.integers(0, 2000))
def test_message_groups_gives_the_same_conversations_from_memory_and_from_files(
    tmp_path_factory, order, memory, partition
):
    scratch = tmp_path_factory.mktemp("scratch")
    whole = grouped(rows(order), scratch)
    spilled = grouped(rows(order), scratch, memory_bytes=memory, partition_bytes=partition)
    assert sorted(spilled, key=lambda found: found.line) == sorted(whole, key=lambda found: found.line)
    assert [found.line for found in whole] == sorted(found.line for found in whole)
    assert spilled == grouped(rows(order), scratch, memory_bytes=memory, partition_bytes=partition)


def test_message_groups_keeps_every_message_in_order_through_the_files(tmp_path):
    chance = random.Random(1)
    order = [number for _ in range(8) for number in chance.sample(range(501), 500)]
    expected: dict[str, list[str]] = {}
    for message in rows(order):
        expected.setdefault(message.conversation_id, []).append(message.text)
    found = grouped(rows(order), tmp_path, memory_bytes=50_000, partition_bytes=1_000)
    turns = {
        conversation.conversation_id: [turn.text for turn in conversation.turns]
        for conversation in found
        if isinstance(conversation, Conversation)
    }
    one_sided = {reject.conversation_id for reject in found if isinstance(reject, Reject)}
    assert turns.keys() | one_sided == expected.keys()
    assert all(texts == expected[key] for key, texts in turns.items())
    assert len(turns) > 400


def test_message_groups_takes_the_first_channel_start_and_attributes_that_are_named(tmp_path):
    messages = [
        Message("c", "log", 1, "user", "在吗", None, None, "", {"shop": "一店"}),
        Message("c", "log", 2, "agent", "在", None, "2026-11-22 08:00:00", "App", {"shop": "二店", "sku": "7"}),
    ]
    (found,) = grouped(messages, tmp_path)
    assert isinstance(found, Conversation)
    assert (found.channel, dict(found.attributes)) == ("App", {"shop": "一店", "sku": "7"})
    assert found.started_at == TIMESTAMPS.parse("2026-11-22 08:00:00")


def test_message_groups_rejects_an_id_that_too_many_messages_share(tmp_path, monkeypatch):
    monkeypatch.setattr(grouping, "LINE_LIMIT_BYTES", 10_000)
    order = list(itertools.chain([1], [0, 0] * 200, [1]))
    for limits in ({}, {"memory_bytes": 1_000, "partition_bytes": 1_000}):
        found = {item.conversation_id: item for item in grouped(rows(order), tmp_path, **limits)}
        assert isinstance(found["c1"], Conversation)
        assert isinstance(found["c0"], Reject)
        assert (found["c0"].reason, found["c0"].line) == (Reason.UNREADABLE, 2)


def peak_of(count, scratch):
    """The bytes that `count` messages of a tenth as many conversations take at most."""
    tracemalloc.start()
    try:
        with MessageGroups(scratch, TIMESTAMPS, memory_bytes=30_000, partition_bytes=30_000) as groups:
            for message in rows(n % (count // 10) for n in range(count)):
                groups.add(message)
            assert sum(1 for _ in groups.conversations()) == count // 10
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def alone(work: Callable[[], int], folder: Path) -> int:
    """Do it in a process without the threads of other tests, which allocate, too; return its number."""
    said = folder / "number"

    def write() -> None:
        said.write_text(str(work()))

    assert os.waitpid(forked(write), 0)[1] == 0
    return int(said.read_text())


def test_message_groups_takes_no_more_memory_for_more_messages_however_few_the_partitions(tmp_path, monkeypatch):
    monkeypatch.setattr(grouping, "PARTITIONS", 4)
    few, many = (alone(partial(peak_of, count, tmp_path), tmp_path) for count in (3_000, 12_000))
    assert many < 1.5 * few  # a few files more are open; the rows themselves would take 4 times


def test_message_groups_says_that_the_scratch_folder_is_of_no_use(tmp_path):
    missing: Path = tmp_path / "gone"
    with (
        pytest.raises(StoreFull, match=r"scratch folder .*gone can't take"),
        MessageGroups(missing, TIMESTAMPS, memory_bytes=0) as groups,
    ):
        groups.add(Message("c", "log", 1, "user", "在吗"))
