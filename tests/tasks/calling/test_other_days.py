"""Answers of other days through a caller: read once, and beside the event loop."""

import asyncio
import threading
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasks.calling.caller import Caller
from tasks.calling.other_days import OtherDays
from tasks.calling.response_cache import ResponseCache
from tasks.calling.rules.call_policy import CallPolicy
from tasks.clients.folder_store import FolderStore
from tasks.clients.offline import OfflineSummarizer
from tasks.domain.records import Answer, Conversation, GivenUp, Request
from tests.builders.answers import ANSWER

DAY, OTHER = date(2026, 11, 22), date(2026, 11, 20)


class SlowFolder(FolderStore):
    """A folder whose answer logs stay closed until somebody lets them be opened."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.asked, self.open = threading.Semaphore(0), threading.Event()

    def open_object(self, key: str) -> BinaryIO:
        if key.startswith("_answers/"):
            self.asked.release()
            assert self.open.wait(120), "nobody lets it be opened: the event loop waits for it"
        return super().open_object(key)


def request(number: int) -> Request:
    return Request(
        conversation=Conversation("c", (), "logs/a.jsonl", 1),
        turns=(),
        text="",
        prompt="",
        truncated=False,
        request_hash=f"r{number}",
        content_hash=f"c{number}",
        estimated_tokens=10,
    )


@pytest.fixture
def store(tmp_path):
    """A warehouse in which another day holds three answers."""
    (tmp_path / "warehouse").mkdir()
    (tmp_path / "scratch").mkdir()
    log = ResponseCache(FolderStore(tmp_path / "warehouse"), OTHER, "before", tmp_path, overwrite=False)
    for number in range(3):
        log.put(replace(ANSWER, request_hash=f"r{number}", content_hash=f"c{number}"))
    log.close()
    table = tmp_path / "warehouse" / "summaries" / f"day={OTHER}" / "summaries.parquet"
    table.parent.mkdir(parents=True)
    pq.write_table(pa.table({"content_hash": [f"c{number}" for number in range(3)]}), table)
    return SlowFolder(tmp_path / "warehouse")


def test_a_day_counts_as_read_only_when_it_is(store, tmp_path):
    """Otherwise a request that looks meanwhile finds nothing there, and is bought again."""
    days = OtherDays(store, DAY, tmp_path / "scratch")
    reader = threading.Thread(target=days.get, args=(request(0),))
    reader.start()
    store.asked.acquire()
    assert not days.has_read(request(1))
    store.open.set()
    reader.join()
    assert days.has_read(request(1))
    assert days.get(request(1)) is not None
    days.close()


def test_logs_of_other_days_are_read_once_and_beside_the_event_loop(store, tmp_path):
    async def ask() -> list[Answer | GivenUp]:
        answers = ResponseCache(store, DAY, "run", tmp_path / "scratch", overwrite=False)
        answers.add_other_days()
        caller = Caller(OfflineSummarizer(), None, answers, CallPolicy("test"), "run")
        asked = [asyncio.create_task(caller.answer(request(number))) for number in range(3)]
        await asyncio.to_thread(store.asked.acquire)
        store.open.set()  # by the event loop, which is free
        try:
            return await asyncio.gather(*asked)
        finally:
            answers.close()

    assert [answer.run_id for answer in asyncio.run(ask()) if isinstance(answer, Answer)] == [ANSWER.run_id] * 3
    assert not store.asked.acquire(blocking=False), "a log is read once"
