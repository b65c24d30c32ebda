import asyncio

import orjson

from tasks.clients.offline import OfflineSummarizer
from tasks.domain.ports import Summarizer
from tasks.domain.records import Conversation, Turn
from tasks.preparing.prompts import load_prompt
from tasks.preparing.requests import prepare


def test_offline_summarizer_answers_free_of_charge():
    summarizer: Summarizer = OfflineSummarizer()
    turns = (Turn("user", "耳机坏了怎么办"), Turn("agent", "建议您申请换货"), Turn("user", "好的"))
    request = prepare(
        Conversation("c-1", turns, "log.jsonl", 1),
        prompt=load_prompt("sft-v1"), model=summarizer.model, max_input_tokens=4000,
    )  # fmt: skip
    sent: list[bool] = []
    reply = asyncio.run(summarizer.summarize(request, lambda: sent.append(True)))
    assert orjson.loads(reply.text)["客服方案"] == "建议您申请换货"
    assert (reply.prompt_tokens, reply.completion_tokens, sent) == (0, 0, [True])
    assert not summarizer.paid
    assert summarizer.model == "offline-rules"
