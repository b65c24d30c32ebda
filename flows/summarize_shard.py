"""Answer one part of a day on another worker, for the run that holds the day; people don't start it.

Started by flows.summarize_day with --shards; a worker needs the deployment summarize-shard/shard.
"""

import asyncio
from datetime import date

from prefect import flow, get_run_logger

from flows.wiring.golden import open_golden
from flows.wiring.services import connect
from flows.wiring.settings import SettingsParameter, load_settings
from flows.wiring.steps import hold, read
from tasks.domain.errors import AnswersUseless, CeilingReached
from tasks.domain.shards import Shard
from tasks.reading.log_objects import list_logs
from tasks.running.progress import Progress, report_progress
from tasks.summarizing.shards import is_done, mark_done
from tasks.summarizing.summarize import answer_batch, summarize_all


@flow(name="summarize-shard", flow_run_name="summarize-{day}-shard-{number}-of-{of}")
async def summarize_shard(day: date, number: int, of: int, run_id: str, settings: SettingsParameter) -> None:
    """Answer one shard of a day. Started by summarize-day; by hand there is nothing to start here.

    Args:
        day: the day.
        number: which shard, from 0.
        of: how many shards the day has.
        run_id: the flow run that holds the day.
        settings: that run's, by their names.
    """
    config, shard = load_settings(settings), Shard(day, number, of, run_id)
    logger = get_run_logger()

    async with (
        connect(config, day) as services,
        hold(day, services, config, shard) as run,
        open_golden(run, services, config, shard) as golden,
    ):
        if await asyncio.to_thread(is_done, services.warehouse, shard):
            return
        logs = list_logs(services.source, services.source_name)
        beside = golden.caller.usage if golden else None
        progress = Progress(
            day, run.caller.usage, services.limiter, logs, part=shard.name, currency=config.currency, golden=beside
        )
        try:
            async with report_progress(progress, logger):
                batches = read(logs, run, services, config, progress, shard)
                await summarize_all(
                    golden.spread(batches, lambda: progress.read_share) if golden else batches,
                    run.caller,
                    lambda batch: answer_batch(batch, run.caller, lambda _, answer: progress.settled(answer), golden),
                    ahead=2 * config.concurrency,
                )
        except (CeilingReached, AnswersUseless) as stop:  # the run that holds the day comes to the same end by itself
            logger.warning("%s is done as far as it may be: %s", shard.name, stop)
        await asyncio.to_thread(run.caller.flush)
        await asyncio.to_thread(mark_done, services.warehouse, shard, run.caller.usage)
