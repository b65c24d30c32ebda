import errno
import os
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from tasks.calling.response_cache import ResponseCache
from tasks.clients.folder_store import FolderStore
from tasks.domain.errors import StoreFull
from tasks.domain.records import Answer, Conversation, Request

DAY = date(2026, 11, 22)
ANSWER = Answer(
    request_hash="r1",
    content_hash="c1",
    outcome="answered",
    text='{"用户问题": "何时发货"}',
    model="m",
    prompt_version="sft-v1",
    prompt_tokens=30,
    completion_tokens=5,
    latency_ms=100,
    attempts=1,
    answered_at=datetime(2026, 11, 23, tzinfo=UTC),
    run_id="run",
)


@pytest.fixture
def opened(tmp_path):
    (tmp_path / "warehouse").mkdir()
    store = FolderStore(tmp_path / "warehouse")
    logs: list[ResponseCache] = []

    def open_log(run_id="run", **options):
        folder = tmp_path / str(len(logs))
        folder.mkdir()
        logs.append(ResponseCache(store, DAY, run_id, folder, **{"overwrite": False} | options))
        return logs[-1]

    yield open_log
    for log in logs:
        log.close()


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
