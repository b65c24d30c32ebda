"""Asking outside of the nightly: a caller with its own answers, so that an evaluation is paid for once, too."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path

from tasks.calling.caller import Caller
from tasks.calling.rate_limiter import RateLimiter
from tasks.calling.response_cache import ResponseCache
from tasks.calling.rules.call_policy import CallPolicy
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
    policy: CallPolicy,
    day: date | None = None,
) -> AsyncIterator[Caller]:
    """A caller whose answers are kept on a shelf of the answer log, and known only to the very same requests.

    Args:
        namespace: apart from the nightly's answers, which these must never be taken for.
        run_id: of this caller alone; names its lines and its scratch folder.
        policy: the rules of its calls.
        day: for a namespace with days.
    """
    with scratch_folder(scratch, run_id) as folder:
        answers = await asyncio.to_thread(
            ResponseCache, warehouse, day, run_id, folder, overwrite=True, namespace=namespace
        )
        try:
            yield Caller(summarizer, limiter, answers, policy, run_id)
        finally:
            await asyncio.to_thread(answers.close)
