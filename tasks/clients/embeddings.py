"""Embeddings from Qianfan's V2 or from any OpenAI-compatible server: both answer alike."""

import asyncio
import random
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

import orjson

from tasks.clients.chat_replies import parse_body
from tasks.clients.http_faults import read_error, service_fault
from tasks.clients.http_pool import Call, ConnectionLimits, Pool, address
from tasks.clients.qianfan.chat import QianfanAddresses
from tasks.clients.qianfan.credentials import BearerToken, QianfanCredentials
from tasks.domain.errors import CredentialsRefused, EndpointDown, QuotaRefused, ReplyUnreadable, TransientFault

_ATTEMPTS: Final = 6
_LONGEST_WAIT_SECONDS: Final = 30.0


class EmbeddingModel:
    """One model of embeddings at one address.

    Args:
        model: its name, such as `embedding-v1` or `bge-large-zh`.
        url: of the embeddings.
        pool: whose connections are used; closed with this.
        api_key: sent as a bearer token; empty where the server asks for none.
        token: Qianfan's token, instead of the key.
    """

    def __init__(
        self, model: str, url: str, pool: Pool, *, api_key: str = "", token: BearerToken | None = None
    ) -> None:
        self._model = model
        self._url = url
        self._pool = pool
        self._api_key = api_key
        self._token = token

    @property
    def name(self) -> str:
        """The model's name."""
        return self._model

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """The texts' embeddings, in their order; 16 texts at most, none of them empty.

        Raises:
            EndpointDown: it failed time after time.
            KefuError: the model can't be called.
        """
        for attempt in range(_ATTEMPTS):
            try:
                return await self._embed(texts)
            except (QuotaRefused, TransientFault) as fault:
                last = fault
            asked = getattr(last, "retry_after_seconds", None)
            wait = asked if asked is not None else random.random() * 2.0**attempt
            await asyncio.sleep(min(wait, _LONGEST_WAIT_SECONDS))
        raise EndpointDown(f"The embedding model gave no answer in {_ATTEMPTS} attempts; the last one: {last}")

    async def _embed(self, texts: Sequence[str]) -> list[list[float]]:
        token = await self._token.get() if self._token else self._api_key
        headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
        data = orjson.dumps({"model": self._model, "input": list(texts)})
        call, where = Call(asked="\n".join(texts)), address(self._url)
        try:
            body = await self._pool.send(call, "POST", self._url, headers, data=data)
        except CredentialsRefused as error:
            if self._token is None or not self._token.renewable or not self._token.is_current(token):
                raise
            self._token.forget(token)
            raise TransientFault(f"{error} The next try takes a new token.") from error
        reply = parse_body(body, where)
        refusal = read_error(reply)
        if refusal is not None:
            raise service_fault(refusal, where, call.headers, status=200, secrets=self._pool.secrets, asked=call.asked)
        try:
            made = sorted(reply["data"], key=lambda embedding: embedding["index"])
            vectors = [[float(number) for number in item["embedding"]] for item in made]
        except (KeyError, TypeError, ValueError):
            raise ReplyUnreadable(f"{where}: the reply holds no embeddings.") from None
        if len(vectors) != len(texts):
            raise ReplyUnreadable(f"{where}: {len(texts)} texts were sent and {len(vectors)} embeddings came back.")
        return vectors

    async def aclose(self) -> None:
        """Close the connections."""
        await self._pool.aclose()


def open_qianfan_embeddings(
    model: str, credentials: QianfanCredentials, addresses: QianfanAddresses, limits: ConnectionLimits
) -> EmbeddingModel:
    """A model of Qianfan's V2 interface."""
    pool = Pool(limits, credentials.secrets)
    token = BearerToken(credentials, addresses.iam, pool)
    return EmbeddingModel(model, addresses.v2.rstrip("/") + "/v2/embeddings", pool, token=token)


def open_openai_embeddings(model: str, base_url: str, api_key: str, limits: ConnectionLimits) -> EmbeddingModel:
    """A model of an OpenAI-compatible server."""
    pool = Pool(limits, (api_key, urlsplit(base_url).password or ""))
    return EmbeddingModel(model, base_url.rstrip("/") + "/embeddings", pool, api_key=api_key)
