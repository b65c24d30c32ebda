"""One quota for several processes, through a global concurrency limit on the Prefect server they share.

The limit is a queue for the quota's time. Whoever wants to call puts a block of a quarter of a second at its end
(a longer one where the server is slow), and may spend that block when everything before it has drained away. A dead
process's blocks drain like any other. Nobody is ever turned away: Prefect forgets what has drained since its last
update each time it denies slots, so that a limit at which processes knock again and again never empties.
"""

import asyncio
import logging
import math
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Final, Self

import httpx
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate, GlobalConcurrencyLimitUpdate
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound, PrefectException

logger = logging.getLogger(__name__)

# Prefect drops fractions of a slot at every update, so a slot is small: a tenth of a millisecond.
SLOTS_PER_SECOND: Final = 10_000

# A block may be spent a moment after its time: a hundredth of the quota is the room for that.
_DRAIN_PER_SECOND: Final = 9_900.0

_LONGEST_QUEUE_SECONDS: Final = 60

_SMALLEST_BLOCK_SECONDS: Final = 0.25

_LARGEST_BLOCK_SECONDS: Final = 1.0

# How much may be ahead of its time, beside a block, so that asking for the next one takes nothing away.
_AHEAD_SECONDS: Final = 0.1

_PATIENCE_SECONDS: Final = 0.75

_TICK_SECONDS: Final = 0.25

_TIMEOUT_SECONDS: Final = 5.0

_RETRY_SECONDS: Final = 2.0

_SLOW_SECONDS: Final = 3.0

_FIRST_FAIR_SHARE: Final = 0.25


async def make_shared_quota(client: PrefectClient, name: str, part: float | None = None) -> str:
    """Make the limit that a quota is shared through, or bring it up to date; running it again changes nothing.

    Args:
        client: of the Prefect server that all who share the quota use.
        name: what they call it.
        part: how much of the quota is theirs, above 0 up to 1; None leaves a limit as it is, and makes one for all.

    Returns:
        What was done.
    """
    drain = _DRAIN_PER_SECOND * (1.0 if part is None else part)
    try:
        found = await client.read_global_concurrency_limit_by_name(name)
    except ObjectNotFound:
        limit = GlobalConcurrencyLimitCreate(
            name=name, limit=_LONGEST_QUEUE_SECONDS * SLOTS_PER_SECOND, slot_decay_per_second=drain
        )
        with suppress(ObjectAlreadyExists):  # another process was first
            await client.create_global_concurrency_limit(limit)
        return "made"
    if part is None or found.slot_decay_per_second == drain:
        return "there already"
    await client.update_global_concurrency_limit(name, GlobalConcurrencyLimitUpdate(slot_decay_per_second=drain))
    return "changed"


class SharedQuota:
    """This process's part of a quota: `async with SharedQuota(name) as share: RateLimiter(limits, share=share)`.

    While the Prefect server does not answer, the process goes on with the last share it had when it wanted all
    it could get. Belongs to one event loop.

    Args:
        name: what all that share the quota call it. The limit of this name is made when there is none.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.fair = _FIRST_FAIR_SHARE
        self._dispatch: Callable[[], None] = lambda: None
        self._block = _SMALLEST_BLOCK_SECONDS
        self._calls = 0.0
        self._tokens = 0.0
        self._wanted = asyncio.Event()
        self._client: PrefectClient | None = None
        self._issued_at = -math.inf
        self._starved = False
        self._debt = 0.0
        self._out = False
        self._leasing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._leasing = asyncio.create_task(self._lease_forever())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._leasing is not None:
            self._leasing.cancel()
            await asyncio.wait({self._leasing})
        await self._disconnect()

    def attach(self, dispatch: Callable[[], None]) -> None:
        """Call `dispatch` whenever there is more to spend."""
        self._dispatch = dispatch

    def covers(self) -> bool:
        """Return true if one more call may be spent now; if not, ask for more, which arrives later."""
        if min(self._calls, self._tokens) < 0.4 * self._block:
            self._wanted.set()
        covered = min(self._calls, self._tokens) > 0.0
        self._starved |= not covered
        return covered

    def spend(self, calls_seconds: float, tokens_seconds: float) -> None:
        """Take what one call costs: how long each quota takes to make good for it."""
        self._calls -= calls_seconds
        self._tokens -= tokens_seconds

    def _issue(self, seconds: float) -> None:
        most = 1.4 * self._block
        self._calls = min(self._calls + seconds, most)
        self._tokens = min(self._tokens + seconds, most)
        if min(self._calls, self._tokens) >= 0.4 * self._block:
            self._wanted.clear()
        self._dispatch()

    async def _lease_forever(self) -> None:
        while True:
            await self._wanted.wait()
            block, asked_at = self._block, time.monotonic()
            asking = asyncio.ensure_future(self._queue_up(block))
            try:
                await self._go_on_during(asking, 0.0 if self._out else _PATIENCE_SECONDS)
                turn_in = asking.result()
            except (httpx.HTTPError, PrefectException, TimeoutError, OSError, RuntimeError) as error:
                await self._outage(error)
                continue
            finally:
                asking.cancel()
            if self._out:
                self._out = False
                logger.warning("The quota %r is shared again.", self.name)
            took = time.monotonic() - asked_at
            if turn_in > 0:
                await asyncio.sleep(turn_in)
            self._measure(block)
            self._issue(block)
            # Asking must take less time than a block lasts.
            self._block += 0.2 * (min(max(_SMALLEST_BLOCK_SECONDS, 2 * took), _LARGEST_BLOCK_SECONDS) - self._block)

    async def _queue_up(self, block: float) -> float:
        """Put a block at the end of the queue; return in how many seconds it may be spent.

        What was spent unasked while the server was slow is queued too. After a real outage it is not: the others
        went on likewise, and together they kept to the quota.
        """
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            if self._client is None:
                self._client = await get_client().__aenter__()
                await make_shared_quota(self._client, self.name)
            owed = self._debt
            debt = owed if owed <= _SLOW_SECONDS else 0.0
            response = await self._client.increment_concurrency_slots(
                [self.name], round((block + debt) * SLOTS_PER_SECOND), "rate_limit"
            )
            self._debt -= owed  # what was spent while this was on its way is owed still
            if not response.json():  # no such limit, which Prefect takes for no limit
                await make_shared_quota(self._client, self.name)
            limit = await self._client.read_global_concurrency_limit_by_name(self.name)
        before = limit.active_slots - (2 * block + _AHEAD_SECONDS) * SLOTS_PER_SECOND
        return max(0.0, before / (limit.slot_decay_per_second or _DRAIN_PER_SECOND))

    async def _go_on_during(self, waiting: asyncio.Future[Any], timeout_seconds: float) -> None:
        """Wait, and after `timeout_seconds` go on with the last fair share, to the moment that the wait ends."""
        since = time.monotonic()
        if (await asyncio.wait({waiting}, timeout=timeout_seconds))[0]:
            return
        while True:
            now = time.monotonic()
            seconds = (now - since) * self.fair
            since = now
            self._debt += seconds
            self._issue(seconds)
            if waiting.done():
                return
            await asyncio.wait({waiting}, timeout=_TICK_SECONDS)

    async def _outage(self, error: Exception) -> None:
        if not self._out:
            self._out = True
            logger.warning(
                "The Prefect server does not share out the quota %r (%s); going on with %.0f%% of it, the last "
                "fair share.",
                self.name,
                type(error).__name__,
                self.fair * 100,
            )
        self._issued_at = -math.inf
        pause = asyncio.create_task(self._pause())
        try:
            await self._go_on_during(pause, 0.0)
        finally:
            pause.cancel()

    async def _pause(self) -> None:
        await self._disconnect()
        await asyncio.sleep(_RETRY_SECONDS)

    async def _disconnect(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            try:
                await client.__aexit__(None, None, None)
            except (httpx.HTTPError, RuntimeError):
                logger.debug("A broken connection to the Prefect server did not close cleanly.", exc_info=True)

    def _measure(self, block: float) -> None:
        """Learn the fair share from the time between two blocks, if calls had to wait for the second."""
        now = time.monotonic()
        if self._starved and now > self._issued_at > -math.inf:
            self.fair += 0.2 * (min(1.0, block / (now - self._issued_at)) - self.fair)
        self._issued_at = now
        self._starved = False
