"""Each row of the table "What dies, and what becomes of the night" in deployments/README.md, on a real machine.

Nobody does anything after the blow: the night is done by itself, nothing is paid twice but what was in flight, and
people are told.
"""

import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import orjson
import pyarrow.parquet as pq
import pytest

from deployments.watchdog import LOOK_SECONDS
from deployments.worker import children, is_alive
from tasks.domain.days import days_before, previous_day
from tasks.running.rules.repair import BEGUN_AGAIN, OLD_STATE_SECONDS, SILENT_SECONDS
from tests.servers.moved_time import let_pass
from tests.servers.qianfan import API_KEY, QianfanServer
from tests.servers.receiver import Receiver, receiver
from tests.servers.served import Served, served

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]

DAYS = ("2026-11-10", "2026-11-11", "2026-11-12", "2026-11-13")
SHANGHAI = ZoneInfo("Asia/Shanghai")
CONVERSATIONS = 60
CONCURRENCY = 4
# Longer than Prefect lets a run keep a slot. An hour, in which all that waits for the server gives up: SURVIVAL_AWAY=3600.
AWAY_SECONDS = float(os.environ.get("SURVIVAL_AWAY", "270"))
# What it takes a busy machine to find a run dead and to begin it again.
REPAIRED_WITHIN_SECONDS = SILENT_SECONDS + OLD_STATE_SECONDS + 180.0


@pytest.fixture(scope="module")
def endpoint() -> Iterator[QianfanServer]:
    with QianfanServer() as server:
        yield server


@pytest.fixture(scope="module")
def hook() -> Iterator[Receiver]:
    with receiver() as listening:
        yield listening


@pytest.fixture(scope="module")
def environment(endpoint: QianfanServer, hook: Receiver, tmp_path_factory) -> dict[str, str]:
    logs = tmp_path_factory.mktemp("logs")
    for day in DAYS:
        write_day(logs / f"{day}.jsonl", day)
    return {
        "OPENAI_BASE_URL": f"{endpoint.url}/v1",
        "OPENAI_API_KEY": API_KEY,
        "KEFU_SUMMARIZER": "openai",
        "KEFU_ENDPOINT": "m",
        "KEFU_CONCURRENCY": str(CONCURRENCY),
        "KEFU_SOURCE": f"{logs}/{{day}}.jsonl",
        "KEFU_WEBHOOK_URL": hook.url,
    }


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def folder(request: pytest.FixtureRequest, tmp_path_factory) -> tuple[Path, str]:
    return tmp_path_factory.mktemp("machine"), request.param


@pytest.fixture
def machine(
    folder: tuple[Path, str], environment: dict[str, str], endpoint: QianfanServer, hook: Receiver
) -> Iterator[Served]:
    """A machine that serves; at the end, the figures of its night."""
    endpoint.reset()
    endpoint.behavior.latency_median = 1.0
    hook.posted.queue.clear()
    with served(*folder, environment) as machine:
        began = time.time()
        yield machine
        calls = sum(endpoint.delivered.values())
        told = Counter(message["what"].rpartition(" · ")[2] for message in hook.posted.queue)
        done = sum(day.stat().st_mtime > began for day in (machine.warehouse / "runs").glob("day=*"))
        print(
            f"begun again {told['begun again']}, days complete {done}, calls {calls}, "
            f"paid twice {calls - len(endpoint.delivered)}, notifications {dict(told)}, {time.time() - began:.0f} s"
        )


def write_day(file: Path, day: str) -> None:
    """A day's log that is at rest."""
    lines = (
        {
            "conversation_id": f"{day}-{number}",
            "messages": [
                {"role": "user", "text": f"{day} 的第{number}张优惠券用不了，能补吗？"},
                {"role": "agent", "text": "已为您补发一张，请在卡包里查看。"},
            ],
        }
        for number in range(CONVERSATIONS)
    )
    file.write_bytes(b"\n".join(map(orjson.dumps, lines)))
    os.utime(file, times=(time.time() - 7200,) * 2)


def settings(name: str) -> dict[str, object]:
    """For each test a model of its own, so that it buys its answers itself."""
    return {"endpoint": name, "overwrite": True}


def begin(machine: Served, endpoint: QianfanServer, name: str, calls: int = 8, **others: object) -> str:
    """A nightly of the first day, when so many of its calls were paid."""
    asked = settings(name) | others
    run = machine.start("summarize-day/nightly", day=DAYS[0], catch_up_days=0, settings=asked)
    paid(machine, endpoint, calls)
    return run


def paid(machine: Served, endpoint: QianfanServer, calls: int) -> None:
    until = time.monotonic() + 300
    while sum(endpoint.delivered.values()) < calls:
        assert time.monotonic() < until, machine.log("worker")[-3000:]
        time.sleep(0.1)


def done(machine: Served, run: str, endpoint: QianfanServer, in_flight: int, seconds: float = 600.0) -> None:
    """The run completes by itself, its day is whole, and no more than what was in flight was asked twice."""
    ended = machine.wait(run, {"Completed", "Failed", "Cancelled"}, seconds)
    assert ended["state_name"] == "Completed", ended["state"]
    table = machine.warehouse / "summaries" / f"day={DAYS[0]}" / "summaries.parquet"
    assert pq.ParquetFile(table).metadata.num_rows == CONVERSATIONS
    assert sum(times - 1 for times in endpoint.delivered.values()) <= in_flight


def told(hook: Receiver, run: str, level: str, seconds: float = 60.0) -> int:
    """Count the run's log lines of that level; wait until there is one."""
    until = time.monotonic() + seconds
    while True:
        found = [post for post in list(hook.posted.queue) if post["about"] == run and post["level"] == level]
        if found or time.monotonic() > until:
            return len(found)
        time.sleep(0.5)


def descendants(pid: int) -> list[int]:
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    children = [int(line) for line in listed.stdout.split()]
    return children + [below for child in children for below in descendants(child)]


def engine(machine: Served) -> int:
    """The process of the one run that is under way."""
    for pid in descendants(machine.part("worker")):
        if b"prefect.engine" in Path(f"/proc/{pid}/cmdline").read_bytes():
            return pid
    raise AssertionError("no run is under way")


def kill(*pids: int) -> None:
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


def test_wrong_settings_are_said_when_the_machine_is_started_and_not_at_night(folder, environment):
    wrong = environment | {"KEFU_DIR": "x"}
    with pytest.raises(AssertionError, match="KEFU_DIR in the environment is no setting"), served(*folder, wrong):
        pytest.fail("it is ready")


def test_a_run_whose_process_dies_is_begun_again(machine, endpoint, hook):
    run = begin(machine, endpoint, "process")
    kill(engine(machine))
    machine.wait(run, {BEGUN_AGAIN}, seconds=90)
    done(machine, run, endpoint, CONCURRENCY)
    assert told(hook, run, "warning") == 1
    assert told(hook, run, "good") == 1


def test_a_worker_that_dies_with_its_runs_is_back_and_so_are_they(machine, endpoint, hook):
    run = begin(machine, endpoint, "worker")
    worker = machine.part("worker")
    kill(worker, *descendants(worker))
    machine.wait(run, {BEGUN_AGAIN}, REPAIRED_WITHIN_SECONDS)
    done(machine, run, endpoint, CONCURRENCY)
    assert told(hook, run, "warning") == 1


@pytest.mark.timeout(1800 + AWAY_SECONDS)
def test_a_server_that_is_away_ends_nothing_for_good_and_each_thing_is_told_once(machine, endpoint, hook):
    endpoint.behavior.latency_median = 6.0
    endpoint.behavior.latency_sigma = 0.1
    run = begin(machine, endpoint, "server", calls=1, concurrency=1)
    backfill = machine.start("backfill-days/backfill", start=DAYS[1], end=DAYS[2], settings={"summarizer": "offline"})
    machine.wait(backfill, {"Running"}, 120)
    beginning = machine.start("summarize-day/one-day", day=DAYS[3], settings={"summarizer": "offline"})
    machine.wait(beginning, {"Pending", "Submitting", "InfrastructurePending"}, 120)
    machine.process.send_signal(signal.SIGSTOP)  # so that nobody starts it again
    server = machine.part("server")
    kill(server, *descendants(server))
    time.sleep(AWAY_SECONDS)
    endpoint.behavior.latency_median = 0.0
    machine.process.send_signal(signal.SIGCONT)
    done(machine, run, endpoint, 0)
    for waiting in (backfill, beginning):
        ended = machine.wait(waiting, {"Completed", "Failed", "Cancelled"}, REPAIRED_WITHIN_SECONDS)
        assert ended["state_name"] == "Completed", ended["state"]
    about = Counter((post["about"], post["level"]) for post in list(hook.posted.queue))
    assert (
        max(about[str(waiting), level] for waiting in (run, backfill, beginning) for level in ("warning", "good")) <= 1
    )
    assert "server away" in str(list(hook.posted.queue))
    assert "server back" in str(list(hook.posted.queue))


def scheduled(machine: Served) -> tuple[str, datetime]:
    """The nightly that the schedule has made, and when it is due."""
    nightly = machine.ask("GET", "/deployments/name/summarize-day/nightly")["id"]
    wanted = {"deployments": {"id": {"any_": [nightly]}}, "sort": "EXPECTED_START_TIME_ASC"}
    wanted |= {"flow_runs": {"state": {"name": {"any_": ["Scheduled"]}}}}
    until = time.monotonic() + 180
    while not (found := machine.ask("POST", "/flow_runs/filter", wanted)):
        assert time.monotonic() < until
        time.sleep(1)
    return str(found[0]["id"]), datetime.fromisoformat(found[0]["expected_start_time"])


def test_a_server_that_is_away_for_a_night_does_that_night_and_those_before_it(environment, machine, endpoint, hook):
    endpoint.behavior.latency_median = 0.0
    run, due = scheduled(machine)
    passed = due - datetime.now(UTC) + timedelta(hours=1)
    night = previous_day(due - passed, SHANGHAI)
    for day in days_before(night + timedelta(days=1), 3):
        write_day(Path(environment["KEFU_SOURCE"].format(day=day)), str(day))
    machine.process.send_signal(signal.SIGSTOP)  # so that nobody starts it again
    server = machine.part("server")
    kill(server, *descendants(server))
    time.sleep(150)  # until people are told
    let_pass(machine.folder, passed)
    machine.process.send_signal(signal.SIGCONT)
    assert machine.wait(run, {"Completed", "Failed", "Cancelled"}, 600)["state_name"] == "Completed"
    files = [machine.warehouse / "runs" / f"day={day}" for day in days_before(night + timedelta(days=1), 3)]
    until = time.monotonic() + 600
    while not all(file.exists() for file in files):
        assert time.monotonic() < until, machine.log("worker")[-3000:]
        time.sleep(1)
    print(f"{passed} passed")
    assert sorted(files[:2], key=lambda file: file.stat().st_mtime) == files[:2], "the oldest day first"
    assert set(endpoint.delivered.values()) == {1}
    assert sum(endpoint.delivered.values()) == 3 * CONVERSATIONS
    assert told(hook, run, "failure", seconds=1) == 0


def test_a_worker_that_hangs_is_started_again_and_does_what_has_waited(machine, endpoint):
    (worker,) = children(machine.part("worker"))
    time.sleep(2 * LOOK_SECONDS)  # until it was seen to live
    os.kill(worker, signal.SIGSTOP)
    endpoint.behavior.latency_median = 0.0
    run = machine.start("summarize-day/nightly", day=DAYS[0], catch_up_days=0, settings=settings("hangs"))
    done(machine, run, endpoint, 0, seconds=900)
    assert not is_alive(worker)


def test_cancel_after_an_outage_ends_what_it_cancels(machine, endpoint, hook):
    endpoint.behavior.latency_median = 8.0
    run = begin(machine, endpoint, "cancel", calls=1)
    machine.process.send_signal(signal.SIGSTOP)
    server = machine.part("server")
    kill(server, *descendants(server))
    time.sleep(60)
    machine.process.send_signal(signal.SIGCONT)
    machine.ask("POST", f"/flow_runs/{run}/set_state", {"state": {"type": "CANCELLING", "name": "Cancelling"}})
    assert machine.wait(run, seconds=120)["state_name"] == "Cancelled"
    paid_for = sum(endpoint.delivered.values())
    time.sleep(10)
    assert sum(endpoint.delivered.values()) == paid_for, "somebody goes on asking"
    assert told(hook, run, "failure", seconds=1) == 0


def test_a_postgresql_that_dies_is_back_and_the_run_goes_on(machine, endpoint, hook):
    postgres = machine.part("postgres") or machine.part("-D")
    if not postgres:
        pytest.skip("no PostgreSQL is installed here (make test-postgres installs it); this server keeps SQLite")
    run = begin(machine, endpoint, "postgres")
    kill(postgres)
    done(machine, run, endpoint, 0)
    assert told(hook, run, "failure", seconds=1) == 0


@pytest.mark.parametrize("seconds_away", [1, 180])
def test_a_power_cut_costs_what_was_in_flight_and_nothing_else(
    folder, environment, machine, endpoint, hook, seconds_away
):
    run = begin(machine, endpoint, f"power-{seconds_away}")
    parts = descendants(machine.process.pid)
    kill(machine.process.pid, *parts)
    machine.process.wait()
    time.sleep(seconds_away)
    with served(*folder, environment) as again:
        machine_again = again
        machine_again.wait(run, {BEGUN_AGAIN, "Completed"}, REPAIRED_WITHIN_SECONDS)
        done(machine_again, run, endpoint, CONCURRENCY)
        assert told(hook, run, "warning") == 1


def test_a_supervisor_that_dies_alone_may_be_started_again_at_once(folder, environment, machine, endpoint, hook):
    run = begin(machine, endpoint, "supervisor")
    kill(machine.process.pid)
    machine.process.wait()
    with served(*folder, environment) as again:  # as systemd does, while the parts are still ending
        done(again, run, endpoint, CONCURRENCY)
        assert told(hook, run, "failure", seconds=1) == 0


def test_a_power_cut_while_a_worker_takes_a_run_costs_nothing(folder, environment, machine, endpoint, hook):
    run = machine.start("summarize-day/nightly", day=DAYS[0], catch_up_days=0, settings=settings("taken"))
    machine.wait(run, {"Pending", "Submitting", "InfrastructurePending"}, 120)
    kill(machine.process.pid, *descendants(machine.process.pid))
    machine.process.wait()
    with served(*folder, environment) as again:
        done(again, run, endpoint, 0, seconds=1200)


def test_a_machine_that_is_stopped_on_purpose_throws_no_call_away(folder, environment, machine, endpoint, hook):
    endpoint.behavior.latency_median = 3.0
    run = begin(machine, endpoint, "stopped")
    assert machine.stop() == 0
    assert len(endpoint.arrivals) == sum(endpoint.delivered.values()), "what was in flight was thrown away"
    endpoint.behavior.latency_median = 0.0
    with served(*folder, environment) as again:
        assert again.run(run)["state_name"] not in {"Failed", "Crashed", "Cancelled", BEGUN_AGAIN}
        done(again, run, endpoint, 0)
        assert told(hook, run, "failure", seconds=1) == 0
