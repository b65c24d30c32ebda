"""No message shows what a service repeats of a conversation, however it repeats it; what is its own stays."""

import asyncio
import json
from collections.abc import Callable

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.clients.embeddings import open_openai_embeddings
from tasks.clients.http_pool import ConnectionLimits
from tasks.clients.openai_chat import OpenAISummarizer
from tasks.clients.qianfan.chat import QianfanAddresses, open_qianfan
from tasks.clients.repeated_words import without_repeated
from tasks.domain.errors import KefuError
from tasks.domain.ports import Summarizer
from tests.builders.qianfan_calls import DEFAULTS, PAIR, make_request
from tests.servers.qianfan import API_KEY, QianfanServer

CONVERSATION = "用户：我买的杯子到手就碎成了三块\n客服：“抱歉”，我马上替您补发一只新的杯子"
WORDS = ("碎成了三块", "补发一只新的")
WAYS: dict[str, Callable[[str], str]] = {
    "as it is": lambda text: text,
    "cut": lambda text: text[6:-8],
    "as JSON": lambda text: json.dumps({"messages": [{"content": text}]}, ensure_ascii=False),
    "as JSON of ASCII": json.dumps,
    "as JSON in JSON": lambda text: json.dumps(json.dumps(text)),
    "as Python": lambda text: repr([{"input": text}]),
    "in lines": "\n".join,
}


def open_summarizer(server: QianfanServer, wire: str) -> Summarizer:
    if wire == "openai":
        return OpenAISummarizer("m", base_url=f"{server.url}/v1", api_key=API_KEY)
    addresses = QianfanAddresses(v1=server.url, v2=server.url, iam=server.url)
    return open_qianfan("v1:m" if wire == "v1" else "m", PAIR, addresses, DEFAULTS, ConnectionLimits())


async def refusal_of(summarizer: Summarizer, prompt: str) -> str:
    try:
        await summarizer.summarize(make_request(prompt), lambda: None)
    except KefuError as error:
        causes = [error, error.__cause__, error.__context__]
        return " ".join(f"{cause!r} {cause}" for cause in causes)
    finally:
        await summarizer.aclose()
    raise AssertionError("no refusal")


STATUSES = [
    (wire, status) for wire in ("openai", "v2") for status in (200, 400, 401, 402, 404, 413, 422, 429, 500, 503)
]
CODES = [("v1", code) for code in (4, 6, 17, 18, 336000, 336003, 336005, 336100, 336501, 999999)]


@pytest.mark.parametrize(("wire", "code"), STATUSES + CODES)
def test_no_refusal_shows_words_of_the_conversation(server, wire, code):
    server.behavior.status = server.behavior.error_code = code
    server.behavior.error_type, server.behavior.error_message = "invalid_thing", "no thing for this input: {prompt}"
    said = asyncio.run(refusal_of(open_summarizer(server, wire), CONVERSATION))
    assert "no thing for this input" in said
    assert not any(word in said for word in WORDS)


def test_no_refusal_of_an_embedding_shows_words_of_its_texts(server):
    server.behavior.status, server.behavior.error_message = 401, f"no key for {CONVERSATION}"

    async def ask() -> None:
        model = open_openai_embeddings("m", f"{server.url}/v1", API_KEY, ConnectionLimits())
        try:
            await model.embed([CONVERSATION])
        finally:
            await model.aclose()

    with pytest.raises(KefuError) as refused:
        asyncio.run(ask())
    assert "no key for" in str(refused.value)
    assert not any(word in str(refused.value) for word in WORDS)


@pytest.mark.parametrize("way", WAYS)
def test_a_part_is_recognized_in_every_writing(way):
    said = without_repeated(f"model m9 not found: {WAYS[way](CONVERSATION)} (see docs)", CONVERSATION)
    assert said.startswith("model m9 not found: ")
    assert not any(character in said for character in "杯碎补发")
    assert len(said) < 80


@pytest.mark.parametrize("said", ["余额不足，请充值", "Model qwen-72b does not exist", "请求过多", "", "杯子"])
def test_what_a_service_says_itself_stays(said):
    assert without_repeated(said, CONVERSATION) == said


@given(
    st.text("abcdef 19.,:", max_size=40),
    st.text("杯碎补发好坏，\n\"'\\", max_size=300),
    st.integers(0, 300),
    st.integers(0, 300),
)
def test_of_any_part_hardly_a_word_is_left(before, text, start, length):
    found = without_repeated(f"{before} {orjson.dumps(text[start : start + length]).decode()}", text)
    assert found.startswith(before)
    assert sum(map("杯碎补发好坏".count, found)) < 6
