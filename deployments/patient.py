"""The `prefect` command for a worker that waits for its server, however long that is away.

python -m deployments.patient worker start

Prefect 3.8's own worker ends after some twenty minutes without a server, and its runs with it: calls in flight are paid
for nothing, and a night that needs no server until its end is over. Here the worker begins to count anew instead.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from prefect.cli import app
from prefect.utilities.services import critical_service_loop
from prefect.workers import base

import flows  # noqa: F401  keeps logins out of the worker's log
from deployments.parts import end_with_parent

# What Prefect raises where a service has failed too often.
_GIVEN_UP = "Service exceeded error threshold"


async def patient_loop(workload: Callable[..., Coroutine[Any, Any, Any]], interval: float, **options: Any) -> None:
    """Run a service of the worker as Prefect does, and again where that gives up.

    Raises:
        Exception: what the service raises, apart from a server that is away.
    """
    while True:
        try:
            await critical_service_loop(workload, interval, **options)
        except RuntimeError as error:
            if _GIVEN_UP not in str(error):
                raise
        else:
            return


setattr(base, "critical_service_loop", patient_loop)  # noqa: B010  a name that the module only imports

if __name__ == "__main__":
    end_with_parent()  # which makes this process stand still before it stops it
    app()
