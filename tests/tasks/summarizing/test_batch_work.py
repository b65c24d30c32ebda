"""A worker makes the same of a batch alone as the caller and a worker make of it together."""

import asyncio
import pickle
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial

import pyarrow as pa

from tasks.calling.caller import Caller
from tasks.calling.response_cache import ResponseCache
from tasks.calling.rules.call_policy import CallPolicy
from tasks.calling.rules.offline.summary import answer_by_rules
from tasks.clients.folder_store import FolderStore
from tasks.clients.offline import OfflineSummarizer
from tasks.domain.records import Conversation, Reason, Reject, Request, Turn
from tasks.preparing.logged import Logged, Sighting, Steps, prepare_logged
from tasks.preparing.prompts import load_prompt
from tasks.preparing.requests import Masking, prepare, storable_reject
from tasks.summarizing.batch_work import (
    BatchTools,
    prepare_and_keep,
    summarize_by_rules,
    write_anew,
    write_batch,
    write_kept,
)
from tasks.warehouse.parts import BatchFiles

PREPARE = partial(
    prepare, prompt=load_prompt("sft-v1"), model="offline-rules", max_input_tokens=300, masking=Masking(None, [])
)


def logged() -> list[Logged]:
    said = ["快递三天没动了，太气人了", "我电话13912345678，尽快", "水壶坏了怎么退", "好的谢谢"]
    conversations = [
        Conversation(
            f"c{number}",
            (
                Turn("user", f"你好，第{number}单{said[number % 4]}"),
                Turn("agent", "这边为您安排今天补发，您看可以吗"),
                Turn("user", said[(number + 1) % 4] * (1 + 40 * (number % 11 == 0))),
            ),
            "logs/a.jsonl",
            number + 1,
            datetime(2026, 11, 22, 2, tzinfo=UTC),
            "app",
            {"shop": "一店"},
        )
        for number in range(40)
    ]
    twice = Sighting(False, "logs/a.jsonl", 1)
    unreadable = Reject("", Reason.UNREADABLE, "no JSON", "logs/a.jsonl", 41, "{13912345678")
    return [*((conversation, None) for conversation in conversations), (conversations[0], twice), unreadable]


def rows_of(files: BatchFiles) -> list[pa.Table]:
    tables = [pa.ipc.open_file(str(path)).read_all() for path in (files.summaries, files.rejects)]
    return [table.drop([name for name in table.column_names if name == "summarized_at"]) for table in tables]


def test_rules_answer_a_batch_in_one_process_as_the_caller_does(tmp_path):
    tools = BatchTools(Steps(PREPARE, storable_reject), "run", tmp_path, prompt_version="p", max_tokens=99)
    alone = summarize_by_rules(tools, 0, logged())

    prepared = prepare_logged(tools.steps, logged())
    requests = [outcome for outcome in prepared if isinstance(outcome, Request)]
    answers = ResponseCache(FolderStore(tmp_path), date(2026, 11, 22), "run", tmp_path, overwrite=False)
    caller = Caller(OfflineSummarizer(), None, answers, CallPolicy("p", max_tokens=99), "run")

    async def ask():
        return [await caller.answer(request) for request in requests]

    asked = asyncio.run(ask())
    answers.close()
    rejects = [outcome for outcome in prepared if isinstance(outcome, Reject)]
    together = write_batch(replace(tools, folder=tmp_path), 1, requests, asked, rejects)

    assert rows_of(alone) == rows_of(together)
    assert (alone.read, alone.summarized, alone.masked) == (together.read, together.summarized, together.masked)
    assert (alone.read, alone.summarized) == (42, 40)


def test_rows_of_a_batch_that_was_kept_are_those_of_one_that_was_not(tmp_path):
    tools = BatchTools(Steps(PREPARE, storable_reject), "run", tmp_path, prompt_version="p", max_tokens=99)
    sent = prepare_and_keep(tools, 0, logged())
    whole = prepare_logged(tools.steps, logged())
    for short, full in zip(sent, whole, strict=True):
        if isinstance(full, Request):
            assert isinstance(short, Request)
            assert (short.prompt, short.request_hash, short.content_hash) == (
                full.prompt,
                full.request_hash,
                full.content_hash,
            )
            assert (short.turns, short.text, short.conversation.turns) == ((), "", ())
        else:
            assert short == full
    requests = [outcome for outcome in whole if isinstance(outcome, Request)]
    answers = [
        answer_by_rules(
            request, prompt_version="p", max_tokens=99, run_id="run", answered_at=datetime(2026, 11, 22, tzinfo=UTC)
        )
        for request in requests
    ]
    rejects = [outcome for outcome in whole if isinstance(outcome, Reject)]
    elsewhere = pickle.loads(pickle.dumps(tools))
    assert write_kept(elsewhere, 0, answers) is None
    kept = write_kept(tools, 0, answers)
    assert kept is not None
    assert write_kept(tools, 0, answers) is None
    anew = write_anew(elsewhere, 1, logged(), answers)
    whole_files = write_batch(tools, 2, requests, answers, rejects)
    assert rows_of(kept) == rows_of(anew) == rows_of(whole_files)
    assert kept.masked == anew.masked == whole_files.masked
