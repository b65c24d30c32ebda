"""A test's place: a file is run by one process, and files of a Prefect server by two, which start one each."""

from pathlib import Path
from typing import Final

import pytest
from xdist.scheduler import LoadFileScheduling

TESTS: Final = Path(__file__).parent

# One that stands here in vain, or not at all, costs a start of a server.
_ON_A_SERVER: Final = (
    "tests/deployments/",
    "tests/flows/",
    "tests/tasks/calling/test_shared_quota.py",
    "tests/tasks/reporting/test_deliver_report.py",
    "tests/tasks/running/test_artifacts.py",
    "tests/tasks/running/test_backfill_runs.py",
    "tests/tasks/running/test_catch_up.py",
    "tests/tasks/warehouse/test_parquet.py",
)


def is_on_a_server(test: str) -> bool:
    """Tell if a test lies where tests share a Prefect server."""
    return test.startswith(_ON_A_SERVER)


def scope_of(test: str) -> str:
    """Return what is run by one process with a test: its file, or half of all files on a server."""
    file = test.split("::", 1)[0]
    if not is_on_a_server(file):
        return file
    # Each takes about as long as the other.
    return "flows, a to q" if "tests/flows/test_a" <= file < "tests/flows/test_r" else "other flows, deployments, tasks"


def rank_of(item: pytest.Item) -> int:
    """Return when a test is run: what takes longest goes first, so that no process works on while others are idle."""
    if item.path.name == "test_end_to_end.py":
        return 0
    if is_on_a_server(item.nodeid):
        return 1
    return 2 if item.path.parent == TESTS else 3


class ServersShared(LoadFileScheduling):  # type: ignore[misc]
    """Scheduling by file, but for the files on a server."""

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid)
