"""What is answered before the run itself asks: by shards of the day on other workers.

Whoever answers, the answers end in the day's answer log. The run then goes its usual way, finds them, asks for what is
missing, and proves the count.
"""

from datetime import date
from typing import Any

from prefect import get_run_logger

from flows.settings import Settings, connect, flags
from flows.steps import hold
from tasks.calling import Spent
from tasks.domain.shards import Shard
from tasks.shards import answer_in_shards


async def answer_ahead(day: date, chosen: Settings) -> Spent:
    """Have the day answered as far as others can, where the settings say so; return what is not in the answer log."""
    if chosen.shards == 1:
        return Spent()
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
