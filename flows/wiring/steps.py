"""Steps that several flows take: the settings, applied to the tasks."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path

from prefect import get_run_logger, runtime

from flows.wiring.services import Services, mappings_of, pseudonyms_of
from flows.wiring.settings import Settings
from tasks.calling.rules.call_policy import CallPolicy
from tasks.calling.rules.canary import CanaryRule
from tasks.domain.ports import ObjectStore, StoredObject
from tasks.domain.records import Conversation, Request
from tasks.domain.shards import Shard
from tasks.preparing.masking import mask_identifier
from tasks.preparing.prompts import load_prompt
from tasks.preparing.pseudonyms import Pseudonyms
from tasks.preparing.requests import prepare, storable_reject
from tasks.reading.batches import Batch, read_batches
from tasks.reading.conversations import LogReader
from tasks.running.progress import Progress
from tasks.summarizing.day import DaySession, open_day
from tasks.warehouse.parquet import usual_reject_ratio


def hold(
    day: date, services: Services, config: Settings, shard: Shard | None = None
) -> AbstractAsyncContextManager[DaySession]:
    """The day held for this flow run, or a shard of it for the run that holds the day."""
    return open_day(
        day,
        str(runtime.flow_run.id),
        warehouse=services.warehouse,
        summarizer=services.summarizer,
        limiter=services.limiter,
        scratch=services.scratch,
        policy=nightly_policy(config, services.warehouse, day),
        overwrite=config.overwrite,
        busy_wait_seconds=config.busy_wait_seconds,
        logger=get_run_logger(),
        shard=shard,
    )


def read(
    logs: Sequence[StoredObject],
    run: DaySession,
    services: Services,
    config: Settings,
    progress: Progress | None = None,
    shard: Shard | None = None,
) -> AsyncIterator[Batch]:
    """The day's conversations as batches of requests, or those of a shard; `progress` is told of the reading."""
    return read_batches(
        progress.watching(services.source) if progress else services.source,
        logs,
        log_reader(config, run.scratch, services.summarizer.model),
        size=config.batch_size,
        detected=partial(progress.detected, logger=get_run_logger()) if progress else lambda _: None,
        shard=shard,
    )


def nightly_policy(config: Settings, warehouse: ObjectStore, day: date) -> CallPolicy:
    """The rules of a day's calls: with a canary, a ceiling, and what is asked again."""
    usual = usual_reject_ratio(warehouse, day) if config.summarizer != "offline" and config.canary_calls else None
    return replace(
        config.call_policy(config.prompt_version),
        canary=CanaryRule(config.canary_calls, config.max_reject_ratio, usual),
        ceiling=config.ceiling,
        ask_again=config.retried_reasons,
    )


def log_reader(config: Settings, scratch: Path, model: str = "") -> LogReader:
    """The reader of this run's logs; without a model its requests are for people to read, or to be asked again."""
    pseudonyms = pseudonyms_of(config)
    return LogReader(
        prepare=preparing(config, model, pseudonyms),
        scratch=scratch,
        log_format=config.log_format,
        mappings=mappings_of(config),
        zone=config.zone,
        storable=partial(storable_reject, masked=config.mask, pseudonyms=pseudonyms),
        name_of=partial(mask_identifier, pseudonyms=pseudonyms),
    )


def preparing(
    config: Settings, model: str = "", pseudonyms: Pseudonyms | None = None
) -> Callable[[Conversation], Request]:
    """What makes a conversation a request; without a model it is one for people to read, or to be asked again."""
    return partial(
        prepare,
        prompt=load_prompt(config.prompt),
        model=model,
        max_input_tokens=config.max_input_tokens,
        options=config.model_options,
        masked=config.mask,
        compacted=config.compact,
        pseudonyms=pseudonyms or pseudonyms_of(config),
        keep_attributes=[name.strip() for name in config.keep_attributes.split(",")],
    )
