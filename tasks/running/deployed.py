"""The deployment that the current run belongs to."""

from typing import cast

from prefect import runtime
from prefect.context import FlowRunContext


def deployment_id() -> str | None:
    """Return the id of the deployment of the current run or of one that it is part of; None: a command began it.

    Prefect's own attribute asks the server, by a new client, each time that the answer is None.
    """
    context = FlowRunContext.get()
    run = context.flow_run if context else None
    if run and run.deployment_id is None and run.parent_task_run_id is None:
        return None
    return cast("str | None", runtime.deployment.id)
