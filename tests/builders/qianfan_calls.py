"""Calls of Qianfan's summarizer at the Qianfan server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tasks.clients.http_pool import ConnectionLimits
from tasks.clients.qianfan.chat import QianfanAddresses, open_qianfan
from tasks.clients.qianfan.credentials import QianfanCredentials
from tasks.domain.errors import (
    KefuError,
)
from tasks.domain.model_options import ModelOptions
from tasks.domain.ports import Summarizer
from tasks.domain.records import Conversation, Reply, Request
from tests.servers.qianfan import ACCESS_KEY, SECRET_KEY, QianfanServer

PAIR = QianfanCredentials(ACCESS_KEY, SECRET_KEY)


DEFAULTS = ModelOptions()


PROMPT = "请总结：\n用户：包裹三天没动了\n客服：已为您催促快递，请您再等一天"


def make_request(prompt: str = PROMPT) -> Request:
    return Request(Conversation("c1", (), "logs/a.jsonl", 1), (), "", prompt, False, "", "", 0)


@asynccontextmanager
async def connect(
    server: QianfanServer,
    endpoint: str = "sft-1",
    credentials: QianfanCredentials = PAIR,
    timeout_seconds: float = 90,
    options: ModelOptions = DEFAULTS,
) -> AsyncIterator[Summarizer]:
    summarizer = open_qianfan(
        endpoint,
        credentials,
        QianfanAddresses(v2=server.url, iam=server.url, v1=server.url),
        options,
        ConnectionLimits(8, timeout_seconds),
    )
    try:
        yield summarizer
    finally:
        await summarizer.aclose()


async def call(server: QianfanServer, prompt: str = PROMPT, **options) -> Reply:
    async with connect(server, **options) as summarizer:
        return await summarizer.summarize(make_request(prompt), lambda: None)


def fault_of(server: QianfanServer, **options) -> KefuError:
    with pytest.raises(KefuError) as caught:
        asyncio.run(call(server, **options))
    text = str(caught.value)
    assert SECRET_KEY not in text
    assert ACCESS_KEY not in text
    assert "包裹" not in text
    return caught.value
