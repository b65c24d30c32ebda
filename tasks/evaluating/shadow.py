"""A candidate asked about a sample of a day whose tables are published, beside them and never in them."""

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from heapq import nsmallest
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.calling.caller import Caller
from tasks.domain.errors import NoTables, ObjectMissing
from tasks.domain.layout import partition_key
from tasks.domain.ports import ObjectStore
from tasks.domain.records import Reason, Reject, Request, Summarized
from tasks.evaluating.rules.pages import shadow_page
from tasks.parsing.rows import row_or_reject
from tasks.warehouse.parquet import parquet_bytes, read_batches
from tasks.warehouse.rules.tables import REJECTS, SUMMARIES, shadow_rows

Outcomes = Sequence[tuple[Request, Summarized | Reject]]

Served = dict[str, dict[str, Any] | None]

_MOST = 1_000


_SERVED = ["conversation_id", "content_hash", "accepted", "negative_sentiment"]

_REJECTED = ["conversation_id", "content_hash", "reason"]


@task(name="sample-published", task_run_name="sample-published-{day}", cache_policy=NO_CACHE)
def sample_published(warehouse: ObjectStore, day: date, share: float) -> dict[str, tuple[str, dict[str, Any] | None]]:
    """A share of the day's answered conversations (1,000 at most): content hash and published row, by their id.

    By content hash, so always the same ones; the row is None where the serving model's answer became a reject.

    Raises:
        NoTables: the day is not published.
    """
    below = int(share * 2**32)
    chosen = nsmallest(
        _MOST,
        ((row["content_hash"], row) for row in _published(warehouse, day) if int(row["content_hash"][:8], 16) < below),
        key=lambda pair: pair[0],
    )
    return {row["conversation_id"]: (name, row if "accepted" in row else None) for name, row in chosen}


@task(name="ask-candidate", cache_policy=NO_CACHE)
async def ask_candidate(requests: Sequence[Request], caller: Caller, within_seconds: float) -> Outcomes:
    """Ask a candidate for all requests; return each with its row or reject.

    Raises:
        EndpointUnusable: it can't be asked.
        TimeoutError: it is too slow. Either way its answers so far are kept.
    """

    async def ask(request: Request) -> tuple[Request, Summarized | Reject]:
        return request, row_or_reject(request, await caller.answer(request))

    asked = [asyncio.ensure_future(ask(request)) for request in requests]
    try:
        async with asyncio.timeout(within_seconds):
            return await asyncio.gather(*asked)
    except BaseException:
        caller.stop()
        await asyncio.gather(*asked, return_exceptions=True)
        raise


def store_shadow_page(warehouse: ObjectStore, made: Mapping[str, Any]) -> str:
    """Put the page of a shadow into the warehouse; return its address."""
    name = re.sub(r"[^0-9A-Za-z._-]+", "-", made["candidate"])
    key = f"evaluations/shadow-{made['day']}-{name}/shadow.html"
    warehouse.write_path(key, shadow_page(made).encode())
    return warehouse.uri_of(key)


def store_shadow(warehouse: ObjectStore, day: date, model: str, run_id: str, outcomes: Outcomes) -> str:
    """Keep a candidate's rows of a day; return their address."""
    key = partition_key("shadows", day, f"{re.sub(r'[^0-9A-Za-z._-]+', '-', model)}.parquet")
    warehouse.write_path(key, parquet_bytes(shadow_rows(outcomes, model, run_id)))
    return warehouse.uri_of(key)


def compare_shadow(outcomes: Outcomes, served: Served) -> dict[str, Any]:
    """Compare the candidate with the serving model; agreement is no proof of who is right.

    Args:
        outcomes: the candidate's.
        served: the published rows by content hash, None for a reject.
    """
    rows = [(outcome, served[request.content_hash]) for request, outcome in outcomes]
    both = [(outcome.fields, row) for outcome, row in rows if isinstance(outcome, Summarized) and row is not None]
    latencies = sorted(outcome.answer.latency_ms for outcome, _ in rows if isinstance(outcome, Summarized))
    return {
        "asked": len(rows),
        "summarized": sum(isinstance(outcome, Summarized) for outcome, _ in rows),
        "summarized_by_serving": sum(row is not None for _, row in rows),
        "both": len(both),
        "same_accepted": sum(fields.accepted == row["accepted"] for fields, row in both),
        "same_negative_sentiment": sum(fields.negative_sentiment == row["negative_sentiment"] for fields, row in both),
        "latency_ms p50": latencies[len(latencies) // 2] if latencies else None,
    }


def _published(warehouse: ObjectStore, day: date) -> Iterator[dict[str, Any]]:
    for table_name, schema, columns in (("summaries", SUMMARIES, _SERVED), ("rejects", REJECTS, _REJECTED)):
        try:
            for batch in read_batches(warehouse, partition_key(table_name, day), schema, columns):
                for row in batch.to_pylist():
                    if row["content_hash"] and row.get("reason") != Reason.DUPLICATE:
                        yield row
        except ObjectMissing:
            raise NoTables(f"{warehouse.uri} has no {table_name} of {day}: summarize that day first.") from None
