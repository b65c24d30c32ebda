"""Batches in flight together: what ends one of them ends the run, for its own reason and with nothing lost."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import date
from pathlib import Path

import pytest

from tasks.calling.caller import Caller
from tasks.calling.rate_limiter import RateLimiter
from tasks.calling.response_cache import ResponseCache
from tasks.calling.rules.call_policy import CallPolicy
from tasks.calling.rules.pacing.limits import Limits
from tasks.clients.folder_store import FolderStore
from tasks.domain.errors import CredentialsRefused, RunStopped
from tasks.domain.records import Answer, Conversation, GivenUp, Reply, Request
from tasks.preparing.logged import Steps
from tasks.reading.batches import Batch
from tasks.summarizing import summarize as summarizing
from tasks.summarizing.batch_work import BatchTools, write_batch
from tasks.summarizing.summarize import summarize_all, summarize_batch
from tasks.warehouse.parts import BatchFiles

ANSWER = '{"用户问题": "何时发货", "客服方案": "今天发货", "是否接受": "是", "是否负面情绪": "否"}'


class Endpoint:
    """Answers after the seconds that each prompt names; `revoked` is refused, `last` waits for a hundred others."""

    model = "m"
    paid = True

    def __init__(self) -> None:
        self.answered: list[str] = []
        self.hundred = asyncio.Event()

    async def summarize(self, request: Request, on_sent: Callable[[], None]) -> Reply:
        on_sent()
        if request.prompt == "revoked":
            raise CredentialsRefused("the key was revoked")
        if request.prompt == "last":
            await self.hundred.wait()
        else:
            await asyncio.sleep(float(request.prompt))
        self.answered.append(request.request_hash)
        if len(self.answered) == 100:
            self.hundred.set()
        return Reply(ANSWER, 10, 10)

    async def aclose(self) -> None: ...


def prepare_nothing(conversation: Conversation) -> Request:
    pytest.fail(f"{conversation.conversation_id} was prepared, which no test here asks for")


def batch(number: int, *prompts: str) -> Batch:
    def request(line: int, prompt: str) -> Request:
        name = f"{number}-{line}"
        return Request(Conversation(name, (), "logs/a.jsonl", line), (), prompt, prompt, False, name, name, 10)

    return Batch(number, [request(line, prompt) for line, prompt in enumerate(prompts)], [])


async def summarize(
    folder: Path, *batches: Batch, stop_after: float | None = None, ahead: int = 100, reads_on: bool = False
) -> tuple[list[BatchFiles], list[str]]:
    """The parts, and the answers in the log; also of a run that ends in an error, as its argument."""
    store = FolderStore(folder)
    answers = ResponseCache(store, date(2026, 11, 22), "run", folder, overwrite=False)
    endpoint = Endpoint()
    caller = Caller(
        endpoint,
        RateLimiter(Limits(600_000, None, 4)),
        answers,
        CallPolicy("test"),
        "run",
    )

    tools = BatchTools(Steps(prepare_nothing, lambda reject: reject), "run", folder)

    async def write(each: Batch, given: Sequence[Answer | GivenUp]) -> BatchFiles:
        return write_batch(tools, each.number, each.requests, given, each.rejects)

    reading = True

    async def read() -> AsyncIterator[Batch]:
        nonlocal reading
        try:
            for each in batches:
                yield each
            if reads_on:
                await asyncio.Event().wait()
        finally:
            reading = False

    if stop_after is not None:
        asyncio.get_running_loop().call_later(stop_after, caller.stop)
    try:
        parts = await summarize_all(
            read(), caller, lambda each: summarize_batch.fn(each, caller, write, lambda *_: None), ahead=ahead
        )
    finally:
        kept = answers.known
        answers.close()
        assert kept == len(endpoint.answered)  # nothing that was answered is thrown away
        assert not reading
    return parts, endpoint.answered


def test_summarize_all_gives_every_part(tmp_path):
    parts, answered = asyncio.run(summarize(tmp_path, batch(0, *["0.01"] * 9), batch(1), batch(2, "0.01")))
    assert sorted((part.number, part.read) for part in parts) == [(0, 9), (1, 0), (2, 1)]
    assert len(answered) == 10


def test_summarize_all_goes_on_while_a_batch_waits_for_its_last_request(tmp_path):
    batches = [batch(number, *["0"] * 60) for number in range(1, 4)]
    parts, answered = asyncio.run(summarize(tmp_path, batch(0, "last", *["0"] * 60), *batches, ahead=10))
    assert (len(parts), len(answered)) == (4, 241)


def test_summarize_all_names_what_went_wrong_first_although_its_batch_ends_last(tmp_path):
    # The first batch fails at once and has a slow call in flight; the second, stopped for it, has none.
    with pytest.raises(CredentialsRefused, match="revoked"):
        asyncio.run(summarize(tmp_path, batch(0, "0.3", "0.3", "0.3", "revoked", "0.3"), batch(1, "0.3", "0.3")))


def test_summarize_all_reads_no_more_when_a_batch_fails_while_others_are_unread(tmp_path):
    with pytest.raises(CredentialsRefused, match="revoked"):
        asyncio.run(summarize(tmp_path, batch(0, "revoked"), batch(1, "0.01"), batch(2, "0.01"), ahead=0))


def test_summarize_all_says_that_it_was_asked_to_stop(tmp_path):
    with pytest.raises(RunStopped, match="asked to stop"):
        asyncio.run(summarize(tmp_path, batch(0, *["0.2"] * 20), batch(1, "0.2"), stop_after=0.1))


def test_summarize_all_stops_while_the_next_batch_is_still_read_and_keeps_what_was_asked(tmp_path):
    async def stopped() -> int:
        try:
            await summarize(tmp_path, batch(0, *["0"] * 9), stop_after=0.1, reads_on=True)
        except RunStopped:
            task = asyncio.current_task()
            return task.cancelling() if task else -1
        raise AssertionError("it was not stopped")

    assert asyncio.run(stopped()) == 0


@pytest.mark.parametrize("is_set_aside", [True, False])
def test_summarize_all_looks_for_garbage_afterwards_where_it_was_looked_for_before(tmp_path, is_set_aside):
    already = gc.get_freeze_count() > 0
    thresholds = gc.get_threshold()
    try:
        (gc.freeze if is_set_aside else gc.unfreeze)()
        summarizing._imports_are_set_aside.cache_clear()
        frozen, of_the_day_before = gc.get_freeze_count(), [[number] for number in range(10_000)]
        asyncio.run(summarize(tmp_path, batch(0, "0")))
        assert (gc.get_freeze_count() > 0) == is_set_aside
        assert gc.get_freeze_count() < frozen + len(of_the_day_before)
        assert gc.get_threshold() == thresholds
    finally:
        (gc.freeze if already else gc.unfreeze)()
        summarizing._imports_are_set_aside.cache_clear()
