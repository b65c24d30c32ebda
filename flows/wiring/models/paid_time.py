"""Watch paid time before the nightly calls: notify a week before it runs out, and fall back in time."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from flows.wiring.blocks import find_endpoint
from flows.wiring.models.promotions import roll_back, same_endpoint, step_back
from flows.wiring.models.trying import check_answers
from flows.wiring.services import open_platform, open_warehouse
from flows.wiring.settings import Settings, load_settings
from tasks.domain.errors import BucketMissing, KefuError
from tasks.tuning.rollout import RolloutRecord, list_rollouts
from tasks.tuning.rules.paid_time import judge, warning

Logger = logging.Logger | logging.LoggerAdapter[logging.Logger]


async def watch_paid_time(
    config: Settings, settings: Mapping[str, Any], logger: Logger, now: datetime | None = None
) -> Settings:
    """Warn of paid time that runs out, or fall back from it; return the settings that the night goes on with.

    Nothing here fails a night: what can't be told is only logged.
    """
    if not config.summarizer.startswith("qianfan") or not config.endpoint:
        return config
    now = now or datetime.now(UTC)
    try:
        record = await _record_of(config)
        if record is None or judge(record.value, now) == "fine":
            return config
        await _refresh(record, config)
        verdict = judge(record.value, now)
        if verdict == "fine":
            return config
        logger.warning(warning(record.value, now))
        if verdict == "fall back" and config.endpoint_block:
            return await _fall_back(config, settings, record.value.name, logger)
    except BucketMissing:
        return config  # a warehouse that begins tonight
    except KefuError as error:
        logger.warning("The paid time of %s can't be looked after: %s", config.endpoint, error)
    return config


async def _record_of(config: Settings) -> RolloutRecord | None:
    records = await asyncio.to_thread(lambda: list(list_rollouts(open_warehouse(config))))
    served = [record for record in records if record.value.endpoint and record.value.stage != "retired"]
    return next((block for block in served if same_endpoint(block.value.endpoint, config.endpoint)), None)


async def _refresh(record: RolloutRecord, config: Settings) -> None:
    """Ask the platform: somebody may have renewed it."""
    async with open_platform(config) as platform:
        units = await platform.compute_units(record.value.service_id)
    expires_at = min((unit.expires_at for unit in units if unit.expires_at), default=record.value.expires_at)
    if expires_at != record.value.expires_at:
        await record.save(replace(record.value, expires_at=expires_at))


async def _fall_back(config: Settings, settings: Mapping[str, Any], name: str, logger: Logger) -> Settings:
    block = config.endpoint_block
    _, below, kept = await step_back(block, name)
    restored = load_settings({**settings, "endpoint_block": below.kept})
    if kept.summarizer != "offline":
        await check_answers(restored, f"Block {block!r} named {kept.endpoint} before")
    await roll_back(block, below, name=name, by="the nightly", why=f"the paid time of {config.endpoint} runs out")
    now = await find_endpoint(block)
    logger.warning("Block %r names %s again.", block, (now.endpoint or now.summarizer) if now else below.endpoint)
    return load_settings(settings)
