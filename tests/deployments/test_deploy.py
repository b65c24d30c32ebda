"""Deploying again leaves what nobody changed in the file, and what people have changed in the UI."""

import subprocess
import sys
from typing import Any

import httpx
import pytest

from deployments.deploy import kept
from tests.conftest import ROOT
from tests.servers.prefect import PrefectServer


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
    done = subprocess.run(
        [sys.executable, "-m", "deployments.deploy"],
        cwd=ROOT,
        env=server.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def read(api: httpx.Client, name: str) -> dict[str, Any]:
    return dict(api.get(f"/deployments/name/{name}").raise_for_status().json())


def test_deploying_again_keeps_what_was_changed_in_the_ui(prefect_api: PrefectServer):
    subprocess.run(
        [sys.executable, "-m", "deployments.bootstrap"], cwd=ROOT, env=prefect_api.environment(), check=True, capture_output=True
    )  # fmt: skip
    with prefect_api.client() as api:
        deploy(prefect_api)
        nightly = read(api, "summarize-day/nightly")
        changed = {**nightly["parameters"], "catch_up_days": 0}
        api.patch(f"/deployments/{nightly['id']}", json={"parameters": changed}).raise_for_status()
        assert all(line.endswith(": as it was") for line in deploy(prefect_api))
        assert read(api, "summarize-day/nightly")["parameters"] == changed

        # As if the file had changed since.
        (variable,) = [one for one in api.post("/variables/filter", json={}).json() if one["name"] == "kefu_deployed"]
        value = variable["value"]
        value["summarize-day/nightly"]["mark"] = "older"
        api.patch(f"/variables/{variable['id']}", json={"value": value}).raise_for_status()
        said = deploy(prefect_api)
        assert "deployment summarize-day/nightly: deployed" in said
        assert sum(line.endswith(": deployed") for line in said) == 1
        assert read(api, "summarize-day/nightly")["parameters"] == changed
