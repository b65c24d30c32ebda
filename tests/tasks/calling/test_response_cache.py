import errno
import os
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasks.calling import response_cache
from tasks.calling.other_days import OtherDays
from tasks.calling.response_cache import ResponseCache
from tasks.clients.folder_store import FolderStore
from tasks.domain.errors import StoreFull
from tasks.domain.records import Conversation, Request
from tests.builders.answers import ANSWER

DAY = date(2026, 11, 22)
OTHER = date(2026, 11, 20)


@pytest.fixture
def opened(tmp_path):
    (tmp_path / "warehouse").mkdir()
    store = FolderStore(tmp_path / "warehouse")
    logs: list[ResponseCache] = []

    def open_log(run_id="run", day=DAY, other_days=False, **options):
        folder = tmp_path / str(len(logs))
        folder.mkdir()
        logs.append(ResponseCache(store, day, run_id, folder, **{"overwrite": False} | options))
        if other_days:
            logs[-1].add_other_days()
        return logs[-1]

    yield open_log
    for log in logs:
        log.close()


def publish(warehouse: Path, day: date, hashes: list[str]) -> None:
    """A day's table, with nothing but the fingerprints of its conversations."""
    path = warehouse / "summaries" / f"day={day}" / "summaries.parquet"
    path.parent.mkdir(parents=True)
    pq.write_table(pa.table({"content_hash": hashes}), path)


def test_bought_before_is_what_others_bought_for_this_run(opened):
    for name, answers in {
        "run-shard-1": [ANSWER, replace(ANSWER, request_hash="r2")],
        "run-shard-2": [
            replace(ANSWER, request_hash="r3", run_id="another"),
            replace(ANSWER, request_hash="r4", outcome="too_long", prompt_tokens=0, completion_tokens=0),
            replace(ANSWER, request_hash="r5", outcome="refused"),
        ],
    }.items():
        log = opened(name=name)
        for answer in answers:
            log.put(answer)
        log.close()
    log = opened()
    assert log.known == 5
    assert (log.billed_before.calls, log.billed_before.prompt_tokens, log.billed_before.completion_tokens) == (
        3,
        90,
        15,
    )
    assert opened("fresh").billed_before.calls == 0


def request(request_hash: str = "r1", content_hash: str = "c1") -> Request:
    return Request(
        conversation=Conversation("c", (), "logs/a.jsonl", 1),
        turns=(),
        text="",
        prompt="",
        truncated=False,
        request_hash=request_hash,
        content_hash=content_hash,
        estimated_tokens=10,
    )


def test_find_takes_the_latest_answer(opened):
    log = opened()
    for text in ("old", "new"):
        log.put(replace(ANSWER, text=text))
        assert log.get(request()).text == text
    log.close()
    assert opened("next").get(request()).text == "new"


def test_requests_whose_fingerprints_are_the_same_keep_their_own_answers(opened, monkeypatch):
    monkeypatch.setattr(response_cache, "hash", lambda key: 7, raising=False)
    log = opened()
    for number in range(3):
        log.put(replace(ANSWER, request_hash=f"r{number}", content_hash=f"c{number}", text=str(number)))
    log.put(replace(ANSWER, request_hash="r2", content_hash="c2", withdrawn=True))
    assert [log.get(request(f"r{number}", "")).text for number in range(2)] == ["0", "1"]
    assert log.get(request("r0", "c1")).text == "0"
    assert log.get(request("", "c1")).text == "1"
    assert log.get(request("r2", "c2")) is None
    assert [log.tries(request(f"r{number}")) for number in range(4)] == [1, 1, 0, 0]


def test_find_knows_another_models_answer_unless_it_is_to_be_overwritten(opened):
    opened().put(ANSWER)
    assert opened().get(request("r2")) == ANSWER
    assert opened(overwrite=True).get(request("r2")) is None
    assert opened(overwrite=True).get(request()) == ANSWER


def test_keep_knows_nothing_that_is_not_kept(opened, monkeypatch):
    log = opened()

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(os, "write", full)
        with pytest.raises(StoreFull):
            log.put(ANSWER)
    assert log.get(request()) is None
    assert opened().known == 0


def test_other_days_answer_only_the_very_same_request(tmp_path, opened):
    opened(run_id="before", day=OTHER).put(ANSWER)
    publish(tmp_path / "warehouse", OTHER, ["c0", "c1"])
    assert opened(other_days=True).get(request()) == ANSWER
    assert opened(other_days=True, overwrite=True).get(request()) == ANSWER
    assert opened(other_days=True).get(request("r2")) is None, "another model's answer of another day is none"
    assert opened().get(request()) is None
    assert opened(other_days=True).billed_before.calls == 0


def test_other_days_do_not_answer_with_what_was_withdrawn(tmp_path, opened):
    log = opened(run_id="before", day=OTHER)
    log.put(ANSWER)
    log.put(replace(ANSWER, withdrawn=True))
    publish(tmp_path / "warehouse", OTHER, ["c1"])
    assert opened(other_days=True).get(request()) is None


def test_log_of_another_day_is_taken_whole_or_not_at_all(tmp_path, opened):
    opened(run_id="before", day=OTHER).put(ANSWER)
    opened(run_id="later", day=OTHER).put(replace(ANSWER, withdrawn=True))
    publish(tmp_path / "warehouse", OTHER, ["c1"])
    first, _ = sorted((tmp_path / "warehouse").rglob("*.jsonl"))
    store, scratch = FolderStore(tmp_path / "warehouse"), tmp_path / "scratch"
    scratch.mkdir()
    with closing(OtherDays(store, DAY, scratch, most_log_bytes=first.stat().st_size)) as days:
        assert days.get(request()) is None, "the part that fits is withdrawn by the rest"


def test_other_days_are_asked_nearest_first_and_within_their_bounds(tmp_path):
    warehouse, store = tmp_path / "warehouse", FolderStore(tmp_path / "warehouse")
    warehouse.mkdir()
    for number in range(1, 4):
        folder = tmp_path / f"day-{number}"
        folder.mkdir()
        day = DAY + timedelta(days=-number if number == 2 else number)  # on both sides
        log = ResponseCache(store, day, f"run-{number}", folder, overwrite=False)
        log.put(replace(ANSWER, request_hash=f"r{number}", run_id=f"run-{number}"))
        log.close()
        publish(warehouse, day, ["c1"])

    def found(number: int, **bounds: int) -> str:
        scratch = tmp_path / f"scratch-{number}-{len(bounds)}-{sum(bounds.values())}"
        scratch.mkdir()
        days = OtherDays(store, DAY, scratch, **bounds)
        answer = days.get(request(f"r{number}"))
        days.close()
        return answer.run_id if answer else ""

    log_bytes = max(path.stat().st_size for path in warehouse.rglob("*.jsonl"))
    table_bytes = max(path.stat().st_size for path in warehouse.rglob("*.parquet"))
    assert [found(number) for number in (1, 2, 3)] == ["run-1", "run-2", "run-3"]
    assert [found(number, most_log_bytes=2 * log_bytes) for number in (1, 2, 3)] == ["run-1", "run-2", ""]
    assert [found(number, most_table_bytes=table_bytes) for number in (1, 2, 3)] == ["run-1", "", ""]


def test_damaged_table_of_another_day_stops_nothing(tmp_path, opened):
    opened(run_id="before", day=OTHER).put(ANSWER)
    publish(tmp_path / "warehouse", OTHER, ["c1"])
    next((tmp_path / "warehouse").rglob("summaries.parquet")).write_bytes(b"cut short")
    assert opened(other_days=True).get(request()) is None
