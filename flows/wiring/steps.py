"""Steps that several flows take: the settings, applied to the tasks."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import replace
from datetime import date
from functools import partial
from math import ceil
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from prefect import get_run_logger, runtime

from flows.wiring.beside_erasures import texts_held
from flows.wiring.services import (
    SecondModel,
    Services,
    mappings_of,
    open_source,
    price_list,
    pseudonyms_of,
    scratch_parent,
)
from flows.wiring.settings import Settings
from flows.wiring.source_names import names_the_day
from tasks.calling.caller import Caller
from tasks.calling.fallback import Fallback, FallbackCaller
from tasks.calling.response_cache import ResponseCache
from tasks.calling.rules.call_policy import CallPolicy
from tasks.calling.rules.canary import CanaryRule
from tasks.calling.rules.offline.summary import prepare_and_answer
from tasks.domain.errors import BucketMissing, UsageError
from tasks.domain.ports import ObjectStore, StoredObject
from tasks.domain.records import Conversation, Reject, Request
from tasks.domain.shards import Shard
from tasks.preparing.logged import Steps
from tasks.preparing.masking import mask_identifier
from tasks.preparing.pseudonyms import Pseudonyms
from tasks.preparing.requests import Masking, ask_again, prepare, storable_reject
from tasks.reading.batches import Batch, LoggedBatch, Preparing, closing_batches, read_batches, read_logged
from tasks.reading.conversations import LogReader
from tasks.reading.days import count_days
from tasks.reading.log_objects import list_logs
from tasks.reading.tally import ReadingTally
from tasks.reporting.queries import load_engine
from tasks.running.deployed import deployment_id
from tasks.running.progress import Progress
from tasks.running.scratch import scratch_folder
from tasks.running.workers import Workers, conversations_before, worthwhile_workers
from tasks.summarizing.batch_work import BatchTools, prepare_and_keep, prepare_batch
from tasks.summarizing.day import DayOptions, DayResources, DaySession, open_day
from tasks.summarizing.dry_run import DryRun, count_day, first_conversations
from tasks.warehouse.parquet import usual_reject_ratio

# So many calls a minute keep one core half busy.
_CALLS_A_CORE_FEEDS: Final = 30_000

# A hiccup of the network when a command starts is shorter than this part of `--give-up-seconds`.
_UNREACHED_SHARE: Final = 0.25


@asynccontextmanager
async def hold(
    day: date, services: Services, config: Settings, shard: Shard | None = None
) -> AsyncIterator[DaySession]:
    """The day held for this flow run, or a shard of it for the run that holds the day."""
    if services.summarizer.paid and not shard:
        await asyncio.to_thread(load_engine)
    policy = nightly_policy(config, services.warehouse, day)
    prices = price_list(config, services.second.settings if services.second else None)
    opened = open_day(
        day,
        str(runtime.flow_run.id),
        DayResources(
            services.warehouse, services.summarizer, services.limiter, services.scratch, _fallback(services.second)
        ),
        DayOptions(replace(policy, prices=prices), config.overwrite, config.busy_wait_seconds),
        logger=get_run_logger(),
        shard=shard,
    )
    async with nullcontext() if shard else texts_held(config), opened as session:
        yield session


def _fallback(second: SecondModel | None) -> Fallback | None:
    if second is None:
        return None
    config = second.settings
    prompt, model = config.asked_prompt, second.summarizer.model
    return Fallback(
        second.summarizer,
        second.limiter,
        replace(config.call_policy(config.prompt_version), ask_again=config.retried_reasons),
        partial(ask_again, prompt=prompt, model=model, options=config.model_options),
        notify=get_run_logger().warning,
    )


async def read(
    logs: Sequence[StoredObject],
    run: DaySession,
    services: Services,
    config: Settings,
    progress: Progress | None = None,
    shard: Shard | None = None,
    workers: Workers[BatchTools] | None = None,
) -> AsyncIterator[Batch]:
    """The day's conversations as batches of requests, or those of a shard; `progress` is told of the reading."""
    batches = read_batches(
        progress.watching(services.source) if progress else services.source,
        logs,
        log_reader(config, run.scratch, run.day, services.summarizer.model),
        size=config.batch_size,
        detected=partial(progress.detected, logger=get_run_logger()) if progress else lambda _: None,
        shard=shard,
        tally=progress.reading if progress else ReadingTally(),
        beside=_preparing_beside(workers, keeps=keeps_texts(services, config)) if workers else None,
    )
    async with closing_batches(first_conversations(batches, config.limit) if config.limit else batches) as wanted:
        async for batch in wanted:
            yield batch
    if progress and shard is None:
        _remark(progress, run.day)


async def read_unasked(
    logs: Sequence[StoredObject], run: DaySession, services: Services, config: Settings, progress: Progress
) -> AsyncIterator[LoggedBatch]:
    """The day's conversations as they were read, for whoever needs nobody's answer; `progress` is told of it."""
    batches = read_logged(
        progress.watching(services.source),
        logs,
        log_reader(config, run.scratch, run.day, services.summarizer.model),
        size=config.batch_size,
        detected=partial(progress.detected, logger=get_run_logger()),
        tally=progress.reading,
    )
    async with closing_batches(batches):
        async for batch in batches:
            yield batch
    _remark(progress, run.day)


def _preparing_beside(workers: Workers[BatchTools], *, keeps: bool) -> Preparing:
    def prepare(batch: LoggedBatch) -> Coroutine[Any, Any, list[Request | Reject]]:
        if keeps:
            return workers.run(prepare_and_keep, batch.number, batch.logged, place=batch.number)
        return workers.run(prepare_batch, batch.logged)

    return Preparing(prepare, workers.number)


def keeps_texts(services: Services, config: Settings) -> bool:
    """Return true where a call needs only the prompt, so that a batch's texts can stay in the process that has them."""
    return services.summarizer.paid and services.second is None and not config.limit


def needs_no_answers(run: DaySession, services: Services, config: Settings) -> bool:
    """Return true where the rules alone answer each conversation of the day, which then stays in one process."""
    is_alone = not services.summarizer.paid and services.second is None and not run.answers.known
    return is_alone and not config.limit and not config.questions_beside


def _remark(progress: Progress, day: date) -> None:
    for remark in progress.reading.remarks(day):
        get_run_logger().warning(remark)


def open_workers(
    run: DaySession,
    services: Services,
    config: Settings,
    logs: Sequence[StoredObject],
    notify: Callable[[str], object],
    *,
    is_unasked: bool,
) -> Workers[BatchTools]:
    """Return the processes that prepare a day's batches and make rows of the answers; none where a quota is slower."""
    reader = log_reader(config, run.scratch, run.day, services.summarizer.model)
    prepare = reader.prepare
    if not services.summarizer.paid and not is_unasked:
        prepare = partial(prepare_and_answer, reader.prepare)
    tools = BatchTools(
        Steps(prepare, reader.storable),
        run.run_id,
        run.scratch,
        services.themes.assign,
        config.prompt_version,
        config.call_policy(config.prompt_version).max_tokens,
    )
    is_slow = services.summarizer.paid and config.rpm is not None and config.rpm < _CALLS_A_CORE_FEEDS
    jobs_a_batch = 1 if is_unasked else 2  # prepared, and written
    before = conversations_before(0 if config.limit else sum(log.size for log in logs))
    jobs_before = jobs_a_batch * ceil(before / config.batch_size)
    return Workers(0 if is_slow else worthwhile_workers(), tools, notify, jobs_before)


async def count_without_calls(day: date, logs: Sequence[StoredObject], services: Services, config: Settings) -> DryRun:
    """A day read and counted: what is known, and what would have to be asked."""
    run_id = str(runtime.flow_run.id)
    policy = nightly_policy(config, services.warehouse, day)
    with scratch_folder(services.scratch, run_id) as folder:
        reader = log_reader(config, folder, day, services.summarizer.model)
        batches = read_batches(
            services.source, logs, reader, size=config.batch_size, detected=lambda _: None, tally=ReadingTally()
        )
        wanted = first_conversations(batches, config.limit) if config.limit else batches
        try:
            answers = await asyncio.to_thread(
                ResponseCache, services.warehouse, day, run_id, folder, overwrite=config.overwrite
            )
        except BucketMissing:  # a warehouse that is not there yet knows no answers
            return await count_day(wanted, lambda request: request)
        try:
            if services.summarizer.paid:
                await asyncio.to_thread(answers.add_other_days)
            fallback = _fallback(services.second)
            arguments = services.summarizer, services.limiter, answers, policy, run_id
            caller = FallbackCaller(fallback, *arguments) if fallback else Caller(*arguments)
            return await count_day(wanted, caller.to_send)
        finally:
            await asyncio.to_thread(answers.close)


def nightly_policy(config: Settings, warehouse: ObjectStore, day: date) -> CallPolicy:
    """The rules of a day's calls: with a canary, a ceiling, and what is asked again."""
    usual = usual_reject_ratio(warehouse, day) if config.summarizer != "offline" and config.canary_calls else None
    return replace(
        config.call_policy(config.prompt_version),
        # A person waits at a command; a deployment's run goes on by itself when the endpoint is back.
        unreached_seconds=None if deployment_id() else _UNREACHED_SHARE * config.give_up_seconds,
        canary=CanaryRule(config.canary_calls, config.max_reject_ratio, usual),
        ceiling=config.ceiling,
        ask_again=config.retried_reasons,
    )


def divides_by_time(config: Settings) -> bool:
    """Return true where the times of its messages decide which day a conversation is of."""
    return config.day_from == "messages" or (config.day_from == "auto" and not names_the_day(config.source))


def days_in_logs(config: Settings, days: Sequence[date]) -> list[date]:
    """The days of a range that the logs in one place are of, by their messages' own time.

    Raises:
        UsageError: some conversations have no time, and so would be of every day.
    """
    tally = _counted_days(config)
    if tally.undated:
        raise UsageError(
            f"{tally.undated} conversations in {config.source} have no time that can be read, and so would be in every "
            "day: ask for a single day, or name their times in a mapping (python -m flows.try_logs shows them)."
        )
    return [day for day in days if day in tally.days]


def span_of_logs(config: Settings) -> tuple[date, date]:
    """The first and the last day that the logs in one place are of.

    Raises:
        UsageError: the source has a place for each day, or nothing in it has a time.
    """
    if not divides_by_time(config):
        raise UsageError("--all-days is for a --source without {day}: with it, give --start and --end.")
    days = _counted_days(config).days
    if not days:
        raise UsageError(f"Nothing in {config.source} has a time that can be read: ask for a single day.")
    return min(days), max(days)


def _counted_days(config: Settings) -> ReadingTally:
    source, name = open_source(config, date.min)
    with scratch_folder(scratch_parent(config), f"days-{uuid4()}") as scratch:
        reader = replace(log_reader(config, scratch, None), day=None)
        return count_days(source, list_logs(source, name), reader)


def log_reader(config: Settings, scratch: Path, day: date | None, model: str = "") -> LogReader:
    """The reader of a day's logs; without a model its requests are for people to read, or to be asked again."""
    pseudonyms = pseudonyms_of(config)
    masking = _masking(config, pseudonyms)
    return LogReader(
        prepare=preparing(config, model, pseudonyms),
        scratch=scratch,
        log_format=config.log_format,
        mappings=mappings_of(config),
        zone=config.zone,
        storable=partial(storable_reject, masking=masking),
        name_of=partial(mask_identifier, pseudonyms=pseudonyms),
        day=day if divides_by_time(config) else None,
    )


def preparing(
    config: Settings, model: str = "", pseudonyms: Pseudonyms | None = None
) -> Callable[[Conversation], Request]:
    """Return the step from a conversation to a request; without a model the request is for people, or for questions."""
    return partial(
        prepare,
        prompt=config.asked_prompt,
        model=model,
        max_input_tokens=config.max_input_tokens,
        options=config.model_options,
        masking=_masking(config, pseudonyms or pseudonyms_of(config)),
        compacted=config.compact,
    )


def _masking(config: Settings, pseudonyms: Pseudonyms | None) -> Masking | None:
    if not config.mask:
        return None
    return Masking(pseudonyms, [name.strip() for name in config.keep_attributes.split(",")])
