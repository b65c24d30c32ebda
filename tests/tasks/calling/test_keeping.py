import asyncio
import errno
import os
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.calling.keeping import Keeping
from tasks.calling.response_cache import ResponseCache
from tasks.calling.rules.responses import decode_answer
from tasks.clients.folder_store import FolderStore
from tasks.domain.errors import StoreFull
from tasks.domain.records import Answer, Reply, Request
from tasks.preparing.masking import mask
from tests.builders.asked import requests

DAY = date(2026, 11, 22)
SAID = (
    "用户要求改地址",
    "请联系13812345678",
    "邮箱是li.ming@example.com，请发发票",
    "收件人：王小明，电话13912345678",
    "送到北京市朝阳区建国路88号5栋3单元1201室",
    "",
)


@pytest.fixture
def answers(tmp_path):
    (tmp_path / "warehouse").mkdir()
    (tmp_path / "scratch").mkdir()
    with closing(
        ResponseCache(FolderStore(tmp_path / "warehouse"), DAY, "run", tmp_path / "scratch", overwrite=False)
    ) as cache:
        yield cache


def logged(folder: Path) -> list[Answer | None]:
    return [decode_answer(line) for path in folder.rglob("*.jsonl") for line in path.read_bytes().splitlines(True)]


def masked(asked: Request) -> Request:
    return replace(asked, replacements={})


@given(st.lists(st.tuples(st.sampled_from(SAID), st.booleans()), min_size=1, max_size=12))
@settings(max_examples=40, deadline=None)
def test_answers_that_arrive_together_are_those_that_arrive_alone(tmp_path_factory, said):
    folder = tmp_path_factory.mktemp("kept")
    (folder / "scratch").mkdir()
    asked = [
        masked(request) if is_masked else request
        for request, (_, is_masked) in zip(requests(len(said)), said, strict=True)
    ]

    async def keep(keeping: Keeping) -> list[Answer]:
        return await asyncio.gather(
            *(
                keeping.keep_reply(request, Reply(text, 30, 5), 1, 0.1)
                for request, (text, _) in zip(asked, said, strict=True)
            )
        )

    with closing(ResponseCache(FolderStore(folder), DAY, "run", folder / "scratch", overwrite=False)) as cache:
        kept = asyncio.run(keep(Keeping(cache, "m", "sft-v1", 512, "run")))
        assert [answer.text for answer in kept] == [mask(text) if is_masked else text for text, is_masked in said]
        assert [answer.request_hash for answer in kept] == [request.request_hash for request in asked]
        assert [cache.get(request) for request in asked] == kept
    assert logged(folder) == kept


def test_an_answer_is_in_the_log_before_whoever_brought_it_goes_on(answers, tmp_path):
    first, second = map(masked, requests(2))
    keeping = Keeping(answers, "m", "sft-v1", 512, "run")

    async def keep(request: Request) -> None:
        kept = await keeping.keep_reply(request, Reply("电话13812345678", 30, 5), 1, 0.1)
        assert kept in logged(tmp_path)
        assert b"13812345678" not in b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())

    async def both() -> None:
        await asyncio.gather(keep(first), keep(second))

    asyncio.run(both())


def test_what_was_paid_is_kept_though_nobody_waits_for_it_any_more(answers, tmp_path):
    keeping = Keeping(answers, "m", "sft-v1", 512, "run")

    async def cancelled() -> None:
        tasks = [
            asyncio.ensure_future(keeping.keep_reply(request, Reply("好", 30, 5), 1, 0.1)) for request in requests(3)
        ]
        await asyncio.sleep(0)
        tasks[1].cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(end) for end in ended] == [Answer, asyncio.CancelledError, Answer]

    asyncio.run(cancelled())
    assert [answer and answer.request_hash for answer in logged(tmp_path)] == ["r0", "r1", "r2"]


def test_everybody_hears_that_answers_can_not_be_kept(answers, tmp_path, monkeypatch):
    keeping = Keeping(answers, "m", "sft-v1", 512, "run")

    async def keep(asked: list[Request]) -> list[Answer | BaseException]:
        kept = (keeping.keep_reply(request, Reply("好", 30, 5), 1, 0.1) for request in asked)
        return await asyncio.gather(*kept, return_exceptions=True)

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(os, "write", full)
        ended = asyncio.run(keep(requests(3)))
    assert all(isinstance(end, StoreFull) for end in ended), ended
    assert [answers.get(request) for request in requests(3)] == [None] * 3
    assert logged(tmp_path) == []


def test_no_reply_is_kept_as_what_it_was(answers, tmp_path):
    keeping = Keeping(answers, "m", "sft-v1", 512, "run")
    (request,) = requests(1)
    kept = asyncio.run(keeping.keep(masked(request), "too_long", "the service's word 13812345678", 2))
    assert (kept.outcome, kept.text, kept.attempts, kept.prompt_tokens) == (
        "too_long",
        "the service's word [手机号]",
        2,
        0,
    )
    assert logged(tmp_path) == [kept]
