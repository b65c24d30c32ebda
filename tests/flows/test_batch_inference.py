"""A day through offline batch inference: BOS, the console API with signatures, and whatever it leaves out, online."""

import asyncio
import io
from datetime import date

import orjson
import pyarrow.parquet as pq
import pytest

import flows.wiring.answer_ahead
from flows.summarize_day import summarize_day
from tasks.summarizing import batch_jobs as batch_inference
from tests.servers.batch_inference import BatchInferenceServer

pytestmark = pytest.mark.usefixtures("prefect_server")

DAY = date(2026, 11, 22)
BELONGS_TO_A_RUN = ["run_id", "summarized_at", "latency_ms", "attempts"]
CONVERSATIONS, DIFFERENT = 60, 50


class Interrupted(Exception):
    """The process ends here."""


@pytest.fixture
def batch(accounts, bos, qianfan, monkeypatch):
    with BatchInferenceServer(bos, qianfan.url) as server:
        monkeypatch.setenv("QIANFAN_CONSOLE_API_BASE_URL", server.url)
        yield server


@pytest.fixture(autouse=True)
def logs(bos):
    lines = [
        orjson.dumps(
            {
                "conversation_id": f"c{number:03}",
                "messages": [
                    {"role": "user", "text": f"第{number % DIFFERENT}号烤箱的门关不严，电话13800138000"},
                    {"role": "agent", "text": "给您补寄一个门封条，三天内到。"},
                ],
            }
        )
        for number in range(CONVERSATIONS)
    ]
    bos.put(f"logs/{DAY}/a.jsonl", b"\n".join([*lines, b'{"broken']))


def run(warehouse="batch", **more):
    settings = {
        "source": "bos://kefu-logs/logs/{day}",
        "warehouse": f"bos://kefu-logs/{warehouse}",
        "summarizer": "qianfan-batch",
        "endpoint": "sft_v1",
        "batch_model": "amv-g73j3faikzpz",
        "batch_look_seconds": 1,
        "batch_size": 20,
        "max_reject_ratio": 1,
    }
    return asyncio.run(summarize_day(DAY, settings | more))


def rows(bos, warehouse="batch"):
    tables = [
        pq.read_table(io.BytesIO(bos.read(f"{warehouse}/{name}/day={DAY}/{name}.parquet")))
        for name in ("summaries", "rejects")
    ]
    return [
        row
        for table in tables
        for row in table.drop_columns([name for name in BELONGS_TO_A_RUN if name in table.column_names]).to_pylist()
    ]


@pytest.mark.parametrize("shape", ["answer", "chat", "openai"])
def test_a_day_by_batch_is_the_day_online_and_asks_nothing_online(batch, bos, qianfan, shape):
    batch.behavior.shape, batch.behavior.mode, qianfan.behavior.mode = shape, "mixed", "mixed"
    tally = run(temperature=0.2)
    assert (tally.calls, tally.reused, tally.conversations) == (DIFFERENT, CONVERSATIONS - DIFFERENT, CONVERSATIONS + 1)
    assert not qianfan.delivered
    assert set(batch.paid.values()) == {1}
    assert sum(batch.paid.values()) == DIFFERENT
    (created,) = batch.tasks
    assert created.body["modelId"] == "amv-g73j3faikzpz"
    assert created.body["completion_window"] == "24h"
    assert created.body["inferenceParams"] == {"temperature": 0.2, "max_output_tokens": 512}
    assert tally.prompt_tokens > 0
    run("online", summarizer="qianfan", temperature=0.2)
    assert rows(bos) == rows(bos, "online")


def test_prompts_are_masked_and_removed_in_the_end(batch, bos, monkeypatch):
    seen = []
    bos.after = lambda operation, key: seen.append(bos.read(key)) if operation == "put" and "/in/" in key else None
    run()
    assert seen
    assert not any(b"13800138000" in data for data in seen)
    left = [key for key in bos.keys() if "_staging/" in key]  # noqa: SIM118  not a dict
    assert left == [f"batch/_staging/batches/day={DAY}/submission.json"]


def test_a_run_that_ends_in_the_wait_goes_on_with_the_same_task(batch, bos, qianfan, monkeypatch):
    async def interrupted(*_):
        assert not [key for key in bos.keys() if "leases" in key], "the day is held"  # noqa: SIM118
        raise Interrupted

    batch.behavior.looks_needed = 6
    for _ in range(3):
        with monkeypatch.context() as patch:
            patch.setattr(flows.wiring.answer_ahead, "reschedule", interrupted)
            with pytest.raises(Interrupted):
                run()
    tally = run()
    assert len(batch.tasks) == 1
    assert tally.conversations == CONVERSATIONS + 1
    assert not qianfan.delivered


def test_a_creation_whose_reply_was_lost_is_not_made_twice(batch, qianfan):
    batch.behavior.faults.extend(["", "reset_after"])  # the look for it, the creation
    assert run().conversations == CONVERSATIONS + 1
    assert len(batch.tasks) == 1
    assert set(batch.paid.values()) == {1}


def test_looks_survive_faults(batch):
    batch.behavior.faults.extend(["http_500", "", "", "reset_before", "http_500"])
    assert run().calls == DIFFERENT
    assert len(batch.tasks) == 1


@pytest.mark.parametrize("fate", ["partial", "fail"])
def test_what_a_task_leaves_out_is_asked_online(batch, bos, qianfan, fate):
    batch.behavior.fates.append(fate)
    tally = run()
    answered = sum(batch.paid.values())
    assert 0 < answered < DIFFERENT
    assert sum(qianfan.delivered.values()) == len(qianfan.delivered) == DIFFERENT - answered
    assert tally.calls == DIFFERENT
    run("online", summarizer="qianfan")
    assert rows(bos) == rows(bos, "online")


def test_a_run_again_asks_nothing_and_new_logs_are_asked_by_batch(batch, bos, qianfan):
    run()
    again = run()
    assert (again.calls, again.reused) == (0, CONVERSATIONS)
    bos.put(
        f"logs/{DAY}/late.jsonl",
        bos.read(f"logs/{DAY}/a.jsonl").replace("烤箱".encode(), "冰箱".encode()).replace(b'"c0', b'"d0'),
    )
    assert run().calls == DIFFERENT
    assert len(batch.tasks) == 2
    assert not qianfan.delivered


def test_what_was_left_out_is_not_submitted_again_after_a_crash(batch, bos, qianfan, monkeypatch):
    batch.behavior.fates.append("partial")

    def crash(*_):
        raise Interrupted

    with monkeypatch.context() as patch:
        patch.setattr("flows.wiring.day_runs.DayRun.summarize", crash)
        with pytest.raises(Interrupted):
            run()
    tally = run()
    assert len(batch.tasks) == 1
    assert sum(batch.paid.values()) + sum(qianfan.delivered.values()) == DIFFERENT
    assert tally.conversations == CONVERSATIONS + 1


def test_a_large_day_becomes_tasks_within_the_limits_of_the_platform(batch, monkeypatch):
    monkeypatch.setattr(batch_inference, "FILE_BYTES", 2_000)
    monkeypatch.setattr(batch_inference, "FILES_IN_A_TASK", 2)
    batch.behavior.most_tasks = 3
    assert run().calls == DIFFERENT
    assert len(batch.tasks) > 3
    assert len({task.body["name"] for task in batch.tasks}) == len(batch.tasks)
