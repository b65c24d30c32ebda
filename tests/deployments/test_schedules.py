"""Deploying again with other schedules: each of the file's is there once, and as people have set it."""

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from prefect.client.orchestration import get_client

from deployments import deploy
from deployments.bootstrap import set_up
from tests.deployments.test_deploy import deploy_stanzas, in_process_of, read, stanza
from tests.servers.prefect import PrefectServer

pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning", "ignore:unclosed:ResourceWarning"
)

MONDAYS, TUESDAYS, BY_HAND = "0 8 * * 1", "0 8 * * 2", "30 9 * * 3"
NAMES = ("renamed", "changed-and-renamed", "added-by-hand", "removed-by-hand", "dropped", "paused")


def stanza_of(name: str, *schedules: tuple[str, str]) -> dict[str, Any]:
    made = [{"cron": cron, "timezone": "Asia/Shanghai", "slug": slug} for slug, cron in schedules]
    return stanza("publish-edition/weekly-report") | {"name": f"schedules-{name}", "schedules": made}


@pytest.fixture(scope="module")
def deployed(prefect_api: PrefectServer) -> Iterator[dict[str, list[dict[str, Any]]]]:
    """The schedules of each deployment after people have changed some, and then the file."""
    with prefect_api.client() as api, in_process_of(prefect_api):
        asyncio.run(bootstrap())
        deploy_stanzas(*[stanza_of(name, ("old", MONDAYS)) for name in NAMES])
        change(api, "changed-and-renamed", active=False, schedule={"cron": BY_HAND, "timezone": "Asia/Shanghai"})
        change(api, "paused", active=False)
        added = [{"schedule": {"cron": BY_HAND, "timezone": "Asia/Shanghai"}, "active": False}]
        of = read(api, "publish-edition/schedules-added-by-hand")["id"]
        api.post(f"/deployments/{of}/schedules", json=added).raise_for_status()
        api.delete(place(api, "removed-by-hand")).raise_for_status()
        deploy_stanzas(
            stanza_of("renamed", ("new", TUESDAYS)),
            stanza_of("changed-and-renamed", ("new", TUESDAYS)),
            stanza_of("added-by-hand", ("old", TUESDAYS)),
            stanza_of("removed-by-hand", ("old", TUESDAYS)),
            stanza_of("dropped"),
            stanza_of("paused", ("old", TUESDAYS), ("another", BY_HAND)),
        )
        found = {name: read(api, f"publish-edition/schedules-{name}") for name in NAMES}
        for deployment in found.values():
            api.delete(f"/deployments/{deployment['id']}").raise_for_status()
        api.delete(f"/variables/name/{deploy.REMEMBERED}").raise_for_status()
        yield {name: deployment["schedules"] for name, deployment in found.items()}


async def bootstrap() -> None:
    async with get_client() as client:
        await set_up(client)


def place(api: httpx.Client, name: str) -> str:
    deployment = read(api, f"publish-edition/schedules-{name}")
    return f"/deployments/{deployment['id']}/schedules/{deployment['schedules'][0]['id']}"


def change(api: httpx.Client, name: str, **changes: Any) -> None:
    api.patch(place(api, name), json=changes).raise_for_status()


def shown(schedules: list[dict[str, Any]]) -> set[tuple[str | None, str, bool]]:
    assert len({schedule["id"] for schedule in schedules}) == len(schedules)
    return {(schedule["slug"], schedule["schedule"]["cron"], schedule["active"]) for schedule in schedules}


@pytest.mark.parametrize(
    ("name", "then"),
    [
        ("renamed", {("new", TUESDAYS, True)}),
        ("changed-and-renamed", {("new", BY_HAND, False)}),
        ("added-by-hand", {("old", TUESDAYS, True), (None, BY_HAND, False)}),
        ("removed-by-hand", set()),
        ("dropped", set()),
        ("paused", {("old", TUESDAYS, False), ("another", BY_HAND, True)}),
    ],
)
def test_schedules_after_the_file_and_people_have_changed_them(deployed, name, then):
    assert shown(deployed[name]) == then
