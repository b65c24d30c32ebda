import asyncio
from dataclasses import replace
from functools import partial

import orjson

from tasks.calling.rules.offline.summary import prepare_and_answer
from tasks.clients.offline import OfflineSummarizer
from tasks.domain.ports import Summarizer
from tasks.domain.records import Conversation, Turn
from tasks.preparing.prompts import load_prompt
from tasks.preparing.requests import prepare


def on_sent() -> None:
    pass


TURNS = (Turn("user", "耳机坏了怎么办"), Turn("agent", "建议您申请换货"), Turn("user", "好的"))

LOGGED = Conversation("c-1", TURNS, "log.jsonl", 1)

PREPARE = partial(prepare, prompt=load_prompt("sft-v1"), model="offline-rules", max_input_tokens=4000)


def test_offline_summarizer_answers_free_of_charge():
    summarizer: Summarizer = OfflineSummarizer()
    sent: list[bool] = []
    reply = asyncio.run(summarizer.summarize(PREPARE(LOGGED), lambda: sent.append(True)))
    assert orjson.loads(reply.text)["客服方案"] == "建议您申请换货"
    assert (reply.prompt_tokens, reply.completion_tokens, sent) == (0, 0, [True])
    assert not summarizer.paid
    assert summarizer.model == "offline-rules"


def test_a_worker_that_prepares_answers_at_once_and_nobody_answers_again():
    summarizer = OfflineSummarizer()
    asked = asyncio.run(summarizer.summarize(PREPARE(LOGGED), on_sent))
    request = prepare_and_answer(PREPARE, LOGGED)
    assert request == replace(PREPARE(LOGGED), offline_answer=asked.text)
    assert asyncio.run(summarizer.summarize(replace(request, turns=()), on_sent)) == asked
