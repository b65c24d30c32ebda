"""No test reaches a real server, a real account or a real `.env`."""

import atexit
import gc
import os
import warnings
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.scheduling import ServersShared, is_on_a_server, rank_of
from tests.servers.prefect import ONE_CERTIFICATE, prefect_api, stop_shared_server  # noqa: F401  one is a fixture

os.environ["PREFECT_API_URL"] = ""
os.environ["PREFECT_SERVER_ANALYTICS_ENABLED"] = "false"
os.environ["PREFECT_LOGGING_TO_API_ENABLED"] = "false"
os.environ["PREFECT_CLIENT_CSRF_SUPPORT_ENABLED"] = "false"
os.environ["DO_NOT_TRACK"] = "1"
os.environ["PREFECT_API_SSL_CERT_FILE"] = str(ONE_CERTIFICATE)
for name in list(os.environ):
    if name.startswith(("KEFU_", "QIANFAN_", "BCE_", "BOS_", "OPENAI_")):
        del os.environ[name]

# No test cuts the power, and what was written outlives a killed process: nobody here waits for the disk.
os.fsync = lambda fd: None

# Nothing of what is imported and collected is garbage; looking for it took an eighth of that.
gc.disable()

# A machine shared with other work is slow at times; that says nothing about the code.
settings.register_profile("shared-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared-machine")

ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def collected(request: pytest.FixtureRequest):
    """Collect what Prefect's client leaves open in the test that left it, so that no later test is blamed."""
    yield
    if not {"prefect_server", "prefect_api"}.isdisjoint(request.fixturenames):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()
            gc.freeze()  # what lived through this is not looked through again after each of the next tests


def pytest_collection_finish() -> None:
    """Freeze what was imported, so that no collection scans it again: that took a third of a second a test.

    What tests make is mostly freed without one: a twelfth of their CPU went into looking for garbage.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000)
    gc.enable()
    atexit.register(gc.unfreeze)  # DuckDB writes pages about what is still there at the end


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first.

    Prefect's own client leaves its connections to the garbage collector: no test of a flow is blamed for that.
    """
    for item in items:
        if "prefect_server" in getattr(item, "fixturenames", ()):
            left_open = ("ignore::pytest.PytestUnraisableExceptionWarning", "ignore:unclosed:ResourceWarning")
            item.add_marker(pytest.mark.filterwarnings(*left_open), append=False)
    items.sort(key=rank_of)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Stop the shared server after the last test on one: an idle server takes a fortieth of a core until the end."""
    if nextitem is None or not (is_on_a_server(nextitem.nodeid) or nextitem.path == item.path):
        stop_shared_server()


def pytest_sessionfinish() -> None:
    """Stop the shared server where the tests end early."""
    stop_shared_server()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ServersShared | None:
    """Share two Prefect servers among all processes."""
    return ServersShared(config, log) if config.getoption("dist") == "loadfile" else None
