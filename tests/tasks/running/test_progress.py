"""Progress reports of a run."""

import asyncio
import logging
from datetime import UTC, date, datetime
from pathlib import Path

from tasks.calling.rate_limiter import RateLimiter
from tasks.calling.rules.pacing.limits import Limits
from tasks.calling.rules.usage import Usage
from tasks.clients.folder_store import FolderStore
from tasks.domain.ports import StoredObject
from tasks.domain.records import GivenUp
from tasks.reading.conversations import DetectedFormat
from tasks.running.progress import Progress, report_progress

DAY = date(2026, 11, 22)
GIVEN_UP = GivenUp("no answer", 5)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def progress_of(logs: dict[str, int], limiter: RateLimiter | None = None) -> tuple[Progress, Clock, Usage]:
    usage, clock = Usage(), Clock()
    stored = [StoredObject(key, size, "e", datetime(2026, 11, 22, tzinfo=UTC)) for key, size in logs.items()]
    return (
        Progress(DAY, usage, limiter, stored, clock, currency="USD"),
        clock,
        usage,
    )


def test_progress_warns_of_a_file_that_is_no_log(caplog):
    progress, _, _ = progress_of({})
    with caplog.at_level(logging.INFO):
        for name, taken_for in (("a", "csv"), ("b", "unknown")):
            progress.detected(DetectedFormat(name, taken_for, "utf-8", False, "a note"), logging.getLogger("told"))
    assert [(record.levelname, record.message) for record in caplog.records] == [
        ("INFO", "a: read as csv, utf-8 (a note)"),
        ("WARNING", "b: read as unknown, utf-8 (a note)"),
    ]


def test_progress_foretells_the_end_from_what_was_read(tmp_path: Path):
    for name, size in (("a", 100), ("b", 300)):
        (tmp_path / name).write_bytes(b"x" * size)
    progress, clock, _ = progress_of({"a": 100, "b": 300})
    store = progress.watching(FolderStore(tmp_path))
    assert not progress.seconds_left

    with store.open_object("a") as first:
        first.read(50)
        assert progress.read_share == 50 / 400
    assert progress.read_share == 100 / 400
    progress.settled(GIVEN_UP)
    clock.now += 60
    assert progress.seconds_left == 180
    with store.open_object("b") as second:
        second.read()
        assert progress.read_share == 1.0
        assert not progress.seconds_left
    assert progress.read_share == 1.0
    assert store.uri_of("a") == FolderStore(tmp_path).uri_of("a")


def test_progress_tells_counts_quota_tokens_and_cost():
    limiter = RateLimiter(Limits(requests_per_minute=60, tokens_per_minute=None, concurrency=8))
    progress, clock, usage = progress_of({"a": 10}, limiter)
    for _ in range(3):
        progress.settled(GIVEN_UP)
    usage.calls, usage.quota_refusals, usage.prompt_tokens, usage.completion_tokens = 1_234, 5, 40_000, 300
    usage.cost = 400.0
    clock.now += 30
    line = progress.line()
    for told_of in ("3 = 0 + 3 rejected", "6 a minute", "0% used", "5 refused", "1,234", "40,000 + 300", "400.00"):
        assert told_of in line
    assert "\n" not in line
    assert "| 费用 cost | 400.00 USD |" in progress.markdown()
    assert "cost 400.00 USD" in progress.short_line()
    limiter.close()


def test_told_says_how_it_ended_and_a_server_that_is_away_stops_nobody(caplog, monkeypatch):
    async def refused(*_: object, **__: object) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr("tasks.running.artifacts.acreate_markdown_artifact", refused)
    progress, _, _ = progress_of({"a": 10})

    async def run() -> None:
        async with report_progress(progress, logging.getLogger("run")):
            progress.settled(GIVEN_UP)

    with caplog.at_level(logging.INFO, "run"):
        asyncio.run(run())
    said = [record.getMessage() for record in caplog.records if record.name == "run"]
    assert "1 = 0 + 1 rejected" in said[0]
    assert "ConnectionRefusedError" in said[1]


def test_progress_counts_golden_conversations_among_the_calls_and_names_them():
    progress, _, usage = progress_of({}, RateLimiter(Limits()))
    usage.calls, usage.prompt_tokens, usage.cost, usage.reused = 40, 400, 2.0, 3
    assert "golden" not in progress.line()
    progress.golden = Usage(reused=7, calls=20, retries=1, prompt_tokens=100, cost=0.5)
    assert progress.figures()["调用 calls"] == "60, 1 tried again, 20 of them golden"
    assert progress.figures()["tokens"] == "500 + 0"
    assert progress.figures()["费用 cost"] == "2.50 USD"
    assert "3 reused" in progress.line()
