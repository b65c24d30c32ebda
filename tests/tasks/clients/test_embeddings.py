"""Embeddings over both wires: in order, through passing faults, and with one clear error for lasting ones."""

import asyncio

import pytest

from tasks.clients.embeddings import open_openai_embeddings, open_qianfan_embeddings
from tasks.clients.http_pool import ConnectionLimits
from tasks.clients.qianfan.chat import QianfanAddresses
from tasks.clients.qianfan.credentials import QianfanCredentials
from tasks.domain.errors import AllowanceUsedUp, CredentialsRefused, EndpointMissing, RequestInvalid
from tests.servers.qianfan import ACCESS_KEY, API_KEY, SECRET_KEY, QianfanServer
from tests.servers.qianfan_answers import embedding_of

TEXTS = ["包裹没有动静", "催促站点", "退款"]


@pytest.fixture
def server():
    with QianfanServer() as running:
        yield running


def embedded(server, texts, wire="qianfan", secret=SECRET_KEY, key=API_KEY):
    async def embed():
        if wire == "qianfan":
            addresses = QianfanAddresses(v2=server.url, iam=server.url)
            model = open_qianfan_embeddings(
                "embedding-v1", QianfanCredentials(ACCESS_KEY, secret), addresses, ConnectionLimits()
            )
        else:
            model = open_openai_embeddings("bge", f"{server.url}/v1", key, ConnectionLimits())
        try:
            return await model.embed(texts)
        finally:
            await model.aclose()

    return asyncio.run(embed())


@pytest.mark.parametrize("wire", ["qianfan", "openai"])
def test_embed_gives_the_vectors_in_the_order_of_the_texts(server, wire):
    assert embedded(server, TEXTS, wire) == [embedding_of(text) for text in TEXTS]


@pytest.mark.parametrize("wire", ["qianfan", "openai"])
def test_embed_asks_again_after_passing_faults(server, wire):
    server.behavior.faults = {"http_500": 0.2, "overloaded": 0.2}
    for _ in range(3):
        assert len(embedded(server, TEXTS, wire)) == 3
    assert server.requests["embeddings"] > 3


def test_embed_says_what_lasts(server):
    with pytest.raises(CredentialsRefused):
        embedded(server, TEXTS, secret="wrong")
    with pytest.raises(CredentialsRefused):
        embedded(server, TEXTS, "openai", key="wrong")
    with pytest.raises(RequestInvalid):
        embedded(server, [""])


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (402, "payment_required", AllowanceUsedUp),
        (403, "account_overdue", AllowanceUsedUp),
        (404, "invalid_model", EndpointMissing),
        (400, "malformed_json", RequestInvalid),
    ],
)
def test_embed_asks_once_where_asking_again_is_no_use(server, status, code, error):
    server.behavior.status, server.behavior.error_type = status, code
    with pytest.raises(error, match=rf"HTTP {status} \({code}\)"):
        embedded(server, TEXTS)
    assert server.requests["embeddings"] == 1
