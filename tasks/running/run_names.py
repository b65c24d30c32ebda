"""The names of runs, which are what people read first in the Prefect UI."""

import asyncio
from typing import Final

from prefect import get_run_logger, runtime
from prefect.client.orchestration import get_client

# A server that is away would otherwise be asked for a quarter of an hour.
_SECONDS: Final = 30.0


async def name_run(name: str) -> None:
    """Give the current flow run a name; what can't be named goes on nameless."""
    try:
        async with asyncio.timeout(_SECONDS), get_client() as client:
            await client.set_flow_run_name(runtime.flow_run.id, name)
    except Exception as error:  # a label is no reason to fail, whatever the server does
        get_run_logger().warning("The run was not named %r (%s); it goes on.", name, type(error).__name__)
