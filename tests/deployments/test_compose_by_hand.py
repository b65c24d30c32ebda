"""The compose file without an engine: its commands as processes, killed and stopped as containers are.

With an engine: test_compose.py.
"""

import time
from collections.abc import Iterator

import httpx
import pytest

from tests.builders.small_days import DAY, write_logs
from tests.servers.composed import LOGIN, ByHand, by_hand, interpolate
from tests.servers.qianfan import API_KEY, QianfanServer
from tests.servers.receiver import Receiver, receiver

CONVERSATIONS = 40
CONCURRENCY = 4


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("${A}", "a"),
        ("${NONE}", ""),
        ("x${A}y${NONE-z}", "xayz"),
        ("${EMPTY-z}", ""),
        ("${EMPTY:-z}", "z"),
        ("${A:?m}", "a"),
    ],
)
def test_variables_are_put_in_as_compose_does(text, said):
    assert interpolate(text, {"A": "a", "EMPTY": ""}) == said


def test_a_variable_that_is_required_is_asked_for():
    with pytest.raises(KeyError, match="put it into"):
        interpolate("${EMPTY:?put it into .env}", {"EMPTY": ""})


@pytest.fixture(scope="module")
def endpoint() -> Iterator[QianfanServer]:
    with QianfanServer() as server:
        yield server


@pytest.fixture(scope="module")
def hook() -> Iterator[Receiver]:
    with receiver() as posted:
        yield posted


@pytest.fixture(scope="module")
def composed(endpoint: QianfanServer, hook: Receiver, tmp_path_factory) -> Iterator[ByHand]:
    folder = tmp_path_factory.mktemp("composed")
    (folder / "logs").mkdir()
    write_logs(folder / "logs", range(CONVERSATIONS))
    values = {
        "OPENAI_BASE_URL": f"{endpoint.url}/v1",
        "OPENAI_API_KEY": API_KEY,
        "KEFU_SUMMARIZER": "openai",
        "KEFU_ENDPOINT": "m",
        "KEFU_CONCURRENCY": str(CONCURRENCY),
        "KEFU_SOURCE": str(folder / "logs"),
        "KEFU_DAY_FROM": "source",
        "KEFU_WEBHOOK_URL": hook.url,
    }
    with by_hand(folder, values) as hand:
        yield hand


def begin(composed: ByHand, endpoint: QianfanServer, model: str) -> str:
    """A nightly that has paid for some of its calls."""
    endpoint.reset()
    endpoint.behavior.latency_median = 1.0
    asked = {"endpoint": model, "overwrite": True}
    run = composed.start("summarize-day/nightly", day=str(DAY), catch_up_days=0, settings=asked)
    until = time.monotonic() + 300
    while sum(endpoint.delivered.values()) < 2 * CONCURRENCY:
        assert time.monotonic() < until, composed.log("worker")[-3000:]
        time.sleep(0.1)
    return run


def paid_twice(composed: ByHand, endpoint: QianfanServer, run: str) -> int:
    """The number of calls paid a second time, once the run has completed by itself."""
    endpoint.behavior.latency_median = 0.0
    ended = composed.wait(run, {"Completed", "Failed", "Cancelled"}, 600)
    assert ended["state_name"] == "Completed", ended["state"]
    assert f"{CONVERSATIONS} = {CONVERSATIONS} + 0" in ended["name"]
    print(f"calls {sum(endpoint.delivered.values())}")
    return sum(endpoint.delivered.values()) - CONVERSATIONS


@pytest.mark.postgres
@pytest.mark.timeout(1800)
def test_server_answers_the_others_by_its_name_and_nobody_without_the_login_or_from_another_site(composed):
    for headers, status in (
        ({"Host": "server:4200"}, 401),
        ({"Host": "evil.example"}, 403),
        ({"Origin": "http://evil.example"}, 403),
    ):
        assert httpx.get(f"{composed.url}/api/variables/name/a", headers=headers, trust_env=False).status_code == status
    page = httpx.get(f"{composed.url}/runs", follow_redirects=True, trust_env=False)
    assert page.headers["X-Frame-Options"] == "SAMEORIGIN"


@pytest.mark.postgres
@pytest.mark.timeout(1800)
def test_what_is_killed_comes_back_and_the_night_with_it(composed, endpoint, hook):
    run = begin(composed, endpoint, "killed")
    composed.kill("server", "worker", "watch")
    assert paid_twice(composed, endpoint, run) <= CONCURRENCY
    until = time.monotonic() + 60
    while (levels := [post["level"] for post in list(hook.posted.queue) if post["about"] == run]) != [
        "warning",
        "good",
    ]:
        assert time.monotonic() < until, levels
        time.sleep(0.5)


@pytest.mark.postgres
@pytest.mark.timeout(1800)
def test_worker_that_is_stopped_throws_no_call_away_and_the_next_one_goes_on(composed, endpoint):
    run = begin(composed, endpoint, "stopped")
    assert composed.stop("worker"), "it would have been killed"
    assert len(endpoint.arrivals) == sum(endpoint.delivered.values()), "what was in flight was thrown away"
    composed.up("worker")
    assert paid_twice(composed, endpoint, run) == 0


@pytest.mark.postgres
@pytest.mark.timeout(1800)
def test_reports_are_shown_behind_the_login(composed):
    address = f"http://127.0.0.1:{composed.places['4201']}/day={DAY}/report.html"
    assert httpx.get(address, trust_env=False).status_code == 401
    assert httpx.get(address, auth=httpx.BasicAuth(*LOGIN.split(":")), trust_env=False).status_code == 200
