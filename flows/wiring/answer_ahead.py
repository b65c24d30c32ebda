"""What is answered before the run itself asks: by offline batch inference, or by shards of the day on other workers.

Whoever answers, the answers end in the day's answer log. The run then goes its usual way, finds them, asks for what is
missing, and proves the count.
"""

from datetime import date
from typing import Any

from prefect import get_run_logger

from flows.wiring.services import connect, open_batch_platform
from flows.wiring.settings import Settings, flags
from flows.wiring.steps import hold, read
from tasks.calling.caller import Spent
from tasks.domain.shards import Shard
from tasks.reading.log_objects import list_logs
from tasks.running.pausing import AWAITING_BATCH, come_back
from tasks.summarizing.batch_jobs import go_on, is_under_way
from tasks.summarizing.shards import answer_in_shards


async def answer_ahead(day: date, chosen: Settings) -> Spent:
    """Have the day answered as far as others can, where the settings say so; return what is not in the answer log."""
    if chosen.summarizer == "qianfan-batch":
        while not await _answered_by_batch(day, chosen):
            await come_back(chosen.batch_look_seconds, AWAITING_BATCH, f"The platform works on {day}.")
    if chosen.shards > 1:
        return await _answer_in_shards(day, chosen)
    return Spent()


async def _answered_by_batch(day: date, chosen: Settings) -> bool:
    logger = get_run_logger()
    async with connect(chosen, day) as services, open_batch_platform(chosen) as platform:
        if await is_under_way(services.warehouse, day, platform):
            return False
        async with hold(day, services, chosen) as run:
            return await go_on(
                run,
                lambda: read(list_logs(services.source, services.source_name), run, services, chosen),
                warehouse=services.warehouse,
                platform=platform,
                model=services.summarizer.model,
                prompt_version=chosen.prompt_version,
                logger=logger,
            )


async def _answer_in_shards(day: date, chosen: Settings) -> Spent:
    async with connect(chosen, day) as services, hold(day, services, chosen) as run:
        shards = [Shard(day, number, chosen.shards, run.run_id) for number in range(chosen.shards)]
        return await answer_in_shards(
            shards,
            _told_to_shards(chosen),
            warehouse=services.warehouse,
            stopping=lambda: run.caller.stopping,
            logger=get_run_logger(),
        )


def _told_to_shards(chosen: Settings) -> dict[str, Any]:
    """Every setting but secrets, so that shards ask just what this run would ask; quotas divided unless shared."""
    told = chosen.model_dump(mode="json", include=set(flags()) - {"shards", "scratch"})
    divided = {"concurrency"} if chosen.shared_quota else {"concurrency", "rpm", "tpm"}
    return told | {name: max(1, told[name] // chosen.shards) for name in divided if told[name]}
