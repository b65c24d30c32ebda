"""Offline batch inference of a day's requests: submitted once, polled now and then, read back.

The submission in the warehouse records the progress, so that any run can go on from there: nothing has to stay alive
while the platform works.
"""

import asyncio
import logging
import secrets
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from tasks.domain.errors import ObjectMissing, RunStopped
from tasks.domain.layout import batches_prefix, submission_key
from tasks.domain.ports import BatchPlatform, ObjectStore
from tasks.domain.records import Answer
from tasks.reading.batches import Batch, closing_batches
from tasks.summarizing.day import DaySession
from tasks.summarizing.rules.batch_submission import (
    FILE_BYTES,
    FILES_IN_A_TASK,
    BatchReply,
    Submission,
    Task,
    decode_reply,
    decode_submission,
    encode_prompt,
    task_name,
)

Logger = logging.Logger | logging.LoggerAdapter[logging.Logger]


async def is_under_way(warehouse: ObjectStore, day: date, platform: BatchPlatform) -> bool:
    """Return true if the day only waits for the platform. Needs no lease on the day."""
    submission = await asyncio.to_thread(_read, warehouse, day)
    if submission is None or not submission.under_way:
        return False
    return any(
        [(await platform.describe_task(task.task_id)).phase == "running" for task in submission.tasks if task.task_id]
    )


async def go_on(
    run: DaySession,
    batches: Callable[[], AsyncIterator[Batch]],
    *,
    warehouse: ObjectStore,
    platform: BatchPlatform,
    model: str,
    prompt_version: str,
    logger: Logger,
) -> bool:
    """Do what can be done for the day now; return whether the platform is done with it.

    Then its answers are in the answer log, as far as it gave any; the rest is for whoever asks next.

    Args:
        run: holds the day.
        batches: the day's requests, read only when there is no submission yet.
        warehouse: where prompts, answers and the submission lie; in BOS.
        platform: runs the tasks.
        model: what the answers name as their model.
        prompt_version: what they name as their prompt.
        logger: for what happens.
    """
    submission = await asyncio.to_thread(_read, warehouse, run.day)
    if submission is None or submission.left_out is not None:
        asked = await _write_prompts(run, batches(), warehouse, (submission and submission.left_out) or 0)
        if asked is None:
            return True
        submission = asked
        logger.info(
            "%d requests are asked for by offline batch inference, in %d tasks.",
            sum(task.requests for task in submission.tasks),
            len(submission.tasks),
        )
    submission = await _create_tasks(run, submission, warehouse, platform)
    submission = await _look_at_tasks(run, submission, warehouse, platform, logger)
    if not submission.ended:
        return False
    left_out = await asyncio.to_thread(_read_answers, run, submission, warehouse, model, prompt_version)
    await asyncio.to_thread(_write, run, warehouse, replace(submission, left_out=left_out))
    await asyncio.to_thread(_clear, run, warehouse)
    logger.info("Offline batch inference is done; it left out %d requests.", left_out)
    return True


async def _write_prompts(
    run: DaySession, batches: AsyncIterator[Batch], warehouse: ObjectStore, left_out: int
) -> Submission | None:
    """The submission of everything that has no answer; None when that is no more than the last one left out."""
    folder = run.scratch / "prompts"
    folder.mkdir()
    with closing(_Prompts(folder)) as prompts:
        async with closing_batches(batches):
            async for batch in batches:
                if run.caller.stopping:
                    raise RunStopped("The run was asked to stop; nothing was asked yet. Start it again.")
                await asyncio.to_thread(prompts.add, batch, run)
    if prompts.requests <= left_out:
        return None
    await asyncio.to_thread(_clear, run, warehouse)
    submission = Submission(await asyncio.to_thread(_upload, run, prompts, warehouse))
    # From here on it counts: what lies in the warehouse is what is asked, whatever the logs become.
    await asyncio.to_thread(_write, run, warehouse, submission)
    return submission


def _upload(run: DaySession, prompts: "_Prompts", warehouse: ObjectStore) -> list[Task]:
    mark = secrets.token_hex(5)
    tasks: list[Task] = []
    for first in range(0, len(prompts.files), FILES_IN_A_TASK):
        files = prompts.files[first : first + FILES_IN_A_TASK]
        task = Task(task_name(mark, len(tasks) + 1), sum(requests for _, requests in files))
        where = _folder(run.day, task)
        for path, _ in files:
            warehouse.write_file(f"{where}in/{path.name}", path)
        # The platform writes only into folders that there are.
        warehouse.write_path(f"{where}out/about.txt", b"Offline batch inference writes its answers here.\n")
        tasks.append(task)
    return tasks


async def _create_tasks(
    run: DaySession, submission: Submission, warehouse: ObjectStore, platform: BatchPlatform
) -> Submission:
    for task in submission.tasks:
        if task.task_id:
            continue
        where = _folder(run.day, task)
        await asyncio.to_thread(run.lease.check)
        # An earlier run may have created it without hearing of it.
        task_id = await platform.find_task(task.name) or await platform.create_task(
            task.name, warehouse.uri_of(f"{where}in/"), warehouse.uri_of(f"{where}out/")
        )
        if task_id is None:
            break  # later, after another search for it
        submission = submission.with_task(replace(task, task_id=task_id))
        await asyncio.to_thread(_write, run, warehouse, submission)
    return submission


async def _look_at_tasks(
    run: DaySession, submission: Submission, warehouse: ObjectStore, platform: BatchPlatform, logger: Logger
) -> Submission:
    for task in submission.tasks:
        if not task.task_id or task.phase != "running":
            continue
        report = await platform.describe_task(task.task_id)
        if report.phase == "running":
            continue
        if report.phase == "failed":
            logger.warning(
                "Batch inference task %s failed (%s); what it left is asked online.", task.task_id, report.reason
            )
        submission = submission.with_task(replace(task, phase=report.phase))
        await asyncio.to_thread(_write, run, warehouse, submission)
    return submission


def _read_answers(
    run: DaySession, submission: Submission, warehouse: ObjectStore, model: str, prompt_version: str
) -> int:
    """Keep every answer of the tasks' output; return how many requests have none."""
    answered = 0
    for task in submission.tasks:
        for stored in warehouse.list_objects(f"{_folder(run.day, task)}out/"):
            with warehouse.open_object(stored.key) as lines:
                for found in filter(None, map(decode_reply, lines)):
                    answered += 1
                    run.answers.keep_new(_answer(found, model, prompt_version, run.run_id))
    run.answers.flush()
    return sum(task.requests for task in submission.tasks) - answered


def _answer(found: BatchReply, model: str, prompt_version: str, run_id: str) -> Answer:
    return Answer(
        request_hash=found.request_hash,
        content_hash=found.content_hash,
        outcome="refused" if found.reply.refused else "answered",
        text=found.reply.text,
        model=model,
        prompt_version=prompt_version,
        prompt_tokens=found.reply.prompt_tokens,
        completion_tokens=found.reply.completion_tokens,
        latency_ms=0,
        attempts=1,
        answered_at=datetime.now(UTC),
        run_id=run_id,
        cut_off=found.reply.cut_off,
    )


def _clear(run: DaySession, warehouse: ObjectStore) -> None:
    """Remove prompts and output, which are in the answer log or were never asked."""
    for stored in list(warehouse.list_objects(batches_prefix(run.day))):
        if stored.key != submission_key(run.day):
            warehouse.delete(stored.key)


def _folder(day: date, task: Task) -> str:
    return f"{batches_prefix(day)}{task.name}/"


def _read(warehouse: ObjectStore, day: date) -> Submission | None:
    try:
        return decode_submission(warehouse.read_path(submission_key(day)))
    except ObjectMissing:
        return None


def _write(run: DaySession, warehouse: ObjectStore, submission: Submission) -> None:
    run.lease.check()
    warehouse.write_path(submission_key(run.day), submission.encode())


class _Prompts:
    """Prompts on their way into files, each request once, in memory that stays flat."""

    def __init__(self, folder: Path) -> None:
        self.files: list[tuple[Path, int]] = []
        self._folder = folder
        self._open = (folder / "none").open("wb")
        self._size = FILE_BYTES
        self._asked = sqlite3.connect(folder / "asked.sqlite", check_same_thread=False, isolation_level=None)
        self._asked.executescript(
            "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-8000; BEGIN;"
            "CREATE TABLE asked (request_hash TEXT PRIMARY KEY) WITHOUT ROWID;"
        )

    @property
    def requests(self) -> int:
        """The number of requests."""
        return sum(requests for _, requests in self.files)

    def add(self, batch: Batch, run: DaySession) -> None:
        """Take a batch's requests that nobody has answered or asked yet."""
        for request in batch.requests:
            if run.caller.known(request) is not None:
                continue
            if self._asked.execute("INSERT OR IGNORE INTO asked VALUES (?)", (request.request_hash,)).rowcount:
                self._write(encode_prompt(request))

    def close(self) -> None:
        """Close the files."""
        self._open.close()
        self._asked.close()

    def _write(self, line: bytes) -> None:
        if self._size >= FILE_BYTES:
            self._open.close()
            path = self._folder / f"part-{len(self.files) + 1:04}.jsonl"
            self.files.append((path, 0))
            self._open, self._size = path.open("wb"), 0
        self._open.write(line)
        self._size += len(line)
        path, requests = self.files[-1]
        self.files[-1] = (path, requests + 1)
