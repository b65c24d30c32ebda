"""The watch on a real server: what died is begun again, and each thing is told once, whoever was away meanwhile."""

import asyncio
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from queue import Empty
from typing import Any
from uuid import uuid4

import httpx
import orjson
import pytest
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, temporary_settings

from deployments.automations import NIGHTLY_TAG, TAG
from deployments.watch import Watch, lease_of, make_watch
from tasks.domain.days import previous_day
from tasks.domain.layout import lease_key
from tasks.running.repair import LeaseSign, Repairer
from tasks.running.rules.repair import BEGUN_AGAIN, GONE_SECONDS, MOST_TIMES, SETTLED_SECONDS, SILENT_SECONDS
from tasks.running.watch_sign import last_sign
from tasks.warehouse.day_lease import this_process
from tasks.warehouse.rules.lease import Holder, Lease
from tests.servers.prefect import PrefectServer, beat
from tests.servers.receiver import Receiver, receiver

pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning", "ignore:unclosed:ResourceWarning"
)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def api(prefect_api: PrefectServer) -> Iterator[httpx.Client]:
    with prefect_api.client() as client:
        yield client


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with receiver() as posted:
        yield posted


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def watch(prefect_api: PrefectServer, hook: Receiver, clock: Clock) -> Watch:
    made = make_watch(hook.url, "", [])
    made.repairer = Repairer(lambda run: LeaseSign(), clock)
    made.outbox.clock = clock
    look(prefect_api, made)  # from now on
    return made


def look(server: PrefectServer, watch: Watch) -> None:
    async def once() -> None:
        async with get_client() as client:
            await watch.look(client)

    with temporary_settings({PREFECT_API_URL: server.url}):
        asyncio.run(once())


def look_until_settled(server: PrefectServer, watch: Watch, clock: Clock) -> None:
    look(server, watch)
    clock.now += SETTLED_SECONDS
    look(server, watch)


def deployment(api: httpx.Client, *tags: str) -> str:
    flow = api.post("/flows/", json={"name": f"flow-{uuid4().hex[:8]}"}).raise_for_status().json()["id"]
    asked = {"name": "nightly", "flow_id": flow, "tags": [TAG, *tags]}
    return str(api.post("/deployments/", json=asked).raise_for_status().json()["id"])


def begin(api: httpx.Client, of: str, *states: str, **asked: Any) -> str:
    made = api.post(f"/deployments/{of}/create_flow_run", json=asked).raise_for_status().json()["id"]
    for state in states:
        put(api, made, state)
    return str(made)


def put(api: httpx.Client, run: str, state: str, message: str = "", name: str | None = None) -> None:
    content = {"type": state, "message": message, **({"name": name} if name else {})}
    api.post(f"/flow_runs/{run}/set_state", json={"state": content, "force": True}).raise_for_status()


def state_of(api: httpx.Client, run: str) -> dict[str, Any]:
    return dict(api.get(f"/flow_runs/{run}").raise_for_status().json()["state"])


def told(hook: Receiver, run: str = "") -> list[dict[str, Any]]:
    found = []
    while True:
        try:
            found.append(hook.posted.get_nowait())
        except Empty:
            return [post for post in found if not run or post["about"] == run]


def test_run_whose_worker_died_is_begun_again_and_told_as_that_and_as_recovered(prefect_api, api, watch, hook, clock):
    of = deployment(api)
    run, living = (begin(api, of, "PENDING", "RUNNING") for _ in range(2))
    look(prefect_api, watch)
    clock.now += SILENT_SECONDS
    beat(api, [living], TAG)
    wait_for_beat(api, living)
    look_until_settled(prefect_api, watch, clock)
    assert state_of(api, living)["type"] == "RUNNING"
    again = state_of(api, run)
    assert (again["type"], again["name"]) == ("SCHEDULED", BEGUN_AGAIN)
    assert datetime.fromisoformat(again["state_details"]["scheduled_time"]) > datetime.now(UTC)
    (said,) = told(hook, run)
    assert "begun again" in said["what"]
    assert "no sign of life" in said["why"]

    put(api, run, "COMPLETED")
    look(prefect_api, watch)
    look(prefect_api, watch)
    (said,) = told(hook, run)
    assert said["level"] == "good"


def wait_for_beat(api: httpx.Client, run: str) -> None:
    until = time.monotonic() + 180
    wanted = {"event": {"name": ["prefect.flow-run.heartbeat"]}, "resource": {"id": [f"prefect.flow-run.{run}"]}}
    while not api.post("/events/filter", json={"filter": wanted}).raise_for_status().json()["events"]:
        assert time.monotonic() < until
        time.sleep(0.2)


def test_server_that_was_away_proves_nothing_about_a_run(prefect_api, api, watch, clock):
    run = begin(api, deployment(api), "PENDING", "RUNNING")
    look(prefect_api, watch)
    clock.now += 10 * SILENT_SECONDS
    watch._server_is_away()
    watch._server_is_there()
    look(prefect_api, watch)
    assert state_of(api, run)["type"] == "RUNNING"


def test_lease_in_the_warehouse_keeps_a_run_alive_and_a_dead_one_ends_it_sooner(prefect_api, api, watch, clock):
    signs = {"alive": 0, "gone": 0}
    of = deployment(api)
    alive, gone = (begin(api, of, "PENDING", "RUNNING") for _ in range(2))

    def lease(run: Any) -> LeaseSign:
        signs["alive"] += 1
        return LeaseSign(str(signs["alive"])) if str(run.id) == alive else LeaseSign("1", process_is_gone=True)

    watch.repairer = Repairer(lease, clock)
    look(prefect_api, watch)
    clock.now += GONE_SECONDS
    look_until_settled(prefect_api, watch, clock)
    assert state_of(api, gone)["name"] == BEGUN_AGAIN
    clock.now += 100 * SILENT_SECONDS
    look(prefect_api, watch)
    assert state_of(api, alive)["type"] == "RUNNING", "no heartbeat came, but the warehouse says that it lives"


def test_crash_is_begun_again_three_times_then_told_as_a_failure(prefect_api, api, watch, hook, clock):
    run = begin(api, deployment(api))
    for _ in range(MOST_TIMES):
        put(api, run, "CRASHED", "Process exited with status code: -9.")
        look(prefect_api, watch)
        assert state_of(api, run)["name"] == "Crashed", "its worker may tell of it once more"
        look_until_settled(prefect_api, watch, clock)
        assert state_of(api, run)["name"] == BEGUN_AGAIN
    put(api, run, "CRASHED", "Process exited with status code: -9.")
    look_until_settled(prefect_api, watch, clock)
    look(prefect_api, watch)
    assert state_of(api, run)["name"] == "Crashed"
    assert [post["level"] for post in told(hook, run)] == ["warning"] * MOST_TIMES + ["failure"]


def test_run_that_was_being_cancelled_when_it_died_ends_as_cancelled(prefect_api, api, watch, hook, clock):
    run = begin(api, deployment(api), "PENDING", "RUNNING", "CANCELLING")
    look(prefect_api, watch)
    clock.now += SILENT_SECONDS
    look(prefect_api, watch)
    look(prefect_api, watch)
    assert state_of(api, run)["name"] == "Cancelled"
    assert told(hook, run) == []


def test_failure_is_told_once_at_once_in_plain_words_and_not_again_after_a_restart(prefect_api, api, watch, hook):
    run = begin(api, deployment(api), parameters={"day": "2026-11-22"})
    put(api, run, "FAILED", 'Flow run encountered an exception: TooManyRejects: 3 of 9 were "rejected".\nSee it.')
    hook.replies = [(500, b"restarting")]
    look(prefect_api, watch)
    assert told(hook, run) == []
    watch.outbox.clock.now += 60
    look(prefect_api, watch)
    (said,) = told(hook, run)
    assert said["what"].endswith("拒绝过多 · too many rejects")
    assert said["why"] == '3 of 9 were "rejected".\nSee it.'
    assert said["day"] == "2026-11-22"
    assert said["link"].endswith(f"/runs/flow-run/{run}")

    another = make_watch(hook.url, "", [])
    for _ in range(2):
        look(prefect_api, another)
    assert told(hook, run) == []
    assert set(hook.types) == {"application/json"}


def test_failure_is_told_though_the_watch_began_by_a_clock_that_was_ahead(prefect_api, api, watch, hook):
    name = "/variables/name/kefu_watched_since"
    began = api.get(name).raise_for_status().json()["value"]
    ahead = (datetime.now(UTC) + timedelta(hours=8)).isoformat()
    api.patch(name, json={"value": ahead}).raise_for_status()
    try:
        run = begin(api, deployment(api), "RUNNING")
        put(api, run, "FAILED", "Flow run encountered an exception: NoLogs: There are no logs.")
        look(prefect_api, watch)
        assert len(told(hook, run)) == 1
    finally:
        api.patch(name, json={"value": began}).raise_for_status()


def test_failure_of_the_surroundings_is_begun_again_too(prefect_api, api, watch, clock):
    run = begin(api, deployment(api))
    put(api, run, "FAILED", "Flow run encountered an exception: ConnectError: All connection attempts failed")
    look_until_settled(prefect_api, watch, clock)
    assert state_of(api, run)["name"] == BEGUN_AGAIN


def test_nightly_that_is_late_is_told_once_and_a_done_one_is_a_sign_of_life(prefect_api, api, watch, hook):
    of = deployment(api, NIGHTLY_TAG)
    due = datetime.now(UTC) - timedelta(hours=4)
    state = {"type": "SCHEDULED", "state_details": {"scheduled_time": due.isoformat()}}
    late, early = begin(api, of, state=state), begin(api, of, "COMPLETED")
    watch.alive_url = hook.url
    for _ in range(2):
        look(prefect_api, watch)
    said = told(hook)
    (about_it,) = [post for post in said if post.get("about") == late and "not done by" in post["what"]]
    night = str(previous_day(due, watch.zone))
    assert (about_it["run"], about_it["day"]) == (f"summarize-{night}", night), (
        "a name that Prefect made up says nothing"
    )
    assert about_it["do"].startswith("It has not begun.")
    assert len([post for post in said if post == {}]) >= 1, "the dead man's switch"
    assert [post for post in said if post.get("about") == early] == []


def test_night_that_the_schedule_missed_is_asked_for_once_and_none_from_before_the_schedule(prefect_api, api, watch):
    of = deployment(api, NIGHTLY_TAG)
    now = datetime.now(UTC)
    for at in (now - timedelta(hours=2), now + timedelta(hours=2)):
        cron = {"schedule": {"cron": f"{at:%M %H} * * *", "timezone": "UTC"}, "active": True}
        api.post(f"/deployments/{of}/schedules", json=[cron]).raise_for_status()

    async def ask(late: timedelta) -> None:
        async with get_client() as client:
            await watch.repairer.ask_for_missed_nights(client, now + late)

    def starts(before: datetime) -> list[datetime]:
        wanted = {
            "deployments": {"id": {"any_": [of]}},
            "flow_runs": {"expected_start_time": {"before_": before.isoformat()}},
        }
        runs = api.post("/flow_runs/filter", json=wanted).raise_for_status().json()
        return [datetime.fromisoformat(run["expected_start_time"]) for run in runs]

    with temporary_settings({PREFECT_API_URL: prefect_api.url}):
        for late in (timedelta(0), timedelta(hours=3), timedelta(hours=3)):
            asyncio.run(ask(late))
    (start,) = starts(now + timedelta(hours=3))
    assert f"{start:%H:%M}" == f"{now + timedelta(hours=2):%H:%M}"


def test_watch_gives_a_sign_of_life_on_the_server(prefect_api, api, watch):
    async def sign() -> datetime | None:
        async with get_client() as client:
            return await last_sign(client)

    with temporary_settings({PREFECT_API_URL: prefect_api.url}):
        given = asyncio.run(sign())
    assert given is not None
    assert datetime.now(UTC) - given < timedelta(minutes=5)


def test_outage_of_the_server_is_told_and_its_end_too(watch, hook, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    watch._server_is_away()
    now[0] += 121
    watch._server_is_away()
    watch._server_is_away()
    watch._server_is_there()
    asyncio.run(watch.outbox.send())
    assert [post["level"] for post in told(hook, "outage-1")] == ["failure", "good"]


def test_disk_that_is_nearly_full_is_told_once(watch, hook, tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    full = usage._replace(free=usage.total // 100)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: full)
    watch.folders = [tmp_path / "not" / "there" / "yet"]
    for _ in range(3):
        watch._look_at_disks()
    asyncio.run(watch.outbox.send())
    (said,) = told(hook, f"disk-{watch.folders[0]}")
    assert "disk nearly full" in said["what"]


def test_lease_of_a_run_is_read_from_its_warehouse(tmp_path, prefect_api, api):
    of = deployment(api)
    run = begin(api, of, parameters={"day": "2026-11-22", "settings": {"warehouse": str(tmp_path)}})

    async def read() -> LeaseSign:
        async with get_client() as client:
            return lease_of(await client.read_flow_run(run))  # type: ignore[arg-type]

    def sign(lease: bytes | None) -> LeaseSign:
        path = tmp_path / lease_key(datetime(2026, 11, 22).date())  # noqa: DTZ001
        path.parent.mkdir(parents=True, exist_ok=True)
        if lease is not None:
            path.write_bytes(lease)
        with temporary_settings({PREFECT_API_URL: prefect_api.url}):
            return asyncio.run(read())

    here = this_process()
    gone = Holder(here.host, here.boot, 2**22 + 1, "1")
    assert sign(None) == LeaseSign()
    assert sign(Lease(run, here, 7).encode()) == LeaseSign("7", process_is_gone=False)
    assert sign(Lease(run, gone, 8).encode()) == LeaseSign("8", process_is_gone=True)
    assert sign(Lease("another", here, 9).encode()) == LeaseSign()
    assert sign(orjson.dumps("no lease")) == LeaseSign()
