"""Golden conversations of a night: from the settings to hidden calls, their verdict, and what is done about it."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date
from functools import partial

from prefect import get_run_logger, runtime

from flows.wiring.labeled import labeled_conversations
from flows.wiring.services import Services
from flows.wiring.settings import Settings
from flows.wiring.steps import nightly_policy
from tasks.calling.caller_beside import CallerBeside
from tasks.calling.response_cache import ResponseCache
from tasks.domain.errors import AnswersChanged, BucketMissing, UsageError
from tasks.domain.layout import partition_key
from tasks.domain.records import Request
from tasks.domain.shards import Shard
from tasks.golden.hidden_calls import NAMESPACE, Asked, HiddenCalls, choose
from tasks.golden.nights import judge_night
from tasks.golden.rules.drift import GoldenCheck
from tasks.preparing.requests import ask_again
from tasks.reporting.rules.golden_lines import change_line
from tasks.running.scratch import scratch_folder
from tasks.summarizing.day import DaySession
from tasks.warehouse.parquet import parquet_bytes
from tasks.warehouse.rules.day_tally import CHANGED, DayTally


@asynccontextmanager
async def open_golden(
    run: DaySession, services: Services, config: Settings, shard: Shard | None = None
) -> AsyncIterator[HiddenCalls | None]:
    """Make the golden conversations of a day, or of a shard of it, ready to be asked; None where there are none."""
    golden = await asyncio.to_thread(golden_conversations, config, services.summarizer.model)
    if shard is not None:
        golden = [pair for pair in golden if shard.holds(pair[0].request_hash)]
    if not golden:
        yield None
        return
    folder = run.scratch / NAMESPACE
    folder.mkdir()
    cache = partial(ResponseCache, services.warehouse, run.day, run.run_id, folder, overwrite=True)
    answers = await asyncio.to_thread(cache, namespace=NAMESPACE, name=f"{run.run_id}-{shard.name}" if shard else "")
    try:
        policy = nightly_policy(config, services.warehouse, run.day)
        caller = CallerBeside(run.caller, services.summarizer, services.limiter, answers, policy, run.run_id, run.lease)
        ahead = run.answers if config.summarizer == "qianfan-batch" else None
        yield HiddenCalls(golden, caller, ahead, random.Random(), get_run_logger())
    finally:
        await asyncio.to_thread(answers.close)


def golden_to_ask(day: date, services: Services, config: Settings) -> list[Request]:
    """The golden conversations that a run of this day would have to ask: those without an answer of this very day."""
    golden = [request for request, _ in golden_conversations(config, services.summarizer.model)]
    if not golden:
        return []
    with scratch_folder(services.scratch, f"golden-{runtime.flow_run.id}") as folder:
        try:
            answers = ResponseCache(services.warehouse, day, "", folder, overwrite=True, namespace=NAMESPACE)
        except BucketMissing:  # a warehouse that is not there yet knows no answers
            return golden
        try:
            return [request for request in golden if answers.get(request) is None]
        finally:
            answers.close()


def golden_conversations(config: Settings, model: str) -> Sequence[Asked]:
    """The golden conversations of every night by these settings, as this model is asked; empty where there are none.

    Raises:
        UsageError: a file is named that holds none.
    """
    if not config.golden:
        return []
    try:
        labeled = labeled_conversations(config, None, None, config.golden_labels)
    except UsageError as error:
        if config.golden_labels:
            raise UsageError(f"--golden-labels {config.golden_labels} must be a file of SFT rows. {error}") from None
        get_run_logger().warning("No golden conversation is asked: %s", error)
        return []
    as_asked = partial(ask_again, prompt=config.asked_prompt, model=model, options=config.model_options)
    return choose(labeled, config.golden, as_asked)


def with_golden(tally: DayTally, golden: HiddenCalls | None, config: Settings) -> DayTally:
    """Count what golden conversations took among what the run took, and apart."""
    if golden is None:
        return tally
    beside, usage, paid = golden.caller.billed, golden.caller.usage, golden.paid
    return replace(
        tally,
        calls=tally.calls + beside.calls,
        retries=tally.retries + usage.retries,
        quota_refusals=tally.quota_refusals + usage.quota_refusals,
        prompt_tokens=tally.prompt_tokens + beside.prompt_tokens,
        completion_tokens=tally.completion_tokens + beside.completion_tokens,
        cached_tokens=tally.cached_tokens + beside.cached_tokens,
        cost=tally.cost + golden.caller.cost,
        golden_calls=paid.calls,
        golden_cost=config.cost(paid.prompt_tokens, paid.completion_tokens, paid.cached_tokens),
    )


def judged(
    golden: HiddenCalls | None, tally: DayTally, services: Services, config: Settings
) -> tuple[GoldenCheck | None, list[tuple[str, bytes]]]:
    """Return the verdict on a day's golden conversations, and the file to publish; none where none was answered.

    Raises:
        AnswersChanged: the model answers them in another way, and the settings hold such a day.
    """
    if golden is None or not golden.rows:
        return None, []
    table, check = judge_night(services.warehouse, tally.day, golden.rows, services.themes.assign)
    if check.has_changed and config.golden_hold:
        raise AnswersChanged(
            f"{tally.day}: {change_line(check).en} Nothing is published and what was bought is kept. If the new "
            "answers are fine, run the day again with --no-golden-hold: from there on they are the usual ones.",
            replace(tally, status=CHANGED),
        )
    return check, [(partition_key("golden", tally.day), parquet_bytes(table))]
