"""One ceiling for all days of a backfill: each may spend what the others have left."""

import asyncio
from datetime import date
from typing import Any
from uuid import UUID

from prefect import runtime

from flows.wiring.fallbacks import fallback_settings
from flows.wiring.services import price_list
from flows.wiring.settings import Settings
from tasks.calling.response_cache import bought_by
from tasks.calling.rules.budget import Ceiling
from tasks.calling.rules.usage import UsageTotals
from tasks.domain.ports import ObjectStore
from tasks.running.backfill_runs import runs_begun_by


class SharedCeiling:
    """The ceiling of a backfill. What its days have spent stands in their answer logs, however they ended.

    So it holds over a backfill that is begun again, too.

    Args:
        config: the backfill's settings.
        warehouse: where the answer logs are.
    """

    def __init__(self, config: Settings, warehouse: ObjectStore) -> None:
        self._config = config
        self._warehouse = warehouse
        self._spent: dict[UUID, UsageTotals] = {}

    @property
    def is_set(self) -> bool:
        """Return true where something is limited."""
        return self._config.ceiling != Ceiling()

    async def left(self) -> dict[str, Any] | None:
        """Return the settings of what the next day may spend; None where nothing is left."""
        if not self.is_set:
            return {}
        for run in await runs_begun_by(runtime.flow_run.id):
            if run.id not in self._spent and run.state is not None and run.state.is_final():
                day = date.fromisoformat(str(run.parameters["day"])[:10])
                self._spent[run.id] = await asyncio.to_thread(bought_by, self._warehouse, day, str(run.id))
        spent, prices = self._spent.values(), price_list(self._config, fallback_settings(self._config))
        left = self._config.ceiling.left_after(
            sum(usage.cost(prices) for usage in spent),
            sum(usage.prompt_tokens + usage.completion_tokens for usage in spent),
            sum(usage.calls for usage in spent),
        )
        if left is None:
            return None
        limits = {"max_cost": left.cost, "max_tokens": left.tokens, "max_calls": left.calls}
        return {name: limit for name, limit in limits.items() if limit is not None}
