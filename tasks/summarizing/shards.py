"""Shards of a day as flow runs on the workers of a work pool: started, watched, begun again when their worker is lost.

Whether a shard lives is seen in the warehouse (its lease), whether it is done too (its mark); Prefect's word only makes
things faster. Nothing is held meanwhile but the day.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final
from uuid import UUID

import httpx
import orjson
from prefect.client.orchestration import PrefectClient, get_client
from prefect.deployments import arun_deployment
from prefect.exceptions import ObjectNotFound, PrefectException
from prefect.states import Cancelled, Crashed

from tasks.calling.rules.usage import Usage
from tasks.domain.errors import ObjectMissing, RunStopped, StoreError, UsageError
from tasks.domain.ports import ObjectStore
from tasks.domain.shards import Shard
from tasks.summarizing.rules.shard_watch import ShardWatch, stalled

DEPLOYMENT: Final = "summarize-shard/shard"

Logger = logging.Logger | logging.LoggerAdapter[logging.Logger]

_POLL_SECONDS = 5.0

_PREFECT_AWAY = (httpx.HTTPError, PrefectException, OSError, RuntimeError)


async def answer_in_shards(
    shards: Sequence[Shard],
    settings: Mapping[str, Any],
    *,
    warehouse: ObjectStore,
    stopping: Callable[[], bool],
    logger: Logger,
) -> Usage:
    """Have a day's shards answered by all available workers; return the retries and refusals that they report.

    The answers are in the answer log. Another worker restarts a lost shard, a few times. The run that holds the day
    answers the rest of a shard that nobody takes.

    Args:
        shards: all of the day's, of a run that holds it until this returns.
        settings: passed to the shards; Prefect shows them to everybody.
        warehouse: holds the shards' leases and marks of completion.
        stopping: returns true after a request to stop.
        logger: for the outcome of each.

    Raises:
        UsageError: there is no such deployment.
        RunStopped: the run was asked to stop; the shards see that, and stop too.
    """
    async with get_client() as client:
        coordinator = _ShardCoordinator(client, shards, settings, warehouse, logger)
        try:
            while coordinator.watched and not stopping() and not stalled(coordinator.watched, time.monotonic()):
                for watch in list(coordinator.watched):
                    await coordinator.poll(watch)
                if coordinator.watched:
                    await asyncio.sleep(_POLL_SECONDS)
        finally:
            await coordinator.cancel_pending()
    if stopping():
        raise RunStopped("The run was asked to stop, and its shards with it. Start it again to go on from here.")
    for watch in coordinator.watched:
        logger.warning("No worker took %s; this run does it itself.", watch.shard.name)
    return await asyncio.to_thread(_spent, warehouse, shards)


def mark_done(warehouse: ObjectStore, shard: Shard, usage: Usage) -> None:
    """Mark that all of a shard's answers are stored. Blocking."""
    warehouse.write_path(shard.mark_key, orjson.dumps(usage))


def is_done(warehouse: ObjectStore, shard: Shard) -> bool:
    """Return true if the shard's work is done. Blocking."""
    return warehouse.stat(shard.mark_key) is not None


class _ShardCoordinator:
    """The shards that are not done, each with the flow run that is at it, if one is."""

    def __init__(
        self,
        client: PrefectClient,
        shards: Sequence[Shard],
        settings: Mapping[str, Any],
        warehouse: ObjectStore,
        logger: Logger,
    ) -> None:
        self.watched: dict[ShardWatch, UUID | None] = {ShardWatch(shard, time.monotonic()): None for shard in shards}
        self._client = client
        self._settings = dict(settings)
        self._warehouse = warehouse
        self._logger = logger
        self._states: dict[UUID, str] = {}

    async def poll(self, watch: ShardWatch) -> None:
        """Start a shard that has no run, and drop one that is done or was lost too often."""
        run = self.watched[watch]
        if run is None:
            with suppress(*_PREFECT_AWAY):
                self.watched[watch] = await self._start(watch)
            return
        # The state first: a run that has ended has written its mark before.
        state = await self._state(run)
        lease, done = await asyncio.to_thread(self._signs, watch.shard)
        status = watch.status(time.monotonic(), state=state, lease=lease, done=done)
        if status == "done":
            del self.watched[watch]
            self._logger.info("%s is done; %d more.", watch.shard.name, len(self.watched))
        elif status == "lost":
            await self._end(run, Crashed(message="Its worker shows no sign of life."))
            if watch.next_attempt(time.monotonic()):
                self.watched[watch] = None
                self._logger.warning("%s was lost (%s); another worker begins it again.", watch.shard.name, state)
            else:
                del self.watched[watch]
                self._logger.warning(
                    "%s was lost (%s) too often; what it left is done by this run.", watch.shard.name, state
                )

    async def cancel_pending(self) -> None:
        """Take back what no worker has begun; a worker that is at it stops when the day is given up."""
        for run in self.watched.values():
            if run is not None and await self._state(run) == "SCHEDULED":
                await self._end(run, Cancelled(message="Nobody waits for it any more."))

    async def _start(self, watch: ShardWatch) -> UUID:
        shard = watch.shard
        try:
            run = await arun_deployment(
                DEPLOYMENT,
                client=self._client,
                parameters={
                    "day": shard.day.isoformat(),
                    "number": shard.number,
                    "of": shard.of,
                    "run_id": shard.run_id,
                    "settings": self._settings,
                },
                timeout=0,
                # A run that is started again where it was finds the shards that it had.
                idempotency_key=f"{shard.run_id}-{shard.name}-{watch.attempt}",
            )
        except ObjectNotFound:
            raise UsageError(
                f"--shards needs the deployment {DEPLOYMENT} on this Prefect server, and workers: see "
                "deployments/README.md, or leave --shards out."
            ) from None
        return run.id

    async def _state(self, run: UUID) -> str:
        with suppress(*_PREFECT_AWAY):
            found = (await self._client.read_flow_run(run)).state
            self._states[run] = found.type.value if found else ""
        return self._states.get(run, "")

    async def _end(self, run: UUID, state: Any) -> None:
        if self._states.get(run) in {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}:
            return
        with suppress(*_PREFECT_AWAY):
            await self._client.set_flow_run_state(run, state, force=True)

    def _signs(self, shard: Shard) -> tuple[str, bool]:
        try:
            lease = self._warehouse.stat(shard.lease_key)
            return lease.etag if lease else "", is_done(self._warehouse, shard)
        except StoreError:
            return "", False


def _spent(warehouse: ObjectStore, shards: Sequence[Shard]) -> Usage:
    usage = Usage()
    for shard in shards:
        with suppress(ObjectMissing):
            report = orjson.loads(warehouse.read_path(shard.mark_key))
            usage.retries += report["retries"]
            usage.quota_refusals += report["quota_refusals"]
            warehouse.delete(shard.mark_key)
    return usage
