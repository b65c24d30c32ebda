"""A shard by itself, and the run that holds the day: what they leave for each other. Workers are in test_shards.py."""

import asyncio
import threading
import time
from datetime import date
from pathlib import Path

import orjson
import pytest

import tasks.summarizing.day
from flows.summarize_day import summarize_day
from flows.summarize_shard import summarize_shard
from tasks.clients.folder_store import FolderStore
from tasks.domain.errors import LeaseLost, RunStopped, UsageError
from tasks.domain.shards import Shard
from tasks.warehouse.day_lease import Patience, acquire_day

pytestmark = pytest.mark.usefixtures("prefect_server")

DAY = date(2026, 11, 22)
CONVERSATIONS, DIFFERENT = 90, 60


@pytest.fixture
def settings(accounts, tmp_path):
    lines = [
        orjson.dumps({"conversation": f"用户：第{number % DIFFERENT}号水壶漏水\n客服：给您换一个新的"})
        for number in range(CONVERSATIONS)
    ]
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "a.jsonl").write_bytes(b"\n".join([*lines, b'{"broken']))
    (tmp_path / "warehouse").mkdir()
    return {
        "source": str(tmp_path / "logs"),
        "warehouse": str(tmp_path / "warehouse"),
        "summarizer": "qianfan",
        "endpoint": "sft_v1",
        "batch_size": 20,
        "concurrency": 8,
    }


@pytest.fixture
def store(settings):
    return FolderStore(Path(settings["warehouse"]))


def answer_shard(number, of, settings, run_id="holder"):
    asyncio.run(summarize_shard(DAY, number, of, run_id, settings))


def held(store, run_id="holder"):
    return acquire_day(store, DAY, run_id, Patience(0, lambda _: None))


def test_shards_answer_everything_once_and_the_day_finds_it(settings, store, qianfan):
    lease = held(store)
    for number in range(3):
        answer_shard(number, 3, settings)
        assert store.stat(Shard(DAY, number, 3, "holder").mark_key)
        assert not store.stat(Shard(DAY, number, 3, "holder").lease_key)
    lease.release()
    assert sum(qianfan.delivered.values()) == len(qianfan.delivered) == DIFFERENT
    assert not store.stat(f"summaries/day={DAY}/summaries.parquet")
    tally = asyncio.run(summarize_day(DAY, settings))
    assert (tally.calls, tally.reused, tally.summarized, tally.rejected) == (0, CONVERSATIONS, CONVERSATIONS, 1)
    assert sum(qianfan.delivered.values()) == DIFFERENT


def test_a_shard_that_is_done_asks_nothing_more(settings, store, qianfan):
    lease = held(store)
    answer_shard(0, 2, settings)
    paid = sum(qianfan.delivered.values())
    assert 0 < paid < DIFFERENT
    answer_shard(0, 2, settings)
    assert sum(qianfan.delivered.values()) == paid
    lease.release()


def test_a_shard_asks_nothing_when_its_run_does_not_hold_the_day(settings, store, qianfan):
    with pytest.raises(LeaseLost, match="does not hold"):
        answer_shard(0, 2, settings)
    lease = held(store, "another")
    with pytest.raises(LeaseLost):
        answer_shard(0, 2, settings)
    lease.release()
    assert not qianfan.delivered


def test_a_shard_stops_with_the_run_that_holds_the_day(settings, store, qianfan, monkeypatch):
    monkeypatch.setattr(tasks.summarizing.day, "_POLL_SECONDS", 0.05)
    qianfan.behavior.latency_median = 0.3
    lease = held(store)

    def give_up():
        while not qianfan.delivered:
            time.sleep(0.01)
        lease.release()

    giving_up = threading.Thread(target=give_up, daemon=True)
    giving_up.start()
    with pytest.raises(RunStopped):
        answer_shard(0, 1, settings)
    giving_up.join()
    assert 0 < sum(qianfan.delivered.values()) < DIFFERENT
    assert not store.stat(Shard(DAY, 0, 1, "holder").mark_key)
    qianfan.behavior.latency_median = 0
    assert asyncio.run(summarize_day(DAY, settings)).conversations == CONVERSATIONS + 1
    assert sum(qianfan.delivered.values()) == len(qianfan.delivered) == DIFFERENT


def test_a_day_in_shards_needs_the_deployment(settings, qianfan, prefect_api):
    with prefect_api.client() as api:  # other tests may have deployed it on the server that all share
        found = api.post("/deployments/filter", json={}).raise_for_status().json()
        for deployment in found:
            if deployment["name"] == "shard":
                api.delete(f"/deployments/{deployment['id']}").raise_for_status()
    with pytest.raises(UsageError, match="summarize-shard/shard"):
        asyncio.run(summarize_day(DAY, settings | {"shards": 2}))
    assert not qianfan.delivered
