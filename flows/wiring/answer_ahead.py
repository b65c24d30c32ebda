"""Answer requests before the run's own calls: by offline batch inference, or by shards of the day on other workers.

Whoever answers, the answers end in the day's answer log. The run then goes its usual way, finds them, asks for what is
missing, and proves the count.
"""

from collections.abc import AsyncIterator
from datetime import date
from typing import Any

from prefect import get_run_logger

from flows.wiring.fallbacks import fallback_settings
from flows.wiring.golden import open_golden
from flows.wiring.services import connect, open_batch_platform
from flows.wiring.settings import Settings, flags
from flows.wiring.steps import hold, read
from tasks.calling.rules.usage import Usage
from tasks.domain.shards import Shard
from tasks.reading.batches import Batch
from tasks.reading.log_objects import list_logs
from tasks.running.pausing import AWAITING_BATCH, reschedule
from tasks.summarizing.batch_jobs import go_on, is_under_way
from tasks.summarizing.shards import answer_in_shards


async def answer_ahead(day: date, config: Settings) -> Usage:
    """Have the day answered as far as others can, where the settings say so; return what is not in the answer log."""
    if config.summarizer == "qianfan-batch":
        while not await _answered_by_batch(day, config):
            await reschedule(config.batch_look_seconds, AWAITING_BATCH, f"The platform works on {day}.")
    if config.shards > 1:
        return await _answer_in_shards(day, config)
    return Usage()


async def _answered_by_batch(day: date, config: Settings) -> bool:
    logger = get_run_logger()
    async with connect(config, day) as services, open_batch_platform(config) as platform:
        if await is_under_way(services.warehouse, day, platform):
            return False
        async with hold(day, services, config) as run, open_golden(run, services, config) as golden:

            def batches() -> AsyncIterator[Batch]:
                found = read(list_logs(services.source, services.source_name), run, services, config)
                return golden.as_requests(found) if golden else found

            return await go_on(
                run,
                batches,
                warehouse=services.warehouse,
                platform=platform,
                model=services.summarizer.model,
                prompt_version=config.prompt_version,
                logger=logger,
            )


async def _answer_in_shards(day: date, config: Settings) -> Usage:
    async with connect(config, day) as services, hold(day, services, config) as run:
        shards = [Shard(day, number, config.shards, run.run_id) for number in range(config.shards)]
        return await answer_in_shards(
            shards,
            _told_to_shards(config),
            warehouse=services.warehouse,
            stopping=lambda: run.caller.stopping,
            logger=get_run_logger(),
        )


def _told_to_shards(config: Settings) -> dict[str, Any]:
    """Every setting but secrets, so that shards ask just what this run would ask; quotas divided unless shared."""
    shared = config.model_dump(mode="json", include=set(flags()) - {"shards", "scratch"})
    divided = {"concurrency", "max_calls", "max_tokens"} | (set() if config.shared_quota else {"rpm", "tpm"})
    cost = {"max_cost": config.max_cost / config.shards} if config.max_cost is not None else {}
    second = fallback_settings(config)
    if second is not None and not second.shared_quota:
        shared |= {"fallback_rpm": second.rpm, "fallback_tpm": second.tpm}
        divided |= {"fallback_rpm", "fallback_tpm"}
    return shared | cost | {name: max(1, shared[name] // config.shards) for name in divided if shared[name]}
