"""Deploying again leaves what nobody changed in the file, and what people have changed in the UI."""

import asyncio
import io
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any

import httpx
import pytest
import yaml  # type: ignore[import-untyped]
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, temporary_settings

from deployments import bootstrap
from deployments import deploy as deploying
from deployments.deploy import RENAMED, kept, name_of
from tests.conftest import ROOT
from tests.servers.prefect import PrefectServer

# What Prefect's client leaves open when its loop ends.
pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning", "ignore:unclosed:ResourceWarning"
)

STANZAS: list[dict[str, Any]] = yaml.safe_load((ROOT / deploying.FILE).read_text(encoding="utf-8"))["deployments"]


@pytest.mark.parametrize(
    ("now", "deployed", "wanted", "then"),
    [
        ({"a": 7}, {"a": 7}, {"a": 7}, {"a": 7}),
        ({"a": 0}, {"a": 7}, {"a": 7}, {"a": 0}),  # a person's
        ({"a": 7}, {"a": 7}, {"a": 5}, {"a": 5}),  # the file's
        ({"a": 0}, {"a": 7}, {"a": 5}, {"a": 0}),  # both: the person's
        ({"a": 7, "b": 1}, {"a": 7}, {"a": 5}, {"a": 5, "b": 1}),
        ({}, {"a": 7}, {"a": 5}, {}),  # taken out by a person
    ],
)
def test_kept_is_what_people_have_set(now, deployed, wanted, then):
    assert kept(now, deployed, wanted) == then


def deploy(server: PrefectServer) -> list[str]:
    said = io.StringIO()
    with in_process_of(server), redirect_stdout(said):
        assert deploying.main() == 0
    return said.getvalue().splitlines()


@contextmanager
def in_process_of(server: PrefectServer) -> Iterator[None]:
    """Direct this process, and those that it starts, to that server."""
    with pytest.MonkeyPatch.context() as patch, temporary_settings({PREFECT_API_URL: server.url}):
        for name, value in server.environment().items():
            patch.setenv(name, value)
        yield


def stanza(name: str) -> dict[str, Any]:
    return next(entry for entry in STANZAS if name_of(entry) == name)


def deploy_stanzas(*stanzas: dict[str, Any]) -> list[str]:
    async def once() -> list[str]:
        async with get_client() as client:
            return await deploying.deploy(client, stanzas)

    return asyncio.run(once())


def read(api: httpx.Client, name: str) -> dict[str, Any]:
    return dict(api.get(f"/deployments/name/{name}").raise_for_status().json())


@pytest.fixture(scope="module")
def server(prefect_api: PrefectServer) -> PrefectServer:
    """A server that has been set up, once for these tests."""
    with in_process_of(prefect_api):
        assert bootstrap.main([]) == 0
    return prefect_api


def test_deploying_again_keeps_what_was_changed_in_the_ui(server: PrefectServer):
    with server.client() as api:
        deploy(server)
        nightly = read(api, "summarize-day/nightly")
        changed = {**nightly["parameters"], "catch_up_days": 0}
        api.patch(f"/deployments/{nightly['id']}", json={"parameters": changed}).raise_for_status()
        assert all(line.endswith(": as it was") for line in deploy(server))
        assert read(api, "summarize-day/nightly")["parameters"] == changed

        # As if the file had changed since.
        (variable,) = [
            found for found in api.post("/variables/filter", json={}).json() if found["name"] == "kefu_deployed"
        ]
        value = variable["value"]
        value["summarize-day/nightly"]["mark"] = "older"
        api.patch(f"/variables/{variable['id']}", json={"value": value}).raise_for_status()
        said = deploy(server)
        assert "deployment summarize-day/nightly: deployed" in said
        assert sum(line.endswith(": deployed") for line in said) == 1
        assert read(api, "summarize-day/nightly")["parameters"] == changed


@pytest.mark.parametrize("remembered", [True, False], ids=["remembered", "of a version that remembered nothing"])
def test_a_deployment_with_a_new_name_takes_over_what_people_set_on_the_old_one(
    remembered: bool, server: PrefectServer
):
    weekly, waiting = stanza("publish-edition/weekly-report"), stanza("evaluate-model/evaluate-model")
    old = [weekly | {"name": "weekly"}, waiting | {"name": "manual"}]
    with server.client() as api, in_process_of(server):
        for entry in (weekly, waiting):  # another test may have deployed them on this server
            found = api.get(f"/deployments/name/{name_of(entry)}")
            if found.is_success:
                api.delete(f"/deployments/{found.json()['id']}").raise_for_status()
        deploy_stanzas(*old)
        (schedule,) = read(api, "publish-edition/weekly")["schedules"]
        before = read(api, "publish-edition/weekly")["id"]
        api.patch(f"/deployments/{before}", json={"parameters": {"period": "month", "gone": 1}}).raise_for_status()
        api.patch(f"/deployments/{before}/schedules/{schedule['id']}", json={"active": False}).raise_for_status()
        of, asked = read(api, "evaluate-model/manual")["id"], {"enforce_parameter_schema": False}
        run = api.post(f"/deployments/{of}/create_flow_run", json=asked).raise_for_status().json()["id"]

        if not remembered:
            api.delete(f"/variables/name/{deploying.REMEMBERED}").raise_for_status()
        said = deploy_stanzas(weekly, waiting)
        assert "deployment publish-edition/weekly: removed" in said
        assert "deployment evaluate-model/manual: kept until its 1 runs have ended" in said
        now = read(api, "publish-edition/weekly-report")
        assert now["parameters"] == {"period": "month"}
        assert [schedule["active"] for schedule in now["schedules"]] == [False]
        assert not read(api, "evaluate-model/evaluate-model")["paused"]

        ended = {"state": {"type": "CANCELLED"}, "force": True}
        api.post(f"/flow_runs/{run}/set_state", json=ended).raise_for_status()
        said = deploy_stanzas(weekly, waiting)
        assert [line.rpartition(": ")[2] for line in said] == ["as it was", "as it was", "removed"]
        assert api.get("/deployments/name/evaluate-model/manual").status_code == 404


def test_what_prefect_says_of_a_deployment_that_fails_is_said(server: PrefectServer, capsys):
    nowhere = stanza("evaluate-model/evaluate-model") | {"name": "nowhere", "work_pool": {"name": "no-such-pool"}}
    with in_process_of(server), pytest.raises(SystemExit) as end:
        deploy_stanzas(nowhere)
    assert end.value.code == 1
    assert "no-such-pool" in capsys.readouterr().err


def test_every_new_name_is_of_a_deployment_and_no_old_one_is():
    names = {name_of(entry) for entry in STANZAS}
    assert set(RENAMED) <= names
    assert not names & set(RENAMED.values())
