"""The nightly, end to end: real Prefect, real SDKs, servers that speak the wire and verify signatures."""

import asyncio
import io
import json
import os
from datetime import date

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from prefect.client.orchestration import get_client

from flows.summarize_day import summarize_day
from tasks.domain.errors import (
    AnswersUseless,
    CredentialsRefused,
    DayShrank,
    EndpointDown,
    NoLogs,
    StoreRefused,
    TooManyRejects,
)
from tasks.warehouse.rules.day_tally import DayTally
from tasks.warehouse.rules.tables import METRICS, REJECTS, RUNS, SUMMARIES
from tests.servers.qianfan_answers import answer_for
from tests.servers.qianfan_behavior import FAULTS, POISON

pytestmark = pytest.mark.usefixtures("prefect_server")

DAY = date(2026, 11, 22)


def conversation(number: int, text: str = "") -> dict:
    return {
        "conversation_id": f"c{number:05}",
        "started_at": f"2026-11-22T08:{number % 60:02}:00+08:00",
        "channel": "app",
        "messages": [
            {"role": "user", "text": f"你好，第{number}件商品什么时候发货？{text}"},
            {"role": "agent", "text": "仓库今天下午安排发货，请您留意短信。"},
            {"role": "user", "text": "好的，谢谢"},
        ],
    }


def jsonl(conversations) -> bytes:
    return b"".join(orjson.dumps(each, option=orjson.OPT_APPEND_NEWLINE) for each in conversations)


def run(**settings):
    return asyncio.run(summarize_day(DAY, settings))


def folder_table(warehouse, table: str) -> pa.Table:
    return pq.ParquetFile(warehouse / table / f"day={DAY}" / f"{table}.parquet").read()


def bos_table(bos, table: str) -> pa.Table:
    return pq.read_table(io.BytesIO(bos.read(f"warehouse/{table}/day={DAY}/{table}.parquet")))


@pytest.fixture
def logs(tmp_path):
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "a.jsonl").write_bytes(jsonl(conversation(number) for number in range(60)))
    return folder


def test_summarize_day_offline_fills_every_table(tmp_path, logs, monkeypatch):
    monkeypatch.setattr("tasks.running.workers._CONVERSATIONS_BEFORE", 0)  # batches go through worker processes at once
    (logs / "b.jsonl").write_text('{"broken\n' + json.dumps(conversation(3), ensure_ascii=False), encoding="utf-8")
    warehouse = tmp_path / "warehouse"
    tally = run(source=str(logs), warehouse=str(warehouse), batch_size=17)
    assert (tally.conversations, tally.summarized, tally.rejected, tally.calls) == (62, 60, 2, 0)
    for table, schema in (("summaries", SUMMARIES), ("rejects", REJECTS), ("metrics", METRICS), ("runs", RUNS)):
        assert folder_table(warehouse, table).schema.remove_metadata() == schema.remove_metadata()
    summaries = folder_table(warehouse, "summaries")
    assert summaries["conversation_id"].to_pylist() == [f"c{number:05}" for number in range(60)]
    assert set(summaries["model"].to_pylist()) == {"offline-rules"}
    assert sorted(folder_table(warehouse, "rejects")["reason"].to_pylist()) == ["duplicate", "unreadable"]
    assert (warehouse / f"reports/day={DAY}/report.html").stat().st_size > 1000
    assert "规则" in (warehouse / f"reports/day={DAY}/report.md").read_text(encoding="utf-8")
    assert not list((warehouse / "_staging").rglob("*.json*"))


def test_summarize_day_reads_a_file_whose_name_is_no_utf_8(tmp_path, logs):
    (logs / "a.jsonl").rename(logs / os.fsdecode("客服.jsonl".encode("gbk")))  # unpacked from a Windows archive
    assert run(source=str(logs), warehouse=str(tmp_path / "warehouse")).summarized == 60
    (uri,) = set(folder_table(tmp_path / "warehouse", "summaries")["source_uri"].to_pylist())
    assert uri.endswith(r"\xfe.jsonl")


def test_summarize_day_from_bos_through_qianfan_pays_once_whatever_breaks(accounts, bos, qianfan):
    bos.put("logs/2026-11-22/早 班+100%.jsonl", jsonl(conversation(number) for number in range(150)))
    bos.put("logs/2026-11-22/z.jsonl", jsonl(conversation(number) for number in range(150, 300)))
    bos.put("logs/2026-11-22/_SUCCESS", b"")
    bos.spread_faults(0.1)
    qianfan.behavior.mode = "mixed"
    qianfan.behavior.rpm = 12_000
    # Whether a call that hangs was paid is for the server alone to know; the client's own tests hold its timeout.
    faults = [fault for fault in FAULTS if fault != "hang"]
    qianfan.behavior.faults = dict.fromkeys(faults, 0.1 / len(faults))
    settings = {
        "source": "bos://kefu-logs/logs/{day}",
        "warehouse": "bos://kefu-logs/warehouse",
        "summarizer": "qianfan",
        "endpoint": "sft_v1",
        "rpm": 12_000,
        "batch_size": 40,
        "max_reject_ratio": 0.5,
        "timeout_seconds": 100,
    }
    tally = run(**settings)
    assert tally.conversations == 300
    assert tally.calls == 300
    assert sum(qianfan.delivered.values()) == len(qianfan.delivered) == 300
    ids = (
        bos_table(bos, "summaries")["conversation_id"].to_pylist()
        + bos_table(bos, "rejects")["conversation_id"].to_pylist()
    )
    assert sorted(ids) == [f"c{number:05}" for number in range(300)]
    rejects = bos_table(bos, "rejects")
    assert all(raw for raw in rejects["raw_output"].to_pylist())

    before = bos.read(f"warehouse/summaries/day={DAY}/summaries.parquet")
    again = run(**settings)
    assert (again.calls, again.reused, again.conversations) == (0, 300, 300)
    assert bos.read(f"warehouse/summaries/day={DAY}/summaries.parquet") == before
    used, of_no_call = bos_table(bos, "runs")["quota_use"].to_pylist()
    assert 0.0 < used <= 1.0
    assert of_no_call is None
    assert not bos.uploads()


def test_summarize_day_buys_a_conversation_once_though_it_lies_under_two_days(accounts, qianfan, tmp_path, logs):
    settings = {"source": str(logs), "warehouse": str(tmp_path / "w"), "summarizer": "qianfan", "endpoint": "sft_v1"}
    settings |= {"day_from": "source"}
    first = run(**settings)
    other = asyncio.run(summarize_day(date(2026, 11, 10), settings))
    assert (first.calls, other.calls, other.reused, other.summarized) == (60, 0, 60, 60)
    dearer = asyncio.run(summarize_day(date(2026, 11, 11), settings | {"endpoint": "sft_v2"}))
    assert dearer.calls == 60, "another model's answer of another day is not taken"


def test_summarize_day_stores_what_it_paid_for_before_it_publishes(accounts, bos, logs):
    run(source=str(logs), warehouse="bos://kefu-logs/warehouse", summarizer="qianfan", endpoint="sft_v1")
    written = [seen.key for seen in bos.log if seen.operation in ("put", "initiate") and seen.status == 200]
    answers = [place for place, key in enumerate(written) if "/_answers/" in key]
    tables = [place for place, key in enumerate(written) if key.endswith(".parquet")]
    assert answers
    assert max(answers) < min(tables)


def test_summarize_day_shares_its_quota_with_another_day(accounts, qianfan, tmp_path, logs):
    settings = {
        "source": str(logs),
        "warehouse": str(tmp_path / "warehouse"),
        "summarizer": "qianfan",
        "endpoint": "sft_v1",
        "rpm": 6000,
        "shared_quota": "sft",
        "day_from": "source",
    }

    async def both() -> list[DayTally]:
        tallies = await asyncio.gather(*(summarize_day(day, settings) for day in (DAY, date(2026, 11, 23))))
        async with get_client() as client:
            assert (await client.read_global_concurrency_limit_by_name("sft")).slot_decay_per_second
        return tallies

    assert [tally.calls for tally in asyncio.run(both())] == [60, 60]


def test_summarize_day_asks_only_for_what_is_new(accounts, qianfan, tmp_path, logs):
    settings = {
        "source": str(logs),
        "warehouse": str(tmp_path / "warehouse"),
        "summarizer": "qianfan",
        "endpoint": "sft_v1",
    }
    assert run(**settings).calls == 60
    (logs / "late.jsonl").write_bytes(jsonl([conversation(70), conversation(71)]))
    late = run(**settings)
    assert (late.calls, late.reused, late.conversations) == (2, 60, 62)
    (logs / "late.jsonl").write_bytes(jsonl([conversation(70), conversation(71, "改一下地址")]))
    assert run(**settings).calls == 1
    assert run(**settings | {"endpoint": "sft_v2"}).calls == 0
    assert set(folder_table(tmp_path / "warehouse", "summaries")["model"].to_pylist()) == {"sft_v1"}
    assert run(**settings | {"endpoint": "sft_v2", "overwrite": True}).calls == 62
    assert run(**settings | {"endpoint": "sft_v2", "overwrite": True}).calls == 0
    assert set(folder_table(tmp_path / "warehouse", "summaries")["model"].to_pylist()) == {"sft_v2"}


def test_summarize_day_marks_a_day_whose_logs_grew_during_its_run(accounts, qianfan, tmp_path, logs):
    settings = {"source": str(logs), "warehouse": str(tmp_path / "w"), "summarizer": "qianfan", "endpoint": "sft_v1"}

    def answer_while_logs_arrive(endpoint: str, prompt: str) -> str:
        (logs / "late.jsonl").write_bytes(jsonl([conversation(70)]))
        return answer_for(prompt, "clean")

    qianfan.answers = answer_while_logs_arrive
    assert (run(**settings).conversations, folder_table(tmp_path / "w", "runs")["logs_complete"].to_pylist()) == (
        60,
        [False],
    )
    assert "日志当时仍在写入" in (tmp_path / "w" / "reports" / f"day={DAY}" / "report.html").read_text(encoding="utf-8")
    qianfan.answers = None
    again = run(**settings)
    assert (again.conversations, again.calls) == (61, 1)
    assert folder_table(tmp_path / "w", "runs")["logs_complete"].to_pylist()[-1] is None


def test_summarize_day_knows_its_answers_without_the_answer_log(accounts, qianfan, tmp_path, logs):
    qianfan.behavior.mode = "mixed"
    warehouse = tmp_path / "warehouse"
    settings = {
        "source": str(logs),
        "warehouse": str(warehouse),
        "summarizer": "qianfan",
        "endpoint": "sft_v1",
        "max_reject_ratio": 1,
    }
    run(**settings)
    columns = ["conversation_id", "issue", "plan", "accepted", "negative_sentiment", "model", "summarized_at"]
    before = folder_table(warehouse, "summaries").select(columns)
    published = [path for path in warehouse.glob("*/day=*/*") if path.parts[-3] != "_answers"]
    assert max(published, key=lambda path: path.stat().st_mtime_ns).name == "runs.parquet", "it marks the day published"
    for line in (warehouse / "_answers" / f"day={DAY}").iterdir():
        line.unlink()
    assert run(**settings).calls == 0
    assert folder_table(warehouse, "summaries").select(columns) == before


def test_summarize_day_rejects_the_poisoned_and_keeps_the_rest(accounts, qianfan, tmp_path, logs):
    (logs / "poison.jsonl").write_bytes(jsonl([conversation(number, POISON) for number in range(80, 86)]))
    settings = {"source": str(logs), "warehouse": str(tmp_path / "w"), "summarizer": "qianfan", "endpoint": "sft_v1"}
    for calls in (60, 0):  # the second run asks for nothing else, and must not take the endpoint for dead
        tally = run(**settings, max_attempts=1, give_up_seconds=0.1)
        assert (tally.summarized, tally.rejected, tally.calls) == (60, 6, calls)
        rejects = folder_table(tmp_path / "w", "rejects").to_pylist()
        assert {reject["conversation_id"] for reject in rejects} == {f"c{number:05}" for number in range(80, 86)}
        assert {reject["reason"] for reject in rejects} == {"endpoint_error"}


def test_summarize_day_publishes_before_it_says_too_much_was_rejected(tmp_path, logs):
    (logs / "b.jsonl").write_text("{broken\n" * 40, encoding="utf-8")
    (logs / "b.jsonl").write_bytes(jsonl([conversation(90)]) + b"{broken\n" * 40)
    with pytest.raises(TooManyRejects, match=r"40 of 101 conversations were rejected \(40 unreadable\)"):
        run(source=str(logs), warehouse=str(tmp_path / "w"))
    assert len(folder_table(tmp_path / "w", "rejects")) == 40


def test_summarize_day_ends_when_the_endpoint_is_down_and_goes_on_when_it_is_back(accounts, qianfan, tmp_path, logs):
    settings = {"source": str(logs), "warehouse": str(tmp_path / "w"), "summarizer": "qianfan", "endpoint": "sft_v1"}
    qianfan.behavior.faults = {"html_502": 1.0}
    with pytest.raises(EndpointDown):
        run(**settings, give_up_seconds=1.5)
    assert not (tmp_path / "w" / "summaries").exists()
    qianfan.behavior.faults = {}
    assert run(**settings).summarized == 60


def test_summarize_day_spends_nothing_on_refused_credentials(accounts, qianfan, tmp_path, logs, monkeypatch):
    monkeypatch.setenv("QIANFAN_SECRET_KEY", "wrong")
    with pytest.raises(CredentialsRefused):
        run(source=str(logs), warehouse=str(tmp_path / "w"), summarizer="qianfan", endpoint="sft_v1")
    assert not qianfan.delivered
    assert len(qianfan.arrivals) <= 16


def test_summarize_day_says_that_there_are_no_logs(tmp_path):
    with pytest.raises(NoLogs, match=str(DAY)):
        run(source=str(tmp_path / "{day}"), warehouse=str(tmp_path / "w"))
    assert not list((tmp_path / "w").rglob("*.parquet"))


def test_summarize_day_replaces_nothing_by_logs_with_nothing_in_them(tmp_path, logs):
    settings = {"source": str(logs), "warehouse": str(tmp_path / "w")}
    run(**settings)
    before = folder_table(tmp_path / "w", "summaries")
    (logs / "a.jsonl").write_bytes(b"")
    (logs / "b.csv").write_text("会话ID,角色,内容\n", encoding="utf-8")
    with pytest.raises(NoLogs, match=r"nothing in the day's logs \(2, .*a\.jsonl"):
        run(**settings)
    assert folder_table(tmp_path / "w", "summaries") == before


def test_summarize_day_keeps_a_day_that_would_lose_most_of_it_unless_that_is_allowed(tmp_path, logs):
    settings = {"source": str(logs), "warehouse": str(tmp_path / "w"), "max_reject_ratio": 1}
    run(**settings)
    published = {path: path.read_bytes() for path in (tmp_path / "w").rglob("*") if "day=" in str(path.parent.name)}
    assert len(published) >= 6

    content = jsonl(conversation(number) for number in range(60))
    (logs / "a.jsonl").write_bytes(jsonl(conversation(number) for number in range(20)))
    (logs / "b.jsonl").write_bytes(bytes(byte ^ 0xAA for byte in content[len(content) // 3 :]))  # 40, beyond reading
    with pytest.raises(DayShrank, match=r"20 conversations .* and 60 are published .* in a file that can't be read"):
        run(**settings)
    assert {path: path.read_bytes() for path in published} == published

    tally = run(**settings, allow_shrink=True)
    assert tally.summarized == folder_table(tmp_path / "w", "summaries").num_rows == 20
    assert tally.unread_files == 1
    assert 30 <= tally.unread_conversations <= 50
    said = f"有 1 个日志文件无法读取，约 {tally.unread_conversations} 次对话在其中"
    assert said in (tmp_path / "w" / f"reports/day={DAY}/report.html").read_text(encoding="utf-8")
    blocks = (tmp_path / "w" / f"reports/day={DAY}/report.md").read_text(encoding="utf-8").split("\n\n")
    assert said in blocks[2], "before any figure"

    (logs / "b.jsonl").unlink()
    assert run(**settings).unread_files == 0, "twenty are now what is published"
    assert "无法读取，约" not in (tmp_path / "w" / f"reports/day={DAY}/report.md").read_text(encoding="utf-8")


def test_summarize_day_says_that_bos_refuses_the_key(accounts, monkeypatch, tmp_path):
    monkeypatch.setenv("BCE_SECRET_ACCESS_KEY", "wrong")
    with pytest.raises(StoreRefused, match="BCE_SECRET_ACCESS_KEY"):
        run(source="bos://kefu-logs/logs/{day}", warehouse=str(tmp_path / "w"))


def test_summarize_day_stops_at_its_ceiling_and_the_next_run_goes_on(accounts, qianfan, tmp_path, logs):
    settings = {"source": str(logs), "warehouse": str(tmp_path / "w"), "summarizer": "qianfan", "endpoint": "sft_v1"}
    tally = run(**settings, max_calls=20)
    assert (tally.status, tally.calls, tally.conversations) == ("ceiling_reached", 20, 0)
    assert sum(qianfan.delivered.values()) == 20
    assert not (tmp_path / "w" / "summaries").exists()
    tally = run(**settings)
    assert (tally.status, tally.calls, tally.reused, tally.summarized) == ("done", 40, 20, 60)
    assert set(qianfan.delivered.values()) == {1}


def test_summarize_day_buys_few_useless_answers_and_each_once_from_a_mended_model(accounts, qianfan, tmp_path, logs):
    settings = {"source": str(logs), "warehouse": str(tmp_path / "w"), "summarizer": "qianfan", "endpoint": "sft_v1"}
    qianfan.answers = lambda endpoint, prompt: "好的。"
    with pytest.raises(AnswersUseless, match="unparseable"):
        run(**settings, canary_calls=20)
    assert sum(qianfan.delivered.values()) <= 20
    assert not (tmp_path / "w" / "summaries").exists()
    qianfan.reset()
    qianfan.answers = None
    assert run(**settings, canary_calls=20).calls == sum(qianfan.delivered.values()) == len(qianfan.delivered) == 60


def test_summarize_day_asks_again_about_rejects_that_are_named(accounts, qianfan, tmp_path, logs):
    settings = {"source": str(logs), "warehouse": str(tmp_path / "w"), "summarizer": "qianfan", "endpoint": "sft_v1"}
    qianfan.answers = lambda endpoint, prompt: "好的。"
    run(**settings, canary_calls=0, max_reject_ratio=1)
    qianfan.answers = None
    assert run(**settings, max_reject_ratio=1).calls == 0
    tally = run(**settings, retry="unparseable")
    assert (tally.calls, tally.summarized, tally.rejected) == (60, 60, 0)
    assert run(**settings, retry="unparseable").calls == 0


def test_summarize_day_says_what_a_day_will_take_without_a_call_or_a_trace(accounts, qianfan, tmp_path, logs):
    tally = run(
        source=str(logs),
        warehouse=str(tmp_path / "w"),
        summarizer="qianfan",
        endpoint="sft_v1",
        rpm=30,
        dry_run=True,
        prompt_token_price=1.0,
    )
    told = tally.as_json()
    assert (told["status"], told["conversations"], told["calls"]) == ("dry_run", 60, 0)
    assert told["estimated_minutes"] == 2.0
    assert told["estimated_tokens"] > 60 * 100
    assert told["estimated_cost"] > 0
    assert not qianfan.arrivals
    assert not (tmp_path / "w" / "summaries").exists()
    assert not (tmp_path / "w" / "_answers").exists()


def test_summarize_day_takes_the_first_conversations_where_asked(tmp_path, logs):
    tally = run(source=str(logs), warehouse=str(tmp_path / "w"), limit=7)
    assert (tally.conversations, tally.summarized) == (7, 7)
