"""Rules of a day's calls, as settings and the way a run was started make them."""

from datetime import date

import pytest

from flows.wiring.settings import load_settings
from flows.wiring.steps import nightly_policy
from tasks.clients.folder_store import FolderStore


@pytest.mark.parametrize(("settings", "seconds"), [({}, 30.0), ({"give_up_seconds": 3600}, 900.0)])
def test_a_command_waits_for_a_server_that_nobody_reached_a_quarter_as_long_as_for_a_silent_one(
    tmp_path, settings, seconds
):
    policy = nightly_policy(load_settings(settings), FolderStore(tmp_path), date(2026, 11, 22))
    assert policy.unreached_seconds == seconds


def test_a_run_of_a_deployment_waits_as_long_as_for_any_other_outage(tmp_path, monkeypatch):
    monkeypatch.setenv("PREFECT__RUNTIME__DEPLOYMENT__ID", "d")
    policy = nightly_policy(load_settings({}), FolderStore(tmp_path), date(2026, 11, 22))
    assert policy.unreached_seconds is None
