"""A day's run under way: what it holds, how it asks, and what it counts."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from prefect import get_run_logger, runtime

from flows.wiring.golden import golden_to_ask, open_golden, with_golden
from flows.wiring.services import Services, connect, quota_of
from flows.wiring.settings import Settings
from flows.wiring.steps import (
    count_without_calls,
    hold,
    keeps_texts,
    needs_no_answers,
    open_workers,
    read,
    read_unasked,
)
from flows.wiring.version import code_version
from tasks.calling.rules.usage import Usage
from tasks.domain.layout import partition_key
from tasks.domain.ports import StoredObject
from tasks.domain.records import Answer, GivenUp, Request
from tasks.golden.hidden_calls import HiddenCalls
from tasks.questions.answer_rows import SameCallAnswers
from tasks.reading.batches import Batch, LoggedBatch, largest_batch
from tasks.reading.log_objects import list_logs
from tasks.running.progress import Progress, report_progress
from tasks.running.workers import Workers
from tasks.summarizing.batch_work import BatchTools, summarize_by_rules, write_anew, write_batch, write_kept
from tasks.summarizing.day import DaySession
from tasks.summarizing.summarize import summarize_all, summarize_batch, summarize_unasked
from tasks.warehouse.parts import BatchFiles
from tasks.warehouse.publish import DayTables
from tasks.warehouse.rules.day_tally import DRY_RUN, DayTally


@dataclass(frozen=True, slots=True)
class DayRun:
    """A day held by this flow run, and what answers it.

    `ahead` is what batch inference or shards took for the day's requests before this run's own calls.
    """

    session: DaySession
    services: Services
    config: Settings
    logs: Sequence[StoredObject]
    golden: HiddenCalls | None
    progress: Progress
    ahead: Usage
    started_at: datetime
    questions: SameCallAnswers | None = None

    async def summarize(self) -> list[BatchFiles]:
        """Ask for every conversation of the logs; return the files of rows that lie in the session's scratch folder.

        Raises:
            CeilingReached: the run's ceiling is spent; what was bought is kept.
            AnswersUseless: the model's answers are no summaries; what was bought is kept.
        """
        session, golden = self.session, self.golden
        logger = get_run_logger()
        is_unasked = not golden and needs_no_answers(session, self.services, self.config)
        with open_workers(
            session, self.services, self.config, self.logs, logger.warning, is_unasked=is_unasked
        ) as workers:
            if is_unasked:
                return await self._summarize_unasked(workers)
            batches = read(self.logs, session, self.services, self.config, self.progress, workers=workers)
            if golden:
                batches = golden.spread(batches, lambda: self.progress.read_share)

            async def write(batch: Batch, answers: Sequence[Answer | GivenUp]) -> BatchFiles:
                if keeps_texts(self.services, self.config):
                    files = await workers.run(write_kept, batch.number, answers, place=batch.number)
                    if files is None:
                        files = await workers.run(write_anew, batch.number, batch.logged, answers)
                    return files
                return await workers.run(write_batch, batch.number, batch.requests, answers, batch.rejects)

            async def summarize(batch: Batch) -> BatchFiles:
                files = await summarize_batch(batch, session.caller, write, self._settled, golden)
                self.progress.rejected += len(batch.rejects)
                return files

            async with report_progress(self.progress, logger):
                return await summarize_all(batches, session.caller, summarize, ahead=2 * self.config.concurrency)

    async def _summarize_unasked(self, workers: Workers[BatchTools]) -> list[BatchFiles]:
        session, progress = self.session, self.progress
        batches = read_unasked(self.logs, session, self.services, self.config, progress)

        async def write(batch: LoggedBatch) -> BatchFiles:
            return await workers.run(summarize_by_rules, batch.number, batch.logged)

        async def summarize(batch: LoggedBatch) -> BatchFiles:
            files = await summarize_unasked(batch, session.caller, write)
            progress.summarized += files.summarized
            progress.rejected += files.read - files.summarized
            return files

        async with report_progress(progress, get_run_logger()):
            ahead = max(workers.number, 1) * largest_batch(self.config.batch_size)
            return await summarize_all(batches, session.caller, summarize, ahead)

    def _settled(self, request: Request, answer: Answer | GivenUp) -> None:
        self.progress.settled(answer)
        if self.questions:
            self.questions.add(request, answer)

    def question_files(self) -> list[tuple[str, Path | bytes]]:
        """Return the answers to questions of the same calls, as a file to publish with the day."""
        if self.questions is None:
            return []
        key = partition_key("question_answers", self.session.day, f"{self.questions.version}.parquet")
        return [(key, self.questions.finish())]

    def tally(self, tables: DayTables | None = None) -> DayTally:
        """Count the run so far, golden conversations included; without tables nothing of it counts as summarized."""
        session, services, config, progress = self.session, self.services, self.config, self.progress
        # What was bought for this run ahead was found again, which makes it no reuse.
        usage, bought = session.caller.usage, session.answers.billed_before
        tally = DayTally(
            day=session.day,
            run_id=session.run_id,
            started_at=self.started_at,
            finished_at=datetime.now(UTC),
            summarized=tables.summarized if tables else 0,
            rejected=tables.rejected if tables else 0,
            reused=max(0, usage.reused - bought.calls),
            calls=usage.calls + bought.calls,
            retries=usage.retries + self.ahead.retries,
            quota_refusals=usage.quota_refusals + self.ahead.quota_refusals,
            prompt_tokens=usage.prompt_tokens + bought.prompt_tokens,
            completion_tokens=usage.completion_tokens + bought.completion_tokens,
            cost=session.caller.cost,
            quota_use=services.limiter.snapshot().used if services.limiter else None,
            summarizer=config.summarizer,
            currency=config.currency,
            model=services.summarizer.model,
            prompt_version=config.prompt_version,
            cached_tokens=usage.cached_tokens + bought.cached_tokens,
            model_options=config.model_options.fingerprint(),
            version=code_version(),
            warehouse=services.warehouse.uri,
            report=services.warehouse.uri_of(f"reports/day={session.day}/report.html"),
            masked=tables.masked if tables else {},
            log_objects=len(progress.logs),
            unread_rejects=progress.reading.unread_rejects,
            unread_files=progress.reading.unread_files,
            unread_conversations=progress.reading.unread_conversations,
            outside_day=progress.reading.outside.total(),
        )
        return with_golden(tally, self.golden, config)


@asynccontextmanager
async def open_day_run(
    day: date, config: Settings, logs: Sequence[StoredObject], ahead: Usage, started_at: datetime
) -> AsyncIterator[DayRun]:
    """Connect to everything that the settings name and hold the day until the block ends.

    Raises:
        DayBusy: another run holds the day.
    """
    async with (
        connect(config, day) as services,
        hold(day, services, config) as session,
        open_golden(session, services, config) as golden,
    ):
        beside = golden.caller.usage if golden else None
        usage = session.caller.usage
        progress = Progress(day, usage, services.limiter, logs, currency=config.currency, golden=beside)
        asked, path = config.questions_beside, session.scratch / "question_answers.parquet"
        questions = SameCallAnswers(asked, config.prompt_version, path) if asked else None
        yield DayRun(session, services, config, logs, golden, progress, ahead, started_at, questions)


async def dry_run(day: date, config: Settings) -> DayTally:
    """Count a day's conversations, and estimate tokens, cost and minutes, without a call."""
    started_at = datetime.now(UTC)
    async with connect(config, day) as services:
        logs = list_logs(services.source, services.source_name)
        found = await count_without_calls(day, logs, services, config)
        golden = await asyncio.to_thread(golden_to_ask, day, services, config)
        for request in golden:
            found.to_ask.add(request)
        estimate = found.to_ask.total(config.prices, quota_of(config))
        if services.second:
            second = services.second.settings
            estimate = estimate.beside(found.to_ask_the_second.total(second.prices, quota_of(second)))
        paid = services.summarizer.paid
        return DayTally(
            day=day,
            run_id=str(runtime.flow_run.id),
            started_at=started_at,
            finished_at=datetime.now(UTC),
            summarized=found.requests,
            rejected=found.rejects,
            reused=found.known,
            calls=0,
            retries=0,
            quota_refusals=0,
            prompt_tokens=0,
            completion_tokens=0,
            cost=0.0,
            summarizer=config.summarizer,
            currency=config.currency,
            model=services.summarizer.model,
            prompt_version=config.prompt_version,
            log_objects=len(logs),
            version=code_version(),
            warehouse=services.warehouse.uri,
            report="",
            status=DRY_RUN,
            golden_calls=len(golden),
            estimated_tokens=estimate.tokens if paid else 0,
            estimated_cost=estimate.cost if paid else 0.0,
            estimated_minutes=estimate.minutes if paid else 0.0,
        )
