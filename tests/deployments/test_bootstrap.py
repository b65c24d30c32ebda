"""The set-up of a server: run twice it changes nothing, and leaves what people have changed."""

import io
from contextlib import redirect_stdout
from typing import Any

import httpx
import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from deployments.automations import REPLACED
from deployments.bootstrap import main
from tests.servers.prefect import PrefectServer

# What Prefect's client leaves open when its loop ends.
pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning", "ignore:unclosed:ResourceWarning"
)


def bootstrap(prefect_api: PrefectServer, *arguments: str) -> list[str]:
    said = io.StringIO()
    with temporary_settings({PREFECT_API_URL: prefect_api.url}), redirect_stdout(said):
        assert main(arguments) == 0
    return said.getvalue().splitlines()


def automations(api: httpx.Client) -> list[dict[str, Any]]:
    found = api.post("/automations/filter", json={}).raise_for_status().json()
    return sorted(
        (automation for automation in found if automation["name"].startswith("kefu: ")),
        key=lambda automation: str(automation["name"]),
    )


def test_bootstrap_twice_is_bootstrap_once(prefect_api: PrefectServer):
    with prefect_api.client() as api:
        first = bootstrap(prefect_api, "--shared-quota", "bootstrap", "other=80")
        assert "work pool kefu: made (process)" in first
        assert "work queue nightly: made (1 at once)" in first
        assert "shared quota bootstrap, 100% of it: made" in first
        (made,) = automations(api)

        queue = api.get("/work_pools/kefu/queues/nightly").raise_for_status().json()
        api.patch("/work_pools/kefu/queues/nightly", json={"concurrency_limit": 2}).raise_for_status()
        again = bootstrap(prefect_api, "--shared-quota", "bootstrap", "other=40")
        assert queue["concurrency_limit"] == 1
        assert "work queue nightly: there already (2 at once)" in again, "what people change stays"
        assert "shared quota bootstrap, 100% of it: there already" in again
        assert "shared quota other, 40% of it: changed" in again
        whole, part = (
            api.get(f"/v2/concurrency_limits/{name}").raise_for_status().json()["slot_decay_per_second"]
            for name in ("bootstrap", "other")
        )
        assert part == pytest.approx(0.4 * whole)
        assert "work pool kefu: there already" in again
        assert [automation["id"] for automation in automations(api)] == [made["id"]]
        assert api.get("/work_pools/kefu").raise_for_status().json()["type"] == "process"
        for kind in ("baidu-credentials", "bos-bucket", "summarizer-endpoint"):
            assert api.get(f"/block_types/slug/{kind}").raise_for_status().json()["description"]


def test_bootstrap_removes_what_the_watch_does_now(prefect_api: PrefectServer):
    with prefect_api.client() as api:
        trigger = {"type": "event", "posture": "Reactive", "expect": ["x"], "threshold": 1, "within": 0}
        for name in REPLACED:
            old = {"name": name, "trigger": trigger, "actions": [{"type": "do-nothing"}]}
            api.post("/automations/", json=old).raise_for_status()
        said = bootstrap(prefect_api)
        assert sum(line.endswith("removed; the watch does it") for line in said) == len(REPLACED)
        assert not {automation["name"] for automation in automations(api)} & set(REPLACED)


@pytest.mark.parametrize("wrong", ["a/b", "sft=0", "sft=101", "sft=much", ""])
def test_bootstrap_refuses_a_shared_quota_that_cannot_be(wrong, capsys):
    with pytest.raises(SystemExit):
        main(["--shared-quota", wrong])
    assert f"{wrong!r} is not a name" in capsys.readouterr().err
