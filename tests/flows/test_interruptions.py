"""A run that is stopped, run twice at once, or out of disk: nothing is lost, and the next run goes on from there."""

import asyncio
import logging
import os
import resource
import signal
import sys
import time
from datetime import date

import orjson
import pyarrow.parquet as pq
import pytest

from flows.erase_customer import erase_customer
from flows.summarize_day import main, summarize_day
from tasks.clients.folder_store import FolderStore
from tasks.domain.errors import RunError
from tasks.warehouse import day_lease as leasing
from tasks.warehouse.day_lease import Patience, acquire_day
from tasks.warehouse.rules import lease as leases
from tests.chaos import chaos, forked

pytestmark = pytest.mark.usefixtures("prefect_server")

DAY = date(2026, 11, 22)
CONVERSATIONS = 120


@pytest.fixture
def logs(tmp_path):
    lines = (
        {
            "conversation_id": f"c{number:05}",
            "messages": [
                {"role": "user", "text": f"第{number}张优惠券用不了，能补吗？"},
                {"role": "agent", "text": "已为您补发一张，请在卡包里查看。"},
                {"role": "user", "text": "看到了，谢谢"},
            ],
        }
        for number in range(CONVERSATIONS)
    )
    file = tmp_path / "logs.jsonl"
    file.write_bytes(b"\n".join(map(orjson.dumps, lines)))
    return file


@pytest.fixture
def config(accounts, tmp_path, logs):
    """The settings of a run from a file into a folder through the endpoint."""
    return {
        "source": str(logs),
        "warehouse": str(tmp_path / "warehouse"),
        "summarizer": "qianfan",
        "endpoint": "sft_v1",
        "concurrency": 6,
    }


def run(settings):
    return asyncio.run(summarize_day(DAY, settings))


def command(settings) -> list[str]:
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in settings.items()]
    return ["--day", DAY.isoformat(), *flags]


def summaries(tmp_path) -> list[str]:
    table = tmp_path / "warehouse" / "summaries" / f"day={DAY}" / "summaries.parquet"
    ids: list[str] = pq.ParquetFile(table).read()["conversation_id"].to_pylist()
    return ids


def wait_until(true, seconds=180.0) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it did not come to that"
        time.sleep(0.01)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_run_keeps_what_is_in_flight_and_ends_soon(qianfan, config, tmp_path, capfd, number):
    qianfan.behavior.latency_median = 0.5
    pid = forked(lambda: sys.exit(main(command(config))))
    wait_until(lambda: len(qianfan.delivered) >= 12)
    os.kill(pid, number)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert code == 1
    assert "start it again to go on" in capfd.readouterr().err
    kept = len(qianfan.delivered)
    assert kept < CONVERSATIONS
    assert not (tmp_path / "warehouse" / "summaries").exists()

    qianfan.behavior.latency_median = 0
    tally = run(config)
    assert (tally.reused, tally.calls) == (kept, CONVERSATIONS - kept)
    assert set(qianfan.delivered.values()) == {1}
    assert len(summaries(tmp_path)) == CONVERSATIONS


def test_a_second_ctrl_c_gives_up_what_is_in_flight_and_ends_at_once(qianfan, config, tmp_path, capfd):
    qianfan.behavior.latency_median, qianfan.behavior.latency_sigma = 3600.0, 0.0
    log = tmp_path / "log"

    def slow_run() -> None:
        logging.getLogger("prefect.flow_runs").addHandler(logging.FileHandler(log))
        sys.exit(main(command(config | {"timeout_seconds": 3000})))

    pid = forked(slow_run)
    wait_until(lambda: len(qianfan.arrivals) == config["concurrency"])
    os.kill(pid, signal.SIGINT)
    wait_until(lambda: "until it was silent for 3000 s. Ctrl-C once more ends it at once." in log.read_text())
    os.kill(pid, signal.SIGINT)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 1
    assert "start it again to go on" in capfd.readouterr().err
    assert len(qianfan.arrivals) == config["concurrency"], "it went on asking"


@pytest.mark.parametrize(
    ("waits_for", "number"), [("logs", signal.SIGTERM), ("logs", signal.SIGINT), ("the other run", signal.SIGTERM)]
)
def test_a_run_that_only_waits_ends_at_once_when_it_is_stopped(config, tmp_path, capfd, waits_for, number):
    lease = acquire_day(FolderStore(tmp_path / "warehouse"), DAY, "other", Patience(0, lambda _: None))
    if waits_for == "logs":
        config |= {"source": str(tmp_path / "none"), "logs_wait_seconds": 600}
    else:
        config |= {"busy_wait_seconds": 600}

    log = tmp_path / "log"  # what is read from a pipe while it is written may be lost

    def waiting_run() -> None:
        logging.getLogger("prefect.flow_runs").addHandler(logging.FileHandler(log))
        sys.exit(main(command(config)))

    pid = forked(waiting_run)

    def waits() -> bool:
        return log.exists() and ("Stop this run" if waits_for == "logs" else "waiting up") in log.read_text()

    wait_until(waits)
    os.kill(pid, number)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    told = [line for line in capfd.readouterr().err.splitlines() if line.startswith("kefu-digest:")]
    assert code == 1
    assert len(told) == 1
    assert "start it again" in told[0]
    lease.release()


def test_a_run_that_stood_still_too_long_buys_nothing_more_and_publishes_nothing(
    qianfan, config, tmp_path, capfd, monkeypatch
):
    for name, seconds in {"TIME_TO_LIVE_SECONDS": 3.0, "RENEW_SECONDS": 0.5, "_POLL_SECONDS": 0.1}.items():
        monkeypatch.setattr(leasing, name, seconds)
    monkeypatch.setattr(leases, "TIME_TO_LIVE_SECONDS", 3.0)
    qianfan.behavior.latency_median = 0.2
    asleep = forked(lambda: sys.exit(main(command(config))))
    wait_until(lambda: len(qianfan.delivered) >= 12)
    os.kill(asleep, signal.SIGSTOP)
    tally = run(config)
    tables = {path: path.read_bytes() for path in (tmp_path / "warehouse").rglob("*=*/*") if path.is_file()}
    paid = sum(qianfan.delivered.values())
    assert tally.conversations == CONVERSATIONS
    assert paid - CONVERSATIONS <= config["concurrency"], "more than what was in flight was paid for twice"

    os.kill(asleep, signal.SIGCONT)
    assert os.waitstatus_to_exitcode(os.waitpid(asleep, 0)[1]) == 1
    assert "Another run took over" in capfd.readouterr().err
    # A call may be past its last look at the lease when the machine falls asleep.
    assert sum(qianfan.delivered.values()) - paid <= config["concurrency"], "it went on buying"
    assert {path: path.read_bytes() for path in (tmp_path / "warehouse").rglob("*=*/*.[phm]*")} == {
        path: data for path, data in tables.items() if path.suffix != ".jsonl"
    }


def test_two_runs_of_one_day_do_its_work_once(qianfan, config, tmp_path):
    qianfan.behavior.latency_median = 0.1

    async def both():
        return await asyncio.gather(summarize_day(DAY, config), summarize_day(DAY, config))

    tallies = asyncio.run(both())
    assert sorted(tally.calls for tally in tallies) == [0, CONVERSATIONS]
    assert set(qianfan.delivered.values()) == {1}
    assert len(summaries(tmp_path)) == CONVERSATIONS


def test_an_erasure_waits_for_a_run_that_has_read_the_customer_already(qianfan, config, tmp_path):
    qianfan.behavior.latency_median = 0.2
    night = forked(lambda: os._exit(main(command(config))))  # `forked` takes any exception for a failure
    wait_until(lambda: len(qianfan.delivered) >= 12)
    FolderStore(tmp_path / "warehouse").write_path("_private/erase/asked.txt", b"conversation c00003\n")
    erased = asyncio.run(erase_customer("asked.txt", True, {"warehouse": config["warehouse"]}))
    assert os.waitstatus_to_exitcode(os.waitpid(night, 0)[1]) == 0
    assert (erased["touched"]["summaries"], erased["left"]) == (1, [])
    assert set(summaries(tmp_path)) == {f"c{number:05}" for number in range(CONVERSATIONS)} - {"c00003"}
    assert sum(qianfan.delivered.values()) == CONVERSATIONS, "what the run had kept was erased under its hands"


def test_a_machine_that_can_make_no_report_buys_nothing(qianfan, config, monkeypatch):
    monkeypatch.setitem(sys.modules, "duckdb", None)  # the import fails, as with too little memory for its library
    with pytest.raises(RunError, match=r"DuckDB.* can't be loaded here: .*ulimit -v"):
        run(config)
    assert not qianfan.delivered


def test_a_full_disk_is_told_in_one_sentence_and_harms_no_table(config, tmp_path):
    config |= {"summarizer": "offline"}
    run(config)
    before = {path: path.read_bytes() for path in (tmp_path / "warehouse").rglob("*.parquet")}
    heard, said = os.pipe()

    def short_of_disk() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        sys.stderr = os.fdopen(said, "w", buffering=1)  # the file of a fixture would be limited, too
        sys.exit(main([*command(config), "--overwrite"]))

    code = os.waitstatus_to_exitcode(os.waitpid(forked(short_of_disk), 0)[1])
    os.close(said)
    with os.fdopen(heard) as lines:
        told = [line for line in lines if line.startswith("kefu-digest:")]
    assert code == 1
    assert len(told) == 1
    assert "Make room" in told[0]
    assert {path: path.read_bytes() for path in (tmp_path / "warehouse").rglob("*.parquet")} == before
    assert run(config).summarized == CONVERSATIONS


@pytest.mark.parametrize("warehouse", ["folder", "bos"])
def test_a_few_kills_lose_and_change_nothing(warehouse):
    outcome = chaos(warehouse, 4, seed=20261122, tell=lambda _: None)
    assert (outcome.kills, outcome.kept_twice, outcome.lost, outcome.differing) == (4, 0, 0, 0)
    assert outcome.duplicates <= outcome.allowed_duplicates


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("warehouse", ["folder", "bos"])
def test_three_hundred_kills_lose_and_change_nothing(warehouse):
    outcome = chaos(warehouse, 300, seed=time.time_ns() % 2**32, tell=print)
    assert (outcome.kept_twice, outcome.lost, outcome.differing) == (0, 0, 0), outcome
    assert outcome.duplicates <= outcome.allowed_duplicates, outcome
