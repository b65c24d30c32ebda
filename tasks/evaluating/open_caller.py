"""Asking outside of the nightly: a caller with its own answers, so that an evaluation is paid for once, too."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path

from tasks.calling.caller import Caller
from tasks.calling.rate_limiter import RateLimiter
from tasks.calling.response_cache import ResponseCache
from tasks.calling.rules.retry_policy import OutageDetector, RetryPolicy
from tasks.domain.ports import ObjectStore, Summarizer
from tasks.running.scratch import scratch_folder


@asynccontextmanager
async def open_caller(
    summarizer: Summarizer,
    limiter: RateLimiter | None,
    *,
    warehouse: ObjectStore,
    namespace: str,
    run_id: str,
    scratch: Path,
    prompt_version: str,
    retry_policy: RetryPolicy,
    give_up_seconds: float,
    day: date | None = None,
) -> AsyncIterator[Caller]:
    """A caller whose answers are kept on a shelf of the answer log, and known only to the very same requests.

    Args:
        shelf: apart from the nightly's answers, which these must never be taken for.
        run_id: of this caller alone; names its lines and its scratch folder.
        day: for a shelf with days.
    """
    with scratch_folder(scratch, run_id) as folder:
        answers = await asyncio.to_thread(
            ResponseCache, warehouse, day, run_id, folder, overwrite=True, namespace=namespace
        )
        try:
            yield Caller(
                summarizer,
                limiter,
                answers,
                prompt_version=prompt_version,
                run_id=run_id,
                retry_policy=retry_policy,
                outage=OutageDetector(time.monotonic(), down_after_seconds=give_up_seconds),
            )
        finally:
            await asyncio.to_thread(answers.close)
