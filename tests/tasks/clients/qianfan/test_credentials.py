"""Credentials of Qianfan's summarizers: tokens, keys and signatures, at a server that checks them."""

import asyncio

import pytest

from tasks.clients.qianfan.credentials import QianfanCredentials
from tasks.domain.errors import (
    CredentialsRefused,
    KefuError,
    TransientFault,
    UsageError,
)
from tasks.domain.records import Reply
from tests.builders.qianfan_calls import PAIR, call, connect, fault_of, make_request
from tests.servers.qianfan import ACCESS_KEY, SECRET_KEY


@pytest.mark.parametrize("pair", [(ACCESS_KEY, "wrong-secret"), ("wrong-key", SECRET_KEY)])
@pytest.mark.parametrize("endpoint", ["v1:sft-1", "m"])
def test_summarize_with_a_wrong_key_raises_credentials_refused(server, endpoint, pair):
    error = fault_of(server, endpoint=endpoint, credentials=QianfanCredentials(*pair))
    assert isinstance(error, CredentialsRefused)
    assert pair[1] not in str(error)


@pytest.mark.parametrize("endpoint", ["v1:sft-1", "m"])
def test_summarize_sends_a_given_bearer_token_and_fetches_none(server, endpoint):
    server.grant("my-token")
    asyncio.run(call(server, endpoint=endpoint, credentials=QianfanCredentials(bearer_token="my-token")))
    assert server.token_fetches == 0


@pytest.mark.parametrize("endpoint", ["v1:sft-1", "m"])
def test_summarize_with_an_expired_given_token_raises_credentials_refused(server, endpoint):
    error = fault_of(server, endpoint=endpoint, credentials=QianfanCredentials(bearer_token="old-token"))
    assert isinstance(error, CredentialsRefused)
    assert "old-token" not in str(error)


def test_summarize_fetches_one_token_for_many_calls_and_one_more_when_it_expires(server):
    async def calls() -> list[Reply | BaseException]:
        async with connect(server, "m") as summarizer:

            async def one() -> Reply:
                return await summarizer.summarize(make_request(), lambda: None)

            await asyncio.gather(*(one() for _ in range(20)))
            assert server.token_fetches == 1
            server.expire_tokens()
            failed = await asyncio.gather(*(one() for _ in range(20)), return_exceptions=True)
            replies = await asyncio.gather(*(one() for _ in range(20)))
            assert len(replies) == 20
            return list(failed)

    failed = asyncio.run(calls())
    assert server.token_fetches == 2
    # With fewer connections than calls, those that waited for one took the new token or the old.
    assert all(isinstance(error, TransientFault | Reply) for error in failed)
    assert any(isinstance(error, TransientFault) for error in failed)


def test_summarize_takes_one_expired_answer_to_a_signature_for_a_fault_and_three_for_wrong_keys(server):
    server.behavior.faults = {"expired": 1.0}

    async def calls() -> list[type[BaseException]]:
        kinds: list[type[BaseException]] = []
        async with connect(server, "v1:sft-1") as summarizer:
            for _ in range(3):
                with pytest.raises(KefuError) as caught:
                    await summarizer.summarize(make_request(), lambda: None)
                kinds.append(caught.type)
        return kinds

    assert asyncio.run(calls()) == [TransientFault, TransientFault, CredentialsRefused]


def test_summarizers_with_different_credentials_do_not_mix(server, monkeypatch, tmp_path):
    (tmp_path / ".env").write_text("QIANFAN_ACCESS_KEY=from-file\nQIANFAN_SECRET_KEY=from-file\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("QIANFAN_AK", "from-environment")
    monkeypatch.setenv("QIANFAN_SK", "from-environment")
    monkeypatch.setenv("QIANFAN_CONSOLE_API_BASE_URL", "http://127.0.0.1:9")

    async def both() -> None:
        wrong = QianfanCredentials("other", "other-secret")
        async with connect(server) as good, connect(server, credentials=wrong) as bad:
            for _ in range(3):
                await good.summarize(make_request(), lambda: None)
                with pytest.raises(CredentialsRefused):
                    await bad.summarize(make_request(), lambda: None)

    asyncio.run(both())


def test_credentials_need_a_whole_pair_or_a_token_and_do_not_show_it():
    with pytest.raises(UsageError, match="QIANFAN_BEARER_TOKEN"):
        QianfanCredentials(access_key="only-half")
    assert SECRET_KEY not in repr(PAIR)


def test_summarize_uses_the_api_key_before_the_pair_and_the_pair_when_the_key_is_refused(server):
    server.grant("bce-v3/ALTAK-made-up")
    both = QianfanCredentials(ACCESS_KEY, SECRET_KEY, "bce-v3/ALTAK-made-up")
    asyncio.run(call(server, credentials=both))
    assert server.token_fetches == 0
    server.expire_tokens()

    async def calls() -> None:
        async with connect(server, credentials=both) as summarizer:
            with pytest.raises(TransientFault, match="new token"):
                await summarizer.summarize(make_request(), lambda: None)
            await summarizer.summarize(make_request(), lambda: None)

    asyncio.run(calls())
    assert server.token_fetches == 1
