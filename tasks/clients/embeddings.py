"""Embeddings from Qianfan (signed as the SDK signs) or from any OpenAI-compatible server: both answer alike."""

import asyncio
import random
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import orjson
from qianfan.resources.auth.iam import iam_sign
from qianfan.resources.typing import QfRequest

from tasks.clients.http_pool import Call, Pool, broken_reply, credentials_refused
from tasks.clients.qianfan_chat import Expired, QianfanCredentials, code_fault
from tasks.domain.errors import EndpointDown, QuotaRefused, TransientFault

_QIANFAN_PATH = "/rpc/2.0/ai_custom/v1/wenxinworkshop/embeddings/"
_ATTEMPTS = 6
_LONGEST_WAIT_SECONDS = 30.0


class EmbeddingModel:
    """One model of embeddings.

    Args:
        model: its name; for Qianfan the last part of its address, such as `embedding-v1` or `bge_large_zh`.
        base_url: Qianfan's address, or an OpenAI-compatible one up to and without `/embeddings`.
        api_key: sent as a bearer token to an OpenAI-compatible server; empty where it asks for none.
        credentials: of Qianfan; None for any other server.
        timeout_seconds: for one call.
    """

    def __init__(
        self,
        model: str,
        *,
        base_url: str,
        api_key: str = "",
        credentials: QianfanCredentials | None = None,
        timeout_seconds: float = 30.0,
    ) -> None:
        self._model = model
        self._base_url = base_url.rstrip("/")
        self._path = f"{_QIANFAN_PATH}{model}" if credentials else "/embeddings"
        self._credentials = credentials
        self._headers = {"Content-Type": "application/json"}
        token = credentials.bearer_token if credentials and not credentials.has_pair else api_key
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        self._pool = Pool(8, timeout_seconds)

    @property
    def name(self) -> str:
        """The model's name."""
        return self._model

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """The texts' embeddings, in their order; 16 texts at most, none of them empty.

        Raises:
            EndpointDown: it failed time after time.
            KefuError: it can't be asked.
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
        url = self._base_url + self._path
        body: dict[str, Any] = {"input": list(texts)}
        headers = self._headers
        if self._credentials is None:
            body["model"] = self._model
        elif self._credentials.has_pair:
            request = QfRequest(method="POST", url=self._path, json_body=body)
            request.headers = {**headers, "Host": urlsplit(self._base_url).netloc}
            iam_sign(self._credentials.access_key, self._credentials.secret_key, request)
            headers = request.headers
        call = Call(lambda: None)
        response = await self._pool.send(call, "POST", url, data=orjson.dumps(body), headers=headers)
        try:
            reply = orjson.loads(await response.read())
            if "error_code" in reply:
                fault = code_fault(int(reply["error_code"]), str(reply.get("error_msg", "")), call, url)
                raise credentials_refused(str(fault)) if isinstance(fault, Expired) else fault
            made = sorted(reply["data"], key=lambda one: one["index"])
            vectors = [[float(number) for number in one["embedding"]] for one in made]
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
            raise broken_reply(url) from None
        if len(vectors) != len(texts):
            raise broken_reply(url)
        return vectors

    async def aclose(self) -> None:
        """Close the connections."""
        await self._pool.aclose()
