"""The sign of life of the watch, on the Prefect server: whoever checks a setup sees whether anything watches there."""

import time
from datetime import UTC, datetime
from typing import Final

from prefect.client.orchestration import PrefectClient
from prefect.variables import Variable

_NAME: Final = "kefu_watch_seen"

_EVERY_SECONDS: Final = 60.0


class WatchSign:
    """Gives the sign of life, once a minute at most."""

    def __init__(self) -> None:
        self._given_at: float | None = None

    async def give(self) -> None:
        """Give it where the last one is a minute old."""
        if self._given_at is None or time.monotonic() - self._given_at >= _EVERY_SECONDS:
            await Variable.aset(_NAME, datetime.now(UTC).isoformat(), overwrite=True)
            self._given_at = time.monotonic()


async def last_sign(client: PrefectClient) -> datetime | None:
    """The time of the watch's last sign of life; None where there never was one."""
    found = await client.read_variable_by_name(_NAME)
    return None if found is None else datetime.fromisoformat(str(found.value))
