"""The deployment of a run, without asking a server where a command began it."""

from types import SimpleNamespace
from typing import Any

import pytest
from prefect.context import FlowRunContext, _deployment_id
from prefect.settings import PREFECT_API_URL, temporary_settings

from tasks.running.deployed import deployment_id


@pytest.mark.parametrize(
    ("of_deployment", "parent", "expected"),
    [(None, None, None), ("d", None, "d"), (None, "parent", "d")],
    ids=["of a command", "of a deployment", "in a run of a deployment"],
)
def test_the_deployment_is_that_of_the_run_or_of_the_run_around_it(of_deployment, parent, expected):
    run: Any = SimpleNamespace(flow_run=SimpleNamespace(deployment_id=of_deployment, parent_task_run_id=parent))
    inside = FlowRunContext.__var__.set(run)
    around = _deployment_id.set(expected)
    try:
        with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}):
            assert deployment_id() == expected
    finally:
        _deployment_id.reset(around)
        FlowRunContext.__var__.reset(inside)
